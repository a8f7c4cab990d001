/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "dist/flags.h"
#include "node/node.h"
#include "said.h"

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define NODE_FLAGS (DFLAGS_OFFERED | DFLAG_PUBLISHED)

static const clu_pid caller = {.node = TEXT("p@h"), .id = 1, .serial = 2, .creation = 3};
static const clu_pid stranger = {.node = TEXT("q@h"), .id = 1, .creation = 3};
static const clu_pid nobody = {.node = TEXT("us@h"), .id = 77, .creation = 5};
static const clu_pid net_kernel = {.node = TEXT("us@h"), .id = 1, .serial = 1, .creation = 5};
static const clu_pid earlier = {.node = TEXT("us@h"), .id = 1, .serial = 1, .creation = 4};
static const clu_ref ref = {.node = TEXT("p@h"), .creation = 3, .n = 3, .words = {6, 7, 8}};

/* A link of us@h to p@h, and what the peer sees of it. */
struct fixture {
    struct clu_node node;
    struct channel channel, peer;
    struct node_link link;
    struct buf seen;  /* what was answered, as text */
    const char *what; /* of the last error */
};

static void open_link(struct fixture *f, uint64_t flags)
{
    *f = (struct fixture){.what = ""};
    assert_int_equal(node_init(&f->node, "us@h", 5, false), CLU_OK);
    channel_init(&f->channel, flags, 60000, 4, 0);
    channel_init(&f->peer, flags, 60000, 4, 0);
    assert_int_equal(node_link_up(&f->node, &f->link, &f->channel, "p@h", 3, flags), CLU_OK);
}

static void close_link(struct fixture *f)
{
    node_link_down(&f->node, &f->link, "connection_closed");
    channel_fini(&f->channel);
    channel_fini(&f->peer);
    buf_free(&f->seen);
    node_fini(&f->node);
}

static const char *answers(struct fixture *f)
{
    return channel_said(&f->channel, &f->peer, &f->seen);
}

/* Writes a control tuple of integers (i), pids (p), references (r) and atoms (a). */
static void put_tuple(clu_writer *w, const char *kinds, va_list args)
{
    clu_put_tuple(w, strlen(kinds));
    for (const char *kind = kinds; *kind != '\0'; kind++)
        switch (*kind) {
        case 'i': clu_put_int(w, va_arg(args, int)); break;
        case 'p': clu_put_pid(w, va_arg(args, const clu_pid *)); break;
        case 'r': clu_put_ref(w, va_arg(args, const clu_ref *)); break;
        case 'a': clu_put_atom_text(w, va_arg(args, const char *)); break;
        default: fail_msg("no such kind: %c", *kind);
        }
}

/* The node receives a control tuple with a payload (NULL: none). */
static clu_error receive(struct fixture *f, const clu_writer *payload, const char *kinds, ...)
{
    clu_slice message = {payload == NULL ? NULL : payload->data,
                         payload == NULL ? 0 : payload->len};
    struct control c;
    clu_writer w;
    va_list args;

    clu_writer_init(&w);
    va_start(args, kinds);
    put_tuple(&w, kinds, args);
    va_end(args);
    clu_error err = control_parse(&c, (clu_slice){w.data, w.len}, message, NULL, &f->what);

    assert_int_equal(err, CLU_OK);
    err = node_receive(&f->node, &f->link, &c, &f->what);
    node_turn(&f->node, 0);
    clu_writer_free(&w);
    return err;
}

/* ---- processes that are not there ---- */

static void monitors_of_nobody_fire_at_once(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    assert_int_equal(receive(&f, NULL, "ipar", 19, &caller, "missing", &ref), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ippr", 19, &caller, &nobody, &ref), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ippr", 19, &caller, &earlier, &ref), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ipar", 19, &caller, "global_name_server", &ref), CLU_OK);
    assert_string_equal(answers(&f), "{28,missing,<p@h.1.2>,#Ref<p@h.8.7.6>} noproc\n"
                                     "{28,<us@h.77.0>,<p@h.1.2>,#Ref<p@h.8.7.6>} noproc\n"
                                     "{28,<us@h.1.1>,<p@h.1.2>,#Ref<p@h.8.7.6>} noproc\n"
                                     "{28,global_name_server,<p@h.1.2>,#Ref<p@h.8.7.6>} noproc\n");
    close_link(&f);
}

static void reasons_go_where_the_link_wants_them(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS & ~DFLAG_EXIT_PAYLOAD);
    assert_int_equal(receive(&f, NULL, "ipar", 19, &caller, "missing", &ref), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ipp", 1, &caller, &nobody), CLU_OK);
    assert_string_equal(answers(&f), "{21,missing,<p@h.1.2>,#Ref<p@h.8.7.6>,noproc}\n"
                                     "{3,<us@h.77.0>,<p@h.1.2>,noproc}\n");
    close_link(&f);
}

