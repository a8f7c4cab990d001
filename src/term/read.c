/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/utf8.h"
#include "term/chardata.h"
#include "term/impl.h"

/* ---- prompts ---- */

static void ask_for_prompt(struct term *t, struct request *r, bool latin1, clu_reader prompt)
{
    clu_writer *w = term_call(t, CALL_PROMPT, r, NULL);

    if (w == NULL)
        return;
    r->read.calling = true;
    clu_put_list(w, 3);
    clu_put_atom_text(w, "io_lib");
    clu_put_atom_text(w, "format_prompt");
    clu_put_list(w, 2);
    clu_put_term(w, &prompt);
    clu_put_atom_text(w, latin1 ? "latin1" : "unicode");
    clu_put_nil(w);
    clu_put_nil(w);
}

/* An atom, a text; anything else is formatted where the shell runs (io_lib:format_prompt/2). */
static void take_prompt(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    clu_reader prompt = *args, text = prompt;

    clu_skip_term(args);
    r->read.has_prompt = true;
    if (clu_peek_type(&text) == CLU_TYPE_ATOM) {
        uint8_t room[CLU_ATOM_BYTES_MAX];

        buf_put_slice(&r->read.prompt, clu_get_atom_utf8(&text, room));
        return;
    }
    if (chardata_put(&r->read.prompt, &text, latin1))
        return;
    r->read.has_prompt = false;
    ask_for_prompt(t, r, latin1, prompt);
}

void read_prompt_answer(struct term *t, struct request *r, clu_reader *answer)
{
    (void)t;
    r->read.calling = false;
    r->read.has_prompt = true;
    if (answer == NULL || !chardata_put(&r->read.prompt, answer, r->read.latin1))
        buf_put_text(&r->read.prompt, "???");
}

/* ---- life ---- */

static bool take_arguments(struct read *read, clu_reader *args)
{
    if (read->kind == READ_CHARS)
        read->n = clu_get_uint(args);
    if (read->kind != READ_UNTIL && read->kind != READ_COLLECT)
        return args->err == CLU_OK;
    read->module = clu_get_raw(args);
    read->function = clu_get_raw(args);
    read->more = clu_get_raw(args);
    clu_writer_reset(&read->state);
    if (read->kind == READ_UNTIL)
        clu_put_nil(&read->state);
    else
        clu_put_atom_text(&read->state, "start");
    return args->err == CLU_OK;
}

static void watch(struct term *t, struct request *r)
{
    struct effect *e = term_effect(t, TERM_WATCH);

    if (e == NULL)
        return;
    clu_put_raw(&e->to, written(&r->from));
    r->watch = e->call = term_number(t);
    if (e->to.err != CLU_OK)
        term_fail(t, e->to.err);
}

bool read_begin(struct term *t, struct request *r, enum read_kind kind, bool latin1,
                clu_reader *args)
{
    struct read *read = &r->read;
    clu_reader peek = *args;

    if (kind != READ_PASSWORD)
        clu_skip_term(&peek);
    read->kind = kind;
    read->latin1 = latin1;
    read->has_prompt = read->calling = read->fed = read->ended = read->begun = false;
    buf_reset(&read->prompt);
    buf_reset(&read->entry);
    buf_reset(&read->draft);
    if (!take_arguments(read, &peek))
        return false;
    t->asked = true;
    if (t->leaving) {
        reply_error(r, "terminated");
        request_done(t, r);
        return true;
    }
    edit_suspend(t);
    list_remove(&r->list);
    list_prepend(&t->reads, &r->list);
    watch(t, r);
    if (kind == READ_PASSWORD)
        read->has_prompt = true;
    else
        take_prompt(t, r, latin1, args);
    return true;
}

void read_free(struct read *read)
{
    clu_writer_free(&read->state);
    buf_free(&read->prompt);
    buf_free(&read->entry);
    buf_free(&read->draft);
}

bool read_is_shell(const struct request *r)
{
    clu_slice m = r->read.module, a = r->read.more;

    if (r->read.kind != READ_UNTIL)
        return false;
    clu_reader module = {.pos = m.data, .end = m.data + m.len};
    clu_reader more = {.pos = a.data, .end = a.data + a.len};

    return slice_is(clu_get_atom(&module), "erl_scan") && clu_get_list(&more) == 2;
}

