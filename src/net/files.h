/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_FILES_H
#define NET_FILES_H

#include "base/buf.h"
#include "model/model.h"

/* Files that are read again when they change. The folder is watched, not the file: editors and
 * Kubernetes replace a file rather than write to it (a ConfigMap or Secret is a link into a folder
 * `..data`, itself a link that is swapped). */
struct watch_base;
struct file_watch;

/* A program writes a file in several steps, and a volume is swapped in several: they count as one
 * change when so little time is between them. */
#define FILES_SETTLE_MS 50
/* What no event tells of (a network file system, no inotify left on a busy machine, a folder that
 * comes later) shows at the latest after this. */
#define FILES_LOOK_MS 5000

typedef void file_watch_fn(void *arg);

/* file_watch_new: fn is called from the loop whenever the file may have another text: it was
 * written and closed, replaced, removed, or has come (it need not be there yet). Not called for how
 * it is now: read it after this. NULL when out of memory. file_watch_free: also of NULL, and from
 * within fn. */
struct file_watch *file_watch_new(struct watch_base *base, const char *path, file_watch_fn *fn,
                                  void *arg);
void file_watch_free(struct file_watch *w);

/* file_watch_again: what was to be read could not be, for now: fn is called at the next look as if
 * it had changed. */
void file_watch_again(struct file_watch *w);

/* file_read: the whole text of a regular file of at most 1 MiB (CONF_FILE_MAX), into an empty
 * buffer that the caller frees; CLU_EBUSY when the system has no file or memory for it now; why
 * says what is wrong, to go behind "cannot read PATH: ". */
CLU_MUST_USE clu_error file_read(const char *path, struct buf *text, char why[REASON_SIZE]);

#endif
