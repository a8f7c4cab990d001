/* SPDX-License-Identifier: Apache-2.0 */
#include "find/template.h"

#include <stdio.h>

#include "find/words.h"

static const char *const part_texts[PARTS] = {
#define X(name, text) [name] = text,
    PART_MAP(X)
#undef X
};

/* A piece of a template: plain text, or a part with its braces. */
struct piece {
    clu_slice text;
    bool is_part;
    enum part part; /* PARTS: there is no such part, or its brace is never closed */
};

static enum part find_part(clu_slice word)
{
    enum part part = PART_BASE;

    while (part < PARTS && !slice_is(word, part_texts[part]))
        part++;
    return part;
}

/* The piece at *at, which moves behind it; false at the end. */
static bool next_piece(const char **at, struct piece *p)
{
    const char *text = *at;

    if (*text == '\0')
        return false;
    size_t len = strcspn(text, *text == '{' ? "}" : "{");

    *p = (struct piece){.is_part = *text == '{', .part = PARTS};
    if (p->is_part && text[len] == '}') {
        p->part = find_part((clu_slice){(const uint8_t *)text + 1, len - 1});
        len++;
    }
    p->text = (clu_slice){(const uint8_t *)text, len};
    *at = text + len;
    return true;
}

unsigned template_uses(const char *template)
{
    struct piece p;
    unsigned uses = 0;

    while (next_piece(&template, &p))
        if (p.is_part && p.part != PARTS)
            uses |= PART_BIT(p.part);
    return uses;
}

bool template_name(const char *template, const struct name_parts *parts, char out[NODE_NAME_SIZE])
{
    struct piece p;
    size_t len = 0;

    out[0] = '\0';
    while (next_piece(&template, &p)) {
        const char *known = p.part == PARTS ? NULL : parts->text[p.part];
        clu_slice text = !p.is_part ? p.text : known != NULL ? slice_of(known) : (clu_slice){0};

        if (text.len == 0 || !text_set(out + len, NODE_NAME_SIZE - len, text)) {
            out[0] = '\0';
            return false;
        }
        len += text.len;
    }
    return true;
}

/* "{base}, {ip}": the parts of the set. All of them are far shorter than the room. */
static void list_parts(unsigned can, char out[REASON_SIZE])
{
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < PARTS; i++)
        if ((can & PART_BIT(i)) != 0)
            len += (size_t)snprintf(out + len, REASON_SIZE - len, "%s{%s}", len == 0 ? "" : ", ",
                                    part_texts[i]);
}

static clu_error check_parts(const char *template, unsigned can, char why[REASON_SIZE])
{
    char known[REASON_SIZE];
    const char *at = template;
    struct piece p;

    while (next_piece(&at, &p)) {
        if (!p.is_part || (p.part != PARTS && (can & PART_BIT(p.part)) != 0))
            continue;
        list_parts(can, known);
        say(why, "has \"%.*s\", which is not known here: the parts are %s", (int)p.text.len,
            (const char *)p.text.data, known);
        return CLU_EBADARG;
    }
    return CLU_OK;
}

clu_error template_check(const char *template, unsigned can, char why[REASON_SIZE])
{
    static const struct name_parts sample = {{
        [PART_BASE] = "a",
        [PART_IP] = "10.0.0.1",
        [PART_DASHED] = "10-0-0-1",
        [PART_HOSTNAME] = "a",
        [PART_SERVICE] = "a",
        [PART_NS] = "a",
        [PART_ZONE] = "a.b",
        [PART_TARGET] = "a.b",
    }};
    char name[NODE_NAME_SIZE];

    if (check_parts(template, can, why) != CLU_OK)
        return CLU_EBADARG;
    bool fits = template_name(template, &sample, name);
    char *at = strchr(name, '@');

    if (!fits || at == NULL) {
        say(why, "%s",
            fits ? "has no @: write {base}@{ip}, or * to learn the names"
                 : "makes no name, or one longer than 255 bytes");
        return CLU_EBADARG;
    }
    *at = '\0';
    const char *base_problem = node_base_problem(name), *host_problem = host_name_problem(at + 1);

    if (base_problem == NULL && host_problem == NULL)
        return CLU_OK;
    say(why, "makes names whose part %s the @ %s", base_problem != NULL ? "before" : "behind",
        base_problem != NULL ? base_problem : host_problem);
    return CLU_EBADARG;
}

const char *address_dashed(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    size_t len = strlen(addr_ip_text(a, out));

    for (size_t i = 0; i < len; i++)
        if (out[i] == '.' || out[i] == ':')
            out[i] = '-';
    if (len > 0 && out[len - 1] == '-')
        text_set(out + len, ADDR_TEXT_MAX - len, slice_of("0"));
    return out;
}
