/* SPDX-License-Identifier: Apache-2.0 */
#include "asked.h"

#include "view/page.h"

static const struct {
    const char *name, *method, *path, *sample;
    uint16_t status;
    const char *type, *allow, *holds;
} rows[] = {
    {"page", "GET", "/", "linked", 200, "text/html; charset=utf-8", NULL, "All 5 listed"},
    {"pieces on the page", "GET", "/", "split", 200, "text/html; charset=utf-8", NULL,
     "<li><span class=\"mono\">erlclu@10.42.9.1</span> <span "
     "class=\"mono\">erlclu@10.42.9.2</span> "
     "</li>\n</ol>"},
    {"who does not see us", "GET", "/", "split", 200, "text/html; charset=utf-8", NULL,
     "id=\"one-way\">\n<li class=\"mono\">erlclu@10.42.1.93</li>\n</ul>"},
    {"who does not read", "GET", "/", "split", 200, "text/html; charset=utf-8", NULL,
     "id=\"not-reading\">\n<li class=\"mono\">erlclu@10.42.1.93</li>\n</ul>"},
    {"whom nobody lists", "GET", "/", "split", 200, "text/html; charset=utf-8", NULL,
     "id=\"unlisted\">\n<li class=\"mono\">erlclu@10.42.2.9</li>\n</ul>"},
    {"why a peer of a peer is not linked", "GET", "/", "split", 200, "text/html; charset=utf-8",
     NULL,
     "erlclu@10.42.9.1<p class=\"quiet\">tcp-timeout: no answer from 10.42.9.1:9100 within 7 "
     "s</p>"},
    {"head of the page", "HEAD", "/", "linked", 200, "text/html; charset=utf-8", NULL, "All 5"},
    {"cluster", "GET", "/api/v1/cluster", "linked", 200, "application/json", NULL,
     "\"missing\": []"},
    {"peers", "GET", "/api/v1/peers", "linked", 200, "application/json", NULL, "\"inbound\": true"},
    {"discovery", "GET", "/api/v1/discovery", "linked", 200, "application/json", NULL,
     "\"ttl\": 5"},
    {"mesh", "GET", "/api/v1/mesh", "linked", 200, "application/json", NULL, "\"complete\": false"},
    {"metrics", "GET", "/metrics", "linked", 200, "text/plain; version=0.0.4; charset=utf-8", NULL,
     "connected_node_count{node=\"erlclu@10.42.0.86\"} 6\n"},
    {"alive", "GET", "/livez", "draining", 200, "text/plain; charset=utf-8", NULL, "alive\n"},
    {"ready", "GET", "/readyz", "linked", 200, "text/plain; charset=utf-8", NULL, "ready\n"},
    {"not ready", "GET", "/readyz", "empty", 503, "text/plain; charset=utf-8", NULL,
     "not ready: discovery has not answered yet\n"},
    {"draining", "GET", "/readyz", "draining", 503, "text/plain; charset=utf-8", NULL,
     "draining: links stay until the end\n"},
    {"enough peers", "GET", "/readyz?min_peers=5", "linked", 200, "text/plain; charset=utf-8", NULL,
     "ready\n"},
    {"no peer wanted", "GET", "/readyz?min_peers=0", "none", 200, "text/plain; charset=utf-8", NULL,
     "ready\n"},
    {"hidden peers do not count", "GET", "/readyz?min_peers=6", "missing", 503,
     "text/plain; charset=utf-8", NULL,
     "not ready: 5 of 6 wanted peers are linked; erlclu@10.42.3.17 is missing: cookie: "
     "erlclu@10.42.3.17 answered our challenge with the digest of another cookie\n"},
    {"nobody else listed", "HEAD", "/readyz?min_peers=6", "linked", 503,
     "text/plain; charset=utf-8", NULL,
     "not ready: 5 of 6 wanted peers are linked; nobody else is listed\n"},
    {"no discovery", "GET", "/readyz?min_peers=1", "none", 503, "text/plain; charset=utf-8", NULL,
     "not ready: 0 of 1 wanted peers are linked; no discovery is configured\n"},
    {"not ready whatever the peers", "GET", "/readyz?min_peers=1", "draining", 503,
     "text/plain; charset=utf-8", NULL, "draining: links stay until the end\n"},
    {"no number", "GET", "/readyz?min_peers=", "linked", 400, "text/plain; charset=utf-8", NULL,
     "/readyz takes ?min_peers=N, N from 0 to 99999, and nothing else\n"},
    {"a negative number", "GET", "/readyz?min_peers=-1", "linked", 400, "text/plain; charset=utf-8",
     NULL, "?min_peers=N"},
    {"a number too long", "GET", "/readyz?min_peers=100000", "linked", 400,
     "text/plain; charset=utf-8", NULL, "?min_peers=N"},
    {"a misspelt query", "GET", "/readyz?minpeers=1", "linked", 400, "text/plain; charset=utf-8",
     NULL, "?min_peers=N"},
    {"a query too many", "GET", "/readyz?min_peers=1&x=1", "linked", 400,
     "text/plain; charset=utf-8", NULL, "?min_peers=N"},
    {"an empty query", "GET", "/readyz?", "linked", 200, "text/plain; charset=utf-8", NULL,
     "ready\n"},
    {"a query elsewhere is passed over", "GET", "/?min_peers=x", "linked", 200,
     "text/html; charset=utf-8", NULL, "All 5 listed"},
    {"nothing there", "GET", "/api/v1/cluster/", "linked", 404, "text/plain; charset=utf-8", NULL,
     "no such page"},
    {"nothing there to post to", "POST", "/x", "linked", 404, "text/plain; charset=utf-8", NULL,
     "no such page"},
    {"empty path", "GET", "", "linked", 404, "text/plain; charset=utf-8", NULL, "no such page"},
    {"post", "POST", "/", "linked", 405, "text/plain; charset=utf-8", "GET, HEAD", "GET or HEAD"},
    {"method in lower case", "get", "/livez", "linked", 405, "text/plain; charset=utf-8",
     "GET, HEAD", "GET or HEAD"},
};

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct routes *routes = new_routes("");

        assert_true(sample_get(&sample, rows[i].sample));
        struct http_reply reply = ask(routes, rows[i].method, rows[i].path);

        if (reply.status != rows[i].status || strcmp(reply.type, rows[i].type) != 0 ||
            strstr(body_of(&reply), rows[i].holds) == NULL)
            fail_msg("%s: %u %s\n%s", rows[i].name, reply.status, reply.type, body_of(&reply));
        if ((reply.allow == NULL) != (rows[i].allow == NULL) ||
            (reply.allow != NULL && strcmp(reply.allow, rows[i].allow) != 0))
            fail_msg("%s: Allow", rows[i].name);
        assert_int_equal(reply.head_only, strcmp(rows[i].method, "HEAD") == 0);
        http_body_release(reply.body);
        routes_free(routes);
    }
}

