/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "net/program.h"

#define SELF "/proc/self/exe"
/* Bytes that the system copies at a time. */
#define CHUNK (1u << 20)

static bool copy(int from, int to)
{
    ssize_t n;

    do
        n = sendfile(to, from, NULL, CHUNK);
    while (n > 0 || (n < 0 && errno == EINTR));
    /* Data first, then the name: a crash between leaves the old program or none, never a half. */
    return n == 0 && fchmod(to, 0755) == 0 && fsync(to) == 0;
}

static bool write_copy(const char *temporary)
{
    int from = open(SELF, O_RDONLY | O_CLOEXEC);
    int to = from < 0 ? -1 : open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    bool done = to >= 0 && copy(from, to);
    int reason = errno;

    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    errno = reason;
    return done;
}

int install_main(const struct conf *c)
{
    const char *dir = c->args[0];
    char path[PATH_MAX], temporary[PATH_MAX];
    struct buf out = {0};

    if (snprintf(path, sizeof path, "%s/erlclu", dir) >= (int)sizeof path ||
        snprintf(temporary, sizeof temporary, "%s/.erlclu.%ld", dir, (long)getpid()) >=
            (int)sizeof temporary)
        return program_fail(EXIT_USAGE, "the name of the directory is too long");
    if (!write_copy(temporary) || rename(temporary, path) != 0) {
        int reason = errno;

        unlink(temporary);
        return program_fail(EXIT_LOCAL, "cannot install into %s: %s", dir, strerror(reason));
    }
    if (c->json)
        return program_print_json(json_pack("{ss}", "installed", path));
    buf_printf(&out, "%s\n", path);
    return program_print(&out);
}
