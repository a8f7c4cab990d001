/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

static const struct row other_rows[] = {
    {CMD_RUN, "", C, NULL, "role", ""},
    {CMD_RUN, "--hidden", C, NULL, "role", "hidden "},
    {CMD_RUN, "--global", C, NULL, "role", "global "},
    {CMD_RUN, "", C, NULL, "role", ""},
    {CMD_RUN, "--global --prune never", C, NULL, "role", "global "},
    {CMD_RUN, "--global --prune after:5m", C, NULL, "error",
     "--global and --prune after do not go together: a link that one node cuts is a partial "
     "partition to global, for which others cut further ones"},
    {CMD_RUN, "--global --hidden", C, NULL, "error",
     "--global and --hidden do not go together: hidden nodes are no part of global"},
    {CMD_PING, "--global a@b.c", C, NULL, "error", "--global is an option of run, not of ping"},
    {CMD_RUN, "--args-file vm.args", C, "-hidden", "role", "hidden "},
    {CMD_RUN, "", C, NULL, "prune", "when_down 0"},
    {CMD_RUN, "--prune never", C, NULL, "prune", "never 0"},
    {CMD_RUN, "--prune never --prune when_down", C, NULL, "prune", "when_down 0"},
    {CMD_RUN, "--prune after:30s", C, NULL, "prune", "after 30000"},
    {CMD_RUN, "--prune=after:5m", C, NULL, "prune", "after 300000"},
    {CMD_RUN, "--prune after:0.5", C, NULL, "error",
     "--prune: `after:0.5` is not never, when_down or after:TIME, where TIME is 1s, 5m, at most a "
     "day"},
    {CMD_RUN, "--prune after", C, NULL, "error",
     "--prune: `after` is not never, when_down or after:TIME, where TIME is 1s, 5m, at most a day"},
    {CMD_RUN, "", C, NULL, "cookie file", " 600000"},
    {CMD_RUN, "--cookie-file cookie", C, NULL, "cookie file", "cookie 600000"},
    {CMD_RUN, "", "HOME=/home/me;COOKIE_OVERLAP=0", NULL, "cookie file",
     "/home/me/.erlang.cookie 0"},
    {CMD_RUN, "--args-file vm.args", "COOKIE_OVERLAP=86400", "-setcookie a", "cookie file",
     " 86400000"},
    {CMD_RUN, "", C ";COOKIE_OVERLAP=10m", NULL, "error",
     "COOKIE_OVERLAP: `10m` is no time in seconds: 0 to 86400 is allowed"},
    {CMD_PING, "--json a@b.c", C, NULL, "role", "hidden no_listen json "},
    {CMD_NAMES, "", "", NULL, "role", "hidden no_listen "},
    {CMD_EPMD, "", "", NULL, "role", "hidden epmd_only "},
    {CMD_RUN, "", C, NULL, "log", "1 "},
    {CMD_RUN, "--log-level debug --log-format json --template /page.html", C, NULL, "log",
     "0 json /page.html"},
    {CMD_RUN, "--log-level error --log-format text", C, NULL, "log", "3 "},
    {CMD_RUN, "--log-level loud", C, NULL, "error",
     "--log-level: `loud` is not debug, info, warning or error"},
    {CMD_RUN, "--log-format xml", C, NULL, "error", "--log-format: `xml` is not text or json"},
    {CMD_RUN, "--template " X100 X100 X100 X100 X100 X100, C, NULL, "error",
     "--template: `" X100 "` is too long for a file name"},
    {CMD_RUN, "", C, NULL, "dns", "127.0.0.1:0"},
    {CMD_RUN, "", C ";RESOLV=nameserver 10.0.0.1", NULL, "dns", "10.0.0.1:0"},
    {CMD_RUN, "--dns 127.0.0.1:5300", C ";RESOLV=nameserver 10.0.0.1", NULL, "dns",
     "127.0.0.1:5300"},
    {CMD_NAMES, "--dns [::1]:5300", "", NULL, "dns", "[::1]:5300"},
    {CMD_RUN, "--dns localhost", C, NULL, "error", "--dns: `localhost` is not ADDR or ADDR:PORT"},
    {CMD_EPMD, "", "RESOLV=nameserver 10.0.0.1", NULL, "dns", ""},
    {CMD_PING, "--timeout 500ms a@b.c", C, NULL, "times", "60000/4 7000, 500"},
    {CMD_PING, "--timeout soon a@b.c", C, NULL, "error",
     "--timeout: `soon` is not a time: 5, 0.5, 500ms, 10s, 1m, at most a day"},
    {CMD_PING, "--timeout 0 a@b.c", C, NULL, "error",
     "--timeout: `0` leaves no time: 1ms is the least"},
    {CMD_WAIT, "--peers 1 --timeout 0.0001", "", NULL, "error",
     "--timeout: `0.0001` leaves no time: 1ms is the least"},
    {CMD_DEMO, "--seconds 0", "", NULL, "times", "60000/4 7000, 0"},
    {CMD_DEMO, "", "", NULL, "times", "60000/4 7000, 0"},
    {CMD_DEMO, "", "DEMO_SECONDS=20", NULL, "times", "60000/4 7000, 20000"},
    {CMD_PING, "a@b.c", C ";RELEASE_NODE=d@e.f", NULL, "target", "a@b.c none"},
    {CMD_PING, "", C ";RELEASE_NODE=d@e.f", NULL, "target", "d@e.f none"},
    {CMD_PING, "d", C ";MY_POD_IP=10.0.0.1", NULL, "target", "d@10.0.0.1 none"},
    {CMD_SHELL, "", C ";RELEASE_NODE=d@e.f", NULL, "target", "d@e.f none"},
    {CMD_SHELL, "d", C ";MY_POD_IP=10.0.0.1", NULL, "target", "d@10.0.0.1 none"},
    {CMD_SHELL, "", C, NULL, "error",
     "erlclu shell needs a NODE, or RELEASE_NODE in the environment"},
    {CMD_SHELL, "a@b.c d@e.f", C, NULL, "error",
     "erlclu shell has no use for `d@e.f`: erlclu shell --help says more"},
    {CMD_CALL, "a@b.c m f", C ";RELEASE_NODE=d@e.f", NULL, "target", "a@b.c none"},
    {CMD_CALL, "m f", C ";RELEASE_NODE=d@e.f", NULL, "error",
     "erlclu call needs NODE MOD FUN [ARGS]: erlclu call --help says more"},
    {CMD_CALL, "--json=tagged a@b.c m f", C, NULL, "role", "hidden no_listen json "},
    {CMD_CALL, "--json=lossy a@b.c m f", C, NULL, "error", "--json takes no value but tagged"},
    {CMD_PING, "--json=tagged a@b.c", C, NULL, "error", "--json takes no value"},
    {CMD_SEND, "a@b.c name term", C, NULL, "target", "a@b.c none"},
    {CMD_SEND, "a@b.c name", C, NULL, "error",
     "erlclu send needs NODE NAME TERM: erlclu send --help says more"},
    {CMD_PING, "a@b.c --address localhost:9100", C, NULL, "target", "a@b.c 127.0.0.1:9100"},
    {CMD_PING, "a@b.c --address [::1]:9100", C, NULL, "target", "a@b.c [::1]:9100"},
    {CMD_PING, "a@b.c --address 127.0.0.1", C, NULL, "error",
     "--address: `127.0.0.1` is not ADDR:PORT: an IP address or a name of the hosts file, and a "
     "port"},
    {CMD_PING, "", C, NULL, "error",
     "erlclu ping needs a NODE, or RELEASE_NODE in the environment"},
    {CMD_PING, "127.0.0.1", C, NULL, "error", "NODE: `127.0.0.1` is a host, not a node: NAME@HOST"},
    {CMD_CALL, "app.example.org m f", C, NULL, "error",
     "NODE: `app.example.org` is a host, not a node: NAME@HOST"},
    {CMD_SHELL, "", C ";RELEASE_NODE=::1", NULL, "error",
     "RELEASE_NODE: `::1` is a host, not a node: NAME@HOST"},
    {CMD_PING, "a@127.0.0.1:4000", C, NULL, "error",
     "NODE: `a@127.0.0.1:4000` has a port behind the host: give it as --port 4000"},
    {CMD_PING, "a@fd00::1:4000", C, NULL, "target", "a@fd00::1:4000 none"},
    {CMD_PING, "--name a a@127.0.0.1", C, NULL, "error",
     "--name: a@127.0.0.1 is the name of the node asked: leave it out or choose another"},
    {CMD_PING, "--name b a@127.0.0.1", C, NULL, "target", "a@127.0.0.1 none"},
    {CMD_PING, "a@", C, NULL, "error", "NODE: `a@` has nothing behind the @"},
    {CMD_PING, "", C ";RELEASE_NODE=a@", NULL, "error",
     "RELEASE_NODE: `a@` has nothing behind the @"},
};

