/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

/* The files that there are, "vm.args" and /etc/resolv.conf of a row aside. */
static const struct {
    const char *path, *text;
} files[] = {
    {"cookie", "from-file\n"},
    {"cookie.empty", "\n"},
    {"cookie.two", "one\ntwo\n"},
    {"/home/me/.erlang.cookie", "from-home"},
    {"/home/open/.erlang.cookie", "from-home"},
    {"/home/bad/.erlang.cookie", "\n"},
    {"/etc/hosts", "127.0.0.1 localhost\n10.0.0.9 laptop\n"},
};

const char *row_env(void *arg, const char *name)
{
    static char value[256];
    const struct row *row = arg;
    size_t len = strlen(name);

    for (const char *at = row->env; at != NULL; at = strchr(at, ';')) {
        at += *at == ';';
        if (strncmp(at, name, len) != 0 || at[len] != '=')
            continue;
        text_set(value, sizeof value,
                 (clu_slice){(const uint8_t *)at + len + 1, strcspn(at + len + 1, ";")});
        return value;
    }
    return NULL;
}

/* Files whose text is a row's: their names, and the variable that holds it. */
static const struct {
    const char *path, *variable;
} row_files[] = {
    {"/etc/resolv.conf", "RESOLV"},
    {"/var/run/secrets/kubernetes.io/serviceaccount/namespace", "ACCOUNT"},
};

static clu_error give(struct buf *text, const char *found)
{
    if (found == NULL)
        return CLU_ENOENT;
    buf_put_text(text, found);
    return CLU_OK;
}

clu_error row_read(void *arg, const char *path, struct buf *text, char why[REASON_SIZE])
{
    const struct row *row = arg;

    if (strcmp(path, "vm.args") == 0)
        return give(text, row->vm_args);
    if (strncmp(path, "vm.args.", 8) == 0) {
        read_data(path, text);
        return CLU_OK;
    }
    if (strcmp(path, "huge") == 0)
        return CLU_ESIZE;
    if (strncmp(path, "/home/open/", 11) == 0)
        text_set(why, REASON_SIZE, slice_of("others have access to it"));
    if (strcmp(path, "secret") == 0 || strncmp(path, "/home/closed/", 13) == 0) {
        text_set(why, REASON_SIZE, slice_of("Permission denied"));
        return CLU_ECLOSED;
    }
    for (size_t i = 0; i < COUNT(row_files); i++)
        if (strcmp(row_files[i].path, path) == 0)
            return give(text, row_env(arg, row_files[i].variable));
    for (size_t i = 0; i < COUNT(files); i++)
        if (strcmp(files[i].path, path) == 0)
            return give(text, files[i].text);
    return CLU_ENOENT;
}

/* ---- what rows look at ---- */

static void put_addr(struct buf *out, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    buf_put_text(out, a->family == 0 ? "none" : addr_text(a, text));
}

static void show_name(const struct conf *c, struct buf *out)
{
    buf_put_text(out, c->settings.name);
}

static void show_cookie(const struct conf *c, struct buf *out)
{
    const struct cookie *k = &c->settings.cookie;

    buf_put(out, k->bytes, k->len);
    buf_printf(out, " of %s", k->source);
}

static void show_peers(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->settings.n_peer_cookies; i++) {
        const struct peer_cookie *p = &c->settings.peer_cookies[i];

        buf_printf(out, "%s=%.*s ", p->node, (int)p->cookie.len, (const char *)p->cookie.bytes);
    }
}

static void show_specs(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->settings.n_specs; i++)
        buf_printf(out, "%s ", c->settings.specs[i]);
}

static void show_http(const struct conf *c, struct buf *out)
{
    put_addr(out, &c->settings.http);
    buf_put_text(out, " metrics ");
    put_addr(out, &c->settings.metrics);
}

static void show_epmd(const struct conf *c, struct buf *out)
{
    static const char *const modes[] = {"auto", "embedded", "external", "none"};

    buf_printf(out, "%s %u dist %u", modes[c->settings.epmd], (unsigned)c->settings.epmd_port,
               (unsigned)c->settings.dist_port);
}

static void show_listen(const struct conf *c, struct buf *out)
{
    const struct settings *s = &c->settings;

    put_addr(out, &s->listen);
    buf_printf(out, " %u-%u", (unsigned)s->listen_min, (unsigned)s->listen_max);
}

static void show_times(const struct conf *c, struct buf *out)
{
    const struct settings *s = &c->settings;

    buf_printf(out, "%u/%u %u, %u", (unsigned)s->ticktime_ms, (unsigned)s->tick_intensity,
               (unsigned)s->setup_ms, (unsigned)c->timeout_ms);
}