static void answers_without_snapshot(void **state)
{
    (void)state;
    struct routes *routes = new_routes("");
    struct http_request page = {.method = slice_of("GET"), .path = slice_of("/")};
    struct http_request livez = {.method = slice_of("GET"), .path = slice_of("/livez")};
    struct http_reply no = routes_answer(routes, &page, NULL);
    struct http_reply yes = routes_answer(routes, &livez, NULL);
    struct http_reply again = routes_answer(routes, &livez, NULL);

    assert_int_equal(no.status, 503);
    assert_int_equal(yes.status, 200);
    assert_ptr_equal(yes.body, again.body);
    http_body_release(no.body);
    http_body_release(yes.body);
    http_body_release(again.body);
    routes_free(routes);
}

/* Bodies are shared while the snapshot stays, outlive it, and outlive the routes. */
static void renders_once_a_version(void **state)
{
    (void)state;
    struct routes *routes = new_routes("{{n_nodes}}");

    assert_true(sample_get(&sample, "linked"));
    struct http_reply first = ask(routes, "GET", "/");

    sample.snapshot.n_peers--;
    struct http_reply same = ask(routes, "HEAD", "/");

    assert_ptr_equal(first.body, same.body);
    sample.snapshot.version++;
    struct http_reply next = ask(routes, "GET", "/");

    routes_free(routes);
    assert_string_equal(body_of(&first), "6");
    assert_string_equal(body_of(&next), "5");
    http_body_release(first.body);
    http_body_release(same.body);
    http_body_release(next.body);
}

/* Without a new version too the page says of when it is. */
static void as_of_follows_the_clock(void **state)
{
    (void)state;
    struct routes *routes = new_routes("{{as_of}}");

    assert_true(sample_get(&sample, "linked"));
    struct http_reply first = ask(routes, "GET", "/");
    struct http_reply document = ask(routes, "GET", "/api/v1/cluster");

    sample.snapshot.now_ms += 3000;
    struct http_reply next = ask(routes, "GET", "/");
    struct http_reply later = ask(routes, "GET", "/api/v1/cluster");

    assert_string_not_equal(body_of(&first), body_of(&next));
    assert_string_not_equal(body_of(&document), body_of(&later));
    http_body_release(first.body);
    http_body_release(document.body);
    http_body_release(next.body);
    http_body_release(later.body);
    routes_free(routes);
}

