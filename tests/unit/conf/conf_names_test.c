/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

static const struct row name_rows[] = {
    {CMD_RUN, "", C, NULL, "name", "erlclu@127.0.0.1"},
    {CMD_RUN, "", C ";MY_POD_IP=10.42.0.86", NULL, "name", "erlclu@10.42.0.86"},
    {CMD_RUN, "", C ";MY_POD_IP=fd00:0::1", NULL, "name", "erlclu@fd00::1"},
    {CMD_RUN, "", C ";MY_POD_IP=10.42", NULL, "error", "MY_POD_IP: `10.42` is not an IP address"},
    {CMD_RUN, "", C ";MY_POD_IP=", NULL, "name", "erlclu@127.0.0.1"},
    {CMD_RUN, "", C ";MY_POD_IP=10.0.0.7,fd00::7", NULL, "name", "erlclu@10.0.0.7"},
    {CMD_RUN, "", C ";MY_POD_IP=fd00::7,10.0.0.7", NULL, "name", "erlclu@fd00::7"},
    {CMD_RUN, "", C ";MY_POD_IP=10.0.0.7,fd00::7;MY_POD_FAMILY=6", NULL, "name", "erlclu@fd00::7"},
    {CMD_RUN, "", C ";MY_POD_IP=fd00::7,10.0.0.7;MY_POD_FAMILY=4", NULL, "name", "erlclu@10.0.0.7"},
    {CMD_RUN, "", C ";MY_POD_IP=10.0.0.7;MY_POD_FAMILY=6", NULL, "error",
     "MY_POD_IP: `10.0.0.7` has no address of MY_POD_FAMILY 6"},
    {CMD_RUN, "", C ";MY_POD_IP=10.0.0.7,;MY_POD_FAMILY=6", NULL, "error",
     "MY_POD_IP: `10.0.0.7,` is not an IP address"},
    {CMD_RUN, "", C ";MY_POD_IP=10.0.0.7;MY_POD_FAMILY=IPv6", NULL, "error",
     "MY_POD_FAMILY is 4 or 6, not `IPv6`"},
    {CMD_RUN, "", C ";ERLCLU_NODE=a;MY_POD_IP=10.0.0.1", NULL, "name", "a@10.0.0.1"},
    {CMD_RUN, "--args-file vm.args", C ";ERLCLU_NODE=a", "-name b@c.d", "name", "b@c.d"},
    {CMD_RUN, "--args-file vm.args --name x@y.z", C ";ERLCLU_NODE=a", "-name b@c.d", "name",
     "x@y.z"},
    {CMD_RUN, "--name=x", C ";RELEASE_NODE=a@b.c", NULL, "name", "x@127.0.0.1"},
    {CMD_RUN, "--name one --name two", C, NULL, "name", "two@127.0.0.1"},
    {CMD_RUN, "--name a.b", C, NULL, "error",
     "--name: `a.b` may have letters, digits, - and _ before the @, as every Erlang node"},
    {CMD_RUN, "--name a@b", C, NULL, "notes", "a@b; "},
    {CMD_RUN, "", C ";ERLCLU_NODE=@x", NULL, "error", "ERLCLU_NODE: `@x` has nothing before the @"},
    {CMD_RUN, "--args-file vm.args", C, "\n-name erlclu@${MY_POD_IP}", "error",
     "vm.args line 2, -name: the environment has no MY_POD_IP"},
    {CMD_RUN, "--args-file vm.args --name x", C, "-name erlclu@${MY_POD_IP}", "name",
     "x@127.0.0.1"},
    {CMD_RUN, "--args-file vm.args", C, "-name -hidden", "error",
     "vm.args line 1, -name: `` needs a value"},
    {CMD_RUN, "--args-file vm.args.short", C, NULL, "error",
     "vm.args.short line 1, -sname: `app` is a short name: erlclu has long ones, so give -name "
     "NAME@HOST"},
    {CMD_PING, "x@y.z", C ";ERLCLU_NODE=a", NULL, "name", ""},
    {CMD_PING, "x@y.z --name p", C, NULL, "name", "p@127.0.0.1"},
    {CMD_DISCOVER, "dns:x", "ERLCLU_NODE=a", NULL, "name", "a@127.0.0.1"},
};

