/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "base/scan.h"

/* Numbers in small texts. */

/* text_number: decimal digits only, min to max. */
bool text_number(clu_slice text, uint32_t min, uint32_t max, uint32_t *out);
/* text_duration: "5", "0.25", "500ms", "2s", "1m" to milliseconds; seconds without a unit; at most
 * a day. */
bool text_duration(clu_slice text, uint32_t *ms);
/* slice_starts: whether s begins with the text. */
bool slice_starts(clu_slice s, const char *text);

#endif
