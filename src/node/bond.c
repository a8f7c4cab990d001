/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/proc.h"

/* Links. Who unlinks a process of another node sends UNLINK_ID; until its acknowledgement has come
 * an exit signal of that link, which may have been on its way, counts for nothing
 * (erl_dist_protocol, "Link Protocol"). That holds when the process links again meanwhile, too:
 * what arrives before the acknowledgement was sent before the new link was known there. For the
 * same reason a LINK that arrives while we unlink is one that our UNLINK_ID takes away over there,
 * and an UNLINK_ID takes away the link that we made anew before it arrived. */

/* What a pid is found by: of one of ours without the name and creation, which the node may be given
 * later (node_rename). */
static clu_pid key_of(const struct clu_process *p, clu_pid pid)
{
    if (!is_own_name(p->node, pid.node))
        return pid;
    return (clu_pid){.id = pid.id, .serial = pid.serial};
}

static uint64_t hash_of(const struct clu_process *p, const clu_pid *other)
{
    uint64_t hash =
        index_mix(index_mix(p->node->seed, p->id), (uint64_t)other->id << 32 | other->serial);

    /* Two nodes' pids may be equal but for the name: a few in one chain do no harm. */
    return index_mix(hash, (uint64_t)other->creation << 16 | other->node.len);
}

static bool same_pid(const clu_pid *a, const clu_pid *b)
{
    return a->id == b->id && a->serial == b->serial && a->creation == b->creation &&
           slice_equal(a->node, b->node);
}

struct bond *bond_find(const struct clu_process *p, const clu_pid *other)
{
    clu_pid key = key_of(p, *other);
    struct index_item *item = index_first(&p->node->bonds, hash_of(p, &key));

    for (; item != NULL; item = index_next(item)) {
        struct bond *b = CONTAINER_OF(item, struct bond, item);

        if (b->proc == p && same_pid(&b->other, &key))
            return b;
    }
    return NULL;
}

clu_error bond_add(struct clu_process *p, struct remote *r, const clu_pid *other)
{
    struct bond *b = bond_find(p, other);
    clu_pid key = key_of(p, *other);

    if (b != NULL)
        return CLU_OK;
    b = calloc(1, sizeof *b);
    if (b == NULL || index_add(&p->node->bonds, &b->item, hash_of(p, &key)) != CLU_OK) {
        free(b);
        return CLU_ENOMEM;
    }
    b->proc = p;
    b->remote = r;
    b->other = key;
    if (r != NULL)
        b->other.node = slice_of(r->name);
    list_append(&p->bonds, &b->of_proc);
    list_init(&b->of_remote);
    if (r != NULL)
        list_append(&r->bonds, &b->of_remote);
    return CLU_OK;
}

void bond_free(struct bond *b)
{
    struct remote *r = b->remote;

    index_remove(&b->proc->node->bonds, &b->item);
    list_remove(&b->of_proc);
    list_remove(&b->of_remote);
    free(b);
    remote_release(r);
}

/* The other end of a link within this node. */
static struct clu_process *near_end(const struct bond *b)
{
    struct clu_process *p = slots_get(&b->proc->node->procs, b->other.id);

    return p != NULL && !p->ended && p->serial == b->other.serial ? p : NULL;
}

void bond_break(struct bond *b, clu_slice reason)
{
    struct clu_process *p = b->proc, *other;
    clu_pid self = process_pid(p);
    struct bond *back;

    if (b->remote != NULL) {
        if (bond_stands(b) && signal_exit(b->remote, p, &self, &b->other, reason) != CLU_OK)
            signal_lost(b->remote);
        bond_free(b);
        return;
    }
    other = near_end(b);
    back = other == NULL ? NULL : bond_find(other, &self);
    bond_free(b);
    if (back == NULL)
        return;
    bond_free(back);
    process_exit_signal(other, &self, reader_of(reason), true);
}

/* ---- erlang:link/1, unlink/1 ---- */

static void drop(struct bond *b)
{
    if (b != NULL)
        bond_free(b);
}

static clu_error link_local(struct clu_process *p, const clu_pid *pid)
{
    struct clu_process *other = process_find(p->node, pid);
    clu_pid self = process_pid(p);
    struct atom_term term;

    if (other == p)
        return CLU_OK;
    if (other == NULL || other->absent) {
        process_exit_signal(p, pid, reader_of(atom_term(&term, "noproc")), true);
        return CLU_OK;
    }
    clu_error err = bond_add(p, NULL, pid);

    if (err == CLU_OK)
        err = bond_add(other, NULL, &self);
    if (err != CLU_OK)
        drop(bond_find(p, pid));
    return err;
}

static clu_error send_link(struct clu_process *p, struct remote *r, const clu_pid *pid)
{
    clu_pid self = process_pid(p);

    control_put_link(signal_begin(r, p), &self, pid);
    return signal_end(r);
}

static clu_error link_far(struct clu_process *p, struct remote *r, const clu_pid *pid)
{
    clu_error err = bond_add(p, r, pid);

    if (err != CLU_OK) {
        remote_release(r);
        return err;
    }
    err = send_link(p, r, pid);
    if (err != CLU_OK)
        drop(bond_find(p, pid));
    return err;
}

static clu_error link_again(struct clu_process *p, struct bond *b)
{
    clu_error err = send_link(p, b->remote, &b->other);

    b->again = err == CLU_OK;
    return err;
}

clu_error clu_link(clu_process *p, const clu_pid *pid)
{
    if (p->ended)
        return CLU_ENOENT;
    struct bond *b = bond_find(p, pid);

    if (b != NULL)
        return bond_stands(b) ? CLU_OK : link_again(p, b);
    if (is_own_name(p->node, pid->node))
        return link_local(p, pid);
    struct remote *r = remote_get(p->node, pid->node);

    return r == NULL ? remote_error(pid->node) : link_far(p, r, pid);
}

static void unlink_local(struct clu_process *p, struct bond *b)
{
    struct clu_process *other = near_end(b);
    clu_pid self = process_pid(p);
    struct bond *back = other == NULL ? NULL : bond_find(other, &self);

    if (back != NULL)
        bond_free(back);
    bond_free(b);
}

clu_error clu_unlink(clu_process *p, const clu_pid *pid)
{
    struct bond *b = bond_find(p, pid);
    clu_pid self = process_pid(p);

    if (b == NULL || !bond_stands(b))
        return CLU_OK;
    if (b->remote == NULL) {
        unlink_local(p, b);
        return CLU_OK;
    }
    uint64_t id = ++p->node->n_unlinks;

    control_put_unlink(signal_begin(b->remote, p), id, &self, pid);
    clu_error err = signal_end(b->remote);

    if (err != CLU_OK)
        return err;
    b->unlinking = id;
    b->again = false;
    return CLU_OK;
}
