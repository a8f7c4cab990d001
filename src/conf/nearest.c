/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/nearest.h"

/* Longer words are near to nothing; no option has as many letters. */
#define LETTERS_MAX 31
#define MISTAKES    2
/* "--" and a letter begin too many. */
#define BEGUN_MIN 4

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* What Damerau and Levenshtein count, no letter being moved twice. */
static size_t distance(clu_slice a, clu_slice b)
{
    size_t d[LETTERS_MAX + 1][LETTERS_MAX + 1];

    for (size_t i = 0; i <= a.len; i++)
        for (size_t j = 0; j <= b.len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            size_t same = a.data[i - 1] == b.data[j - 1] ? 0 : 1;
            bool swapped =
                i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1];

            d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + same);
            if (swapped && d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    return d[a.len][b.len];
}

/* A word that was not finished is nearer than another one of its length. */
static size_t mistakes_of(clu_slice word, clu_slice other)
{
    size_t n = distance(word, other);
    bool begun = word.len >= BEGUN_MIN && word.len < other.len &&
                 memcmp(word.data, other.data, word.len) == 0;

    return begun && n > 1 ? 1 : n;
}

void nearest_try(struct nearest *n, const char *text)
{
    clu_slice other = slice_of(text);

    if (n->word.len > LETTERS_MAX || other.len > LETTERS_MAX)
        return;
    size_t mistakes = mistakes_of(n->word, other);

    if (mistakes > MISTAKES || 2 * mistakes > n->word.len ||
        (n->best != NULL && mistakes >= n->distance))
        return;
    n->best = text;
    n->distance = mistakes;
}
