/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_ROTATE_H
#define NET_ROTATE_H

#include "net/loop.h"

/* The cookie's file, watched: a Secret that was rolled needs no restart. */
struct rotate;

/* rotate_new: hands the machine what the file (path is borrowed) holds whenever it changes; what
 * cannot be read is told, and the cookie stays. NULL when out of memory. Free it before the loop.
 */
struct rotate *rotate_new(struct loop *l, struct machine *m, const char *path);
void rotate_free(struct rotate *r);

#endif
