/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "conf/nearest.h"
#include "conf/options.h"

static const struct {
    const char *word, *arguments, *help;
} commands[CONF_ROLES] = {
#define X(id, word, arguments, help) [id] = {word, arguments, help},
    CONF_COMMAND_MAP(X)
#undef X
        [CMD_LIBRARY] = {"", "", ""},
};

enum conf_command conf_command_of(const char *word)
{
    size_t i = 0;

    while (i < CONF_COMMANDS && strcmp(commands[i].word, word) != 0)
        i++;
    return (enum conf_command)i;
}

const char *conf_nearest_command(const char *word)
{
    struct nearest n = {.word = slice_of(word)};

    for (size_t i = 0; i < CONF_COMMANDS; i++)
        nearest_try(&n, commands[i].word);
    return n.best;
}

const char *conf_command_word(enum conf_command command)
{
    return commands[command].word;
}

const char *conf_command_arguments(enum conf_command command)
{
    return commands[command].arguments;
}

/* Two columns; the second begins on the line below when the first is too long. */
static void put_row(struct buf *out, const char *left, const char *right, const char *env)
{
    buf_printf(out, "  %-25s %s", left, right);
    if (env != NULL)
        buf_printf(out, " [%s]", env);
    buf_put_byte(out, '\n');
}

static void put_option(struct buf *out, const struct option *o, enum conf_command command)
{
    bool env = (o->env_commands & command_bit(command)) != 0;
    bool other = (o->other_commands & command_bit(command)) != 0;
    bool word = (o->word_commands & command_bit(command)) != 0;
    char left[64];

    if (word)
        snprintf(left, sizeof left, "%s[=%s]", o->name, o->word);
    else
        snprintf(left, sizeof left, "%s%s%s", o->name, o->arg == NULL ? "" : " ",
                 o->arg == NULL ? "" : o->arg);
    put_row(out, left, other ? o->other_help : o->help, env ? o->env : NULL);
}

static void put_notes(struct buf *out, enum conf_command command)
{
    const struct role *role = &conf_roles[command];

    if (role->target && role->min_args == 0)
        buf_put_text(out, "\nNODE: NAME@HOST; without it, the node that RELEASE_NODE names\n");
    if (command == CMD_WAIT)
        buf_put_text(out, "\nEither --peers or --reachable is needed.");
    if ((conf_options[OPT_DISCOVER].commands & command_bit(command)) != 0)
        buf_put_text(
            out, "\nSPEC: dns:NAME srv:NAME k8s:NAMESPACE/SERVICE gossip: epmd:HOST hosts:FILE\n"
                 "      file:FILE static:NODE,NODE   (man erlclu, docs/discovery.md)\n");
}

void conf_help(enum conf_command command, struct buf *out)
{
    const char *arguments = commands[command].arguments;

    buf_printf(out, "erlclu %s [OPTION...]%s%s\n%s\n\n", commands[command].word,
               arguments[0] == '\0' ? "" : " ", arguments, commands[command].help);
    for (size_t i = 0; i < OPTIONS; i++)
        if (conf_options[i].name != NULL && i != OPT_HELP &&
            (conf_options[i].commands & command_bit(command)) != 0)
            put_option(out, &conf_options[i], command);
    put_option(out, &conf_options[OPT_HELP], command);
    put_notes(out, command);
}

void conf_overview(struct buf *out)
{
    buf_put_text(out, "erlclu COMMAND [OPTION...] [ARGUMENT...]: a node of an Erlang cluster\n\n");
    for (size_t i = 0; i < CONF_COMMANDS; i++) {
        char left[64];

        snprintf(left, sizeof left, "%s %s", commands[i].word, commands[i].arguments);
        put_row(out, left, commands[i].help, NULL);
    }
    buf_put_text(
        out, "\nerlclu COMMAND --help, or erlclu help COMMAND, lists the options of a command.\n");
}
