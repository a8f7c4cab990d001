/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "conf/options.h"

/* One row a flag that erlclu understands; those of -kernel take a value each. */
static const struct {
    const char *flag;
    enum option_id option;
    const char *wrong; /* it is understood, but erlclu cannot do it */
} flags[] = {
    {"-name", OPT_NAME, NULL},
    {"-sname", OPT_NAME, "is a short name: erlclu has long ones, so give -name NAME@HOST"},
    {"-setcookie", OPT_COOKIE, NULL},
    {"-hidden", OPT_HIDDEN, NULL},
    {"-proto_dist", OPT_PROTO_DIST, NULL},
    {"-start_epmd", OPT_START_EPMD, NULL},
    {"-erl_epmd_port", OPT_EPMD_LESS_PORT, NULL},
};

static const struct {
    const char *key;
    enum option_id option;
} kernel_keys[] = {
    {"inet_dist_listen_min", OPT_LISTEN_MIN},
    {"inet_dist_listen_max", OPT_LISTEN_MAX},
    {"inet_dist_use_interface", OPT_LISTEN_ADDRESS},
    {"erl_epmd_node_listen_port", OPT_EPMD_LESS_PORT},
    {"net_ticktime", OPT_TICKTIME},
    {"net_tickintensity", OPT_TICK_INTENSITY},
    {"net_setuptime", OPT_SETUP_TIME},
};

/* A file being taken in. */
struct file {
    struct loading *l;
    const char *path;
};

/* Keeps a value of the flag, or of the key of -kernel; line and variables are those of `word`. */
static bool give(struct file *f, enum option_id option, const char *flag, const char *value,
                 const struct vm_word *word)
{
    char where[sizeof f->l->given->where];

    snprintf(where, sizeof where, "%.60s line %u, %s", f->path, (unsigned)word->line, flag);
    struct given *g = conf_give(f->l, option, SOURCE_ARGS_FILE, slice_of(value), where);

    if (g == NULL)
        return false;
    memcpy(g->unset, word->unset, sizeof g->unset);
    return true;
}

/* A flag that is understood, but cannot be followed. */
static bool give_wrong(struct file *f, size_t row, const struct vm_flag *flag, const char *wrong)
{
    const char *value = flag->n_values > 0 ? flag->values[0].text : "";

    if (!give(f, flags[row].option, flags[row].flag, value, flag->flag))
        return false;
    f->l->given[f->l->n_given - 1].wrong = wrong;
    return true;
}

/* Values are not told, nor words that may be one: any may be a secret. */
static bool pass_over(struct file *f, uint32_t line, const char *flag, const char *reason)
{
    char what[SPEC_SIZE];

    snprintf(what, sizeof what, "%.80s line %u%s%.*s", f->path, (unsigned)line,
             flag[0] == '\0' ? "" : ": ", (int)min_u64(strcspn(flag, "="), 100), flag);
    return conf_note_that(f->l, what, reason);
}

static bool pass_over_flag(struct file *f, const struct vm_word *flag)
{
    return pass_over(f, flag->line, flag->text, "passed over: it means nothing to erlclu");
}

/* `-kernel KEY VALUE [KEY VALUE...]` */
static bool take_kernel(struct file *f, const struct vm_flag *flag)
{
    static const char unknown_key[] = "passed over: a key that means nothing to erlclu";

    for (size_t i = 0; i + 1 < flag->n_values; i += 2) {
        const struct vm_word *key = &flag->values[i];
        size_t row = 0;

        while (row < COUNT(kernel_keys) && strcmp(kernel_keys[row].key, key->text) != 0)
            row++;
        bool ok = row == COUNT(kernel_keys)
                      ? pass_over(f, key->line, flag->flag->text, unknown_key)
                      : give(f, kernel_keys[row].option, key->text, key[1].text, &key[1]);

        if (!ok)
            return false;
    }
    return true;
}

/* `-setcookie NODE COOKIE` is for one peer. */
static bool take_peer_cookie(struct file *f, const struct vm_flag *flag)
{
    const struct vm_word *node = &flag->values[0], *cookie = &flag->values[1];
    struct buf both = {0};

    buf_printf(&both, "%s %s", node->text, cookie->text);
    bool ok = give(f, OPT_PEER_COOKIE, flag->flag->text, buf_text(&both),
                   node->unset[0] == '\0' ? cookie : node);

    buf_free(&both);
    return ok;
}

static bool take_known(struct file *f, size_t row, const struct vm_flag *flag)
{
    enum option_id option = flags[row].option;

    if (flags[row].wrong != NULL)
        return give_wrong(f, row, flag, flags[row].wrong);
    if (option == OPT_HIDDEN)
        return give(f, option, flags[row].flag, "", flag->flag);
    if (flag->n_values == 0)
        return give_wrong(f, row, flag, "needs a value");
    if (option == OPT_COOKIE && flag->n_values > 2)
        return give_wrong(f, row, flag,
                          "takes COOKIE, or NODE COOKIE: a cookie with blanks needs quotes");
    if (option == OPT_COOKIE && flag->n_values == 2)
        return take_peer_cookie(f, flag);
    return give(f, option, flags[row].flag, flag->values[0].text, &flag->values[0]);
}

static bool take_flag(struct file *f, const struct vm_flag *flag)
{
    if (flag->flag == NULL)
        return pass_over(f, flag->values->line, "", "passed over: words before the first flag");
    if (strcmp(flag->flag->text, "-kernel") == 0)
        return take_kernel(f, flag);
    for (size_t row = 0; row < COUNT(flags); row++)
        if (strcmp(flags[row].flag, flag->flag->text) == 0)
            return take_known(f, row, flag);
    return pass_over_flag(f, flag->flag);
}

static bool take_all(struct file *f, const struct vm_args *v)
{
    static const char comment[] = "passed over: % begins no comment (# does), erl takes this line "
                                  "for values of the flag before it";
    struct vm_flag flag;
    bool ok = true;

    for (size_t i = 0; ok && i < v->n_passed; i++)
        ok = pass_over(f, v->passed[i].line, "%", comment);
    for (size_t at = 0; ok && vm_args_next(v, &at, &flag);)
        ok = take_flag(f, &flag);
    return ok;
}

static const char *look_up(void *arg, const char *name)
{
    const struct loading *l = arg;

    return l->in->env == NULL ? NULL : l->in->env(l->in->arg, name);
}

bool conf_take_args_file(struct loading *l, const char *path, const char *what)
{
    struct file f = {.l = l, .path = path};
    struct buf text = {0};
    struct vm_args v = {0};
    bool ok = conf_read(l, path, what, &text);

    if (ok)
        ok = vm_args_parse(&v, buf_slice(&text), look_up, l) == CLU_OK ? take_all(&f, &v)
                                                                       : conf_no_memory(l);
    vm_args_fini(&v);
    buf_free(&text);
    return ok;
}