#define NO_COOKIE                                                                                  \
    "a cookie is never given on the command line, where others see it: RELEASE_COOKIE or "         \
    "--cookie-file"

static const struct row word_rows[] = {
    {CMD_NAMES, "host", "", NULL, "args", "[host]"},
    {CMD_NAMES, "-- --host", "", NULL, "args", "[--host]"},
    {CMD_NAMES, "-", "", NULL, "args", "[-]"},
    {CMD_SEND, "a@b.c name -5", C, NULL, "args", "[a@b.c][name][-5]"},
    {CMD_SEND, "a@b.c name -0.5 --timeout 1", C, NULL, "args", "[a@b.c][name][-0.5]"},
    {CMD_SEND, "a@b.c name -x", C, NULL, "error",
     "unknown option -x: erlclu send --help lists those that there are"},
    {CMD_INSTALL, "/bin", "", NULL, "args", "[/bin]"},
    {CMD_INSTALL, "", "", NULL, "error",
     "erlclu install needs DIR: erlclu install --help says more"},
    {CMD_NAMES, "a b", "", NULL, "error",
     "erlclu names has no use for `b`: erlclu names --help says more"},
    {CMD_RUN, "now", C, NULL, "error",
     "erlclu run has no use for `now`: erlclu run --help says more"},
    {CMD_RUN, "--nmae x", C, NULL, "error",
     "unknown option --nmae: did you mean --name? erlclu run --help lists all"},
    {CMD_SHELL, "--jsno=x", C, NULL, "error",
     "unknown option --jsno: erlclu shell --help lists those that there are"},
    {CMD_CALL, "--timeou=1", C, NULL, "error",
     "unknown option --timeou: did you mean --timeout? erlclu call --help lists all"},
    {CMD_PING, "a@b.c --cookie secret", C, NULL, "error", "--cookie: " NO_COOKIE},
    {CMD_PING, "--cookie=secret", C, NULL, "error", "--cookie: " NO_COOKIE},
    {CMD_RUN, "-setcookie secret", C, NULL, "error", "-setcookie: " NO_COOKIE},
    {CMD_RUN, "--cookies secret", C, NULL, "error",
     "unknown option --cookies: erlclu run --help lists those that there are"},
    {CMD_STATUS, "a@b.c", "", NULL, "error",
     "erlclu status has no use for `a@b.c`: it asks a node's page: --http ADDR:PORT"},
    {CMD_NODES, "a@b.c", "", NULL, "error",
     "erlclu nodes has no use for `a@b.c`: it asks a node's page: --http ADDR:PORT"},
    {CMD_RUN, "-x", C, NULL, "error",
     "unknown option -x: erlclu run --help lists those that there are"},
    {CMD_RUN, "--tls-cert x", C, NULL, "error", "--tls-cert: TLS between nodes is not built in"},
    {CMD_RUN, "--journal=x", C, NULL, "error", "--journal: the journal is not built in"},
    {CMD_RUN, "--short", C, NULL, "error", "--short is an option of discover, not of run"},
    {CMD_EPMD, "--json", "", NULL, "error",
     "--json is an option of discover, names, ping, call, nodes, status, install, version, not of "
     "epmd"},
    {CMD_RUN, "--name", C, NULL, "error", "--name needs NODE behind it"},
    {CMD_RUN, "--hidden=yes", C, NULL, "error", "--hidden takes no value"},
    {CMD_RUN, "--http=", C, NULL, "error",
     "--http: `` is not ADDR:PORT: an IP address or a name of the hosts file, and a port"},
    {CMD_RUN, "--args-file none", C, NULL, "error",
     "--args-file: none cannot be read: it is not there"},
};