static void links_to_nobody_break(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    assert_int_equal(receive(&f, NULL, "ipp", 1, &caller, &nobody), CLU_OK);
    assert_string_equal(answers(&f), "{24,<us@h.77.0>,<p@h.1.2>} noproc\n");
    close_link(&f);
}

static void what_lives_is_not_reported(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    assert_int_equal(receive(&f, NULL, "ipar", 19, &caller, "net_kernel", &ref), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ippr", 19, &caller, &net_kernel, &ref), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ipp", 1, &caller, &net_kernel), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ipar", 20, &caller, "net_kernel", &ref), CLU_OK);
    assert_string_equal(answers(&f), "");
    close_link(&f);
}

static void unlinks_are_acknowledged(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    assert_int_equal(receive(&f, NULL, "iipp", 35, 9, &caller, &nobody), CLU_OK);
    assert_string_equal(answers(&f), "{36,9,<us@h.77.0>,<p@h.1.2>}\n");
    close_link(&f);
}

/* ---- signals that cut a BEAM's link, and signals that nobody answers ---- */

static void senders_belong_to_the_peer(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    assert_int_equal(receive(&f, NULL, "ipp", 1, &stranger, &net_kernel), CLU_EPROTO);
    assert_non_null(strstr(f.what, "another node's process"));
    assert_int_equal(receive(&f, NULL, "ipar", 19, &stranger, "x", &ref), CLU_EPROTO);
    assert_int_equal(receive(&f, NULL, "iipp", 35, 9, &stranger, &nobody), CLU_EPROTO);
    assert_int_equal(receive(&f, NULL, "ippa", 3, &stranger, &nobody, "x"), CLU_EPROTO);
    assert_int_equal(receive(&f, NULL, "ippa", 8, &stranger, &nobody, "kill"), CLU_EPROTO);
    assert_string_equal(answers(&f), "");
    close_link(&f);
}

static void the_rest_is_passed_over(void **state)
{
    struct fixture f;
    clu_writer message;

    (void)state;
    open_link(&f, NODE_FLAGS);
    clu_writer_init(&message);
    clu_put_atom_text(&message, "hello");
    /* a foreign sender of a message is no crime, nor are messages that nobody knows */
    assert_int_equal(receive(&f, &message, "ipaa", 6, &stranger, "", "missing"), CLU_OK);
    assert_int_equal(receive(&f, &message, "ipaa", 6, &caller, "", "net_kernel"), CLU_OK);
    assert_int_equal(receive(&f, &message, "ipaa", 6, &caller, "", "rex"), CLU_OK);
    assert_int_equal(receive(&f, &message, "ipaa", 6, &caller, "", "global_name_server"), CLU_OK);
    assert_int_equal(receive(&f, &message, "iap", 2, "", &nobody), CLU_OK);
    assert_int_equal(receive(&f, &message, "ipr", 33, &caller, &ref), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ippa", 3, &caller, &nobody, "x"), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ippa", 8, &caller, &nobody, "x"), CLU_OK);
    assert_int_equal(receive(&f, NULL, "ipp", 7, &caller, &nobody), CLU_OK);
    assert_int_equal(receive(&f, NULL, "iipp", 36, 9, &caller, &nobody), CLU_OK);
    assert_string_equal(answers(&f), "");
    clu_writer_free(&message);
    close_link(&f);
}

/* ---- net_kernel ---- */

/* {'$gen_call', {Caller, Tag}, {Question, 'p@h'}} to net_kernel; the tag is [alias | Ref], or Ref
 * alone as before OTP 24. */
static void put_call(clu_writer *w, bool alias)
{
    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "$gen_call");
    clu_put_tuple(w, 2);
    clu_put_pid(w, &caller);
    if (alias) {
        clu_put_list(w, 1);
        clu_put_atom_text(w, "alias");
    }
    clu_put_ref(w, &ref);
}

static void call_net_kernel(struct fixture *f, bool alias, const char *question)
{
    clu_writer w;

    clu_writer_init(&w);
    put_call(&w, alias);
    clu_put_tuple(&w, 2);
    clu_put_atom_text(&w, question);
    clu_put_atom_text(&w, "p@h");
    assert_int_equal(receive(f, &w, "ipaa", 6, &caller, "", "net_kernel"), CLU_OK);
    clu_writer_free(&w);
}

static void net_adm_ping_is_answered(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    call_net_kernel(&f, true, "is_auth");
    call_net_kernel(&f, false, "is_auth");
    assert_string_equal(answers(&f),
                        "{37,4,<us@h.1.1>,#Ref<p@h.8.7.6>} {[alias|#Ref<p@h.8.7.6>],yes}\n"
                        "{22,<us@h.1.1>,<p@h.1.2>} {#Ref<p@h.8.7.6>,yes}\n");
    close_link(&f);
}

