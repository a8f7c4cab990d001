/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_SOURCE_POLLED_H
#define FIND_SOURCE_POLLED_H

#include "find/dns_answer.h"
#include "find/schedule.h"
#include "find/source_impl.h"

/* What the sources share that ask the DNS for one name, round by round: only source*.c include
 * this. */

struct polled {
    struct source source;
    char name[HOST_NAME_SIZE]; /* without a final dot */
    struct schedule when;
    uint64_t begun_ms;  /* the present round */
    bool running;       /* a round is under way */
    bool changed;       /* the present round changed what is listed */
    bool saw_us;        /* once, in some answer */
    bool emptied;       /* all that was listed is gone, and that is believed */
    unsigned unchanged; /* complete rounds in a row that changed nothing */
};

/* How a round ended. */
struct round_end {
    enum result_kind kind;
    bool doubted;   /* it is PARTIAL because it is not believed, not because something failed */
    uint32_t ttl_s; /* how long the answer holds */
    bool sees_us;
};

/* For rows of schemes. */
void polled_init(struct source *s);
clu_error polled_open(struct source *s, const char *body, char why[REASON_SIZE]);
void polled_start(struct source *s, uint64_t now_ms);
void polled_poke(struct source *s, uint64_t now_ms);
void polled_calm(struct source *s, uint64_t since_ms);
/* polled_deadline: of the next round; NEVER while one is under way. */
uint64_t polled_deadline(const struct source *s);

/* polled_query: the need of records of the name; counted. */
void polled_query(struct polled *p, uint16_t type, struct need *need);
/* polled_begin: whether a round is due; it begins then. */
bool polled_begin(struct polled *p, uint64_t now_ms);
/* polled_believe: what an answer is worth that was taken in: less than it says while it is doubted;
 * and one that there is nothing is complete once what was listed is gone (is_empty). */
enum result_kind polled_believe(struct polled *p, enum result_kind answered, bool doubted,
                                bool is_empty);
/* polled_end: fills the row but for answer and reason, and plans the next round. */
void polled_end(struct polled *p, const struct round_end *end, uint64_t now_ms);
/* polled_explain_answer: the answer's reason and who was asked, into row.reason; type: of which
 * records, or NULL. */
void polled_explain_answer(struct polled *p, const char *type, const struct dns_answer *a);
/* polled_explain_us: what a complete answer without our own address means, into row.reason; ""
 * while nothing is to be said. */
void polled_explain_us(struct polled *p, uint64_t now_ms);
/* polled_explain_doubt: that so many of the listed are gone at once. */
void polled_explain_doubt(struct polled *p, size_t n_gone, size_t n_listed);

#endif