/* Byte counters grow without a new version; /metrics tells them all the same. */
static void live_bodies_follow_the_clock(void **state)
{
    (void)state;
    struct routes *routes = new_routes("");

    assert_true(sample_get(&sample, "linked"));
    struct http_reply first = ask(routes, "GET", "/metrics");
    struct http_reply same = ask(routes, "GET", "/metrics");

    sample.snapshot.now_ms++;
    sample.peers[0].bytes_in = 424242;
    struct http_reply next = ask(routes, "GET", "/metrics");

    assert_ptr_equal(first.body, same.body);
    assert_non_null(strstr(body_of(&next), " 424242\n"));
    http_body_release(first.body);
    http_body_release(same.body);
    http_body_release(next.body);
    routes_free(routes);
}

static void refuses_a_bad_template(void **state)
{
    (void)state;
    struct routes *routes;
    struct mustache_error why;

    assert_int_equal(routes_new(&routes, slice_of("<p>\n{{#nodes}}"), &why), CLU_ESYNTAX);
    assert_null(routes);
    assert_int_equal(why.line, 2);
    assert_string_equal(why.text, "section nodes is never closed");
}

/* ---- what strangers may write ---- */

static void hostile_names_stay_text(void **state)
{
    (void)state;
    struct routes *routes = new_routes("");

    assert_true(sample_get(&sample, "hostile"));
    struct http_reply page = ask(routes, "GET", "/");
    struct http_reply cluster = ask(routes, "GET", "/api/v1/cluster");
    const char *html = body_of(&page);
    json_error_t error;
    json_t *parsed = json_loads(body_of(&cluster), JSON_REJECT_DUPLICATES, &error);

    assert_null(strstr(html, "<script>alert"));
    assert_null(strstr(html, "<script>x()"));
    assert_null(strstr(html, "<b>"));
    assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;@&quot;'&amp;"));
    assert_non_null(strstr(html, "{{node}}@{{#l}}"));
    if (parsed == NULL)
        fail_msg("line %d: %s", error.line, error.text);
    assert_string_equal(json_string_value(json_array_get(json_object_get(parsed, "nodes"), 0)),
                        "<script>alert(1)</script>@\"'&");
    json_decref(parsed);
    http_body_release(page.body);
    http_body_release(cluster.body);
    routes_free(routes);
}

static void cookie_is_masked(void **state)
{
    (void)state;
    struct routes *routes = new_routes("{{{cookie}}}");

    assert_true(sample_get(&sample, "linked"));
    struct http_reply masked = ask(routes, "GET", "/");

    sample.snapshot.cookie = "sesame";
    sample.snapshot.version++;
    struct http_reply shown = ask(routes, "GET", "/");
    struct http_reply cluster = ask(routes, "GET", "/api/v1/cluster");

    assert_string_equal(body_of(&masked), COOKIE_HIDDEN);
    assert_string_equal(body_of(&shown), "sesame");
    assert_null(strstr(body_of(&cluster), "sesame"));
    http_body_release(masked.body);
    http_body_release(shown.body);
    http_body_release(cluster.body);
    routes_free(routes);
}

static const struct {
    const char *host, *path;
    uint16_t status;
} hosts[] = {
    {"", "/", 200},
    {"localhost", "/", 200},
    {"LocalHost", "/", 200},
    {"10.42.0.86", "/", 200},
    {"[fd00::1]", "/", 200},
    {"evil.example", "/", 421},
    {"localhost.evil.example", "/", 421},
    {"10.42.0.86.evil.example", "/", 421},
    {"[evil.example]", "/", 421},
    {"evil.example", "/readyz", 200},
    {"evil.example", "/metrics", 200},
};

static uint16_t status_at(struct routes *routes, size_t i)
{
    struct http_request request = {.method = slice_of("GET"),
                                   .path = slice_of(hosts[i].path),
                                   .host = slice_of(hosts[i].host)};
    struct http_reply reply = routes_answer(routes, &request, &sample.snapshot);

    http_body_release(reply.body);
    return reply.status;
}

