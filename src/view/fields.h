/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_FIELDS_H
#define VIEW_FIELDS_H

#include <jansson.h>

#include "base/buf.h"
#include "model/snapshot.h"

/* Structs as JSON, by table. A field is a key, where its value lies in the struct, and how it is
 * shown. What is not known is null. All functions return NULL when out of memory and take a NULL of
 * each other, so that one check at the end is enough. */
struct field {
    const char *key;
    size_t offset;
    json_t *(*value)(const void *at);
};

/* How values are shown; `at` points to what the comment says. */
json_t *show_text(const void *at);      /* char[]: a text, repaired to UTF-8; "" is null */
json_t *show_bool(const void *at);      /* bool */
json_t *show_u32(const void *at);       /* uint32_t */
json_t *show_u32_known(const void *at); /* uint32_t; 0 is null */
json_t *show_u64(const void *at);       /* uint64_t */
json_t *show_u64_known(const void *at); /* uint64_t; 0 is null */
json_t *show_time(const void *at);      /* uint64_t, wall: RFC 3339; 0 is null */
json_t *show_seconds(const void *at);   /* uint64_t, milliseconds: in seconds */
json_t *show_address(const void *at);   /* struct addr: address and port; null for none */
json_t *show_ip(const void *at);        /* struct addr: the address alone; null for none */
json_t *show_port(const void *at);      /* struct addr: the port alone; null for 0 */
json_t *show_state(const void *at);     /* enum peer_state */
json_t *show_stage(const void *at);     /* enum stage; null for none */
json_t *show_advice(const void *at);    /* enum stage: what to do about it */
json_t *show_result(const void *at);    /* enum result_kind */
json_t *show_tells(const void *at);     /* enum tells */

/* How documents are written: thousandths of a second as such, not as 0.0030000000000000001. */
#define JSON_LAYOUT (JSON_INDENT(2) | JSON_REAL_PRECISION(15))

/* fields_add: the fields of a struct into an object; takes the object and gives it back. */
json_t *fields_add(json_t *object, const void *from, const struct field *fields, size_t n);
/* put: one value (taken) into an object (taken and given back). */
json_t *put(json_t *object, const char *key, json_t *value);
/* append: one value (taken) to an array (taken and given back). */
json_t *append(json_t *array, json_t *value);

/* json_put: an object as text; takes it. NULL is CLU_ENOMEM. flags as jansson's. */
CLU_MUST_USE clu_error json_put(struct buf *out, json_t *object, size_t flags);

#endif