static const struct row cookie_rows[] = {
    {CMD_RUN, "", C, NULL, "cookie", "c of RELEASE_COOKIE"},
    {CMD_RUN, "", C "\n", NULL, "cookie", "c of RELEASE_COOKIE"},
    {CMD_RUN, "--cookie-file cookie", C, NULL, "cookie", "from-file of --cookie-file cookie"},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie a", "cookie",
     "a of vm.args line 1, -setcookie"},
    {CMD_RUN, "--args-file vm.args --cookie-file cookie", C, "-setcookie a", "cookie",
     "from-file of --cookie-file cookie"},
    {CMD_RUN, "", "HOME=/home/me", NULL, "cookie", "from-home of /home/me/.erlang.cookie"},
    {CMD_RUN, "", C ";HOME=/home/me", NULL, "cookie", "c of RELEASE_COOKIE"},
    {CMD_RUN, "", "HOME=/home/open", NULL, "cookie", "from-home of /home/open/.erlang.cookie"},
    {CMD_RUN, "", "HOME=/home/open", NULL, "notes", "/home/open/.erlang.cookie; "},
    {CMD_RUN, "", C ";HOME=/home/open", NULL, "notes", ""},
    /* erl takes it, too */
    {CMD_RUN, "", "RELEASE_COOKIE=  ", NULL, "cookie", "   of RELEASE_COOKIE"},
    {CMD_RUN, "", "RELEASE_COOKIE=;HOME=/home/me", NULL, "cookie",
     "from-home of /home/me/.erlang.cookie"},
    {CMD_PING, "a@b.c", C, NULL, "cookie", "c of RELEASE_COOKIE"},
    {CMD_RUN, "", "", NULL, "error",
     "no cookie: give --cookie-file FILE, RELEASE_COOKIE or ~/.erlang.cookie (~/.erlang.cookie: "
     "there is no HOME)"},
    {CMD_RUN, "", "HOME=/home/none", NULL, "error",
     "no cookie: give --cookie-file FILE, RELEASE_COOKIE or ~/.erlang.cookie "
     "(/home/none/.erlang.cookie: it is not there)"},
    {CMD_RUN, "", "HOME=/home/bad", NULL, "error",
     "no cookie: give --cookie-file FILE, RELEASE_COOKIE or ~/.erlang.cookie "
     "(/home/bad/.erlang.cookie: is empty)"},
    {CMD_RUN, "", "HOME=/home/closed", NULL, "error",
     "no cookie: give --cookie-file FILE, RELEASE_COOKIE or ~/.erlang.cookie "
     "(/home/closed/.erlang.cookie: Permission denied)"},
    {CMD_RUN, "--cookie-file none", C, NULL, "error",
     "--cookie-file: none cannot be read: it is not there"},
    {CMD_RUN, "--cookie-file huge", C, NULL, "error",
     "--cookie-file: huge cannot be read: it is larger than 1 MiB"},
    {CMD_RUN, "--cookie-file secret", C, NULL, "error",
     "--cookie-file: secret cannot be read: Permission denied"},
    {CMD_RUN, "--cookie-file cookie.empty", C, NULL, "error",
     "--cookie-file: cookie.empty is empty"},
    {CMD_RUN, "--cookie-file cookie.two", C, NULL, "error",
     "--cookie-file: cookie.two holds characters that no cookie may have: printable ASCII in one "
     "line is allowed"},
    {CMD_RUN, "", "RELEASE_COOKIE=c\td", NULL, "error",
     "RELEASE_COOKIE holds characters that no cookie may have: printable ASCII in one line is "
     "allowed"},
    {CMD_RUN, "--args-file vm.args", "", "-setcookie", "error",
     "vm.args line 1, -setcookie needs a value"},
    {CMD_RUN, "--args-file vm.args", "", "-setcookie ${RELEASE_COOKIE}", "error",
     "vm.args line 1, -setcookie: the environment has no RELEASE_COOKIE"},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie a@b x -setcookie c@d 'y z' -setcookie e",
     "peers", "a@b=x c@d=y z "},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie a@b ''", "error",
     "vm.args line 1, -setcookie is empty"},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie n@h hunter2 more", "error",
     "vm.args line 1, -setcookie takes COOKIE, or NODE COOKIE: a cookie with blanks needs quotes"},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie ${WHO} x", "error",
     "vm.args line 1, -setcookie: the environment has no WHO"},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie " X100 X100 X100 " x", "error",
     "vm.args line 1, -setcookie sets a cookie for a node whose name is too long"},
    {CMD_RUN, "--show-cookie", C, NULL, "role", "show_cookie "},
};

