/* SPDX-License-Identifier: Apache-2.0
 *
 * What sources need of the system: files that change, datagrams. The machine only hands out needs
 * and writes down what it is given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/files.h"
#include "net/loop_impl.h"
#include "net/socket.h"
#include "net/system.h"

/* Until a test that hears nothing more gives up. */
#define LIMIT_MS 10000
/* Long enough for what is not to happen. */
#define QUIET_MS 300

struct machine {
    struct loop *loop;
    struct need need; /* handed out once */
    unsigned source;
    bool waits;
    enum given_kind kind; /* of the last that was given */
    char text[256];       /* its bytes, or why there are none */
    struct addr from;
    unsigned n_given;
    uint64_t deadline_ms;
};

bool machine_next(struct machine *m, struct update *u)
{
    if (!m->waits)
        return false;
    m->waits = false;
    *u = (struct update){.kind = UPDATE_NEED};
    u->u.need.source = m->source;
    u->u.need.need = m->need;
    return true;
}

void machine_given(struct machine *m, unsigned source, const struct given *given, uint64_t now_ms)
{
    clu_slice said = given->why == NULL ? given->bytes : slice_of(given->why);

    (void)now_ms;
    assert_int_equal(source, m->source);
    assert_true(text_set(m->text, sizeof m->text, said));
    m->kind = given->kind;
    m->from = given->addr;
    m->n_given++;
    if (given->kind == GIVEN_FILE)
        assert_string_equal(given->path, m->need.u.file.path);
    loop_exit(m->loop, 0);
}

uint64_t machine_deadline(const struct machine *m)
{
    return m->deadline_ms;
}

uint64_t machine_time(const struct machine *m)
{
    (void)m;
    return 0;
}

void machine_now(struct machine *m, uint64_t now_ms)
{
    (void)m;
    (void)now_ms;
}

uint64_t machine_handed(const struct machine *m)
{
    (void)m;
    return 0;
}

void machine_tick(struct machine *m, uint64_t now_ms)
{
    if (now_ms >= m->deadline_ms)
        loop_exit(m->loop, 1);
}

/* The rest of a machine is not asked here. */

void machine_start(struct machine *m, uint64_t now_ms)
{
    (void)m;
    (void)now_ms;
}

void machine_listening(struct machine *m, enum listener which, const struct addr *at,
                       const char *error, bool in_use, uint64_t now_ms)
{
    (void)m;
    (void)which;
    (void)at;
    (void)error;
    (void)in_use;
    (void)now_ms;
    abort();
}

slot_id machine_accepted(struct machine *m, enum listener which, const struct addr *peer,
                         const struct addr *local, uint64_t now_ms)
{
    (void)m;
    (void)which;
    (void)peer;
    (void)local;
    (void)now_ms;
    abort();
}

void machine_opened(struct machine *m, slot_id conn, const struct addr *local, uint64_t now_ms)
{
    (void)m;
    (void)conn;
    (void)local;
    (void)now_ms;
    abort();
}

void machine_refused(struct machine *m, slot_id conn, enum dial_error error, const char *text,
                     uint64_t now_ms)
{
    (void)m;
    (void)conn;
    (void)error;
    (void)text;
    (void)now_ms;
    abort();
}

bool machine_is_link(const struct machine *m, slot_id conn)
{
    (void)m;
    (void)conn;
    return false;
}

bool machine_is_beam(const struct machine *m, slot_id conn)
{
    (void)m;
    (void)conn;
    return false;
}

uint64_t machine_pause(const struct machine *m, slot_id conn)
{
    (void)m;
    (void)conn;
    return 0;
}

size_t machine_space(struct machine *m, slot_id conn, struct iovec iov[MACHINE_PLACES])
{
    (void)m;
    (void)conn;
    (void)iov;
    abort();
}

void machine_got(struct machine *m, slot_id conn, size_t n, uint64_t now_ms)
{
    (void)m;
    (void)conn;
    (void)n;
    (void)now_ms;
    abort();
}

void machine_closed(struct machine *m, slot_id conn, const char *text, uint64_t now_ms)
{
    (void)m;
    (void)conn;
    (void)text;
    (void)now_ms;
    abort();
}

size_t machine_pending(struct machine *m, slot_id conn, bool large, struct iovec *iov, size_t max)
{
    (void)large;
    (void)m;
    (void)conn;
    (void)iov;
    (void)max;
    abort();
}

