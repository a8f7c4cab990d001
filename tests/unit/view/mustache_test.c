/* SPDX-License-Identifier: Apache-2.0
 *
 * mustache_test [DIRECTORY]: cases of our own, then every case of the official specification in the
 * directory (comments.json, sections.json, ...). The specification is not part of the repository:
 * without the directory its files count as skipped, one test each (scripts/unit knows that reason
 * and no other); a directory that lacks a file is a failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "view/mustache.h"

/* The partials of one case, compiled when asked for. */
struct partials {
    const json_t *texts;
    struct mustache *compiled[16];
    clu_slice names[16];
    size_t n;
};

static const struct mustache *find_partial(void *arg, clu_slice name)
{
    struct partials *p = arg;
    struct mustache_error why;
    const char *text =
        json_string_value(json_object_getn(p->texts, (const char *)name.data, name.len));

    for (size_t i = 0; i < p->n; i++)
        if (slice_equal(p->names[i], name))
            return p->compiled[i];
    if (text == NULL)
        return NULL;
    assert_in_range(p->n, 0, COUNT(p->compiled) - 1);
    if (mustache_compile(&p->compiled[p->n], slice_of(text), &why) != CLU_OK)
        fail_msg("partial: line %u: %s", why.line, why.text);
    p->names[p->n] = name;
    return p->compiled[p->n++];
}

static clu_error render(const char *template, const json_t *context, const json_t *partials,
                        struct buf *out)
{
    struct partials p = {.texts = partials};
    struct mustache_partials lookup = {find_partial, &p};
    struct mustache_error why;
    struct mustache *m;

    if (mustache_compile(&m, slice_of(template), &why) != CLU_OK)
        fail_msg("%s: line %u: %s", template, why.line, why.text);
    clu_error err = mustache_render(m, context, &lookup, out);

    for (size_t i = 0; i < p.n; i++)
        mustache_free(p.compiled[i]);
    mustache_free(m);
    return err;
}

static void check_render(const char *name, const char *template, const json_t *context,
                         const json_t *partials, const char *expected)
{
    struct buf out = {0};
    clu_error err = render(template, context, partials, &out);

    if (err != CLU_OK || strcmp(buf_text(&out), expected) != 0)
        fail_msg("%s: %s:\n%s\ninstead of\n%s", name, clu_strerror(err), buf_text(&out), expected);
    buf_free(&out);
}

static json_t *parse(const char *json)
{
    json_error_t error;
    json_t *value = json_loads(json, JSON_DECODE_ANY, &error);

    if (value == NULL)
        fail_msg("%s: %s", json, error.text);
    return value;
}

