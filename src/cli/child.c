/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/signals.h"
#include "net/system.h"

/* Where dnsmasq lives, which the PATH of a user need not name. */
#define MORE_PATH "/usr/local/sbin:/usr/sbin:/sbin"
/* How often we look whether a child has ended. */
#define LOOK_MS 10
/* What a shell says of a program that it cannot start. */
#define CANNOT_EXEC 127

static bool find_on(const char *dirs, const char *program, char *path, size_t size)
{
    while (dirs != NULL && *dirs != '\0') {
        int len = (int)strcspn(dirs, ":");

        if (snprintf(path, size, "%.*s/%s", len, dirs, program) < (int)size &&
            access(path, X_OK) == 0)
            return true;
        dirs += len + (dirs[len] == ':');
    }
    return false;
}

bool child_find(const char *program, char *path, size_t size)
{
    return find_on(getenv("PATH"), program, path, size) || find_on(MORE_PATH, program, path, size);
}

static void set_variables(const struct child_variable *v)
{
    for (; v->name != NULL; v++) {
        if (v->value != NULL)
            setenv(v->name, v->value, 1);
        else
            unsetenv(v->name);
    }
}

_Noreturn static void become(const char *const *argv, const struct child_variable *variables,
                             pid_t parent)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null >= 0)
        dup2(null, STDIN_FILENO);
    setpgid(0, 0);
    signals_restore();
    set_variables(variables);
    /* The parent may have died before we asked to be told. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent)
        execv(argv[0], (char *const *)argv);
    _exit(CANNOT_EXEC);
}

bool child_adopt(void)
{
    return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

bool child_start(struct child *c, const char *what, const char *const *argv,
                 const struct child_variable *variables)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        become(argv, variables, parent);
    snprintf(c->what, sizeof c->what, "%s", what);
    c->pid = pid > 0 ? pid : 0;
    return pid > 0;
}

static struct child *find(struct child *children, size_t n, pid_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (children[i].pid == pid)
            return &children[i];
    return NULL;
}

/* One that is not ours any more: its number may be another's by now. */
static struct child *forget(struct child *children, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (children[i].pid == 0)
            continue;
        children[i].pid = 0;
        return &children[i];
    }
    return NULL;
}

struct child *child_reap(struct child *children, size_t n, int *status)
{
    pid_t pid;

    *status = 0;
    while ((pid = waitpid(-1, status, WNOHANG)) > 0) {
        struct child *c = find(children, n, pid);

        if (c == NULL)
            continue; /* an adopted one */
        c->pid = 0;
        return c;
    }
    return pid < 0 ? forget(children, n) : NULL;
}

static void signal_all(const struct child *children, size_t n, int number)
{
    for (size_t i = 0; i < n; i++)
        if (children[i].pid != 0)
            kill(children[i].pid, number);
}

static bool all_ended(struct child *children, size_t n)
{
    int status;

    while (child_reap(children, n, &status) != NULL)
        continue;
    for (size_t i = 0; i < n; i++)
        if (children[i].pid != 0)
            return false;
    return true;
}

/* Whom our children left to us, or who was ours before we were this program. */
static bool has_adopted(void)
{
    return waitpid(-1, NULL, WNOHANG) >= 0;
}

void child_stop_all(struct child *children, size_t n, uint64_t patience_ms)
{
    static const struct timespec pause = {0, LOOK_MS * 1000000L};
    uint64_t deadline_ms = system_now_ms() + patience_ms;

    signal_all(children, n, SIGTERM);
    while (!all_ended(children, n)) {
        if (system_now_ms() >= deadline_ms)
            signal_all(children, n, SIGKILL);
        nanosleep(&pause, NULL);
    }
    while (has_adopted() && system_now_ms() < deadline_ms)
        nanosleep(&pause, NULL);
}