void machine_sent(struct machine *m, slot_id conn, size_t n, uint64_t now_ms)
{
    (void)m;
    (void)conn;
    (void)n;
    (void)now_ms;
    abort();
}

void machine_resolved(struct machine *m, slot_id query, enum dns_status status, clu_slice msg,
                      uint64_t now_ms)
{
    (void)m;
    (void)query;
    (void)status;
    (void)msg;
    (void)now_ms;
    abort();
}

/* ---- the world ---- */

struct world {
    struct machine m;
    struct resolv_conf conf;
    char dir[32];
};

static void set_up(struct world *w)
{
    const struct log quiet = {.level = LEVEL_ERROR + 1};
    const struct loop_hooks hooks = {.arg = &w->m};

    *w =
        (struct world){.m = {.deadline_ms = NEVER, .source = 3}, .dir = "/tmp/erlclu-needs-XXXXXX"};
    assert_non_null(mkdtemp(w->dir));
    w->m.loop = loop_new(&w->m, &w->conf, &quiet, &hooks);
    assert_non_null(w->m.loop);
}

static void shell(const struct world *w, const char *commands)
{
    char line[1024];

    snprintf(line, sizeof line, "cd %s && %s", w->dir, commands);
    assert_int_equal(system(line), 0);
}

static void tear_down(struct world *w)
{
    loop_free(w->m.loop);
    shell(w, "rm -r $PWD");
}

/* Turns the loop until something was given; false when nothing came in this time. */
static bool hears(struct world *w, uint64_t ms)
{
    unsigned before = w->m.n_given;

    w->m.deadline_ms = system_now_ms() + ms;
    w->m.loop->over = false;
    loop_turn(w->m.loop);
    if (w->m.n_given == before)
        loop_run(w->m.loop);
    return w->m.n_given > before;
}

static void expect(struct world *w, const char *text)
{
    assert_true(hears(w, LIMIT_MS));
    assert_string_equal(w->m.text, text);
}

/* ---- files ---- */

static void need_file(struct world *w, const char *name, bool watch)
{
    w->m.need = (struct need){.kind = NEED_FILE};
    w->m.need.u.file.watch = watch;
    snprintf(w->m.need.u.file.path, sizeof w->m.need.u.file.path, "%s/%s", w->dir, name);
    w->m.waits = true;
}

/* A row a step: what is done to the folder, and what is given for it; NULL: nothing. */
static const struct {
    const char *name, *commands, *text;
} steps[] = {
    {"the text at first", "echo one >f", "one\n"},
    {"written", "echo two >f", "two\n"},
    {"written at the end", "echo three >>f", "two\nthree\n"},
    {"a file beside it", "echo x >g", NULL},
    {"replaced", "echo four >g && mv g f", "four\n"},
    {"removed", "rm f", "No such file or directory"},
    {"there again", "echo five >f", "five\n"},
    {"a folder in its place", "rm f && mkdir f", "it is no regular file"},
    {"a pipe in its place", "rmdir f && mkfifo f", "it is no regular file"},
    {"empty", "rm f && : >f", ""},
    {"a link", "rm f && mkdir ..1 && echo v1 >..1/f && ln -s ..1 ..data && ln -s ..data/f f",
     "v1\n"},
    {"the folder behind the link is swapped",
     "mkdir ..2 && echo v2 >..2/f && ln -s ..2 ..new && mv -T ..new ..data && rm -r ..1", "v2\n"},
    {"and once more",
     "mkdir ..3 && echo v3 >..3/f && ln -s ..3 ..new && mv -T ..new ..data && rm -r ..2", "v3\n"},
    {"written behind two links", "echo v4 >..3/f", "v4\n"},
    {"a link that leads nowhere", "rm -r ..3", "No such file or directory"},
};

static void follows_a_file(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    for (size_t i = 0; i < COUNT(steps); i++) {
        shell(&w, steps[i].commands);
        if (i == 0)
            need_file(&w, "f", true);
        bool heard = hears(&w, steps[i].text == NULL ? QUIET_MS : FILES_LOOK_MS - 500);

        if (heard != (steps[i].text != NULL) || (heard && strcmp(w.m.text, steps[i].text) != 0))
            fail_msg("%s: %s", steps[i].name, heard ? w.m.text : "nothing was given");
        assert_int_equal(w.m.kind, GIVEN_FILE);
    }
    tear_down(&w);
}

