/* SPDX-License-Identifier: Apache-2.0
 *
 * net: the only layer that touches the system: sockets, timers, DNS, HTTP, signals, files.
 *   knows: libevent, c-ares, the system calls; drives machines with what they bring.
 *   must not know: what any byte of a peer means; no decision about nodes is taken here.
 * One loop, one thread. Nothing here keeps state outside the objects that it hands out.
 */
#ifndef NET_SYSTEM_H
#define NET_SYSTEM_H

#include "base/buf.h"
#include "model/model.h"

/* system_now_ms: a clock that never goes back. system_wall_ms: since 1970. */
uint64_t system_now_ms(void);
uint64_t system_now_us(void);
uint64_t system_wall_ms(void);
/* system_random: n bytes of the system's random source; false when it has none. */
CLU_MUST_USE bool system_random(void *out, size_t n);
/* system_hold_streams: what is closed of standard input, output and error is held by what can
 * neither be read nor written, as if it were closed still: else the next socket would have its
 * number, and what is meant for people would go to a peer. For programs, before they open anything.
 */
void system_hold_streams(void);
/* system_write: all of it, however long that takes; false when the descriptor takes no more
 * (errno), or when memory was lacking for the text. system_write_now: false also when a descriptor
 * that does not wait has no room for all of it. */
bool system_write(int fd, const struct buf *text);
bool system_write_now(int fd, const struct buf *text);
/* system_shortage: a sentence for what errno says when something could not be made: out of files or
 * memory. */
void system_shortage(char why[REASON_SIZE]);
/* system_raise_files: as many open files as the system lets us have. */
void system_raise_files(void);

/* In the shape that conf_input wants; arg is not used. system_read_file: CLU_EBUSY when the system
 * has no file or memory for it now. */
const char *system_env(void *arg, const char *name);
clu_error system_read_file(void *arg, const char *path, struct buf *text, char why[REASON_SIZE]);

#endif
