/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "base/base.h"

/* Lines, words and numbers of small texts. Each scan_ function takes what it found off the front of
 * *rest. */

/* scan_line: the next line without its end (LF or CR LF); false behind the last one. */
bool scan_line(clu_slice *rest, clu_slice *line);
/* scan_word: the next run of anything but blanks and tabs; false when only those are left. */
bool scan_word(clu_slice *rest, clu_slice *word);

/* text_number: decimal digits only, min to max. */
bool text_number(clu_slice text, uint32_t min, uint32_t max, uint32_t *out);
/* text_duration: "5", "0.25", "500ms", "2s", "1m" to milliseconds; seconds without a unit; at most
 * a day. */
bool text_duration(clu_slice text, uint32_t *ms);
/* slice_starts: whether s begins with the text. */
bool slice_starts(clu_slice s, const char *text);

#endif