static const struct {
    const char *name, *template, *context, *partials, *expected;
} rows[] = {
    {"text stays", "a { b } }} c", "{}", "{}", "a { b } }} c"},
    {"empty template", "", "{}", "{}", ""},
    {"value", "<{{x}}>", "{\"x\": \"y\"}", "{}", "<y>"},
    {"blanks in the tag", "<{{ \n x\t}}>", "{\"x\": \"y\"}", "{}", "<y>"},
    {"four characters are escaped, an apostrophe is not", "{{x}}", "{\"x\": \"<a b='c'>&\\\"\"}",
     "{}", "&lt;a b='c'&gt;&amp;&quot;"},
    {"nothing is escaped twice", "{{x}}", "{\"x\": \"&amp;\"}", "{}", "&amp;amp;"},
    {"three braces", "{{{x}}}{{{x}}}}", "{\"x\": \"&\"}", "{}", "&&}"},
    {"ampersand", "{{& x }}", "{\"x\": \"&\"}", "{}", "&"},
    {"integers", "{{a}} {{b}}", "{\"a\": -9223372036854775808, \"b\": 0}", "{}",
     "-9223372036854775808 0"},
    {"reals", "{{a}} {{b}} {{c}}", "{\"a\": 0.1, \"b\": -2.5, \"c\": 1e300}", "{}",
     "0.1 -2.5 1.0e300"},
    {"truth", "{{a}} {{b}} {{c}}", "{\"a\": true, \"b\": false, \"c\": null}", "{}", "true false "},
    {"lists and objects show nothing", "[{{a}}{{b}}]", "{\"a\": [1], \"b\": {\"c\": 1}}", "{}",
     "[]"},
    {"UTF-8", "{{é}}→", "{\"é\": \"ü\"}", "{}", "ü→"},
    {"a list", "{{#l}}<{{.}}>{{/l}}", "{\"l\": [1, \"b\", true]}", "{}", "<1><b><true>"},
    {"an empty text is false", "{{#s}}a{{/s}}{{^s}}b{{/s}}", "{\"s\": \"\"}", "{}", "b"},
    {"zero is true", "{{#n}}a{{/n}}{{^n}}b{{/n}}", "{\"n\": 0}", "{}", "a"},
    {"false in a list", "{{#l}}[{{.}}]{{/l}}", "{\"l\": [false, null]}", "{}", "[false][]"},
    {"inner before outer", "{{x}}{{#o}}{{x}}{{/o}}", "{\"x\": 1, \"o\": {\"x\": 2}}", "{}", "12"},
    {"null hides the outer", "{{#o}}[{{x}}]{{/o}}", "{\"x\": 1, \"o\": {\"x\": null}}", "{}", "[]"},
    {"no way around a broken chain", "{{#o}}{{a.b}}{{/o}}",
     "{\"a\": {\"b\": 1}, \"o\": {\"a\": 2}}", "{}", ""},
    {"odd dots", "[{{a.}}{{.a}}{{..}}]", "{\"a\": {\"b\": 1}}", "{}", "[]"},
    {"context inside an inverted section", "{{#l}}{{^no}}{{.}}{{/no}}{{/l}}", "{\"l\": [7, 8]}",
     "{}", "78"},
    {"the original's list", "<ul>\n{{#nodes}}\n<li>{{.}}</li>\n{{/nodes}}\n</ul>\n",
     "{\"nodes\": [\"a@b\", \"c@d\"]}", "{}", "<ul>\n<li>a@b</li>\n<li>c@d</li>\n</ul>\n"},
    {"two tags are not alone", "{{#a}}{{/a}}\n|", "{\"a\": true}", "{}", "\n|"},
    {"a carriage return alone is text", "{{#a}}\r|{{/a}}", "{\"a\": true}", "{}", "\r|"},
    {"other delimiters", "{{=<% %>=}}<%x%>{{x}}<%={{ }}=%>{{x}}", "{\"x\": 1}", "{}", "1{{x}}1"},
    {"delimiters of one letter", "{{=| |=}}|#l||.|,|/l|", "{\"l\": [1, 2]}", "{}", "1,2,"},
    {"partial", "[{{>p}}]", "{\"x\": 1}", "{\"p\": \"{{x}}\"}", "[1]"},
    {"partials keep their delimiters", "{{=<% %>=}}<%>p%>", "{\"x\": 1}", "{\"p\": \"{{x}}\"}",
     "1"},
    {"indentation adds up, values and inner lines aside", " {{>a}}\n", "{\"v\": \"1\\n2\"}",
     "{\"a\": \"x\\n {{>b}}\\ny {{>b}}\", \"b\": \"{{{v}}}\\n-\\n\"}",
     " x\n  1\n2\n  -\n y 1\n2\n-\n"},
    {"indentation before a section, not in each turn", " {{>a}}\n", "{\"l\": [1, 2]}",
     "{\"a\": \"{{#l}}{{.}}{{/l}}\\n{{#l}}\\n{{.}}\\n{{/l}}\\n\"}", " 12\n 1\n 2\n"},
    {"recursion that ends", "{{>t}}",
     "{\"v\": 1, \"k\": [{\"v\": 2, \"k\": [{\"v\": 3, \"k\": []}]}]}",
     "{\"t\": \"{{v}}{{#k}}({{>t}}){{/k}}\"}", "1(2(3))"},
};

static void renders(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *context = parse(rows[i].context), *partials = parse(rows[i].partials);

        check_render(rows[i].name, rows[i].template, context, partials, rows[i].expected);
        json_decref(context);
        json_decref(partials);
    }
}

static const struct {
    const char *name, *template;
    uint32_t line;
    const char *text;
} mistakes[] = {
    {"unclosed tag", "a\n\n{{b", 3, "a tag opens here and is never closed"},
    {"unclosed triple", "{{{b}}", 1, "a tag opens here and is never closed"},
    {"unclosed section", "a\n{{#b}}\n\n", 2, "section b is never closed"},
    {"inner section open", "{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}", 3,
     "{{/a}} stands where {{/b}} should close line 2"},
    {"nothing to close", "{{#a}}{{/a}}\n\n\n{{/ a }}", 4, "{{/a}} closes nothing"},
    {"no name", "x{{ }}", 1, "this tag names nothing"},
    {"no section name", "\n{{#}}{{/}}", 2, "this tag names nothing"},
    {"one delimiter", "{{=<%=}}", 1, "<% is not a pair of delimiters"},
    {"three delimiters", "{{=a b c=}}", 1, "a b c is not a pair of delimiters"},
    {"lines of comments count", "{{!\n\n}}\n{{/x}}", 4, "{{/x}} closes nothing"},
    {"a long name is cut", "{{/0123456789012345678901234567890123456789}}", 1,
     "{{/01234567890123456789012345678901}} closes nothing"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct mustache_error why;
        struct mustache *m;
        clu_error err = mustache_compile(&m, slice_of(mistakes[i].template), &why);

        assert_null(m);
        if (err != CLU_ESYNTAX || why.line != mistakes[i].line ||
            strcmp(why.text, mistakes[i].text) != 0)
            fail_msg("%s: %s: line %u: %s", mistakes[i].name, clu_strerror(err), why.line,
                     why.text);
    }
}

static struct buf repeat(const char *text, size_t times)
{
    struct buf b = {0};

    for (size_t i = 0; i < times; i++)
        buf_put_text(&b, text);
    return b;
}