static const struct row wait_rows[] = {
    {CMD_WAIT, "--peers 3", "", NULL, "wait", "3 0 none 10000"},
    {CMD_WAIT, "--peers 3", "ERLCLU_DISCOVER=dns:a", NULL, "wait", "3 0 none 10000"},
    {CMD_WAIT, "--reachable 2 dns:a --timeout 1m", "", NULL, "wait", "0 2 probe none 60000 given"},
    {CMD_WAIT, "--or-first --reachable 2", "ERLCLU_DISCOVER=dns:a;MY_POD_IP=10.0.0.7", NULL, "wait",
     "0 2 or_first probe 10.0.0.7:0 10000"},
    {CMD_WAIT, "--reachable 2 dns:a srv:b", "", NULL, "specs", "dns:a srv:b "},
    {CMD_WAIT, "--reachable 2 dns:a", "", NULL, "role", "hidden no_listen "},
    {CMD_WAIT, "--reachable 2 dns:a --port 9100", "", NULL, "epmd", "none 4369 dist 9100"},
    {CMD_WAIT, "--peers 1", "HTTP_PORT=8081;HTTP_ADDR=0.0.0.0", NULL, "http",
     "127.0.0.1:8081 metrics none"},
    {CMD_WAIT, "--peers 1", "MY_POD_IP=fd00::7", NULL, "http", "[::1]:8080 metrics none"},
    {CMD_WAIT, "--peers 0", "", NULL, "error",
     "--peers: `0` is no number of nodes: 1 to 16384 is allowed"},
    {CMD_WAIT, "--peers many", "", NULL, "error",
     "--peers: `many` is no number of nodes: 1 to 16384 is allowed"},
    {CMD_WAIT, "", "", NULL, "error",
     "erlclu wait needs --peers N, which asks the node that runs here, or --reachable N SPEC..., "
     "which looks for nodes itself"},
    {CMD_WAIT, "--peers 1 --reachable 1 dns:a", "", NULL, "error",
     "erlclu wait takes --peers or --reachable: one of the two, not both"},
    {CMD_WAIT, "--peers 1 dns:a", "", NULL, "error",
     "erlclu wait --peers asks the node that runs here: --or-first and SPECs belong to "
     "--reachable"},
    {CMD_WAIT, "--reachable 1", "", NULL, "error",
     "erlclu wait --reachable needs a SPEC, such as dns:NAME, or ERLCLU_DISCOVER"},
    {CMD_WAIT, "--reachable 1 --or-first dns:a", "", NULL, "error",
     "--or-first needs MY_POD_IP, the address of this pod"},
    {CMD_DISCOVER, "dns:a", "MY_POD_IP=10.0.0.7", NULL, "listen", "10.0.0.7:0 0-0"},
    {CMD_RUN, "", C ";MY_POD_IP=10.0.0.7", NULL, "listen", "none 0-0"},
};

