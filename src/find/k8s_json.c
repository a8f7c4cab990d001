/* SPDX-License-Identifier: Apache-2.0 */
#include "find/k8s_json.h"

#include "find/words.h"

/* jansson goes down into what is nested, so the depth is known before it begins. */
static bool is_too_deep(clu_slice text)
{
    size_t depth = 0;
    bool in_text = false;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (in_text && c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        else if (!in_text && (c == '{' || c == '[') && ++depth > K8S_DEPTH_MAX)
            return true;
        else if (!in_text && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return false;
}

json_t *k8s_json(clu_slice text, char why[REASON_SIZE])
{
    json_error_t error;

    if (is_too_deep(text)) {
        say(why, "nested deeper than %d", K8S_DEPTH_MAX);
        return NULL;
    }
    /* An annotation of somebody else's may hold a zero byte, and is none of our business. */
    json_t *json = text.len == 0
                       ? NULL
                       : json_loadb((const char *)text.data, text.len, JSON_ALLOW_NUL, &error);

    if (json == NULL)
        say(why, "%.200s", text.len == 0 ? "empty" : error.text);
    return json;
}

const char *k8s_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

uint32_t k8s_number(const json_t *object, const char *key, uint32_t max)
{
    json_int_t n = json_integer_value(json_object_get(object, key));

    return n < 0 || n > (json_int_t)max ? 0 : (uint32_t)n;
}
