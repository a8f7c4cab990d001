/* SPDX-License-Identifier: Apache-2.0 */
#include "view/fields.h"

#include "view/advice.h"
#include "view/text.h"

json_t *show_text(const void *at)
{
    clu_slice text = slice_of(at);
    struct buf repaired = {0};
    json_t *value = NULL;

    if (text.len == 0)
        return json_null();
    text_put_utf8(&repaired, text);
    if (repaired.err == CLU_OK)
        value = json_stringn((const char *)repaired.data, repaired.len);
    buf_free(&repaired);
    return value;
}

json_t *show_bool(const void *at)
{
    return json_boolean(*(const bool *)at);
}

json_t *show_u32(const void *at)
{
    return json_integer(*(const uint32_t *)at);
}

json_t *show_u32_known(const void *at)
{
    return *(const uint32_t *)at == 0 ? json_null() : show_u32(at);
}

json_t *show_u64(const void *at)
{
    return json_integer((json_int_t)min_u64(*(const uint64_t *)at, INT64_MAX));
}

json_t *show_u64_known(const void *at)
{
    return *(const uint64_t *)at == 0 ? json_null() : show_u64(at);
}

json_t *show_time(const void *at)
{
    uint64_t ms = *(const uint64_t *)at;
    char text[TEXT_TIME_SIZE];

    return ms == 0 ? json_null() : json_string(text_time(ms, text));
}

json_t *show_seconds(const void *at)
{
    return json_real((double)*(const uint64_t *)at / 1000);
}

json_t *show_address(const void *at)
{
    const struct addr *a = at;
    char text[ADDR_TEXT_MAX];

    return a->family == 0 ? json_null() : json_string(addr_text(a, text));
}

json_t *show_ip(const void *at)
{
    char text[ADDR_TEXT_MAX];

    return show_text(addr_ip_text(at, text));
}

json_t *show_port(const void *at)
{
    uint16_t port = ((const struct addr *)at)->port;

    return port == 0 ? json_null() : json_integer(port);
}

json_t *show_state(const void *at)
{
    return json_string(peer_state_text(*(const enum peer_state *)at));
}

json_t *show_stage(const void *at)
{
    return show_text(stage_text(*(const enum stage *)at));
}

json_t *show_advice(const void *at)
{
    return json_string(advice_of(*(const enum stage *)at));
}

json_t *show_result(const void *at)
{
    return json_string(result_kind_text(*(const enum result_kind *)at));
}

json_t *show_tells(const void *at)
{
    return json_string(tells_text(*(const enum tells *)at));
}

json_t *put(json_t *object, const char *key, json_t *value)
{
    if (object == NULL) {
        json_decref(value);
    } else if (json_object_set_new(object, key, value) != 0) {
        json_decref(object);
        object = NULL;
    }
    return object;
}

json_t *append(json_t *array, json_t *value)
{
    if (array == NULL) {
        json_decref(value);
    } else if (json_array_append_new(array, value) != 0) {
        json_decref(array);
        array = NULL;
    }
    return array;
}

json_t *fields_add(json_t *object, const void *from, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n && object != NULL; i++)
        object =
            put(object, fields[i].key, fields[i].value((const uint8_t *)from + fields[i].offset));
    return object;
}

static int put_piece(const char *text, size_t len, void *out)
{
    buf_put(out, text, len);
    return 0;
}

clu_error json_put(struct buf *out, json_t *object, size_t flags)
{
    if (object == NULL)
        return CLU_ENOMEM;
    int failed = json_dump_callback(object, put_piece, out, flags);

    json_decref(object);
    buf_put_byte(out, '\n');
    return failed == 0 ? out->err : CLU_ENOMEM;
}