/* The caller's monitor fires, so it does not wait for ever; without one there is nothing to say. */
static void unknown_calls_fail_at_once(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    assert_int_equal(receive(&f, NULL, "ipar", 19, &caller, "net_kernel", &ref), CLU_OK);
    call_net_kernel(&f, true, "spawn");
    call_net_kernel(&f, false, "spawn");
    assert_string_equal(answers(&f), "{28,net_kernel,<p@h.1.2>,#Ref<p@h.8.7.6>} notsup\n");
    close_link(&f);
    open_link(&f, NODE_FLAGS & ~DFLAG_DIST_MONITOR_NAME);
    call_net_kernel(&f, true, "spawn");
    assert_string_equal(answers(&f), "");
    close_link(&f);
}

/* ---- rex and global ---- */

static void features_are_told(void **state)
{
    struct fixture f;
    clu_writer w;

    (void)state;
    open_link(&f, NODE_FLAGS);
    clu_writer_init(&w);
    clu_put_tuple(&w, 2);
    clu_put_pid(&w, &caller);
    clu_put_atom_text(&w, "features_request");
    assert_int_equal(receive(&f, &w, "ipaa", 6, &caller, "", "rex"), CLU_OK);
    assert_string_equal(answers(&f), "{22,<us@h.2.2>,<p@h.1.2>} {features_reply,us@h,[erpc]}\n");
    clu_writer_free(&w);
    close_link(&f);
}

/* {'$gen_cast', {Word, {8, 1}, 'p@h', init}} */
static void cast_global(struct fixture *f, const char *word)
{
    clu_writer w;

    clu_writer_init(&w);
    clu_put_tuple(&w, 2);
    clu_put_atom_text(&w, "$gen_cast");
    clu_put_tuple(&w, 4);
    clu_put_atom_text(&w, word);
    clu_put_tuple(&w, 2);
    clu_put_int(&w, 8);
    clu_put_int(&w, 1);
    clu_put_atom_text(&w, "p@h");
    clu_put_atom_text(&w, "init");
    assert_int_equal(receive(f, &w, "ipaa", 6, &caller, "", "global_name_server"), CLU_OK);
    clu_writer_free(&w);
}

static void global_is_told_not_to_wait(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    cast_global(&f, "lost_connection");
    assert_string_equal(answers(&f), "");
    cast_global(&f, "init_connect");
    assert_string_equal(answers(&f),
                        "{6,<us@h.3.3>,'',global_name_server} {'$gen_cast',{in_sync,us@h,true}}\n");
    close_link(&f);
}

static void fill(struct fixture *f, size_t len)
{
    uint8_t *bytes = test_calloc(1, len);
    clu_writer w;

    channel_begin(&f->channel, &w, 0);
    clu_put_binary(&w, bytes, len);
    assert_int_equal(channel_end(&f->channel, &w), CLU_OK);
    test_free(bytes);
}

static void an_answer_without_room_ends_the_link(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    fill(&f, CHANNEL_QUEUE_MAX);
    assert_int_equal(receive(&f, NULL, "ipar", 19, &caller, "missing", &ref), CLU_ESIZE);
    assert_non_null(strstr(f.what, "too slowly"));
    close_link(&f);
}

static void a_dynamic_name_is_taken(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    node_rename(&f.node, "new@h", 8);
    assert_int_equal(receive(&f, NULL, "ippr", 19, &caller, &net_kernel, &ref), CLU_OK);
    assert_non_null(strstr(answers(&f), "noproc")); /* that was the other name's */
    clu_pid own = {.node = TEXT("new@h"), .id = 1, .serial = 1, .creation = 8};

    assert_int_equal(receive(&f, NULL, "ippr", 19, &caller, &own, &ref), CLU_OK);
    assert_string_equal(answers(&f), "");
    close_link(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(monitors_of_nobody_fire_at_once),
        cmocka_unit_test(reasons_go_where_the_link_wants_them),
        cmocka_unit_test(links_to_nobody_break),
        cmocka_unit_test(what_lives_is_not_reported),
        cmocka_unit_test(unlinks_are_acknowledged),
        cmocka_unit_test(senders_belong_to_the_peer),
        cmocka_unit_test(the_rest_is_passed_over),
        cmocka_unit_test(net_adm_ping_is_answered),
        cmocka_unit_test(unknown_calls_fail_at_once),
        cmocka_unit_test(features_are_told),
        cmocka_unit_test(global_is_told_not_to_wait),
        cmocka_unit_test(an_answer_without_room_ends_the_link),
        cmocka_unit_test(a_dynamic_name_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
