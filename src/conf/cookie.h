/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_COOKIE_H
#define CONF_COOKIE_H

#include "model/settings.h"

/* A cookie is an atom. */
#define COOKIE_MAX 255

/* cookie_set: from the text of a file or variable, trimmed as OTP trims ~/.erlang.cookie: at the
 * line end, behind which only blanks and line ends may follow. What was trimmed is remembered: a
 * peer may have got the same text by a way that does not trim. NULL on success, else what is wrong,
 * to go behind the source: "is empty". No message ever shows a part of the cookie. */
const char *cookie_set(struct cookie *cookie, clu_slice text, const char *source);

#endif
