/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/options.h"

/* Notes that are kept; a file that needs more is no vm.args. */
#define NOTES_MAX 64

bool conf_say(struct loading *l, const char *format, ...)
{
    va_list args;

    if (l->err == CLU_OK) {
        va_start(args, format);
        vsnprintf(l->out->error, sizeof l->out->error, format, args);
        va_end(args);
        l->err = CLU_EBADARG;
    }
    return false;
}

bool conf_no_memory(struct loading *l)
{
    l->err = CLU_ENOMEM;
    return false;
}

bool conf_note_that(struct loading *l, const char *what, const char *reason)
{
    struct conf *c = l->out;

    if (c->n_notes == NOTES_MAX)
        return true;
    struct conf_note *notes = reallocarray(c->notes, c->n_notes + 1, sizeof *notes);

    if (notes == NULL)
        return conf_no_memory(l);
    c->notes = notes;
    struct conf_note *note = &notes[c->n_notes++];

    if (c->n_notes == NOTES_MAX)
        reason = "and more like this";
    text_set(note->what, sizeof note->what, slice_of(what));
    text_set(note->reason, sizeof note->reason, slice_of(reason));
    return true;
}

struct given *conf_give(struct loading *l, enum option_id option, enum source_rank source,
                        clu_slice text, const char *where)
{
    struct given *all = reallocarray(l->given, l->n_given + 1, sizeof *all);
    char *copy = strndup(text.len == 0 ? "" : (const char *)text.data, text.len);

    if (all != NULL)
        l->given = all;
    if (all == NULL || copy == NULL) {
        free(copy);
        conf_no_memory(l);
        return NULL;
    }
    struct given *g = &all[l->n_given++];

    *g = (struct given){.option = option, .source = source, .text = copy};
    text_set(g->where, sizeof g->where, slice_of(where));
    return g;
}

const char *conf_env(const struct loading *l, const char *name)
{
    const char *value = l->in->env == NULL ? NULL : l->in->env(l->in->arg, name);

    /* manifests set a variable to nothing where they mean that it is not set */
    return value == NULL || value[0] == '\0' ? NULL : value;
}

clu_error conf_try(struct loading *l, const char *path, struct buf *text, char why[REASON_SIZE])
{
    why[0] = '\0';
    clu_error err = l->in->read_file(l->in->arg, path, text, why);

    if (text->err != CLU_OK)
        err = text->err;
    if (err == CLU_ENOMEM)
        conf_no_memory(l);
    else if (err != CLU_OK && why[0] == '\0')
        text_set(why, REASON_SIZE,
                 slice_of(err == CLU_ENOENT  ? "it is not there"
                          : err == CLU_ESIZE ? "it is larger than 1 MiB"
                                             : clu_strerror(err)));
    return err;
}

bool conf_read(struct loading *l, const char *path, const char *what, struct buf *text)
{
    char why[REASON_SIZE];
    clu_error err = conf_try(l, path, text, why);

    return err == CLU_OK || conf_say(l, "%s: %.200s cannot be read: %s", what, path, why);
}

bool conf_take_environment(struct loading *l)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *o = &conf_options[i];
        const char *value;

        if (o->env == NULL || (o->env_commands & command_bit(l->in->command)) == 0)
            continue;
        value = conf_env(l, o->env);
        if (value != NULL &&
            conf_give(l, (enum option_id)i, SOURCE_ENVIRONMENT, slice_of(value), o->env) == NULL)
            return false;
    }
    return true;
}

/* The highest source that has a value for the option; false when none has. */
static bool best_source(const struct loading *l, enum option_id option, enum source_rank *best)
{
    bool found = false;

    for (size_t i = 0; i < l->n_given; i++) {
        const struct given *g = &l->given[i];

        if (g->option == option && (!found || g->source > *best)) {
            *best = g->source;
            found = true;
        }
    }
    return found;
}

static bool apply_one(struct loading *l, const struct given *g)
{
    const struct option *o = &conf_options[g->option];
    const char *wrong = g->wrong;

    if (g->unset[0] != '\0')
        return conf_say(l, "%s: the environment has no %s", g->where, g->unset);
    if (wrong == NULL)
        wrong = o->set(l, g, (char *)l->out + o->field);
    if (wrong == NULL)
        return true;
    if (l->err != CLU_OK)
        return false;
    if (o->secret)
        return conf_say(l, "%s %s", g->where, wrong);
    return conf_say(l, "%s: `%.100s` %s", g->where, g->text, wrong);
}

bool conf_apply(struct loading *l)
{
    for (size_t option = 0; option < OPTIONS; option++) {
        enum source_rank best = SOURCE_ENVIRONMENT;

        if (conf_options[option].set == NULL || !best_source(l, (enum option_id)option, &best))
            continue;
        for (size_t i = 0; i < l->n_given; i++)
            if (l->given[i].option == option && l->given[i].source == best &&
                !apply_one(l, &l->given[i]))
                return false;
    }
    return true;
}
