/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "dns_samples.h"

/* What a reply says, as one line. */
static void describe(struct buf *out, const struct dns_reply *r)
{
    char ip[ADDR_TEXT_MAX];

    buf_printf(out, "%s", dns_rcode_text(r->rcode));
    if (r->truncated)
        buf_put_text(out, " cut");
    for (size_t i = 0; i < r->n_addrs; i++)
        buf_printf(out, " %s", addr_ip_text(&r->addrs[i], ip));
    for (size_t i = 0; i < r->n_services; i++) {
        const struct dns_service *s = &r->services[i];

        buf_printf(out, " %s:%u", s->target, (unsigned)s->port);
        for (size_t k = 0; k < COUNT(s->glue); k++)
            if (s->glue[k].family != 0)
                buf_printf(out, "=%s", addr_ip_text(&s->glue[k], ip));
    }
    if (r->ttl != UINT32_MAX)
        buf_printf(out, " ttl=%u", (unsigned)r->ttl);
    if (r->has_soa)
        buf_printf(out, " soa=%u", (unsigned)r->soa_ttl);
    if (r->n_dropped > 0)
        buf_printf(out, " dropped=%u", (unsigned)r->n_dropped);
}

static const struct dns_sample *const tables[] = {dns_samples, dns_shapes};

static void parse(const struct dns_sample *sample)
{
    struct buf msg = {0}, said = {0};
    struct dns_reply reply;

    sample->build(&msg);
    clu_error err = dns_parse(&reply, msg.data, msg.len, 100);

    if (err == CLU_OK)
        describe(&said, &reply);
    if (err != (sample->says == NULL ? CLU_EPROTO : CLU_OK))
        fail_msg("%s: %s", sample->name, clu_strerror(err));
    if (sample->says != NULL && strcmp(buf_text(&said), sample->says) != 0)
        fail_msg("%s: says \"%s\"", sample->name, buf_text(&said));
    if (err != CLU_OK && (reply.addrs != NULL || reply.n_addrs != 0))
        fail_msg("%s: holds something after a failure", sample->name);
    dns_reply_free(&reply);
    buf_free(&msg);
    buf_free(&said);
}

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++)
        for (const struct dns_sample *s = tables[i]; s->name != NULL; s++)
            parse(s);
}

static void build(const char *name, struct buf *msg)
{
    for (size_t i = 0; i < COUNT(tables); i++)
        for (const struct dns_sample *s = tables[i]; s->name != NULL; s++)
            if (strcmp(s->name, name) == 0) {
                s->build(msg);
                return;
            }
    fail_msg("%s: no such sample", name);
}

static void tells_the_question(void **state)
{
    struct buf msg = {0};
    struct dns_reply r;

    (void)state;
    build("case does not count", &msg);
    assert_int_equal(dns_parse(&r, msg.data, msg.len, 100), CLU_OK);
    assert_string_equal(r.question, DNS_SAMPLE_NAME);
    assert_int_equal(r.question_type, DNS_TYPE_A);
    dns_reply_free(&r);
    buf_reset(&msg);
    build("labels with odd bytes", &msg);
    assert_int_equal(dns_parse(&r, msg.data, msg.len, 100), CLU_OK);
    assert_string_equal(r.question, "a?b.??");
    dns_reply_free(&r);
    buf_free(&msg);
}

/* Every prefix of a good reply is refused, and none is read past its end (the sanitizer's word). */
static void refuses_every_prefix(void **state)
{
    struct buf msg = {0};

    (void)state;
    build("aliases are followed, their TTL counts", &msg);
    for (size_t len = 0; len < msg.len; len++) {
        struct buf part = {0};
        struct dns_reply r;

        buf_put(&part, msg.data, len);
        assert_int_equal(dns_parse(&r, part.data, part.len, 100), CLU_EPROTO);
        buf_free(&part);
    }
    buf_free(&msg);
}

static void put_many(struct buf *b, uint16_t n)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, (uint16_t)(2 * n), 0, 0);
    dns_put_question(b, DNS_SAMPLE_NAME, DNS_TYPE_A);
    for (unsigned i = 0; i < 2u * n; i++) { /* each address twice */
        struct addr a = addr_v4(0x0a000000 + i % n, 0);

        dns_put_pointer(b, 12);
        dns_put_record(b, DNS_TYPE_A, 30, a.ip, 4);
    }
}

