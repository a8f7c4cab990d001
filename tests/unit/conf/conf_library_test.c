/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

/* Settings from a program's options: words of a row name nothing, they tell which row it is. */
#define ROW(env, vm_args, key, want, ...)                                                          \
    {                                                                                              \
        {CMD_LIBRARY, "", env, vm_args, key, want},                                                \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct {
    struct row row;
    clu_options options;
} library_rows[] = {
    ROW(C, NULL, "name", "erlclu@127.0.0.1", 0),
    ROW(C ";MY_POD_IP=10.0.0.7", NULL, "name", "calc@10.0.0.7", .name = "calc"),
    ROW(C ";ERLCLU_NODE=env", NULL, "name", "env@127.0.0.1", 0),
    ROW(C ";ERLCLU_NODE=env", NULL, "name", "a@10.0.0.1", .name = "a@10.0.0.1"),
    ROW(C, NULL, "error",
        ".name: `a b` may have letters, digits, - and _ before the @, as every Erlang node",
        .name = "a b"),
    ROW(C, NULL, "specs", "dns:a static:b@c,d@e ", .discover = " dns:a  static:b@c,d@e"),
    ROW(C ";ERLCLU_DISCOVER=dns:x", NULL, "specs", "dns:x ", 0),
    ROW(C ";ERLCLU_DISCOVER=dns:x", NULL, "specs", "dns:a ", .discover = "dns:a"),
    /* The cookie: its value, a file, the environment, the home directory. */
    ROW(C, NULL, "cookie", "secret of .cookie", .cookie = "secret", .cookie_file = "cookie"),
    ROW(C, NULL, "cookie", "from-file of .cookie_file cookie", .cookie_file = "cookie"),
    ROW(C, NULL, "cookie file", "cookie 600000", .cookie_file = "cookie"),
    ROW("HOME=/home/me", NULL, "cookie file", " 600000", .cookie = "secret"),
    ROW(C, NULL, "cookie", "c of RELEASE_COOKIE", 0),
    ROW("HOME=/home/me", NULL, "cookie", "from-home of /home/me/.erlang.cookie", 0),
    ROW("", NULL, "error",
        "no cookie: give .cookie, .cookie_file, RELEASE_COOKIE or ~/.erlang.cookie "
        "(~/.erlang.cookie: there is no HOME)",
        0),
    ROW("RELEASE_COOKIE=\x01", NULL, "cookie", "ok of .cookie", .cookie = "ok"),
    ROW(C, NULL, "error",
        ".cookie holds characters that no cookie may have: printable ASCII in one line is allowed",
        .cookie = "hunter\x01"
                  "2"),
    ROW(C, NULL, "error", ".cookie_file: none cannot be read: it is not there",
        .cookie_file = "none"),
    ROW(C, NULL, "error", ".args_file: none cannot be read: it is not there", .args_file = "none"),
    /* vm.args stands between. */
    ROW(C, "-setcookie args -name args@10.0.0.2", "name", "args@10.0.0.2", .args_file = "vm.args"),
    ROW(C, "-setcookie args -name args@10.0.0.2", "name", "mine@127.0.0.1", .args_file = "vm.args",
        .name = "mine"),
    ROW(C, "-hidden", "role", "hidden ", .args_file = "vm.args"),
    ROW(C, NULL, "role", "hidden ", .hidden = true),
    ROW(C, NULL, "role", "", 0),
    /* Ports and times. */
    ROW(C, NULL, "epmd", "auto 4369 dist 0", 0),
    ROW(C ";ERL_EPMD_PORT=4370", NULL, "epmd", "auto 4370 dist 0", 0),
    ROW(C, NULL, "epmd", "none 5000 dist 65535", .epmd = "none", .epmd_port = 5000,
        .listen_port = 65535),
    ROW(C, NULL, "error", ".epmd: `yes` is not auto, embedded, external or none", .epmd = "yes"),
    ROW(C, NULL, "error",
        ".epmd none needs .listen_port: without epmd, all nodes listen at one known port",
        .epmd = "none"),
    ROW(C, NULL, "listen", "10.0.0.1:0 9100-9100", .listen_address = "10.0.0.1",
        .listen_port = 9100),
    ROW(C, NULL, "times", "30000/4 7000, 10000", .ticktime = 30),
    ROW(C, NULL, "error", ".ticktime: `86401` is no net_ticktime: 1 to 86400 is allowed",
        .ticktime = 86401),
    ROW(C, NULL, "prune", "never 0", .prune = "never"),
    ROW(C, NULL, "dns", "10.0.0.1:53", .dns = "10.0.0.1:53"),
    /* Silent unless told otherwise; a page is the program's own affair. */
    ROW(C ";HTTP_PORT=nonsense;METRICS_PORT=9", NULL, "http", "none metrics none", 0),
    ROW(C, NULL, "log", "4 ", 0),
    ROW(C, NULL, "log", "4 ", .log = "none"),
    ROW(C, NULL, "log", "0 ", .log = "debug"),
    ROW(C, NULL, "error", ".log: `loud` is not debug, info, warning, error or none", .log = "loud"),
    ROW(C, NULL, "error",
        ".global and .hidden do not go together: hidden nodes are no part of global",
        .global = true, .hidden = true),
    ROW(C, NULL, "error",
        ".global and .prune after do not go together: a link that one node cuts is a partial "
        "partition to global, for which others cut further ones",
        .global = true, .prune = "after:5m"),
    ROW(C ";KUBERNETES_SERVICE_HOST=10.43.0.1", NULL, "notes", "no .discover; ", 0),
};

static void library(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(library_rows); i++)
        check_options(&library_rows[i].row, &library_rows[i].options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(library)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