static const struct row args_file_rows[] = {
    {CMD_RUN, "--args-file vm.args.src", C ";MY_POD_IP=10.42.0.86", NULL, "name",
     "erlclu@10.42.0.86"},
    {CMD_RUN, "--args-file vm.args.src", C ";MY_POD_IP=10.42.0.86", NULL, "cookie",
     "c of vm.args.src line 3, -setcookie"},
    {CMD_RUN, "--args-file vm.args.src", C ";MY_POD_IP=10.42.0.86", NULL, "notes",
     "vm.args.src line 5: %; vm.args.src line 6: %; vm.args.src line 8: +P; "
     "vm.args.src line 9: -heart; "},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "name",
     "app@pod-0.app-headless.prod.svc.cluster.local"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod;HOSTNAME=pod-7", NULL, "name",
     "app@pod-7.app-headless.prod.svc.cluster.local"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "cookie",
     "one cookie of vm.args.epmdless line 3, -setcookie"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "peers",
     "other@10.0.0.7=another cookie "},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "epmd",
     "none 4369 dist 9100"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "listen",
     "127.0.0.4:0 9100-9100"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "times",
     "30000/10 3000, 10000"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "notes",
     "vm.args.epmdless line 9: -kernel; "
     "vm.args.epmdless line 10: +sbwt; vm.args.epmdless line 11: -env; "},
    {CMD_RUN, "--args-file vm.args.tls", C, NULL, "error",
     "vm.args.tls line 2, -proto_dist: `inet_tls` is no protocol that erlclu speaks: inet_tcp and "
     "inet6_tcp are allowed"},
    {CMD_RUN, "--args-file vm.args", C, "-proto_dist inet6_tcp -ssl_dist_optfile f", "notes",
     "vm.args line 1: -ssl_dist_optfile; "},
    {CMD_RUN, "--args-file vm.args", C, "word -a b\n% -setcookie hunter2\n", "notes",
     "vm.args line 2: %; vm.args line 1; vm.args line 1: -a; "},
    {CMD_RUN, "--args-file vm.args", C, "%% COOKIE: hunter2\n-kernel hunter2 x\n--key=hunter2",
     "notes", "vm.args line 1: %; vm.args line 2: -kernel; vm.args line 3: --key; "},
    {CMD_RUN, "--args-file vm.args", C, "", "notes", ""},
};

ROWS_TEST(name)
ROWS_TEST(cookie)
ROWS_TEST(args_file)

static void what_was_trimmed_is_remembered(void **state)
{
    struct row row = {CMD_RUN, "", C "\n", NULL, NULL, NULL};
    struct conf_input in = {.command = CMD_RUN, .env = row_env, .read_file = row_read, .arg = &row};
    struct conf *c = calloc(1, sizeof *c);

    (void)state;
    assert_non_null(c);
    assert_int_equal(conf_load(c, &in), CLU_OK);
    assert_string_equal(c->settings.cookie.trimmed, "\n");
    conf_fini(c);
    free(c);
}

static void notes_end(void **state)
{
    struct buf flags = {0};
    const char *argv[] = {"--args-file=vm.args"};
    struct conf *c = calloc(1, sizeof *c);

    (void)state;
    assert_non_null(c);
    for (int i = 0; i < 100; i++)
        buf_put_text(&flags, "-x y\n");
    struct row row = {CMD_RUN, "", C, buf_text(&flags), NULL, NULL};
    struct conf_input in = {.command = CMD_RUN,
                            .argv = argv,
                            .argc = 1,
                            .env = row_env,
                            .read_file = row_read,
                            .arg = &row};

    assert_int_equal(conf_load(c, &in), CLU_OK);
    assert_int_equal(c->n_notes, 64);
    assert_string_equal(c->notes[63].reason, "and more like this");
    conf_fini(c);
    free(c);
    buf_free(&flags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name),      cmocka_unit_test(cookie),
        cmocka_unit_test(args_file), cmocka_unit_test(what_was_trimmed_is_remembered),
        cmocka_unit_test(notes_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