/* A script of a domain that was made to lead here must not read the cookie. */
static void cookie_is_for_own_hosts(void **state)
{
    (void)state;
    struct routes *routes = new_routes("");

    assert_true(sample_get(&sample, "linked"));
    for (size_t i = 0; i < COUNT(hosts); i++) {
        sample.snapshot.cookie = NULL;
        assert_int_equal(status_at(routes, i), 200);
        sample.snapshot.cookie = "sesame";
        if (status_at(routes, i) != hosts[i].status)
            fail_msg("%s%s: not %u", hosts[i].host, hosts[i].path, hosts[i].status);
    }
    routes_free(routes);
}

static void draining_is_said_once(void **state)
{
    (void)state;
    struct routes *routes = new_routes("");

    assert_true(sample_get(&sample, "draining"));
    snprintf(sample.snapshot.not_ready, sizeof sample.snapshot.not_ready, "draining");
    struct http_reply reply = ask(routes, "GET", "/readyz");

    assert_string_equal(body_of(&reply), "draining\n");
    http_body_release(reply.body);
    routes_free(routes);
}

/* Who waits for peers that nobody lists is told when it is discovery that fails. */
static void tells_why_nobody_is_listed(void **state)
{
    (void)state;
    struct routes *routes = new_routes("");

    assert_true(sample_get(&sample, "empty"));
    sample.snapshot.ready = true;
    sample.sources[0].result = RESULT_FAILED;
    snprintf(sample.sources[0].reason, REASON_SIZE, "no DNS server answered in time");
    struct http_reply reply = ask(routes, "GET", "/readyz?min_peers=1");

    assert_string_equal(body_of(&reply),
                        "not ready: 0 of 1 wanted peers are linked; nobody else is listed; "
                        "dns:erlclu-headless.erlclu.svc.cluster.local failed: no DNS server "
                        "answered in time\n");
    http_body_release(reply.body);
    routes_free(routes);
}

/* What a bare reading says: as many listed as linked, sorted by bytes, itself among them. */
static void lists_are_sorted(void **state)
{
    (void)state;
    struct routes *routes = new_routes("{{#nodes}}{{.}} {{/nodes}}| {{#listed}}{{.}} {{/listed}}");
    static const char *const peers[] = {"b@h", "B@h", "a@z", "a@h"};

    sample_bare(&sample, "b@a", NULL, peers, COUNT(peers));
    sample.peers[3].visible = false; /* not in nodes() */
    sample.peers[2].listed = false;
    struct http_reply reply = ask(routes, "GET", "/");

    assert_string_equal(body_of(&reply), "B@h a@z b@a b@h | B@h a@h b@h ");
    http_body_release(reply.body);
    routes_free(routes);
}

/* ---- the sentence at the top ---- */

static const struct {
    const char *name;
    size_t n_sources, n_listed, n_linked, n_unlisted;
    uint32_t n_islands; /* 0: one */
    size_t n_going;     /* of the listed that are not linked */
    const char *summary, *health;
} sentences[] = {
    {"alone", 0, 0, 0, 0, 0, 0, "This node is alone: no discovery is configured.", "idle"},
    {"dialled by one", 0, 0, 0, 1, 0, 0, "1 peer is linked; no discovery is configured.", "ok"},
    {"dialled by two", 0, 0, 0, 2, 0, 0, "2 peers are linked; no discovery is configured.", "ok"},
    {"nothing listed", 1, 0, 0, 0, 0, 0, "Discovery lists no peer yet.", "idle"},
    {"none listed, one linked", 1, 0, 0, 1, 0, 0, "1 peer is linked; discovery lists none.", "ok"},
    {"one of one", 1, 1, 1, 0, 0, 0, "The one listed peer is linked.", "ok"},
    {"all", 1, 3, 3, 1, 0, 0, "All 3 listed peers are linked.", "ok"},
    {"one missing", 1, 3, 2, 0, 0, 0, "1 of 3 listed peers is missing.", "warn"},
    {"in pieces", 1, 3, 3, 0, 3, 0, "The cluster is in 3 pieces that do not see each other.",
     "warn"},
    {"all missing", 1, 3, 0, 2, 0, 0, "3 of 3 listed peers are missing.", "warn"},
    {"one is going", 1, 3, 2, 0, 0, 1, "2 of 3 listed peers are linked, 1 is leaving.", "ok"},
    {"only those that go", 1, 2, 0, 0, 0, 2, "0 of 2 listed peers are linked, 2 are leaving.",
     "idle"},
    {"one goes, one is missing", 1, 3, 1, 0, 0, 1, "1 of 3 listed peers is missing.", "warn"},
};

