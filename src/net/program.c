/* SPDX-License-Identifier: Apache-2.0 */
#include "net/program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "net/system.h"
#include "view/fields.h"
#include "view/text.h"

bool program_load(struct conf *c, enum conf_command command, int argc, char **argv, int *status)
{
    struct conf_input in = {
        .command = command,
        .argc = (size_t)argc,
        .argv = (const char *const *)argv,
        .env = system_env,
        .read_file = system_read_file,
    };
    clu_error err = conf_load(c, &in);
    struct buf help = {0};

    if (err == CLU_OK && !c->help)
        return true;
    if (err == CLU_OK) {
        conf_help(command, &help);
        *status = program_print(&help);
    } else if (err == CLU_EBADARG) {
        *status = program_fail(EXIT_USAGE, "%s", c->error);
    } else {
        *status = program_fail(EXIT_LOCAL, "%s", clu_strerror(err));
    }
    return false;
}

void program_complain(const char *who, const char *sentence)
{
    struct buf line = {0};

    /* A sentence may quote what a peer said. */
    text_put_printable(&line, slice_of(who));
    buf_put_text(&line, ": ");
    text_put_printable(&line, slice_of(sentence));
    buf_put_byte(&line, '\n');
    /* Not waited for: a program of the library's that has closed it has another file there. */
    (void)system_write_now(STDERR_FILENO, &line);
    buf_free(&line);
}

int program_fail(int status, const char *format, ...)
{
    char sentence[4 * REASON_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    program_complain("erlclu", sentence);
    return status;
}

int program_cannot_start(void)
{
    char why[REASON_SIZE];

    system_shortage(why);
    return program_fail(EXIT_LOCAL, "%s", why);
}

int program_print(struct buf *text)
{
    bool written = system_write(STDOUT_FILENO, text);
    int reason = text->err == CLU_ENOMEM ? ENOMEM : errno;

    buf_free(text);
    /* Who stops reading (head, a pager that was left) has what it wanted. */
    if (written || reason == EPIPE)
        return EXIT_DONE;
    return program_fail(EXIT_LOCAL, "cannot write to standard output: %s", strerror(reason));
}

int program_print_json(json_t *document)
{
    struct buf text = {0};

    if (json_put(&text, document, JSON_LAYOUT) != CLU_OK)
        text.err = CLU_ENOMEM;
    return program_print(&text);
}

void program_progress(const char *text)
{
    int reason = errno;

    if (isatty(STDERR_FILENO) && text != NULL)
        fprintf(stderr, "waiting for %s ...", text);
    else if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    errno = reason;
}
