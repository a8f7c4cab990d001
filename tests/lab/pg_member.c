/* SPDX-License-Identifier: Apache-2.0
 *
 * A node for the tests of pg: it does what the messages {From, Ref, Command} to its process named
 * member say, and answers each with {Ref, Answer}. Its words are those of `erlclu run`.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include <erlclu/pg.h>

#include "mesh/internal.h"
#include "net/drive.h"
#include "net/signals.h"

/* What a command's words were: text and terms without cache references. */
struct command {
    struct clu_node *node;
    clu_reader args;
    clu_writer terms[4];
    size_t n_terms;
    clu_writer answer;
};

/* ---- arguments ---- */

static clu_slice term_arg(struct command *c)
{
    clu_writer *w = &c->terms[c->n_terms++];

    clu_put_term(w, &c->args);
    return (clu_slice){w->data, w->len};
}

/* An atom; good as long as the command. */
static const char *atom_arg(struct command *c)
{
    clu_writer *w = &c->terms[c->n_terms++];
    clu_slice text = clu_get_atom(&c->args);

    clu_put_bytes(w, text.data, text.len);
    clu_put_bytes(w, "", 1);
    return w->err == CLU_OK ? (const char *)w->data : "";
}

static clu_process *process_arg(struct command *c)
{
    clu_pid pid = clu_get_pid(&c->args);

    return c->args.err == CLU_OK ? clu_find(c->node, &pid) : NULL;
}

static void answer_error(struct command *c, clu_error err)
{
    static const struct {
        clu_error err;
        const char *word;
    } words[] = {
        {CLU_OK, "ok"},
        {CLU_ENOENT, "not_there"},
        {CLU_EEXIST, "there_already"},
        {CLU_EBUSY, "busy"},
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i].err == err) {
            clu_put_atom_text(&c->answer, words[i].word);
            return;
        }
    clu_put_atom_text(&c->answer, clu_strerror(err));
}

/* ---- commands ---- */

static void do_start(struct command *c)
{
    answer_error(c, clu_pg_start(c->node, atom_arg(c)));
}

static void do_stop(struct command *c)
{
    answer_error(c, clu_pg_stop(c->node, atom_arg(c)));
}

/* {spawn} or {spawn, Name}: its pid */
static void do_spawn(struct command *c)
{
    const char *name = c->args.pos < c->args.end ? atom_arg(c) : NULL;
    clu_process *p = clu_spawn(c->node, &(clu_spawn_options){.name = name});
    clu_pid pid = p == NULL ? (clu_pid){0} : clu_self(p);

    clu_put_pid(&c->answer, &pid);
}

static void do_end(struct command *c)
{
    clu_process *p = process_arg(c);

    if (p != NULL)
        clu_exit(p, "normal");
    answer_error(c, p == NULL ? CLU_ENOENT : CLU_OK);
}

static void do_join(struct command *c)
{
    clu_process *p = process_arg(c);
    const char *scope = atom_arg(c);

    answer_error(c, p == NULL ? CLU_ENOENT : clu_pg_join(p, scope, term_arg(c)));
}

static void do_leave(struct command *c)
{
    clu_process *p = process_arg(c);
    const char *scope = atom_arg(c);

    answer_error(c, p == NULL ? CLU_ENOENT : clu_pg_leave(p, scope, term_arg(c)));
}

static bool put_member(const clu_pid *pid, bool local, void *arg)
{
    struct command *c = arg;

    clu_put_tuple(&c->answer, 2);
    clu_put_pid(&c->answer, pid);
    clu_put_atom_text(&c->answer, local ? "local" : "remote");
    return true;
}

/* [{Pid, local | remote}] */
static void do_members(struct command *c)
{
    const char *scope = atom_arg(c);
    clu_slice group = term_arg(c);
    size_t n = clu_pg_members(c->node, scope, group, NULL, NULL);

    if (n > 0)
        clu_put_list(&c->answer, n);
    clu_pg_members(c->node, scope, group, put_member, c);
    clu_put_nil(&c->answer);
}

static bool put_group(clu_slice group, size_t members, size_t local, void *arg)
{
    struct command *c = arg;

    clu_put_tuple(&c->answer, 3);
    clu_put_raw(&c->answer, group);
    clu_put_uint(&c->answer, members);
    clu_put_uint(&c->answer, local);
    return true;
}

/* [{Group, Members, Local}] */
static void do_groups(struct command *c)
{
    const char *scope = atom_arg(c);
    size_t n = clu_pg_groups(c->node, scope, NULL, NULL);

    if (n > 0)
        clu_put_list(&c->answer, n);
    clu_pg_groups(c->node, scope, put_group, c);
    clu_put_nil(&c->answer);
}

/* {Groups, Memberships, Local, Peers, Ignored} */
static void do_info(struct command *c)
{
    clu_pg_info info;

    if (!clu_pg_get_info(c->node, atom_arg(c), &info)) {
        clu_put_atom_text(&c->answer, "not_there");
        return;
    }
    clu_put_tuple(&c->answer, 5);
    clu_put_uint(&c->answer, info.groups);
    clu_put_uint(&c->answer, info.memberships);
    clu_put_uint(&c->answer, info.local);
    clu_put_uint(&c->answer, info.peers);
    clu_put_uint(&c->answer, info.ignored);
}

