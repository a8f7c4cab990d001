/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"

#include "cli/ask.h"
#include "net/system.h"
#include "net/watch.h"
#include "view/advice.h"
#include "view/fields.h"

/* In one line, as all that a session prints as JSON. */
static int print_no_link(const struct session *s, const struct answer *a)
{
    json_t *d = put(json_object(), "node", show_text(s->conf->target));
    struct buf out = {0};

    if (json_put(&out, ask_no_link(d, a), 0) != CLU_OK)
        out.err = CLU_ENOMEM;
    int status = program_print(&out);

    return status != EXIT_DONE ? status : exit_of_stage(a->stage);
}

static int tell_no_link(const struct session *s, const struct answer *a)
{
    if (s->conf->json)
        return print_no_link(s, a);
    return program_fail(exit_of_stage(a->stage), "no link with %s: %s: %s. %s", s->conf->target,
                        stage_text(a->stage), a->reason, advice_on_asked(a->stage));
}

static void on_answer(void *arg, const struct answer *answer)
{
    struct session *s = arg;
    clu_spawn_options o = {.receive = s->receive, .arg = s, .trap_exit = true};

    if (s->linked) {
        if (s->on_answer != NULL)
            s->on_answer(s, answer);
        return;
    }
    program_progress(NULL);
    s->answer = *answer;
    if (!answer->ok) {
        session_end(s, tell_no_link(s, answer));
        return;
    }
    s->linked = true;
    s->self = clu_spawn(machine_node(s->drive.machine), &o);
    if (s->self == NULL)
        session_end(s, program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM)));
    else
        s->on_linked(s);
}

/* Why it took too long: no link, or no answer behind it. */
static int tell_too_late(struct session *s)
{
    struct answer a;

    if (s->linked && s->on_late != NULL)
        return s->on_late(s);
    if (s->linked)
        return program_fail(EXIT_TCP_TIMEOUT, "%s did not answer within %g s: see --timeout",
                            s->conf->target, s->conf->timeout_ms / 1000.0);
    machine_ask_given_up(s->drive.machine, s->ask, &a);
    return tell_no_link(s, &a);
}

/* drive_limit's status: told apart from all that a session ends with. */
#define TOO_LATE (-1)

static int run(struct session *s)
{
    loop_start(s->drive.loop);
    s->ask = machine_ping(s->drive.machine, s->conf->target, system_now_ms());
    program_progress(s->conf->target);
    loop_turn(s->drive.loop);
    int status = loop_run(s->drive.loop);

    program_progress(NULL);
    return status == TOO_LATE ? tell_too_late(s) : status;
}

int session_run(struct session *s, const struct conf *c)
{
    const struct loop_hooks hooks = {.answer = on_answer, .arg = s};

    s->conf = c;
    int status = drive_open(&s->drive, c, &hooks);

    if (status == EXIT_DONE && !drive_limit(&s->drive, c, TOO_LATE))
        status = program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM));
    if (status == EXIT_DONE)
        status = run(s);
    return status;
}

void session_end(struct session *s, int status)
{
    loop_exit(s->drive.loop, status);
}

void session_stays(struct session *s)
{
    watch_stop(s->drive.timeout);
}

void session_close(struct session *s)
{
    drive_close(&s->drive);
}

/* People count characters, clu_parse bytes. */
static unsigned characters(const char *text, size_t len)
{
    unsigned n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((uint8_t)text[i] & 0xc0) != 0x80;
    return n;
}

/* So much of what cannot be read is shown. */
#define SHOWN_MAX 20

/* How many bytes that is, no character being cut. */
static int shown_len(const char *text)
{
    size_t len = strnlen(text, SHOWN_MAX);

    while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
        len--;
    return (int)len;
}

int fail_to_parse(const char *word, const char *text, size_t at, clu_error err)
{
    if (err == CLU_ESYNTAX && text[at] != '\0')
        return program_fail(EXIT_USAGE,
                            "%s, at character %u: syntax error before `%.*s`: expected a term: no "
                            "variables, calls or Elixir syntax",
                            word, characters(text, at) + 1, shown_len(text + at), text + at);
    if (text[at] == '\0' && strstr(text, "%{") != NULL)
        return program_fail(EXIT_USAGE,
                            "%s, at its end: syntax error: %% begins a comment: a map is "
                            "#{key => value}",
                            word);
    if (text[at] == '\0')
        return program_fail(EXIT_USAGE, "%s, at its end: %s", word, clu_strerror(err));
    return program_fail(EXIT_USAGE, "%s, at character %u: %s", word, characters(text, at) + 1,
                        clu_strerror(err));
}
