/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <erlclu/process.h>

#include "net/drive.h"

/* A command as a process beside one node: it is linked, then speaks for itself. */
struct session {
    const struct conf *conf;
    struct drive drive;
    uint32_t ask;
    bool linked;
    struct answer answer; /* of the ping that linked it: its name, where it is */
    /* Called once, when the node is linked; the process trap exits, and is the caller's to use. */
    void (*on_linked)(struct session *s);
    /* Of a further question to the machine; NULL: none is asked. */
    void (*on_answer)(struct session *s, const struct answer *answer);
    /* When --timeout has passed behind the link: the status, after words; NULL: some are there. */
    int (*on_late)(struct session *s);
    clu_receive_fn *receive; /* of the process; arg is the session */
    clu_process *self;       /* from on_linked on */
};

/* session_run: from start to session_end. EXIT_DONE, or a status after words why there is no link;
 * --timeout ends it all with EXIT_TCP_TIMEOUT, unless session_stays was called. */
int session_run(struct session *s, const struct conf *c);
/* session_end: with this status; the first one counts. */
void session_end(struct session *s, int status);
/* session_stays: there is no hurry any more. */
void session_stays(struct session *s);
/* session_close: also of one that session_run could not start. */
void session_close(struct session *s);

/* fail_to_parse: EXIT_USAGE, and where clu_parse stopped in the text that was given as word. */
int fail_to_parse(const char *word, const char *text, size_t at, clu_error err);

#endif