/* IEx asks with "...(node)1> " for the rest. */
bool read_is_cut(const struct request *r)
{
    static const char iex[] = "...(";
    const struct buf *prompt = &r->read.prompt;

    if (read_is_shell(r))
        return r->read.begun;
    return r->read.kind == READ_LINE && prompt->len >= sizeof iex - 1 &&
           memcmp(prompt->data, iex, sizeof iex - 1) == 0;
}

/* Whether there is more than blanks and remarks of Erlang. */
static bool has_code(clu_slice text)
{
    bool remark = false;

    for (size_t i = 0; i < text.len; i++) {
        remark = text.data[i] != '\n' && (remark || text.data[i] == '%');
        if (!remark && text.data[i] > ' ')
            return true;
    }
    return false;
}

static void to_requests(struct term *t, struct request *r)
{
    struct effect *e = r->watch == 0 ? NULL : term_effect(t, TERM_UNWATCH);

    if (e != NULL)
        e->call = r->watch;
    r->watch = 0;
    list_remove(&r->list);
    list_append(&t->requests, &r->list);
}

void read_stop(struct term *t, struct request *r, const char *reason)
{
    to_requests(t, r);
    reply_error(r, reason);
    request_done(t, r);
}

static void remember(struct term *t, struct read *read)
{
    clu_slice entry = buf_slice(&read->entry);

    while (entry.len > 0 && entry.data[entry.len - 1] == '\n')
        entry.len--;
    if (t->line_history && t->echo && read->kind != READ_PASSWORD)
        history_add(&t->editor.history, entry);
}

static void finish(struct term *t, struct request *r)
{
    remember(t, &r->read);
    to_requests(t, r);
    request_done(t, r);
}

/* ---- texts ---- */

static void put_text(struct term *t, clu_writer *w, clu_slice text, bool latin1)
{
    if (t->binary)
        chardata_binary(w, text, latin1);
    else
        chardata_list(w, text);
}

/* {error, {no_translation, unicode, latin1}}: what was typed is not what was asked for. */
static void reply_no_translation(struct request *r)
{
    clu_writer_reset(&r->reply);
    clu_put_tuple(&r->reply, 2);
    clu_put_atom_text(&r->reply, "error");
    clu_put_tuple(&r->reply, 3);
    clu_put_atom_text(&r->reply, "no_translation");
    clu_put_atom_text(&r->reply, "unicode");
    clu_put_atom_text(&r->reply, "latin1");
}

/* The first n bytes of the input are the answer. */
static bool give(struct term *t, struct request *r, size_t n)
{
    clu_slice text = {t->input.data, n};

    if (n == 0 && (r->read.kind != READ_CHARS || r->read.n > 0)) {
        reply_atom(r, "eof");
    } else if (r->read.latin1 && !chardata_fits_latin1(text)) {
        reply_no_translation(r);
    } else {
        bool cut = r->read.kind == READ_PASSWORD && text.data[n - 1] == '\n';

        text.len -= cut ? 1 : 0;
        clu_writer_reset(&r->reply);
        put_text(t, &r->reply, text, r->read.latin1);
    }
    buf_drop(&t->input, n);
    finish(t, r);
    return true;
}

static bool feed_line(struct term *t, struct request *r)
{
    const uint8_t *end = t->input.len == 0 ? NULL : memchr(t->input.data, '\n', t->input.len);

    if (end != NULL)
        return give(t, r, (size_t)(end - t->input.data) + 1);
    return term_is_over(t) && give(t, r, t->input.len);
}

static bool feed_chars(struct term *t, struct request *r)
{
    size_t lacking, n = chardata_skip(buf_slice(&t->input), r->read.n, &lacking);

    return (lacking == 0 || term_is_over(t)) && give(t, r, n);
}

/* ---- functions of the peer ---- */

/* The elements of As; a list of small integers comes as a string. */
static void put_more(clu_writer *w, clu_reader more, clu_slice string, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (string.data != NULL)
            clu_put_int(w, string.data[i]);
        else
            clu_put_term(w, &more);
}

/* apply(M, F, [Continuation, Data | As]). */
static void put_until(struct term *t, clu_writer *w, const struct read *read)
{
    clu_reader more = {.pos = read->more.data, .end = read->more.data + read->more.len};
    clu_slice string = {NULL, 0};

    if (*more.pos == ETF_STRING)
        string = clu_get_string(&more);
    size_t n = string.data != NULL ? string.len : clu_get_list(&more);

    clu_put_list(w, 2 + n);
    clu_put_raw(w, written(&read->state));
    if (t->input.len == 0)
        clu_put_atom_text(w, "eof");
    else
        chardata_list(w, buf_slice(&t->input));
    put_more(w, more, string, n);
    clu_put_nil(w);
}