ROWS_TEST(other)
ROWS_TEST(wait)
ROWS_TEST(word)

/* At most a screen, every line at most 80 columns. */
static void check_help(const char *name, struct buf *text)
{
    size_t lines = 0, column = 0;

    for (size_t i = 0; i < text->len; i++) {
        column = text->data[i] == '\n' ? 0 : column + 1;
        lines += text->data[i] == '\n';
        if (column > 80)
            fail_msg("%s --help, line %zu: more than 80 columns", name, lines + 1);
    }
    if (lines > 25 || lines < 3)
        fail_msg("%s --help has %zu lines", name, lines);
    buf_free(text);
}

static void help(void **state)
{
    const char *argv[] = {"--nonsense", "-h"};
    struct conf *c = calloc(1, sizeof *c);

    (void)state;
    assert_non_null(c);
    for (size_t i = 0; i < CONF_COMMANDS; i++) {
        enum conf_command command = (enum conf_command)i;
        struct conf_input in = {.command = command, .argc = 2, .argv = argv, .read_file = row_read};
        struct buf text = {0};

        assert_int_equal(conf_command_of(conf_command_word(command)), command);
        assert_int_equal(conf_load(c, &in), CLU_OK);
        assert_true(c->help);
        conf_fini(c);
        conf_help(command, &text);
        assert_non_null(strstr(buf_text(&text), "--help"));
        check_help(conf_command_word(command), &text);
    }
    struct buf text = {0};

    conf_overview(&text);
    check_help("erlclu", &text);
    assert_string_equal(conf_nearest_command("pong"), "ping");
    assert_string_equal(conf_nearest_command("stauts"), "status");
    assert_string_equal(conf_nearest_command("shel"), "shell");
    assert_null(conf_nearest_command("ls"));
    assert_null(conf_nearest_command("nonsense"));
    assert_null(conf_nearest_command(""));
    assert_null(conf_nearest_command(X100));
    assert_int_equal(conf_command_of("nonsense"), CONF_COMMANDS);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other),
        cmocka_unit_test(word),
        cmocka_unit_test(wait),
        cmocka_unit_test(help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
