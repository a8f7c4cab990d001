/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/control.h"

/* ---- fields ---- */

static void get_from(clu_reader *r, struct control *c)
{
    c->from = clu_get_pid(r);
}

static void get_to(clu_reader *r, struct control *c)
{
    c->to = clu_get_pid(r);
}

static void get_to_name(clu_reader *r, struct control *c)
{
    c->to_name = clu_get_atom(r);
    c->to_is_name = true;
}

static void get_from_or_name(clu_reader *r, struct control *c)
{
    c->from_is_name = clu_peek_type(r) == CLU_TYPE_ATOM;
    if (c->from_is_name)
        c->from_name = clu_get_atom(r);
    else
        get_from(r, c);
}

static void get_to_or_name(clu_reader *r, struct control *c)
{
    if (clu_peek_type(r) == CLU_TYPE_ATOM)
        get_to_name(r, c);
    else
        get_to(r, c);
}

static void get_ref(clu_reader *r, struct control *c)
{
    c->ref = clu_get_ref(r);
}

static void get_unlink_id(clu_reader *r, struct control *c)
{
    c->id = clu_get_uint(r);
    if (c->id == 0)
        clu_reader_fail(r, CLU_ERANGE);
}

/* "Flags may be a bignum": only the low bits mean anything. */
static void get_flags(clu_reader *r, struct control *c)
{
    uint8_t small[8];
    bool negative;
    clu_slice digits = clu_get_big(r, &negative, small);

    for (size_t i = 0; i < digits.len && i < 8; i++)
        c->sig_flags |= (uint64_t)digits.data[i] << 8 * i;
}

static void get_altact_to(clu_reader *r, struct control *c)
{
    c->to_is_ref = (c->sig_flags & ALTACT_ALIAS) != 0;
    if (c->to_is_ref)
        get_ref(r, c);
    else if (c->sig_flags & ALTACT_NAME)
        get_to_name(r, c);
    else
        get_to(r, c);
}

static void get_reason(clu_reader *r, struct control *c)
{
    c->reason = clu_get_raw(r);
}

static void get_token(clu_reader *r, struct control *c)
{
    c->token = clu_get_raw(r);
}

/* Terms that follow each other make one slice. */
static void get_raw(clu_reader *r, struct control *c)
{
    clu_slice term = clu_get_raw(r);

    if (c->raw.len == 0)
        c->raw.data = term.data;
    c->raw.len += term.len;
}

static void skip(clu_reader *r, struct control *c)
{
    (void)c;
    clu_skip_term(r);
}

/* What the letters of the table of messages stand for. */
static void (*const getters[128])(clu_reader *r, struct control *c) = {
    ['F'] = get_from,         /* pid of the sender */
    ['f'] = get_from_or_name, /* what was monitored, or what a spawn made */
    ['T'] = get_to,           /* pid of the receiver */
    ['t'] = get_to_or_name,   /* pid or registered name */
    ['N'] = get_to_name,      /* registered name */
    ['A'] = get_altact_to,    /* what the flags say */
    ['R'] = get_ref,          /* monitor, alias, request */
    ['i'] = get_unlink_id,    /* not 0 */
    ['x'] = get_flags,        /* of ALTACT_SIG_SEND and SPAWN_REPLY */
    ['e'] = get_reason,       /* exit reason */
    ['k'] = get_token,        /* sequential trace token */
    ['m'] = get_raw,          /* for the handler of a spawn */
    ['_'] = skip,             /* unused: the cookie of old */
};

/* ---- messages ---- */

enum payload { PAYLOAD_NO, PAYLOAD_YES, OBSOLETE };

