/* SPDX-License-Identifier: Apache-2.0 */
#include "view/api.h"

#include <stdlib.h>

#include "view/fields.h"
#include "view/verdict.h"

#define OF_PEER(member)   offsetof(struct peer_row, member)
#define OF_SOURCE(member) offsetof(struct source_row, member)
#define OF_NODE(member)   offsetof(struct snapshot, member)

static const struct field node_fields[] = {
    {"node", OF_NODE(node), show_text},      {"creation", OF_NODE(creation), show_u32_known},
    {"address", OF_NODE(address), show_ip},  {"port", OF_NODE(address), show_port},
    {"hidden", OF_NODE(hidden), show_bool},  {"started", OF_NODE(started_ms), show_time},
    {"as_of", OF_NODE(now_ms), show_time},   {"settled", OF_NODE(settled_ms), show_time},
    {"version", OF_NODE(version), show_u64}, {"reason", OF_NODE(not_ready), show_text},
    {"epmd", OF_NODE(epmd), show_address},   {"epmd_embedded", OF_NODE(epmd_embedded), show_bool},
};

static const struct field missing_fields[] = {
    {"address", OF_PEER(address), show_ip},    {"name", OF_PEER(name), show_text},
    {"stage", OF_PEER(stage), show_stage},     {"reason", OF_PEER(reason), show_text},
    {"since", OF_PEER(since_ms), show_time},   {"advice", OF_PEER(stage), show_advice},
    {"attempts", OF_PEER(attempts), show_u32}, {"next_dial", OF_PEER(next_dial_ms), show_time},
    {"seen_by", OF_PEER(seen_by), show_u32},
};

static const struct field peer_fields[] = {
    {"name", OF_PEER(name), show_text},
    {"address", OF_PEER(address), show_ip},
    {"port", OF_PEER(address), show_port},
    {"state", OF_PEER(state), show_state},
    {"listed", OF_PEER(listed), show_bool},
    {"hinted", OF_PEER(hinted), show_bool},
    {"terminating", OF_PEER(terminating), show_bool},
    {"sees_us", OF_PEER(sees_us), show_tells},
    {"visible", OF_PEER(visible), show_bool},
    {"creation", OF_PEER(creation), show_u32_known},
    {"since", OF_PEER(since_ms), show_time},
    {"otp_release", OF_PEER(otp_release), show_text},
    {"stage", OF_PEER(stage), show_stage},
    {"reason", OF_PEER(reason), show_text},
};

/* What /api/v1/peers has beyond /api/v1/cluster. */
static const struct field peer_more_fields[] = {
    {"inbound", OF_PEER(inbound), show_bool},
    {"flags", OF_PEER(flags), show_u64},
    {"attempts", OF_PEER(attempts), show_u32},
    {"next_dial", OF_PEER(next_dial_ms), show_time},
    {"sees", OF_PEER(sees), show_u32},
    {"seen_by", OF_PEER(seen_by), show_u32},
    {"island", OF_PEER(island), show_u32},
    {"bytes_in", OF_PEER(bytes_in), show_u64},
    {"bytes_out", OF_PEER(bytes_out), show_u64},
    {"messages_in", OF_PEER(messages_in), show_u64},
    {"messages_out", OF_PEER(messages_out), show_u64},
    {"queued_bytes", OF_PEER(queued), show_u64},
};

static const struct field source_fields[] = {
    {"spec", OF_SOURCE(spec), show_text},       {"asked", OF_SOURCE(asked), show_text},
    {"result", OF_SOURCE(result), show_result}, {"answer", OF_SOURCE(answer), show_text},
    {"reason", OF_SOURCE(reason), show_text},   {"addresses", OF_SOURCE(n_addresses), show_u32},
    {"sees_us", OF_SOURCE(sees_us), show_bool},
};

/* What /api/v1/discovery has beyond /api/v1/cluster. */
static const struct field source_more_fields[] = {
    {"ttl", OF_SOURCE(ttl_s), show_u32},
    {"cache", OF_SOURCE(cache), show_text},
    {"last", OF_SOURCE(last_ms), show_time},
    {"next", OF_SOURCE(next_ms), show_time},
    {"changed", OF_SOURCE(changed_ms), show_time},
    {"queries", OF_SOURCE(queries), show_u64},
    {"failures", OF_SOURCE(failures), show_u64},
    {"took", OF_SOURCE(took_ms), show_seconds},
    {"took_total", OF_SOURCE(took_total_ms), show_seconds},
};