/* {watch, Pid, Scope} or {watch, Pid, Scope, Group}: Ref */
static void do_watch(struct command *c)
{
    clu_process *p = process_arg(c);
    const char *scope = atom_arg(c);
    bool one = c->args.pos < c->args.end;
    clu_slice group = one ? term_arg(c) : (clu_slice){0};
    clu_ref ref = p == NULL ? (clu_ref){0} : clu_pg_monitor(p, scope, one ? &group : NULL);

    if (ref.n > 0)
        clu_put_ref(&c->answer, &ref);
    else
        clu_put_atom_text(&c->answer, "not_there");
}

/* The messages that wait for a process. */
static void do_take(struct command *c)
{
    clu_process *p = process_arg(c);
    clu_signal s;

    while (p != NULL && clu_take(p, &s)) {
        if (s.kind != CLU_SIGNAL_MESSAGE)
            continue;
        clu_put_list(&c->answer, 1);
        clu_put_term(&c->answer, &s.term);
    }
    clu_put_nil(&c->answer);
}

/* {send, Pid, Scope, Group, all | local | remote, Message} */
static void do_send(struct command *c)
{
    clu_process *p = process_arg(c);
    const char *scope = atom_arg(c);
    clu_slice group = term_arg(c);
    const char *whom = atom_arg(c);
    clu_pg_whom to = strcmp(whom, "all") == 0     ? CLU_PG_ALL
                     : strcmp(whom, "local") == 0 ? CLU_PG_LOCAL
                                                  : CLU_PG_REMOTE;

    answer_error(c, p == NULL ? CLU_ENOENT : clu_pg_send(p, scope, group, to, term_arg(c)));
}

static struct clu_node *quitting; /* NULL: not yet */

static void do_quit(struct command *c)
{
    quitting = c->node;
    clu_put_atom_text(&c->answer, "ok");
}

/* Not from within the signal: the link that it came by ends with the machine. */
static void on_turned(void *arg)
{
    struct drive *drive = arg;

    if (quitting == NULL)
        return;
    struct machine *m = CONTAINER_OF(quitting, struct machine, node);

    machine_stop(m, "it was told to", quitting->now_ms);
    quitting = NULL;
    loop_exit(drive->loop, EXIT_DONE);
}

static const struct {
    const char *word;
    void (*act)(struct command *c);
} commands[] = {
    {"start", do_start},     {"stop", do_stop},     {"spawn", do_spawn}, {"end", do_end},
    {"join", do_join},       {"leave", do_leave},   {"info", do_info},   {"watch", do_watch},
    {"members", do_members}, {"groups", do_groups}, {"take", do_take},   {"send", do_send},
    {"quit", do_quit},
};

/* {Word, Argument, ...}: carries it out, and answers. */
static void run_command(struct command *c)
{
    clu_get_tuple(&c->args);
    clu_slice word = clu_get_atom(&c->args);

    for (size_t i = 0; i < COUNT(commands); i++)
        if (slice_is(word, commands[i].word)) {
            commands[i].act(c);
            return;
        }
    clu_put_atom_text(&c->answer, "what");
}

static void member_receive(clu_process *self, const clu_signal *s, void *arg)
{
    struct command c = {.node = clu_process_node(self), .args = s->term};

    (void)arg;
    if (s->kind != CLU_SIGNAL_MESSAGE || clu_get_tuple(&c.args) != 3)
        return;
    clu_pid from = clu_get_pid(&c.args);
    clu_ref ref = clu_get_ref(&c.args);

    if (c.args.err != CLU_OK)
        return;
    run_command(&c);
    clu_to to = clu_to_pid(from);
    clu_writer *w = clu_send_begin(self, &to);

    clu_put_tuple(w, 2);
    clu_put_ref(w, &ref);
    clu_put_raw(w, (clu_slice){c.answer.data, c.answer.len});
    if (clu_send_end(self) != CLU_OK)
        fprintf(stderr, "an answer was lost\n");
    clu_writer_free(&c.answer);
    for (size_t i = 0; i < COUNT(c.terms); i++)
        clu_writer_free(&c.terms[i]);
}

/* ---- the program ---- */

static int be_member(const struct conf *conf)
{
    struct drive drive;
    struct loop_hooks hooks = {.turned = on_turned, .arg = &drive};
    int status = drive_open(&drive, conf, &hooks);

    if (status == EXIT_DONE) {
        clu_spawn_options o = {.name = "member", .receive = member_receive};

        if (clu_spawn(&drive.machine->node, &o) == NULL)
            status = EXIT_LOCAL;
    }
    if (status == EXIT_DONE) {
        loop_start(drive.loop);
        status = loop_run(drive.loop);
    }
    drive_close(&drive);
    return status;
}

int main(int argc, char **argv)
{
    struct conf c = {0};
    int status = EXIT_DONE;

    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    signals_ignore_pipe();
    if (program_load(&c, CMD_RUN, argc - 1, argv + 1, &status))
        status = be_member(&c);
    conf_fini(&c);
    return status;
}
