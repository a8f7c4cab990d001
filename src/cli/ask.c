/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask.h"

#include "net/system.h"
#include "view/advice.h"
#include "view/fields.h"

struct asking {
    struct drive drive;
    struct answer *answer;
    bool answered;
    uint64_t began_us;
};

static void on_answer(void *arg, const struct answer *answer)
{
    struct asking *a = arg;

    *a->answer = *answer;
    a->answered = true;
    a->answer->took_us = system_now_us() - a->began_us;
    loop_exit(a->drive.loop, EXIT_DONE);
}

int ask(const struct conf *c, ask_fn *question, const char *subject, struct answer *answer)
{
    struct asking a = {.answer = answer};
    const struct loop_hooks hooks = {.answer = on_answer, .arg = &a};
    int status = drive_open(&a.drive, c, &hooks);

    if (status == EXIT_DONE && !drive_limit(&a.drive, c, EXIT_DONE))
        status = program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM));
    if (status == EXIT_DONE) {
        a.began_us = system_now_us();
        loop_start(a.drive.loop);
        uint32_t id = question(a.drive.machine, subject, system_now_ms());

        loop_turn(a.drive.loop);
        program_progress(subject);
        status = loop_run(a.drive.loop) == 0 ? EXIT_DONE : EXIT_LOCAL;
        program_progress(NULL);
        if (!a.answered)
            machine_ask_given_up(a.drive.machine, id, answer);
    }
    drive_close(&a.drive);
    return status;
}

json_t *ask_failure(json_t *document, const struct answer *answer)
{
    document = put(document, "stage", show_stage(&answer->stage));
    return put(document, "reason", show_text(answer->reason));
}

json_t *ask_no_link(json_t *document, const struct answer *answer)
{
    document = ask_failure(document, answer);
    return put(document, "advice", json_string(advice_on_asked(answer->stage)));
}

json_t *ask_address(json_t *document, const struct answer *answer)
{
    char text[ADDR_TEXT_MAX] = "";

    if (answer->address.port != 0)
        addr_text(&answer->address, text);
    else if (answer->address.family != 0)
        addr_ip_text(&answer->address, text);
    return put(document, "address", show_text(text));
}