static void show_role(const struct conf *c, struct buf *out)
{
    const struct settings *s = &c->settings;

    buf_printf(out, "%s%s%s%s%s%s%s", s->hidden ? "hidden " : "", s->no_listen ? "no_listen " : "",
               s->no_dial ? "no_dial " : "", s->epmd_only ? "epmd_only " : "",
               s->show_cookie ? "show_cookie " : "", c->json ? "json " : "",
               s->global ? "global " : "");
}

static void show_log(const struct conf *c, struct buf *out)
{
    buf_printf(out, "%u%s %s%s", (unsigned)c->settings.log_level,
               c->settings.json_log ? " json" : "", c->settings.template_file,
               c->short_ ? " short" : "");
}

static void show_dns(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->resolv.n_servers; i++)
        put_addr(out, &c->resolv.servers[i]);
}

static void show_target(const struct conf *c, struct buf *out)
{
    buf_printf(out, "%s ", c->target);
    put_addr(out, &c->settings.dial_to);
}

static void show_args(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->n_args; i++)
        buf_printf(out, "[%s]", c->args[i]);
}

static void show_notes(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->n_notes; i++)
        buf_printf(out, "%s; ", c->notes[i].what);
}

static void show_api(const struct conf *c, struct buf *out)
{
    put_addr(out, &c->settings.kubernetes.api);
    buf_printf(out, " %s", c->settings.kubernetes.account);
}

static void show_prune(const struct conf *c, struct buf *out)
{
    static const char *const words[] = {"when_down", "never", "after"};

    buf_printf(out, "%s %u", words[c->settings.prune], (unsigned)c->settings.prune_ms);
}

static void show_cookie_file(const struct conf *c, struct buf *out)
{
    buf_printf(out, "%s %u", c->settings.cookie_file, (unsigned)c->settings.cookie_overlap_ms);
}

static void show_wait(const struct conf *c, struct buf *out)
{
    buf_printf(out, "%u %u%s%s ", (unsigned)c->want_peers, (unsigned)c->want_reachable,
               c->or_first ? " or_first" : "", c->settings.probe ? " probe" : "");
    put_addr(out, &c->settings.listen);
    buf_printf(out, " %u%s", (unsigned)c->timeout_ms, c->timeout_given ? " given" : "");
}

static void show_error(const struct conf *c, struct buf *out)
{
    buf_put_text(out, c->error);
}

static const struct {
    const char *key;
    void (*show)(const struct conf *c, struct buf *out);
} views[] = {
    {"name", show_name},     {"cookie", show_cookie}, {"peers", show_peers},
    {"specs", show_specs},   {"http", show_http},     {"epmd", show_epmd},
    {"listen", show_listen}, {"times", show_times},   {"role", show_role},
    {"log", show_log},       {"dns", show_dns},       {"target", show_target},
    {"args", show_args},     {"notes", show_notes},   {"error", show_error},
    {"api", show_api},       {"prune", show_prune},   {"cookie file", show_cookie_file},
    {"wait", show_wait},
};

/* ---- one load ---- */

static size_t split(char *text, const char **words, size_t max)
{
    size_t n = 0;

    for (char *word; (word = strsep(&text, " ")) != NULL && n < max;)
        if (word[0] != '\0')
            words[n++] = word;
    return n;
}

static void look(const struct conf *c, const char *key, struct buf *out)
{
    for (size_t i = 0; i < COUNT(views); i++)
        if (strcmp(views[i].key, key) == 0)
            views[i].show(c, out);
}

void check_options(const struct row *row, const clu_options *options)
{
    const char *words[32];
    char *text = strdup(row->words);
    struct conf *c = calloc(1, sizeof *c);
    struct buf seen = {0};

    assert_true(text != NULL && c != NULL);
    struct conf_input in = {.command = row->command,
                            .argv = words,
                            .argc = split(text, words, COUNT(words)),
                            .options = options,
                            .env = row_env,
                            .read_file = row_read,
                            .arg = (void *)(uintptr_t)row};
    clu_error err = conf_load(c, &in);
    bool fails = strcmp(row->key, "error") == 0;

    if (err != (fails ? CLU_EBADARG : CLU_OK))
        fail_msg("%s [%s]: %s", row->words, row->env, err == CLU_OK ? "taken" : c->error);
    look(c, row->key, &seen);
    if (strcmp(buf_text(&seen), row->want) != 0)
        fail_msg("%s [%s]: %s: %s instead of %s", row->words, row->env, row->key, buf_text(&seen),
                 row->want);
    buf_free(&seen);
    conf_fini(c);
    free(c);
    free(text);
}

void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_options(&rows[i], NULL);
}
