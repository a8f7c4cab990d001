/* SPDX-License-Identifier: Apache-2.0 */
#include "find/srv_set.h"

#include <stdlib.h>

static const struct dns_service *item(const struct dns_service *items, size_t n, size_t i)
{
    return i < n ? &items[i] : NULL;
}

/* NULL, the end of a sorted run, comes last. */
static int order(const struct dns_service *a, const struct dns_service *b)
{
    return a == NULL || b == NULL ? (a == NULL) - (b == NULL) : dns_service_order(a, b);
}

clu_error srv_set_merge(struct srv_set *s, const struct dns_service *items, size_t n)
{
    size_t i = 0, k = 0, n_merged = 0;

    if (n == 0)
        return CLU_OK;
    struct dns_service *merged = malloc((s->n + n) * sizeof *merged);

    if (merged == NULL)
        return CLU_ENOMEM;
    while (i < s->n || k < n) {
        int o = order(item(s->items, s->n, i), item(items, n, k));

        merged[n_merged++] = o < 0 ? s->items[i] : items[k];
        i += o <= 0;
        k += o >= 0;
    }
    free(s->items);
    *s = (struct srv_set){merged, n_merged};
    return CLU_OK;
}

size_t srv_set_missing(const struct srv_set *s, const struct srv_set *in)
{
    size_t k = 0, missing = 0;

    for (size_t i = 0; i < s->n; i++) {
        while (order(item(in->items, in->n, k), &s->items[i]) < 0)
            k++;
        missing += order(item(in->items, in->n, k), &s->items[i]) != 0;
    }
    return missing;
}

void srv_set_free(struct srv_set *s)
{
    free(s->items);
    *s = (struct srv_set){NULL, 0};
}
