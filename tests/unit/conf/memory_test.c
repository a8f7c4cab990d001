/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include "../failing.h"
#include "conf/conf.h"

/* Every allocation of conf_load fails, and all behind it: each time it says so, and nothing is left
 * behind (the leak check of the build tells). */

static const struct {
    const char *path, *text;
} files[] = {
    {"vm.args",
     "-name ${NAME} -setcookie c -setcookie a@b d\n% x\n-kernel a b net_ticktime 9\n-x\n"},
    {"cookie", "abc\n"},
    {"/home/.erlang.cookie", "abc\n"},
    {"/etc/resolv.conf", "nameserver 10.0.0.1\nsearch a.svc.z\n"},
    {"/etc/hosts", "127.0.0.1 a b c d e f g h i j k l m n o p q r s t\n"},
};

static clu_error read_file(void *arg, const char *path, struct buf *text, char why[REASON_SIZE])
{
    (void)arg;
    (void)why;
    for (size_t i = 0; i < COUNT(files); i++)
        if (strcmp(files[i].path, path) == 0) {
            buf_put_text(text, files[i].text);
            return text->err;
        }
    return CLU_ENOENT;
}

static const char *env(void *arg, const char *name)
{
    static const char *const set[][2] = {
        {"NAME", "x@10.0.0.1"}, {"HOME", "/home"}, {"KUBERNETES_SERVICE_HOST", "10.43.0.1"}};

    (void)arg;
    for (size_t i = 0; i < COUNT(set); i++)
        if (strcmp(set[i][0], name) == 0)
            return set[i][1];
    return NULL;
}

static const struct {
    enum conf_command command;
    const char *words[6];
    clu_error end; /* with enough memory */
} rows[] = {
    {CMD_RUN, {"--args-file", "vm.args"}, CLU_OK},
    {CMD_RUN, {"--cookie-file", "cookie", "--http", "a:80"}, CLU_OK},
    {CMD_RUN, {"--short"}, CLU_EBADARG},
    {CMD_PING, {"a@b"}, CLU_OK},
    {CMD_NAMES, {"host"}, CLU_OK},
    {CMD_DISCOVER, {"dns:a", "dns:b", "--json"}, CLU_OK},
};

/* Loads with so many allocations; true when they were enough. */
static bool load(size_t row, struct conf *c, size_t enough)
{
    struct conf_input in = {
        .command = rows[row].command, .argv = rows[row].words, .env = env, .read_file = read_file};

    while (in.argc < COUNT(rows[row].words) && in.argv[in.argc] != NULL)
        in.argc++;
    n_allocations = 0;
    failing = enough + 1;
    clu_error err = conf_load(c, &in);
    bool failed = err == CLU_ENOMEM;

    failing = 0;
    conf_fini(c);
    if (!failed && err != rows[row].end)
        fail_msg("row %zu, %zu allocations: %s", row, enough, clu_strerror(err));
    return !failed;
}

static void every_allocation_may_fail(void **state)
{
    static struct conf c;

    (void)state;
    for (size_t row = 0; row < COUNT(rows); row++) {
        size_t enough = 0;

        while (!load(row, &c, enough) && enough < 1000)
            enough++;
        if (enough == 0 || enough == 1000)
            fail_msg("row %zu needs %zu allocations", row, enough);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

    failing_for_good = true;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