/* Ten writes in a row are one change or two, not ten. */
static void joins_changes(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    shell(&w, "echo 0 >f");
    need_file(&w, "f", true);
    expect(&w, "0\n");
    shell(&w, "for i in 1 2 3 4 5 6 7 8 9; do echo $i >f; done");
    expect(&w, "9\n");
    assert_false(hears(&w, QUIET_MS));
    need_file(&w, "f", true); /* needed once more: told at once, and watched once */
    expect(&w, "9\n");
    shell(&w, "echo 10 >f");
    expect(&w, "10\n");
    assert_false(hears(&w, QUIET_MS));
    tear_down(&w);
}

/* What no event tells of is found all the same. */
static void finds_a_folder(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    need_file(&w, "sub/f", true);
    expect(&w, "No such file or directory");
    shell(&w, "mkdir sub && echo late >sub/f");
    expect(&w, "late\n");
    tear_down(&w);
}

static void reads_once(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    shell(&w, "echo one >f && head -c 1048577 /dev/zero >large");
    need_file(&w, "f", false);
    expect(&w, "one\n");
    shell(&w, "echo two >f");
    assert_false(hears(&w, QUIET_MS));
    need_file(&w, "large", false);
    expect(&w, "it is larger than 1 MiB");
    tear_down(&w);
}

/* ---- datagrams ---- */

static struct addr ip(const char *text, uint16_t port)
{
    struct addr a;

    assert_true(addr_parse_ip(&a, slice_of(text)));
    a.port = port;
    return a;
}

/* A port that is free, as far as one can know. */
static uint16_t free_port(void)
{
    struct sockaddr_storage ss;
    struct addr any = ip("127.0.0.1", 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = addr_to_system(&any, &ss);

    assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
    struct addr at = socket_local(fd);

    close(fd);
    return at.port;
}

static void need_udp(struct world *w, const char *bind_to, uint16_t port, const char *group)
{
    w->m.need = (struct need){.kind = NEED_UDP};
    w->m.need.u.udp.bind = ip(bind_to, port);
    if (group != NULL) {
        w->m.need.u.udp.group = ip(group, 0);
        w->m.need.u.udp.interface = ip("127.0.0.1", 0);
        w->m.need.u.udp.ttl = 1;
    }
    w->m.waits = true;
}

static void need_datagram(struct world *w, const char *to, uint16_t port, const char *text)
{
    w->m.need = (struct need){.kind = NEED_DATAGRAM};
    w->m.need.u.datagram.to = ip(to, port);
    w->m.need.u.datagram.bytes = slice_of(text);
    w->m.waits = true;
}

/* Sent to the group, heard by the group: by two programs of this host at once. */
static void multicast_is_shared(void **state)
{
    struct world a, b;
    uint16_t port = free_port();

    (void)state;
    set_up(&a);
    set_up(&b);
    need_udp(&a, "0.0.0.0", port, "233.252.1.32");
    expect(&a, "");
    assert_int_equal(a.m.kind, GIVEN_UDP);
    need_udp(&b, "0.0.0.0", port, "233.252.1.32");
    expect(&b, "");
    need_datagram(&a, "233.252.1.32", port, "hello");
    expect(&a, "hello");
    assert_int_equal(a.m.kind, GIVEN_DATAGRAM);
    assert_int_equal(a.m.from.port, port);
    expect(&b, "hello");
    tear_down(&a);
    tear_down(&b);
}

static void tells_what_fails(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    need_datagram(&w, "127.0.0.1", 9, "x"); /* no socket: nothing to tell */
    assert_false(hears(&w, QUIET_MS));
    need_udp(&w, "192.0.2.1", 9999, NULL);
    expect(&w, "Cannot assign requested address");
    need_udp(&w, "127.0.0.1", free_port(), NULL);
    expect(&w, "");
    need_datagram(&w, "192.0.2.1", 9999, "x"); /* from loopback one cannot leave the host */
    expect(&w, "Invalid argument");
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_a_file),      cmocka_unit_test(joins_changes),
        cmocka_unit_test(finds_a_folder),      cmocka_unit_test(reads_once),
        cmocka_unit_test(multicast_is_shared), cmocka_unit_test(tells_what_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
