/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/session.h"
#include "net/system.h"

/* send NODE NAME TERM: NAME ! TERM, and whether somebody is there to hear it. */

struct sending {
    struct session session;
    clu_writer term;
    clu_ref monitor;
};

/* What comes before the second pong comes before anything that the message does. */
static void on_signal(clu_process *self, const clu_signal *signal, void *arg)
{
    struct session *s = arg;
    clu_reader reason = signal->term;

    (void)self;
    if (signal->kind != CLU_SIGNAL_DOWN)
        return;
    clu_slice word = clu_get_atom(&reason);

    if (slice_is(word, "noproc"))
        session_end(s, program_fail(EXIT_NO, "no process is registered as %s on %s",
                                    s->conf->args[1], s->conf->target));
    else if (slice_is(word, "noconnection"))
        session_end(s, program_fail(EXIT_CLOSED, "the connection to %s is lost", s->conf->target));
}

/* Signals keep their order: who answers a question that was asked behind the message has it. */
static void on_second_answer(struct session *s, const struct answer *answer)
{
    if (answer->ok)
        session_end(s, EXIT_DONE);
    else
        session_end(s, program_fail(exit_of_stage(answer->stage), "%s: %s", s->conf->target,
                                    answer->reason));
}

static void on_linked(struct session *s)
{
    struct sending *m = CONTAINER_OF(s, struct sending, session);
    clu_to to = clu_to_name(s->conf->args[1], s->answer.node);

    m->monitor = clu_monitor(s->self, &to);
    clu_error err = clu_send_raw(s->self, &to, (clu_slice){m->term.data, m->term.len});

    if (m->monitor.n == 0 || err != CLU_OK) {
        session_end(s,
                    program_fail(EXIT_LOCAL, "%s", clu_strerror(err != CLU_OK ? err : CLU_ENOMEM)));
        return;
    }
    s->on_answer = on_second_answer;
    s->ask = machine_ping(s->drive.machine, s->answer.node, system_now_ms());
}

int send_main(const struct conf *conf)
{
    struct sending m = {.session = {.on_linked = on_linked, .receive = on_signal}};
    const char *name = conf->args[1], *text = conf->args[2];
    size_t at = 0;
    int status;

    clu_writer_init(&m.term);
    clu_error err = clu_parse(text, strlen(text), &m.term, &at, NULL);

    if (err != CLU_OK)
        status = fail_to_parse("TERM", text, at, err);
    else if (name[0] == '\0')
        status = program_fail(EXIT_USAGE, "NAME is the name of a registered process");
    else
        status = session_run(&m.session, conf);
    session_close(&m.session);
    clu_writer_free(&m.term);
    return status;
}
