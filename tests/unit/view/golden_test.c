/* SPDX-License-Identifier: Apache-2.0
 *
 * golden_test DIRECTORY: golden files lie there, made by view_render and read by people. Each must
 * come out byte for byte, @VERSION@ aside. */
#include "asked.h"

static const char *golden_dir;

static const struct {
    const char *file, *sample, *path;
} golden[] = {
    {"page-none.html", "none", "/"},
    {"page-missing.html", "missing", "/"},
    {"page-draining.html", "draining", "/"},
    {"cluster-missing.json", "missing", "/api/v1/cluster"},
    {"cluster-hostile.json", "hostile", "/api/v1/cluster"},
    {"cluster-split.json", "split", "/api/v1/cluster"},
    {"peers-linked.json", "linked", "/api/v1/peers"},
    {"discovery-missing.json", "missing", "/api/v1/discovery"},
    {"discovery-split.json", "split", "/api/v1/discovery"},
    {"mesh-linked.json", "linked", "/api/v1/mesh"},
    {"metrics-missing.txt", "missing", "/metrics"},
    {"metrics-split.txt", "split", "/metrics"},
};

static void read_golden(struct buf *out, const char *name)
{
    static char text[1u << 20];
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", golden_dir, name);
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        fail_msg("%s cannot be read", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (char *at = text, *mark; at != NULL;
         at = mark == NULL ? NULL : mark + strlen("@VERSION@")) {
        mark = strstr(at, "@VERSION@");
        buf_put(out, at, mark == NULL ? strlen(at) : (size_t)(mark - at));
        if (mark != NULL)
            buf_put_text(out, CLU_VERSION);
    }
}

static void equals_golden_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden); i++) {
        struct routes *routes = new_routes("");
        struct buf expected = {0};

        assert_true(sample_get(&sample, golden[i].sample));
        struct http_reply reply = ask(routes, "GET", golden[i].path);

        read_golden(&expected, golden[i].file);
        if (strcmp(body_of(&reply), buf_text(&expected)) != 0)
            fail_msg("%s: view_render %s %s shows something else", golden[i].file, golden[i].sample,
                     golden[i].path);
        buf_free(&expected);
        http_body_release(reply.body);
        routes_free(routes);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_golden_files),
    };

    golden_dir = argc > 1 ? argv[1] : "tests/unit/view/golden";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
