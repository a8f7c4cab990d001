/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_K8S_JSON_H
#define FIND_K8S_JSON_H

#include <jansson.h>

#include "model/model.h"

/* What the API server writes, as values. */

/* Longest document: one event of a watch, or one page of a list. A page of 500 slices has as many
 * bytes only when it lists more endpoints than SOURCE_ENTRIES_MAX. */
#define K8S_TEXT_MAX (8u << 20)
/* Deepest nesting: a Pod with all its managedFields has about 20. */
#define K8S_DEPTH_MAX 64

/* k8s_json: the value that the text is, for json_decref; NULL with the end of a sentence in why. */
json_t *k8s_json(clu_slice text, char why[REASON_SIZE]);
/* k8s_text: a member that is a text; "" when it is not there or something else. Borrowed. */
const char *k8s_text(const json_t *object, const char *key);
/* k8s_number: a member that is a number from 0 to max; else 0. */
uint32_t k8s_number(const json_t *object, const char *key, uint32_t max);

#endif
