/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/nearest.h"
#include "conf/options.h"

/* The words of the command line. */
struct words {
    struct loading *l;
    size_t at;
};

#define NO_COOKIE                                                                                  \
    "a cookie is never given on the command line, where others see it: RELEASE_COOKIE or "         \
    "--cookie-file"

/* Options that are none: of the documentation, which this version does not have, and of Erlang's. A
 * dash at the end: so they begin. */
static const struct {
    const char *word, *why;
} refused[] = {
    {"--tls-", "TLS between nodes is not built in"},
    {"--mesh-interval", "the matrix of the mesh is not built in"},
    {"--journal", "the journal is not built in"},
    {"--token-file", "access tokens are not built in"},
    {"--cookie", NO_COOKIE},
    {"-cookie", NO_COOKIE},
    {"--setcookie", NO_COOKIE},
    {"-setcookie", NO_COOKIE},
};

static bool is_refused(const char *row, const char *word, size_t len)
{
    size_t n = strlen(row);

    return n <= len && memcmp(row, word, n) == 0 && (n == len || row[n - 1] == '-');
}

static const char *nearest_option(enum conf_command command, const char *word, size_t len)
{
    struct nearest n = {.word = {(const uint8_t *)word, len}};

    for (size_t i = 0; i < OPTIONS; i++)
        if (conf_options[i].name != NULL && (conf_options[i].commands & command_bit(command)) != 0)
            nearest_try(&n, conf_options[i].name);
    return n.best;
}

/* A value is not repeated: it may be a cookie. */
static bool refuse_unknown(struct loading *l, const char *word, size_t len)
{
    const char *command = conf_command_word(l->in->command);
    const char *nearest = nearest_option(l->in->command, word, len);
    int shown = len < 60 ? (int)len : 60;

    for (size_t i = 0; i < COUNT(refused); i++)
        if (is_refused(refused[i].word, word, len))
            return conf_say(l, "%.*s: %s", shown, word, refused[i].why);
    if (nearest != NULL)
        return conf_say(l, "unknown option %.*s: did you mean %s? erlclu %s --help lists all",
                        shown, word, nearest, command);
    return conf_say(l, "unknown option %.*s: erlclu %s --help lists those that there are", shown,
                    word, command);
}

/* "--name is an option of run, discover and ping, not of nodes" */
static bool refuse_here(struct loading *l, const struct option *o)
{
    struct buf names = {0};
    bool first = true;

    for (size_t i = 0; i < CONF_COMMANDS; i++)
        if ((o->commands & command_bit((enum conf_command)i)) != 0) {
            buf_printf(&names, "%s%s", first ? "" : ", ", conf_command_word((enum conf_command)i));
            first = false;
        }
    const char *text = buf_text(&names);

    if (names.err != CLU_OK)
        conf_no_memory(l);
    else
        conf_say(l, "%s is an option of %s, not of %s", o->name, text,
                 conf_command_word(l->in->command));
    buf_free(&names);
    return false;
}

/* The option of a word "--name" or "--name=value". */
static const struct option *find_option(const char *word, size_t len)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (conf_options[i].name != NULL && strlen(conf_options[i].name) == len &&
            memcmp(conf_options[i].name, word, len) == 0)
            return &conf_options[i];
    return NULL;
}

static bool give(struct loading *l, const struct option *o, const char *value)
{
    return conf_give(l, (enum option_id)(o - conf_options), SOURCE_COMMAND_LINE, slice_of(value),
                     o->name) != NULL;
}

/* A flag has no value, or one that is a word of its own. */
static bool take_flag(struct loading *l, const struct option *o, const char *value)
{
    bool has_word = (o->word_commands & command_bit(l->in->command)) != 0;

    if (value == NULL || (has_word && strcmp(value, o->word) == 0))
        return give(l, o, value == NULL ? "" : value);
    if (has_word)
        return conf_say(l, "%s takes no value but %s", o->name, o->word);
    return conf_say(l, "%s takes no value", o->name);
}

static bool take_option(struct words *w, const char *word)
{
    struct loading *l = w->l;
    size_t len = strcspn(word, "=");
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    const struct option *o = find_option(word, len);

    if (o == NULL)
        return refuse_unknown(l, word, len);
    if ((o->commands & command_bit(l->in->command)) == 0)
        return refuse_here(l, o);
    if (o->arg == NULL)
        return take_flag(l, o, value);
    if (value == NULL && w->at < l->in->argc)
        value = l->in->argv[w->at++];
    if (value == NULL)
        return conf_say(l, "%s needs %s behind it", o->name, o->arg);
    return give(l, o, value);
}

static bool take_argument(struct loading *l, const char *word)
{
    struct conf *c = l->out;

    if (l->in->command == CMD_DISCOVER || l->in->command == CMD_WAIT)
        return give(l, &conf_options[OPT_DISCOVER], word);
    char **args = reallocarray(c->args, c->n_args + 1, sizeof *args);

    if (args == NULL)
        return conf_no_memory(l);
    c->args = args;
    args[c->n_args] = strdup(word);
    if (args[c->n_args] == NULL)
        return conf_no_memory(l);
    c->n_args++;
    return true;
}

static bool check_number(struct loading *l)
{
    const struct role *role = &conf_roles[l->in->command];
    size_t n = l->out->n_args;
    const char *word = conf_command_word(l->in->command);

    if (l->in->command == CMD_CALL && n == 2 && strchr(l->out->args[1], ':') != NULL)
        return conf_say(l, "MOD and FUN are two words, with a blank between: not `%.60s`",
                        l->out->args[1]);
    if (n < role->min_args)
        return conf_say(l, "erlclu %s needs %s: erlclu %s --help says more", word,
                        conf_command_arguments(l->in->command), word);
    if (n > role->max_args && role->stray != NULL)
        return conf_say(l, "erlclu %s has no use for `%.60s`: %s", word,
                        l->out->args[role->max_args], role->stray);
    if (n > role->max_args)
        return conf_say(l, "erlclu %s has no use for `%.60s`: erlclu %s --help says more", word,
                        l->out->args[role->max_args], word);
    return true;
}

/* Help is given whatever else the line says. */
static bool asks_for_help(const struct conf_input *in)
{
    for (size_t i = 0; i < in->argc && strcmp(in->argv[i], "--") != 0; i++)
        if (strcmp(in->argv[i], "--help") == 0 || strcmp(in->argv[i], "-h") == 0)
            return true;
    return false;
}

/* No option begins with a digit: -5 is a number, as a TERM may be. */
static bool looks_like_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && (word[1] < '0' || word[1] > '9');
}

bool conf_take_words(struct loading *l)
{
    const struct conf_input *in = l->in;
    struct words w = {.l = l};
    bool options = true;

    l->out->help = asks_for_help(in);
    while (w.at < in->argc && !l->out->help) {
        const char *word = in->argv[w.at++];
        bool is_option = options && looks_like_option(word);

        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (!(is_option ? take_option(&w, word) : take_argument(l, word)))
            return false;
    }
    return l->out->help || check_number(l);
}
