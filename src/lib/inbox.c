/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/inbox.h"
#include "node/proc.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct post {
    struct post *next;
    clu_post_fn *fn;
    void *arg;
};

bool inbox_init(struct inbox *in)
{
    atomic_init(&in->head, NULL);
    atomic_init(&in->n, 0);
    atomic_init(&in->stop, false);
    in->fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC); /* the first step is there to be made */
    return in->fd >= 0;
}

/* A counter that is full is readable already; nothing else can fail here. */
static void wake(struct inbox *in)
{
    uint64_t one = 1;
    ssize_t n = write(in->fd, &one, sizeof one);

    (void)n;
}

clu_error inbox_put(struct inbox *in, clu_post_fn *fn, void *arg)
{
    if (atomic_fetch_add(&in->n, 1) >= CLU_POSTS_MAX) {
        atomic_fetch_sub(&in->n, 1);
        return CLU_EBUSY;
    }
    struct post *p = malloc(sizeof *p);

    if (p == NULL) {
        atomic_fetch_sub(&in->n, 1);
        return CLU_ENOMEM;
    }
    struct post *before = atomic_load(&in->head);

    do
        *p = (struct post){.next = before, .fn = fn, .arg = arg};
    while (!atomic_compare_exchange_weak(&in->head, &before, p));
    /* p may be called and gone by now. Whoever finds the stack empty wakes the node, for all who
     * come until it looks. */
    if (before == NULL)
        wake(in);
    return CLU_OK;
}

void inbox_stop(struct inbox *in)
{
    atomic_store(&in->stop, true);
    wake(in);
}

/* All that was posted so far, the oldest first. */
static struct post *take_all(struct inbox *in)
{
    struct post *p = atomic_exchange(&in->head, NULL), *first = NULL;

    while (p != NULL) {
        struct post *next = p->next;

        p->next = first;
        first = p;
        p = next;
    }
    return first;
}

static void call_all(struct inbox *in, struct post *p, clu_node *node)
{
    while (p != NULL) {
        struct post *next = p->next;

        atomic_fetch_sub(&in->n, 1);
        p->fn(node, p->arg);
        if (node != NULL)
            send_drop(node);
        free(p);
        p = next;
    }
}

bool inbox_run(struct inbox *in, clu_node *node)
{
    uint64_t woken;
    /* Read first: what is posted behind it wakes us again. */
    ssize_t n = read(in->fd, &woken, sizeof woken);

    (void)n;
    call_all(in, take_all(in), node);
    return atomic_exchange(&in->stop, false);
}

void inbox_fini(struct inbox *in)
{
    struct post *p;

    /* What is called may post once more. */
    while ((p = take_all(in)) != NULL)
        call_all(in, p, NULL);
    if (in->fd >= 0)
        close(in->fd);
    in->fd = -1;
}