static const struct field entry_fields[] = {
    {"address", OF_PEER(address), show_ip},
    {"name", OF_PEER(name), show_text},
    {"state", OF_PEER(state), show_state},
    {"terminating", OF_PEER(terminating), show_bool},
};

/* Names of nodes, to be sorted by bytes as lists:sort/1 sorts atoms of ASCII. They borrow from the
 * snapshot, or from text where only an address is known. */
struct names {
    const char **list;
    size_t n;
    char (*addresses)[ADDR_TEXT_MAX];
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Takes the names; an array without repetitions. */
static json_t *sorted(struct names *names)
{
    json_t *array = names->list == NULL ? NULL : json_array();

    if (array != NULL)
        qsort(names->list, names->n, sizeof *names->list, compare_names);
    for (size_t i = 0; i < names->n && array != NULL; i++)
        if (i == 0 || strcmp(names->list[i], names->list[i - 1]) != 0)
            array = append(array, show_text(names->list[i]));
    free(names->list);
    free(names->addresses);
    return array;
}

static struct names names_new(const struct snapshot *s)
{
    struct names names = {
        .list = calloc(s->n_peers + 1, sizeof *names.list),
        .addresses = calloc(s->n_peers + 1, sizeof *names.addresses),
    };

    if (names.list != NULL && names.addresses != NULL)
        return names;
    free(names.list);
    free(names.addresses);
    return (struct names){0};
}

static void names_add(struct names *names, const struct peer_row *p)
{
    char *address = names->addresses[names->n];

    names->list[names->n++] = p->name[0] != '\0' ? p->name : addr_ip_text(&p->address, address);
}

/* The names of the peers that pass, and ours if it belongs to them. */
static json_t *names_of(const struct snapshot *s, bool with_us, peer_test *test)
{
    struct names names = names_new(s);

    if (names.list == NULL)
        return NULL;
    if (with_us)
        names.list[names.n++] = s->node;
    for (size_t i = 0; i < s->n_peers; i++)
        if (test(s, &s->peers[i]))
            names_add(&names, &s->peers[i]);
    return sorted(&names);
}

/* lists:sort([node() | nodes()]) */
static json_t *nodes_of(const struct snapshot *s)
{
    return names_of(s, true, peer_is_linked);
}

static bool lists_us(const struct snapshot *s)
{
    for (size_t i = 0; i < s->n_sources; i++)
        if (s->sources[i].sees_us)
            return true;
    return false;
}

/* Us among them, where we have a row. */
static bool is_listed(const struct snapshot *s, const struct peer_row *p)
{
    (void)s;
    return p->listed;
}

/* What discovery lists now, by name as far as names are known: "listed" - "nodes" is what lacks. */
static json_t *listed_of(const struct snapshot *s)
{
    return names_of(s, lists_us(s), is_listed);
}

/* With ?base=* a peer has no name before its first link. */
static json_t *name_or_address(const struct peer_row *p)
{
    return p->name[0] == '\0' ? show_ip(&p->address) : show_text(p->name);
}

/* Ours first; the rows are sorted by name, so each of the others is too. */
static json_t *islands_of(const struct snapshot *s)
{
    json_t *islands = append(json_array(), nodes_of(s));

    for (uint32_t i = 1; i < s->n_islands && islands != NULL; i++)
        islands = append(islands, json_array());
    for (size_t i = 0; i < s->n_peers && islands != NULL; i++) {
        const struct peer_row *p = &s->peers[i];
        json_t *island = p->island == 0 ? NULL : json_array_get(islands, p->island);

        if (island != NULL && json_array_append_new(island, name_or_address(p)) != 0) {
            json_decref(islands);
            islands = NULL;
        }
    }
    return islands;
}

/* The SPECs that list it. */
static json_t *specs_of(const struct snapshot *s, const struct peer_row *p)
{
    json_t *array = json_array();

    for (size_t i = 0; i < s->n_sources; i++)
        if (peer_is_listed_by(p, i))
            array = append(array, show_text(s->sources[i].spec));
    return array;
}

static json_t *missing_of(const struct snapshot *s)
{
    json_t *array = json_array();

    for (size_t i = 0; i < s->n_peers; i++) {
        const struct peer_row *p = &s->peers[i];

        if (peer_is_missing(s, p))
            array = append(array,
                           put(fields_add(json_object(), p, missing_fields, COUNT(missing_fields)),
                               "sources", specs_of(s, p)));
    }
    return array;
}

/* What /api/v1/peers has beyond /api/v1/cluster. */
static json_t *add_more(json_t *row, const struct snapshot *s, const struct peer_row *p)
{
    row = put(row, "sources", specs_of(s, p));
    row = put(row, "listed_since", p->listed ? show_time(&p->listed_ms) : json_null());
    row = put(row, "unlisted_since", p->listed ? json_null() : show_time(&p->listed_ms));
    return fields_add(row, p, peer_more_fields, COUNT(peer_more_fields));
}

static json_t *peers_of(const struct snapshot *s, bool more)
{
    json_t *array = json_array();

    for (size_t i = 0; i < s->n_peers; i++) {
        json_t *row = fields_add(json_object(), &s->peers[i], peer_fields, COUNT(peer_fields));

        array = append(array, more ? add_more(row, s, &s->peers[i]) : row);
    }
    return array;
}

static json_t *own_entry(const struct snapshot *s)
{
    json_t *entry = put(json_object(), "address", show_ip(&s->address));

    entry = put(entry, "name", show_text(s->node));
    entry = put(entry, "state", json_string("self"));
    return put(entry, "terminating", json_false());
}

/* A running node has no row of its own. */
static json_t *entries_of(const struct snapshot *s, size_t source)
{
    json_t *array = json_array();

    if (s->sources[source].sees_us && peers_count(s, peer_is_self) == 0)
        array = append(array, own_entry(s));
    for (size_t i = 0; i < s->n_peers; i++)
        if (peer_is_listed_by(&s->peers[i], source))
            array = append(
                array, fields_add(json_object(), &s->peers[i], entry_fields, COUNT(entry_fields)));
    return array;
}

static json_t *rounds_of(const struct source_row *row)
{
    json_t *rounds = json_object();

    for (size_t kind = RESULT_COMPLETE; kind <= RESULT_FAILED; kind++)
        rounds =
            put(rounds, result_kind_text((enum result_kind)kind), show_u64(&row->rounds[kind]));
    return rounds;
}

static json_t *source_of(const struct source_row *source)
{
    return fields_add(json_object(), source, source_fields, COUNT(source_fields));
}

static json_t *whole_source_of(const struct source_row *source)
{
    json_t *row =
        fields_add(source_of(source), source, source_more_fields, COUNT(source_more_fields));

    return put(row, "rounds", rounds_of(source));
}

static json_t *sources_of(const struct snapshot *s, json_t *(*show)(const struct source_row *))
{
    json_t *array = json_array();

    for (size_t i = 0; i < s->n_sources; i++)
        array = append(array, show(&s->sources[i]));
    return array;
}

json_t *api_sources(const struct snapshot *s)
{
    return sources_of(s, whole_source_of);
}

static json_t *document(const struct snapshot *s)
{
    return put(json_object(), "node", show_text(s->node));
}

json_t *api_cluster(const struct snapshot *s)
{
    json_t *doc = fields_add(json_object(), s, node_fields, COUNT(node_fields));

    doc = put(doc, "erlclu", json_string(CLU_VERSION));
    doc = put(doc, "state", json_string(state_word(s)));
    doc = put(doc, "nodes", nodes_of(s));
    doc = put(doc, "listed", listed_of(s));
    doc = put(doc, "missing", missing_of(s));
    doc = put(doc, "unlisted", names_of(s, false, peer_is_unlisted));
    doc = put(doc, "one_way", names_of(s, false, peer_is_one_way));
    doc = put(doc, "not_reading", names_of(s, false, peer_is_not_reading));
    doc = put(doc, "islands", islands_of(s));
    doc = put(doc, "sources", sources_of(s, source_of));
    return put(doc, "peers", peers_of(s, false));
}

json_t *api_peers(const struct snapshot *s)
{
    return put(document(s), "peers", peers_of(s, true));
}

json_t *api_discovery(const struct snapshot *s)
{
    json_t *sources = json_array();

    for (size_t i = 0; i < s->n_sources; i++)
        sources =
            append(sources, put(whole_source_of(&s->sources[i]), "entries", entries_of(s, i)));
    return put(put(document(s), "listed", listed_of(s)), "sources", sources);
}

/* Only this node's own row: what the others see is not asked for. */
json_t *api_mesh(const struct snapshot *s)
{
    json_t *row = put(put(document(s), "nodes", nodes_of(s)), "listed", listed_of(s));
    json_t *doc = put(document(s), "complete", json_false());

    return put(doc, "rows", append(json_array(), row));
}
