/* SPDX-License-Identifier: Apache-2.0
 *
 * Terms as JSON, plain and tagged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "view/term_json.h"

static const struct {
    const char *term, *plain, *tagged;
} rows[] = {
    {"1", "1", "1"},
    {"-9007199254740992", "-9007199254740992", "-9007199254740992"},
    {"9007199254740993", "9007199254740993", "{\"integer\": \"9007199254740993\"}"},
    {"123456789012345678901234567890", "123456789012345678901234567890",
     "{\"integer\": \"123456789012345678901234567890\"}"},
    {"1.0", "1.0", "{\"float\": \"1.0\"}"},
    {"-1.5e-9", "-1.5e-9", "{\"float\": \"-1.5e-9\"}"},
    {"a", "\"a\"", "{\"atom\": \"a\"}"},
    {"true", "true", "{\"atom\": \"true\"}"},
    {"false", "false", "{\"atom\": \"false\"}"},
    {"undefined", "null", "{\"atom\": \"undefined\"}"},
    {"nil", "null", "{\"atom\": \"nil\"}"},
    {"'\"\\\\'", "\"\\\"\\\\\"", "{\"atom\": \"\\\"\\\\\"}"},
    {"<<\"bin\">>", "\"bin\"", "{\"binary\": \"bin\"}"},
    {"<<>>", "\"\"", "{\"binary\": \"\"}"},
    {"<<\"\\n\\t\\001\">>", "\"\\u000a\\u0009\\u0001\"", "{\"binary\": \"\\u000a\\u0009\\u0001\"}"},
    {"<<255>>", "[255]", "{\"base64\": \"/w==\"}"},
    {"<<255,0>>", "[255, 0]", "{\"base64\": \"/wA=\"}"},
    {"<<255,0,1>>", "[255, 0, 1]", "{\"base64\": \"/wAB\"}"},
    {"<<255,0,1,2>>", "[255, 0, 1, 2]", "{\"base64\": \"/wABAg==\"}"},
    {"<<1:3>>", "\"<<1:3>>\"", "{\"base64\": \"IA==\", \"bits\": 3}"},
    {"[]", "[]", "[]"},
    {"{}", "[]", "{\"tuple\": []}"},
    {"#{}", "{}", "{\"map\": []}"},
    {"\"text\"", "\"text\"", "[116, 101, 120, 116]"},
    {"[8364]", "\"\xe2\x82\xac\"", "[8364]"},
    {"[1,2]", "[1, 2]", "[1, 2]"},
    {"[a,[b],[]]", "[\"a\", [\"b\"], []]", "[{\"atom\": \"a\"}, [{\"atom\": \"b\"}], []]"},
    {"[1|2]", "[1, 2]", "{\"list\": [1], \"tail\": 2}"},
    {"[a,b|{c}]", "[\"a\", \"b\", [\"c\"]]",
     "{\"list\": [{\"atom\": \"a\"}, {\"atom\": \"b\"}], \"tail\": {\"tuple\": [{\"atom\": "
     "\"c\"}]}}"},
    {"{1,{2},3}", "[1, [2], 3]", "{\"tuple\": [1, {\"tuple\": [2]}, 3]}"},
    {"#{a => 1, <<\"b\">> => {}, 3 => #{}}", "{\"3\": {}, \"b\": [], \"a\": 1}",
     "{\"map\": [[3, {\"map\": []}], [{\"binary\": \"b\"}, {\"tuple\": []}], [{\"atom\": \"a\"}, "
     "1]]}"},
    {"#{[1] => #{[x] => [y]}}", "{\"[1]\": {\"[x]\": [\"y\"]}}",
     "{\"map\": [[[1], {\"map\": [[[{\"atom\": \"x\"}], [{\"atom\": \"y\"}]]]}]]}"},
    {"fun m:f/1", "\"fun m:f/1\"", "{\"term\": \"fun m:f/1\", \"etf\": \"g3F3AW13AWZhAQ==\"}"},
};

static void compare(const char *text, const char *want, bool tagged)
{
    struct buf out = {0};
    clu_writer w;
    clu_reader r;
    size_t at;

    clu_writer_init(&w);
    assert_int_equal(CLU_OK, clu_parse(text, strlen(text), &w, &at, NULL));
    clu_reader_init(&r, w.data, w.len);
    assert_int_equal(CLU_OK, term_json(&r, &out, tagged));
    assert_ptr_equal(r.end, r.pos);
    if (strcmp(buf_text(&out), want) != 0)
        fail_msg("%s: %s, not %s", text, buf_text(&out), want);
    json_t *read = json_loads(buf_text(&out), JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);

    assert_non_null(read); /* others understand it, too */
    json_decref(read);
    buf_free(&out);
    clu_writer_free(&w);
}

static void shows_terms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        compare(rows[i].term, rows[i].plain, false);
        compare(rows[i].term, rows[i].tagged, true);
    }
}

static const struct {
    const char *name, *bytes;
    size_t len;
} broken[] = {
    {"nothing", "", 0},
    {"cut short", "h\2a\1", 4},
    {"an unknown tag", "\1", 1},
    {"a list without its end", "l\0\0\0\1a\1", 7},
    {"a key without a value", "t\0\0\0\1a\1", 7},
};

static void refuses_what_is_no_term(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++)
        for (int tagged = 0; tagged < 2; tagged++) {
            struct buf out = {0};
            clu_reader r;

            clu_reader_init(&r, broken[i].bytes, broken[i].len);
            if (term_json(&r, &out, tagged == 1) == CLU_OK)
                fail_msg("%s: %s", broken[i].name, buf_text(&out));
            buf_free(&out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_terms),
        cmocka_unit_test(refuses_what_is_no_term),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
