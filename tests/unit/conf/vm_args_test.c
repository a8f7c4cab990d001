/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include "conf/vm_args.h"

static const char *look_up(void *arg, const char *name)
{
    static const struct {
        const char *name, *value;
    } variables[] = {{"MY_POD_IP", "10.42.0.86"},
                     {"RELEASE_COOKIE", "se cret\n"},
                     {"EMPTY", ""},
                     {"Q", "\"'\\#"}};

    (void)arg;
    for (size_t i = 0; i < COUNT(variables); i++)
        if (strcmp(variables[i].name, name) == 0)
            return variables[i].value;
    return NULL;
}

/* Flags as "-flag(value|value)", lines passed over as "%line". */
static void show(const struct vm_args *v, struct buf *out)
{
    struct vm_flag flag;

    for (size_t at = 0; vm_args_next(v, &at, &flag);) {
        buf_printf(out, "%s(", flag.flag == NULL ? "" : flag.flag->text);
        for (size_t i = 0; i < flag.n_values; i++)
            buf_printf(out, "%s%s%s%s", i == 0 ? "" : "|", flag.values[i].text,
                       flag.values[i].unset[0] == '\0' ? "" : "!", flag.values[i].unset);
        buf_put_text(out, ") ");
    }
    for (size_t i = 0; i < v->n_passed; i++)
        buf_printf(out, "%%%u ", (unsigned)v->passed[i].line);
}

/* What erl of OTP 25 makes of the same files with -args_file, substitution and % aside. */
static const struct {
    const char *text, *want;
} rows[] = {
    {"-a \"b c\" d\\ e f", "-a(b c|d e|f) "},
    {"-a b#c d # comment\n-e f", "-a(b) -e(f) "},
    {"# x\n-a b\n#-c d\n", "-a(b) "},
    {"-a 'b \\ c' \"q\\\"r\" \\n-z", "-a(b \\ c|q\\r \\n-z) "},
    {"-a \\\nb -c d", "-a(\nb) -c(d) "},
    {"-a \"multi\nline\" b", "-a(multi\nline|b) "},
    {"-a \"unterminated", "-a(unterminated) "},
    {"-a b\\", "-a(b) "},
    {"-a x'y z'w \"\" '' -e", "-a(xy zw||) -e() "},
    {"-a \"x#y\" z", "-a(x#y|z) "},
    {"-a #c\n b", "-a(b) "},
    {"-a\tb\r\n-c d\r\n", "-a(b) -c(d) "},
    {"-a 'x\\'y' z", "-a(x\\y z) "},
    {"-a \"x'y\" 'p\"q'", "-a(x'y|p\"q) "},
    {"-a b\vc\fd", "-a(b|c|d) "},
    {"-a \"b\\nc\"", "-a(b\\nc) "},
    {"-a b\n\"-c\" d", "-a(b) -c(d) "},
    {"-a b \\-c d", "-a(b) -c(d) "},
    {"+K true -a - +", "+K(true) -a(-|+) "},
    {"plain -a b", "(plain) -a(b) "},
    {"", ""},
    {" \n\t\n", ""},
    {"#", ""},
    /* the environment */
    {"-name erlclu@${MY_POD_IP}", "-name(erlclu@10.42.0.86) "},
    {"-setcookie ${RELEASE_COOKIE} x", "-setcookie(se cret\n|x) "},
    {"-a \"${MY_POD_IP}\" '${MY_POD_IP}' \\${MY_POD_IP}",
     "-a(10.42.0.86|10.42.0.86|${MY_POD_IP}) "},
    {"-a ${Q} b", "-a(\"'\\#|b) "},
    {"-a x${EMPTY}y ${EMPTY:-z} ${EMPTY:-}", "-a(xy|z|) "},
    {"-a ${NONE} ${NONE:-d e} ${NONE}${OTHER}", "-a(!NONE|d e|!NONE) "},
    {"-a ${MY_POD_IP:-x} $MY_POD_IP $ ${ ${x", "-a(10.42.0.86|$MY_POD_IP|$|${|${x) "},
    {"-a ${\nMY_POD_IP}", "-a(${|MY_POD_IP}) "},
    {"-a ${}", "-a(${}) "},
    {"-a ${A_NAME_THAT_IS_LONGER_THAN_ANY_VARIABLE_WOULD_EVER_BE_IN_A_RELEASE}",
     "-a(!A_NAME_THAT_IS_LONGER_THAN_ANY_VARIABLE_WOULD_EVER_BE_IN_A_RELE) "},
    /* lines that begin with % */
    {"-a b %c\n% -c d e\n-f g\n", "-a(b|%c) -f(g) %2 "},
    {"%", "%1 "},
    {"  % x\n\n\t%y\n-a", "-a() %1 %3 "},
    {"-a \"b\n% c\" d", "-a(b\n% c|d) "},
    {"-a \"b\n\" % c", "-a(b\n|%|c) "},
    {"# c\n%# c\n-a b # c\n% d", "-a(b) %2 %4 "},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vm_args v;
        struct buf seen = {0};

        assert_int_equal(vm_args_parse(&v, slice_of(rows[i].text), look_up, NULL), CLU_OK);
        show(&v, &seen);
        if (strcmp(buf_text(&seen), rows[i].want) != 0)
            fail_msg("%s: %s instead of %s", rows[i].text, buf_text(&seen), rows[i].want);
        buf_free(&seen);
        vm_args_fini(&v);
    }
}

static void lines_are_counted(void **state)
{
    static const char text[] = "-a b\n# c\n\n-d 'e\nf' g\n-h \\\ni\n";
    static const uint32_t lines[] = {1, 1, 4, 4, 5, 6, 6};
    struct vm_args v;

    (void)state;
    assert_int_equal(vm_args_parse(&v, slice_of(text), look_up, NULL), CLU_OK);
    assert_int_equal(v.n_words, COUNT(lines));
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_int_equal(v.words[i].line, lines[i]);
    vm_args_fini(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(lines_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
