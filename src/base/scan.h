/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include "base/base.h"

/* Lines and words of small texts. Both take what they found off the front of *rest. */

/* scan_line: the next line without its end (LF or CR LF); false behind the last one. */
bool scan_line(clu_slice *rest, clu_slice *line);
/* scan_word: the next run of anything but blanks and tabs; false when only those are left. */
bool scan_word(clu_slice *rest, clu_slice *word);

#endif
