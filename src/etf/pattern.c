/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/pattern.h"

#include "etf/parse.h"

bool pattern_init(struct pattern *p, const char *format, const clu_arg *args, size_t n)
{
    if (format == NULL || n > CLU_ARGS_MAX)
        return false;
    p->args = args;
    p->n = n;
    p->used = 0;
    p->depth = 0;
    lex_init(&p->lex, slice_of(format));
    return true;
}

bool pattern_accept(struct pattern *p, uint32_t token)
{
    if (p->lex.token != token)
        return false;
    lex_next(&p->lex);
    return true;
}

char pattern_directive(struct pattern *p)
{
    char letter = p->lex.pos == p->lex.end ? 0 : (char)*p->lex.pos++;

    lex_next(&p->lex);
    return letter;
}

const clu_arg *pattern_arg(struct pattern *p, uint32_t kinds)
{
    const clu_arg *arg = p->used == p->n ? NULL : &p->args[p->used++];

    if (arg == NULL || arg->kind > CLU_ARG_LIST || (KIND(arg->kind) & kinds) == 0)
        return NULL;
    return arg;
}

static clu_error parse_binary(struct lexer *lex, clu_writer *out)
{
    uint64_t budget = PARSE_BITS_MAX;

    return parse_bits(lex, out, &budget);
}

static const struct {
    uint32_t token;
    clu_error (*parse)(struct lexer *lex, clu_writer *out);
} literals[] = {
    {TOKEN_ATOM, parse_atom},    {TOKEN_QUOTED_ATOM, parse_atom}, {TOKEN_INTEGER, parse_number},
    {TOKEN_FLOAT, parse_number}, {TOKEN_CHAR, parse_number},      {'-', parse_number},
    {TOKEN_STRING, parse_text},  {TOKEN_BITS, parse_binary},
};

/* What the parser says is wrong is a mistake of the caller; what the writer says is not. */
clu_error pattern_literal(struct pattern *p, clu_writer *out)
{
    for (size_t i = 0; i < COUNT(literals); i++)
        if (literals[i].token == p->lex.token) {
            clu_error err = literals[i].parse(&p->lex, out);

            if (err == CLU_OK || err == CLU_ENOMEM || err == out->err)
                return err;
            break;
        }
    return CLU_EBADARG;
}

bool pattern_enter(struct pattern *p)
{
    return p->depth++ < CLU_FORMAT_DEPTH_MAX;
}

void pattern_leave(struct pattern *p)
{
    p->depth--;
}

bool pattern_is_done(const struct pattern *p)
{
    return p->lex.token == TOKEN_END && p->used == p->n;
}