static void says_what_is_wrong(void **state)
{
    static const char *const peers[] = {"a@h", "b@h", "c@h", "d@h", "e@h"};

    (void)state;
    for (size_t i = 0; i < COUNT(sentences); i++) {
        sample_bare(&sample, "n@h", NULL, peers, sentences[i].n_listed + sentences[i].n_unlisted);
        sample.snapshot.n_sources = sentences[i].n_sources;
        if (sentences[i].n_islands > 0)
            sample.snapshot.n_islands = sentences[i].n_islands;
        for (size_t k = sentences[i].n_linked; k < sentences[i].n_listed; k++)
            sample.peers[k].state = PEER_FAILED;
        for (size_t k = 0; k < sentences[i].n_going; k++)
            sample.peers[sentences[i].n_linked + k].terminating = true;
        for (size_t k = sentences[i].n_listed; k < sample.snapshot.n_peers; k++)
            sample.peers[k].listed = false;
        json_t *page = page_context(&sample.snapshot);

        if (strcmp(json_string_value(json_object_get(page, "summary")), sentences[i].summary) ||
            strcmp(json_string_value(json_object_get(page, "health")), sentences[i].health))
            fail_msg("%s: %s %s", sentences[i].name,
                     json_string_value(json_object_get(page, "summary")),
                     json_string_value(json_object_get(page, "health")));
        json_decref(page);
    }
}

/* Whether a lost peer was visible is not known any more: it had a creation all the same. */
static void says_nothing_of_the_lost(void **state)
{
    struct routes *routes = new_routes("");

    (void)state;
    assert_true(sample_get(&sample, "linked"));
    sample.peers[0].state = PEER_LOST;
    sample.peers[0].visible = false;
    snprintf(sample.peers[0].reason, REASON_SIZE, "it closed");
    struct http_reply reply = ask(routes, "GET", "/");
    struct http_reply ready = ask(routes, "GET", "/readyz?min_peers=5");

    assert_null(strstr(body_of(&reply), "<td data-label=\"Visible\">no</td>"));
    assert_non_null(strstr(body_of(&ready), "; erlclu@10.42.0.87 is missing: it closed\n"));
    http_body_release(reply.body);
    http_body_release(ready.body);
    routes_free(routes);
}

/* ---- memory ---- */

static size_t allocations_left;

static void *stingy_malloc(size_t size)
{
    return allocations_left == 0 ? NULL : (allocations_left--, malloc(size));
}

/* Whichever allocation of the JSON fails: 500, nothing leaked, nothing kept that is half made. */
static void survives_without_memory(void **state)
{
    static const char *const paths[] = {"/", "/api/v1/cluster", "/api/v1/peers",
                                        "/api/v1/discovery", "/api/v1/mesh"};

    (void)state;
    json_set_alloc_funcs(stingy_malloc, free);
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct routes *routes = new_routes("");
        uint16_t status = 500;

        assert_true(sample_get(&sample, i % 2 == 0 ? "missing" : "split"));
        for (size_t allowed = 0; status == 500 && allowed < 10000; allowed++) {
            allocations_left = allowed;
            struct http_reply reply = ask(routes, "GET", paths[i]);

            status = reply.status;
            if (status == 500)
                assert_string_equal(body_of(&reply), "out of memory\n");
            http_body_release(reply.body);
        }
        assert_int_equal(status, 200);
        routes_free(routes);
    }
    json_set_alloc_funcs(malloc, free);
}

/* Both sources of "split" have a TTL of 5 s in their rows, and neither asked for a name. */
static void who_asks_no_dns_has_no_ttl(void **state)
{
    struct routes *routes = new_routes("");

    (void)state;
    assert_true(sample_get(&sample, "split"));
    struct http_reply reply = ask(routes, "GET", "/");

    assert_non_null(strstr(body_of(&reply), "<td data-label=\"TTL\">–</td>"));
    assert_null(strstr(body_of(&reply), "<td data-label=\"TTL\">5 s"));
    http_body_release(reply.body);
    routes_free(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(answers_without_snapshot),
        cmocka_unit_test(renders_once_a_version),
        cmocka_unit_test(live_bodies_follow_the_clock),
        cmocka_unit_test(as_of_follows_the_clock),
        cmocka_unit_test(refuses_a_bad_template),
        cmocka_unit_test(hostile_names_stay_text),
        cmocka_unit_test(cookie_is_masked),
        cmocka_unit_test(cookie_is_for_own_hosts),
        cmocka_unit_test(draining_is_said_once),
        cmocka_unit_test(tells_why_nobody_is_listed),
        cmocka_unit_test(lists_are_sorted),
        cmocka_unit_test(who_asks_no_dns_has_no_ttl),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(says_nothing_of_the_lost),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