/* M:F(State, Data, Encoding, Argument). */
static void put_collect(struct term *t, clu_writer *w, const struct read *read)
{
    clu_put_list(w, 4);
    clu_put_raw(w, written(&read->state));
    if (t->input.len == 0)
        clu_put_atom_text(w, "eof");
    else
        put_text(t, w, buf_slice(&t->input), read->latin1);
    clu_put_atom_text(w, read->latin1 ? "latin1" : "unicode");
    clu_put_raw(w, read->more);
    clu_put_nil(w);
}

static bool feed_function(struct term *t, struct request *r)
{
    struct read *read = &r->read;

    if (t->input.len == 0 && !term_is_over(t))
        return false;
    clu_writer *w = term_call(t, CALL_READ, r, NULL);

    if (w == NULL)
        return true;
    read->calling = true;
    read->ended = t->input.len == 0;
    read->begun = read->begun || has_code(buf_slice(&t->input));
    clu_put_list(w, 3);
    clu_put_raw(w, read->module);
    clu_put_raw(w, read->function);
    if (read->kind == READ_UNTIL)
        put_until(t, w, read);
    else
        put_collect(t, w, read);
    clu_put_nil(w);
    buf_reset(&t->input);
    return true;
}

static bool (*const feeders[])(struct term *, struct request *) = {
    [READ_LINE] = feed_line,      [READ_PASSWORD] = feed_line,    [READ_CHARS] = feed_chars,
    [READ_UNTIL] = feed_function, [READ_COLLECT] = feed_function,
};

bool read_feed(struct term *t, struct request *r)
{
    return feeders[r->read.kind](t, r);
}

/* ---- their answers ---- */

/* What it leaves comes before what is there by now. */
static void give_back(struct term *t, clu_reader *rest)
{
    struct buf text = {0};

    if (chardata_put(&text, rest, false)) {
        buf_put_slice(&text, buf_slice(&t->input));
        buf_free(&t->input);
        t->input = text;
    } else {
        buf_free(&text);
    }
}

/* A reader that wants binaries gets text as one (io_lib:get_until/4). */
static void put_result(struct term *t, struct request *r, clu_reader *result)
{
    bool is_list = clu_peek_type(result) == CLU_TYPE_LIST;
    struct buf text = {0};
    clu_reader peek = *result;

    clu_writer_reset(&r->reply);
    if (t->binary && is_list && r->read.kind == READ_UNTIL && chardata_put(&text, &peek, false)) {
        chardata_binary(&r->reply, buf_slice(&text), false);
        clu_skip_term(result);
    } else {
        clu_put_term(&r->reply, result);
    }
    buf_free(&text);
}

static bool take_result(struct term *t, struct request *r, clu_reader *answer)
{
    const char *end = r->read.kind == READ_UNTIL ? "done" : "stop";
    clu_reader at = *answer;

    if (clu_peek_type(&at) != CLU_TYPE_TUPLE || clu_get_tuple(&at) != 3 ||
        !slice_is(clu_get_atom(&at), end) || at.err != CLU_OK)
        return false;
    put_result(t, r, &at);
    give_back(t, &at);
    return true;
}

/* {more, Continuation}, or any next state. */
static bool take_state(struct read *read, clu_reader *answer)
{
    clu_reader at = *answer;

    if (read->ended)
        return false; /* it was told that there is no more, and asks for more */
    if (read->kind == READ_UNTIL &&
        (clu_peek_type(&at) != CLU_TYPE_TUPLE || clu_get_tuple(&at) != 2 ||
         !slice_is(clu_get_atom(&at), "more")))
        return false;
    clu_writer_reset(&read->state);
    clu_put_term(&read->state, &at);
    read->fed = true;
    return read->state.err == CLU_OK;
}

static void reply_failed(struct request *r)
{
    clu_slice f = r->read.function;

    clu_writer_reset(&r->reply);
    clu_put_tuple(&r->reply, 2);
    clu_put_atom_text(&r->reply, "error");
    clu_put_raw(&r->reply, f);
}

void read_answer(struct term *t, struct request *r, clu_reader *answer)
{
    r->read.calling = false;
    if (answer != NULL && take_result(t, r, answer)) {
        finish(t, r);
        return;
    }
    if (answer != NULL && take_state(&r->read, answer))
        return;
    buf_reset(&t->input);
    reply_failed(r);
    finish(t, r);
}