static void takes_a_thousand(void **state)
{
    struct buf msg = {0};
    struct dns_reply r;

    (void)state;
    put_many(&msg, 1000);
    assert_int_equal(dns_parse(&r, msg.data, msg.len, 8192), CLU_OK);
    assert_int_equal(r.n_addrs, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        struct addr a = addr_v4(0x0a000000 + i, 0);

        assert_true(addr_equal(&r.addrs[i], &a)); /* in the order of the reply */
    }
    assert_int_equal(r.n_dropped, 0);
    dns_reply_free(&r);
    buf_free(&msg);
}

static void counts_what_it_drops(void **state)
{
    struct buf msg = {0};
    struct dns_reply r;

    (void)state;
    put_many(&msg, 10);
    assert_int_equal(dns_parse(&r, msg.data, msg.len, 8), CLU_OK);
    assert_int_equal(r.n_addrs, 8);
    assert_int_equal(r.n_dropped, 4); /* two addresses, twice each */
    dns_reply_free(&r);
    buf_free(&msg);
}

/* SRV replies in dns_build's words. */
static const struct {
    const char *words, *says;
} services[] = {
    {"b.x/2/10.0.0.2 a.x/2/10.0.0.1 ttl=7", "NOERROR a.x:2=10.0.0.1 b.x:2=10.0.0.2 ttl=7"},
    {"a.x/9100", "NOERROR a.x:9100 ttl=30"},
    {"A.x/2 a.X/2/10.0.0.1", "NOERROR a.x:2=10.0.0.1 ttl=30"},
    {"a.x/3 a.x/2 a.x/1/10.0.0.1", "NOERROR a.x:1=10.0.0.1 a.x:2=10.0.0.1 a.x:3=10.0.0.1 ttl=30"},
    {"a.x/1/10.0.0.1 a.x/1/fd00::1", "NOERROR a.x:1=10.0.0.1=fd00::1 ttl=30"},
    {"a.x/1/10.0.0.1 a.x/1/10.0.0.2", "NOERROR a.x:1=10.0.0.1 ttl=30"},
    {"a.x/1 cut", "NOERROR cut a.x:1 ttl=30"},
    {"/1", "NOERROR"}, /* RFC 2782: a target of "." is none */
    {"nxdomain", "NXDOMAIN soa=5"},
};

static void reads_services(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(services); i++) {
        struct buf msg = {0}, said = {0};
        struct dns_reply r;

        dns_build(&msg, "peers.example", DNS_TYPE_SRV, services[i].words);
        assert_int_equal(dns_parse(&r, msg.data, msg.len, 100), CLU_OK);
        describe(&said, &r);
        if (strcmp(buf_text(&said), services[i].says) != 0)
            fail_msg("%s: %s", services[i].words, buf_text(&said));
        dns_reply_free(&r);
        buf_free(&msg);
        buf_free(&said);
    }
}

static void bounds_services(void **state)
{
    struct buf msg = {0}, words = {0};
    struct dns_reply r;

    (void)state;
    for (unsigned i = 0; i < 720; i++)
        buf_printf(&words, "pod-%u.x/9100/10.0.%u.%u ", i, i / 250, i % 250);
    dns_build(&msg, "peers.example", DNS_TYPE_SRV, buf_text(&words));
    assert_int_equal(dns_parse(&r, msg.data, msg.len, 8192), CLU_OK);
    assert_int_equal(r.n_services, 720);
    for (size_t i = 0; i < r.n_services; i++)
        assert_int_equal(r.services[i].glue[0].family, 4);
    dns_reply_free(&r);
    assert_int_equal(dns_parse(&r, msg.data, msg.len, 700), CLU_OK);
    assert_int_equal(r.n_services, 700);
    assert_int_equal(r.n_dropped, 20);
    dns_reply_free(&r);
    buf_free(&msg);
    buf_free(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(tells_the_question),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(takes_a_thousand),
        cmocka_unit_test(counts_what_it_drops),
        cmocka_unit_test(reads_services),
        cmocka_unit_test(bounds_services),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
