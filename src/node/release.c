/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* Which release of OTP a node runs. Its flags do not tell 25 from 27, so it is asked, once a
 * connection, when something depends on it. */

/* How long it may take to say so: less than whoever waits for us meanwhile does. */
#define RELEASE_ASK_MS 2000
/* What cannot be learnt is taken to be new. */
#define RELEASE_NEWEST UINT8_MAX
/* The first one with DFLAG_ALTACT_SIG. */
#define RELEASE_OF_ALTACT 28

unsigned release_of(const struct clu_node *n, clu_slice node)
{
    const struct remote *r = remote_find(n, node);

    if (r == NULL || r->link == NULL)
        return RELEASE_NEWEST;
    if (r->release == 0 && (r->link->flags & DFLAG_ALTACT_SIG) != 0)
        return RELEASE_OF_ALTACT;
    return r->release;
}

/* "27" */
static uint8_t read_release(clu_reader r)
{
    clu_slice text = clu_get_string(&r);
    unsigned n = 0;

    for (size_t i = 0; i < text.len && n < RELEASE_NEWEST; i++)
        n = text.data[i] < '0' || text.data[i] > '9' ? RELEASE_NEWEST : n * 10 + text.data[i] - '0';
    return r.err != CLU_OK || n == 0 || n > RELEASE_NEWEST ? RELEASE_NEWEST : (uint8_t)n;
}

static void on_release(clu_process *self, const clu_answer *answer, void *arg)
{
    struct clu_call *call = arg;
    struct remote *r = remote_find(self->node, call->from.node);

    if (r != NULL && r->link != NULL)
        r->release = answer->outcome == CLU_ANSWERED ? read_release(answer->term) : RELEASE_NEWEST;
    call->later(call);
}

bool release_ask(struct clu_call *call)
{
    struct clu_process *rex = process_named(call->node, slice_of("rex"));
    char node[NODE_NAME_SIZE];

    if (rex == NULL)
        return false;
    text_set(node, sizeof node, call->from.node);
    clu_writer *w = clu_rpc_begin(rex, node, "erlang", "system_info", RELEASE_ASK_MS);

    clu_put_list(w, 1);
    clu_put_atom_text(w, "otp_release");
    clu_put_nil(w);
    return clu_call_end(rex, on_release, call, NULL) == CLU_OK;
}
