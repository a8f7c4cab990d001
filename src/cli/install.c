/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
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

/* What stands there is ours, of a process of this number that was killed; nothing is followed. */
static bool write_copy(int from, const char *temporary)
{
    unlink(temporary);
    int to = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRWXU);
    bool done = to >= 0 && copy(from, to);
    int reason = errno;

    if (to >= 0)
        close(to);
    errno = reason;
    return done;
}

static bool put_there(int from, const char *temporary, const char *path)
{
    if (write_copy(from, temporary) && rename(temporary, path) == 0)
        return true;
    int reason = errno;

    unlink(temporary);
    errno = reason;
    return false;
}

/* In containers each is process 1: on a volume that they share, one after the other has the name to
 * write to. A file system without locks has them do as they can. */
static int install(const char *dir, const char *temporary, const char *path)
{
    int from = open(SELF, O_RDONLY | O_CLOEXEC), place;

    if (from < 0)
        return program_fail(EXIT_LOCAL, "cannot read this program, %s: %s", SELF, strerror(errno));
    place = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)flock(place, LOCK_EX);
    bool done = put_there(from, temporary, path);
    int reason = errno;

    close(from);
    if (place >= 0)
        close(place);
    return done ? EXIT_DONE
                : program_fail(EXIT_LOCAL, "cannot install into %s: %s", dir, strerror(reason));
}

int install_main(const struct conf *c)
{
    const char *dir = c->args[0];
    char path[PATH_MAX], temporary[PATH_MAX];
    struct buf out = {0};

    if (dir[0] == '\0')
        return program_fail(EXIT_USAGE, "DIR is empty");
    if (snprintf(path, sizeof path, "%s/erlclu", dir) >= (int)sizeof path ||
        snprintf(temporary, sizeof temporary, "%s/.erlclu.%ld", dir, (long)getpid()) >=
            (int)sizeof temporary)
        return program_fail(EXIT_USAGE, "the name of the directory is too long");
    int status = install(dir, temporary, path);

    if (status != EXIT_DONE)
        return status;
    if (c->json)
        return program_print_json(json_pack("{ss}", "installed", path));
    buf_printf(&out, "%s\n", path);
    return program_print(&out);
}
