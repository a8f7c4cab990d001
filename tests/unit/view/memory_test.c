/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../failing.h"
#include "sample.h"
#include "view/api.h"
#include "view/event_text.h"
#include "view/reach.h"
#include "view/routes.h"
#include "view/term_json.h"
#include "view/terminal.h"
#include "view/text.h"

/* Each allocation fails once, Jansson's among them: nothing breaks or leaks (the sanitizers' word),
 * and what is shown is whole, or it is said that it could not be. */

static struct sample sample;

/* What one text came to when memory was there; filled by the first telling. */
struct shown {
    struct buf whole;
    bool has;
};

/* False: it could not be shown. */
static bool same_as_whole(struct shown *s, clu_slice text)
{
    if (!s->has) {
        s->has = true;
        buf_put_slice(&s->whole, text);
        assert_int_equal(s->whole.err, CLU_OK);
        assert_true(text.len > 0);
    } else if (!slice_equal(buf_slice(&s->whole), text)) {
        fail_msg("not whole: %.*s", (int)text.len, (const char *)text.data);
    }
    return true;
}

/* ---- what a node answers ---- */

static const char *const paths[] = {
    "/",        "/api/v1/cluster", "/api/v1/peers", "/api/v1/discovery", "/api/v1/mesh",
    "/metrics", "/livez",          "/readyz",       "/nowhere"};
static const char *const samples[] = {"missing", "split", "hostile", "draining"};

static size_t the_path, the_sample;
static const char *the_query;
static struct shown shown[COUNT(paths)][COUNT(samples)];

static bool is_answered(struct shown *s, const struct http_reply *reply)
{
    if (reply->body == NULL)
        return false;
    assert_int_equal(reply->body->bytes.err, CLU_OK);
    if (reply->status == 500)
        return false;
    return same_as_whole(s, buf_slice(&reply->body->bytes));
}

static bool page_is_asked_for(void)
{
    struct shown *s = &shown[the_path][the_sample];
    struct http_request request = {
        .method = slice_of("GET"), .path = slice_of(paths[the_path]), .query = slice_of(the_query)};
    struct mustache_error why;
    struct routes *routes;
    bool answered = true;

    n_allocations = 0;
    if (routes_new(&routes, (clu_slice){0}, &why) != CLU_OK)
        return false;
    for (int again = 0; again < 2; again++) { /* whom it failed may ask again */
        struct http_reply reply = routes_answer(routes, &request, &sample.snapshot);

        answered = is_answered(s, &reply) && answered;
        http_body_release(reply.body);
    }
    routes_free(routes);
    return answered;
}

static failing_story *const pages[] = {page_is_asked_for};

static void pages_are_whole_or_refused(void **state)
{
    (void)state;
    the_query = "";
    for (the_sample = 0; the_sample < COUNT(samples); the_sample++) {
        assert_true(sample_get(&sample, samples[the_sample]));
        for (the_path = 0; the_path < COUNT(paths); the_path++) {
            failing_tell_all(pages, COUNT(pages));
            buf_free(&shown[the_path][the_sample].whole);
        }
    }
}

/* What is asked of /readyz is rendered for whoever asks. */
static void questions_are_answered_whole(void **state)
{
    static const char *const queries[] = {"min_peers=7", "min_peers=0", "peers"};

    (void)state;
    the_sample = 0;
    the_path = 7;
    assert_true(sample_get(&sample, samples[the_sample]));
    for (size_t i = 0; i < COUNT(queries); i++) {
        the_query = queries[i];
        shown[the_path][the_sample] = (struct shown){0};
        failing_tell_all(pages, COUNT(pages));
        buf_free(&shown[the_path][the_sample].whole);
    }
}

/* ---- lines, terms and tables ---- */

static void put_event(struct buf *out, bool json)
{
    struct event e = {.id = EVENT_DIAL_FAILED,
                      .node = "a\n@h",
                      .address = addr_v4(0x0a000002, 9100),
                      .stage = STAGE_COOKIE,
                      .number = 7,
                      .what = "dns:h",
                      .reason = "a reason that is longer than the block\xff with which it begins"};

    (json ? event_put_json : event_put_text)(out, &e, 1795366636123);
}

static clu_error show_event_text(struct buf *out)
{
    put_event(out, false);
    return out->err;
}

static clu_error show_event_json(struct buf *out)
{
    put_event(out, true);
    return out->err;
}

static clu_error show_term(struct buf *out, bool tagged)
{
    static const char text[] =
        "{a,[1,<<1,2>>,<<\"text\">>,\"list\",123456789012345678901234567890,1.5,<<1:3>>],"
        "#{[1] => {x}, <<\"k\">> => fun m:f/1},[p|q]}";
    clu_writer w;
    clu_reader r;
    size_t at;

    clu_writer_init(&w);
    clu_error err = clu_parse(text, strlen(text), &w, &at, NULL);

    clu_reader_init(&r, w.data, w.len);
    if (err == CLU_OK)
        err = term_json(&r, out, tagged);
    clu_writer_free(&w);
    return err;
}

static clu_error show_plain(struct buf *out)
{
    return show_term(out, false);
}

static clu_error show_tagged(struct buf *out)
{
    return show_term(out, true);
}

static clu_error show_table(struct buf *out, void (*show)(struct buf *, const json_t *))
{
    json_t *cluster = api_cluster(&sample.snapshot);

    if (cluster == NULL)
        return CLU_ENOMEM;
    show(out, cluster);
    json_decref(cluster);
    return out->err;
}

static clu_error show_nodes(struct buf *out)
{
    return show_table(out, terminal_put_nodes);
}

static clu_error show_status(struct buf *out)
{
    return show_table(out, terminal_put_status);
}

static clu_error show_reach(struct buf *out)
{
    struct addr own = addr_v4(0x0a2a0056, 9100);

    reach_put_why(out, &sample.snapshot, &own, 9);
    reach_put_names(out, &sample.snapshot);
    return out->err;
}

static clu_error (*const shows[])(struct buf *) = {
    show_event_text, show_event_json, show_plain, show_tagged, show_nodes, show_status, show_reach,
};

static size_t the_show;
static struct shown line;

static bool line_is_shown(void)
{
    struct buf out = {0};

    n_allocations = 0;
    clu_error err = shows[the_show](&out);

    if (err == CLU_OK)
        same_as_whole(&line, buf_slice(&out));
    buf_free(&out);
    return err == CLU_OK;
}

static void lines_are_whole_or_refused(void **state)
{
    static failing_story *const stories[] = {line_is_shown};

    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        assert_true(sample_get(&sample, samples[i]));
        for (the_show = 0; the_show < COUNT(shows); the_show++) {
            line = (struct shown){0};
            failing_tell_all(stories, COUNT(stories));
            buf_free(&line.whole);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_whole_or_refused),
        cmocka_unit_test(questions_are_answered_whole),
        cmocka_unit_test(lines_are_whole_or_refused),
    };

    json_set_alloc_funcs(malloc, free); /* these are the linker's */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
