/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_VIEWS_H
#define FIND_VIEWS_H

#include "find/reconcile.h"

/* What linked peers say of their own links (peer exchange), and what follows: whom somebody knows,
 * who does not see us, and islands: groups of living nodes without a known link between them. */

/* Names in all, and names that one peer may tell: meshes are far smaller; more are left out and
 * counted. */
#define VIEWS_NAMES_MAX 16384
#define VIEW_SIZE_MAX   4096
/* The last words of so many lost peers are kept, for islands; the oldest go first. */
#define VIEWS_LOST_MAX 256

struct views;

struct views *views_new(void);
void views_free(struct views *v);
/* views_own: our own name; "" while it is not known. */
void views_own(struct views *v, const char *own_name);

/* What a linked peer tells: views_add each name, then views_end, which replaces what that peer told
 * before. A name that is none, or one too many, is left out (views_refused). views_end returns
 * whether anything changed. */
void views_add(struct views *v, clu_slice name);
bool views_end(struct views *v, const char *peer);
/* views_drop: the link of this peer is gone: what it told counts for islands alone. */
void views_drop(struct views *v, const char *peer);

/* views_change: takes one change of who is told of: a name that some linked peer tells now, or that
 * none tells any more; false when there is none. For reconcile_heard. */
bool views_change(struct views *v, char name[NODE_NAME_SIZE], bool *told);

/* views_sees_us: whether the peer told our name; TELLS_NOTHING when it told nothing, or our name is
 * not known. */
enum tells views_sees_us(const struct views *v, const char *peer);
/* views_sees: how many names the peer told. views_seen_by: how many linked peers told the name. */
uint32_t views_sees(const struct views *v, const char *peer);
uint32_t views_seen_by(const struct views *v, const char *name);

/* views_islands: how many groups there are, ours among them: at least 1. Worked out anew only when
 * something changed since. Alive is who is linked to us, whom a linked peer tells, and who answers
 * a dial, though with a refusal. */
uint32_t views_islands(struct views *v, struct reconcile *r);
/* views_island: the group of a target as of the last views_islands: 0 is ours, and that of those
 * who are not known to be alive. */
uint32_t views_island(const struct views *v, slot_id target);

/* views_version: grows when any of this would read differently. views_refused: names left out since
 * start. */
uint64_t views_version(const struct views *v);
uint64_t views_refused(const struct views *v);

#endif