/* A row an op: its fields behind the op, in letters; '*' where a tuple may grow. */
static const struct row {
    const char *name;
    const char *fields;
    enum payload payload;
} rows[OP_MAX] = {
    [OP_LINK] = {"LINK", "FT", PAYLOAD_NO},
    [OP_SEND] = {"SEND", "_T", PAYLOAD_YES},
    [OP_EXIT] = {"EXIT", "FTe", PAYLOAD_NO},
    [OP_UNLINK] = {"UNLINK", "", OBSOLETE},
    [OP_NODE_LINK] = {"NODE_LINK", "", OBSOLETE},
    [OP_REG_SEND] = {"REG_SEND", "F_N", PAYLOAD_YES},
    [OP_GROUP_LEADER] = {"GROUP_LEADER", "FT", PAYLOAD_NO},
    [OP_EXIT2] = {"EXIT2", "FTe", PAYLOAD_NO},
    [OP_SEND_TT] = {"SEND_TT", "_Tk", PAYLOAD_YES},
    [OP_EXIT_TT] = {"EXIT_TT", "FTke", PAYLOAD_NO},
    [OP_REG_SEND_TT] = {"REG_SEND_TT", "F_Nk", PAYLOAD_YES},
    [OP_EXIT2_TT] = {"EXIT2_TT", "FTke", PAYLOAD_NO},
    [OP_MONITOR_P] = {"MONITOR_P", "FtR", PAYLOAD_NO},
    [OP_DEMONITOR_P] = {"DEMONITOR_P", "FtR", PAYLOAD_NO},
    [OP_MONITOR_P_EXIT] = {"MONITOR_P_EXIT", "fTRe", PAYLOAD_NO},
    [OP_SEND_SENDER] = {"SEND_SENDER", "FT", PAYLOAD_YES},
    [OP_SEND_SENDER_TT] = {"SEND_SENDER_TT", "FTk", PAYLOAD_YES},
    [OP_PAYLOAD_EXIT] = {"PAYLOAD_EXIT", "FT", PAYLOAD_YES},
    [OP_PAYLOAD_EXIT_TT] = {"PAYLOAD_EXIT_TT", "FTk", PAYLOAD_YES},
    [OP_PAYLOAD_EXIT2] = {"PAYLOAD_EXIT2", "FT", PAYLOAD_YES},
    [OP_PAYLOAD_EXIT2_TT] = {"PAYLOAD_EXIT2_TT", "FTk", PAYLOAD_YES},
    [OP_PAYLOAD_MONITOR_P_EXIT] = {"PAYLOAD_MONITOR_P_EXIT", "fTR", PAYLOAD_YES},
    [OP_SPAWN_REQUEST] = {"SPAWN_REQUEST", "RFTmm", PAYLOAD_YES},
    [OP_SPAWN_REQUEST_TT] = {"SPAWN_REQUEST_TT", "RFTmmk", PAYLOAD_YES},
    [OP_SPAWN_REPLY] = {"SPAWN_REPLY", "RTxf", PAYLOAD_NO},
    [OP_SPAWN_REPLY_TT] = {"SPAWN_REPLY_TT", "RTxfk", PAYLOAD_NO},
    [OP_ALIAS_SEND] = {"ALIAS_SEND", "FR", PAYLOAD_YES},
    [OP_ALIAS_SEND_TT] = {"ALIAS_SEND_TT", "FRk", PAYLOAD_YES},
    [OP_UNLINK_ID] = {"UNLINK_ID", "iFT", PAYLOAD_NO},
    [OP_UNLINK_ID_ACK] = {"UNLINK_ID_ACK", "iFT", PAYLOAD_NO},
    [OP_ALTACT_SIG_SEND] = {"ALTACT_SIG_SEND", "xFA*", PAYLOAD_YES},
};

/* Whether a tuple of `arity` elements, the op included, has the row's fields. */
static bool arity_fits(const struct row *row, size_t arity)
{
    size_t n = 1 + strlen(row->fields);
    bool grows = row->fields[0] != '\0' && row->fields[n - 2] == '*';

    return grows ? arity >= n - 1 : arity == n;
}

/* The row of the op; NULL with the reason in *what. */
static const struct row *find_row(int64_t op, size_t arity, const char **what)
{
    const struct row *row = op > 0 && op < OP_MAX ? &rows[op] : NULL;

    if (row == NULL || row->name == NULL)
        *what = "the peer sent a control message of an unknown kind";
    else if (row->payload == OBSOLETE)
        *what = "the peer sent an obsolete control message (UNLINK or NODE_LINK)";
    else if (!arity_fits(row, arity))
        *what = "the peer sent a control message with a wrong number of fields";
    else
        return row;
    return NULL;
}

static clu_error take_payload(struct control *c, const struct row *row, clu_slice payload,
                              const clu_refs *refs, const char **what)
{
    if (row->payload == PAYLOAD_NO)
        return CLU_OK;
    if (payload.len == 0) {
        *what = "the peer sent a control message without its payload";
        return CLU_EPROTO;
    }
    c->has_payload = true;
    c->payload = payload;
    c->refs = refs;
    return CLU_OK;
}

clu_error control_parse(struct control *c, clu_slice ctl, clu_slice payload, const clu_refs *refs,
                        const char **what)
{
    clu_reader r = {.pos = ctl.data, .end = ctl.data + ctl.len, .refs = refs};
    size_t arity = clu_get_tuple(&r);
    int64_t op = clu_get_int(&r);

    *c = (struct control){.refs = refs};
    if (r.err != CLU_OK) {
        *what = "the peer sent a control message that is no tuple with a number first";
        return CLU_EPROTO;
    }
    const struct row *row = find_row(op, arity, what);

    if (row == NULL)
        return CLU_EPROTO;
    c->op = (enum control_op)op;
    c->op_name = row->name;
    for (const char *letter = row->fields; *letter != '\0' && *letter != '*'; letter++)
        getters[(unsigned char)*letter](&r, c);
    if (r.err != CLU_OK) {
        *what = "the peer sent a control message with a field of a wrong type";
        return CLU_EPROTO;
    }
    return take_payload(c, row, payload, refs, what);
}