static void limits_of_templates(void **state)
{
    (void)state;
    struct buf deep = repeat("{{#a}}", MUSTACHE_DEPTH_MAX + 1);
    struct buf large = repeat("x", MUSTACHE_TEMPLATE_MAX + 1);
    struct mustache_error why;
    struct mustache *m;

    assert_int_equal(mustache_compile(&m, buf_slice(&deep), &why), CLU_ESYNTAX);
    assert_string_equal(why.text, "section a is nested more than 64 deep");
    assert_int_equal(mustache_compile(&m, buf_slice(&large), &why), CLU_ESIZE);
    assert_string_equal(why.text, "the template is larger than 1048576 bytes");
    large.len--;
    assert_int_equal(mustache_compile(&m, buf_slice(&large), &why), CLU_OK);
    mustache_free(m);
    buf_free(&deep);
    buf_free(&large);
}

/* What makes a rendering grow without end, by the limit that stops it. */
static const struct {
    const char *name, *template, *partial;
    clu_error err;
} bombs[] = {
    {"a partial that calls itself", "{{>p}}", "{{>p}}", CLU_EDEPTH},
    {"indentation that grows", "{{>p}}", "x\n                {{>p}}\n", CLU_EDEPTH},
    {"loops that print nothing",
     "{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/"
     "l}}",
     "", CLU_ESIZE},
    {"loops that print", "{{#l}}{{#l}}{{#l}}{{#l}}{{>p}}{{/l}}{{/l}}{{/l}}{{/l}}",
     "{{#l}}{{s}}{{/l}}", CLU_ESIZE},
};

static void limits_of_rendering(void **state)
{
    (void)state;
    struct buf long_text = repeat("<", 4096);
    json_t *list = json_array();

    for (int i = 0; i < 16; i++)
        json_array_append_new(list, json_integer(i));
    for (size_t i = 0; i < COUNT(bombs); i++) {
        json_t *context = json_object(), *partials = json_object();
        struct buf out = {0};

        json_object_set(context, "l", list);
        json_object_set_new(context, "s", json_string(buf_text(&long_text)));
        json_object_set_new(partials, "p", json_string(bombs[i].partial));
        clu_error err = render(bombs[i].template, context, partials, &out);

        if (err != bombs[i].err || out.len > MUSTACHE_OUTPUT_MAX)
            fail_msg("%s: %s after %zu bytes", bombs[i].name, clu_strerror(err), out.len);
        buf_free(&out);
        json_decref(context);
        json_decref(partials);
    }
    json_decref(list);
    buf_free(&long_text);
}

/* ---- the official specification ---- */

static const struct {
    const char *file, *name; /* the name stands for all of the file when it cannot be read */
} spec_files[] = {
    {"comments", "specification: comments"},           {"delimiters", "specification: delimiters"},
    {"interpolation", "specification: interpolation"}, {"inverted", "specification: inverted"},
    {"partials", "specification: partials"},           {"sections", "specification: sections"},
};

static const char *spec_dir;

static void spec_case(void **state)
{
    const json_t *test = *state;

    check_render(json_string_value(json_object_get(test, "name")),
                 json_string_value(json_object_get(test, "template")),
                 json_object_get(test, "data"), json_object_get(test, "partials"),
                 json_string_value(json_object_get(test, "expected")));
}

static void no_cases(void **state)
{
    (void)state;
    if (access(spec_dir, F_OK) != 0)
        skip();
    fail_msg("%s holds no such file of cases", spec_dir);
}

static json_t *specs[COUNT(spec_files)]; /* live as long as the tests that point into them */

static json_t *load_spec(size_t i)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s.json", spec_dir, spec_files[i].file);
    specs[i] = json_load_file(path, 0, NULL);
    return json_object_get(specs[i], "tests");
}

static size_t add_spec(struct CMUnitTest *tests, size_t n, size_t max)
{
    for (size_t i = 0; i < COUNT(spec_files); i++) {
        json_t *cases = load_spec(i);

        if (json_array_size(cases) == 0 && n < max)
            tests[n++] = (struct CMUnitTest){.name = spec_files[i].name, .test_func = no_cases};
        for (size_t k = 0; k < json_array_size(cases) && n < max; k++) {
            json_t *one = json_array_get(cases, k);

            tests[n++] = (struct CMUnitTest){
                .name = json_string_value(json_object_get(one, "name")),
                .test_func = spec_case,
                .initial_state = one,
            };
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[512] = {
        cmocka_unit_test(renders),
        cmocka_unit_test(refuses),
        cmocka_unit_test(limits_of_templates),
        cmocka_unit_test(limits_of_rendering),
    };
    const char *from_env = getenv("MUSTACHE_SPEC");

    spec_dir = argc > 1 ? argv[1] : from_env != NULL ? from_env : "../shared/data/mustache-spec";
    size_t n = add_spec(tests, 4, COUNT(tests));
    int failed = _cmocka_run_group_tests("mustache", tests, n, NULL, NULL);

    for (size_t i = 0; i < COUNT(specs); i++)
        json_decref(specs[i]);
    return failed;
}
