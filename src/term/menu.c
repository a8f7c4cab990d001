/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "term/impl.h"

/* Ctrl-G: commands for the console itself, as the job control of erl has them. There is one job:
 * the shell on the peer. */

static void back_to_shell(struct term *t)
{
    if (t->shell) {
        t->menu = false;
        return;
    }
    term_print(t, slice_of("there is no shell: s starts one\n"));
}

static void interrupt(struct term *t)
{
    if (t->shell)
        (void)term_effect(t, TERM_INTERRUPT);
}

/* A shell whose reader hears that the terminal is gone ends by itself. */
static void kill_shell(struct term *t)
{
    stop_readers(t, "terminated");
    if (t->shell)
        (void)term_effect(t, TERM_KILL);
}

static void list_jobs(struct term *t)
{
    term_print(t, slice_of(t->shell ? "   1* the shell\n" : "   no shell\n"));
}

static void start_shell(struct term *t)
{
    if (t->shell) {
        term_print(t, slice_of("there is a shell: c goes back to it, k ends it\n"));
        return;
    }
    t->menu = false;
    (void)term_effect(t, TERM_START);
}

static void help(struct term *t);

static const struct {
    char word;
    void (*run)(struct term *t);
    const char *text;
} commands[] = {
    {'c', back_to_shell, "back to the shell"},
    {'i', interrupt, "interrupt what it evaluates"},
    {'k', kill_shell, "kill it"},
    {'j', list_jobs, "list it"},
    {'s', start_shell, "start one"},
    {'q', term_leave, "quit"},
    {'h', help, "this text"},
    {'?', help, NULL},
};

static void help(struct term *t)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        char row[64];

        if (commands[i].text == NULL)
            continue;
        snprintf(row, sizeof row, "  %c  - %s\n", commands[i].word, commands[i].text);
        term_print(t, slice_of(row));
    }
}

void menu_open(struct term *t)
{
    edit_suspend(t);
    term_print(t, slice_of("\nUser switch command (h: help)\n"));
    t->menu = true;
}

void menu_entered(struct term *t, clu_slice command)
{
    while (command.len > 0 && (command.data[0] == ' ' || command.data[0] == '\n')) {
        command.data++;
        command.len--;
    }
    if (command.len == 0)
        return;
    for (size_t i = 0; i < COUNT(commands); i++)
        if ((char)command.data[0] == commands[i].word) {
            commands[i].run(t);
            return;
        }
    term_print(t, slice_of("no such command: h lists them\n"));
}
