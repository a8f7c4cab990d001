/* SPDX-License-Identifier: Apache-2.0
 *
 * What the three clients have in common: the clock, the sizes, and how a figure is printed. A line
 * is `WHAT SIZE VALUE...`: messages a second; or p50 and p99 of a round trip, and what it costs
 * this end in CPU time, in microseconds. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const struct {
    size_t size;
    long count;
} loads[] = {{16, 300000}, {1024, 200000}, {65536, 8000}, {1 << 20, 500}};

#define REPEATS     5
#define ROUND_TRIPS 20000
#define WARM_UP     2000

static inline double clock_s(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double now_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static inline void print_rates(const char *what, size_t size, double *rates)
{
    qsort(rates, REPEATS, sizeof *rates, by_size);
    printf("%s %zu %.0f\n", what, size, rates[REPEATS / 2]);
    fflush(stdout);
}

static inline void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* ---- round trips ---- */

struct trips {
    double seconds[ROUND_TRIPS], began, cpu;
    long n; /* the first ones warm up */
};

static inline void trip_begins(struct trips *t)
{
    if (t->n == WARM_UP)
        t->cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    t->began = now_s();
}

/* Whether that was the last one. */
static inline bool trip_ends(struct trips *t)
{
    if (t->n >= WARM_UP)
        t->seconds[t->n - WARM_UP] = now_s() - t->began;
    return ++t->n == WARM_UP + ROUND_TRIPS;
}

/* The next ones begin anew. */
static inline void print_trips(const char *what, struct trips *t)
{
    double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - t->cpu;

    qsort(t->seconds, ROUND_TRIPS, sizeof *t->seconds, by_size);
    printf("%s 16 %.2f %.2f %.2f\n", what, t->seconds[ROUND_TRIPS / 2] * 1e6,
           t->seconds[ROUND_TRIPS * 99 / 100] * 1e6, cpu / ROUND_TRIPS * 1e6);
    fflush(stdout);
    t->n = 0;
}

/* ---- pings beside a large message ---- */

#define GIGABYTE  ((size_t)1 << 30)
#define PINGS_MAX 1000000

struct pings {
    double seconds[PINGS_MAX];
    long n;
};

static inline void ping_ends(struct pings *p, double began)
{
    if (p->n < PINGS_MAX)
        p->seconds[p->n++] = now_s() - began;
}

static inline void print_pings(struct pings *p)
{
    static const struct {
        const char *name;
        long of_1000;
    } rows[] = {{"p50", 500}, {"p99", 990}, {"longest", 1000}};

    if (p->n == 0)
        die("not one ping was answered");
    qsort(p->seconds, (size_t)p->n, sizeof *p->seconds, by_size);
    for (size_t i = 0; i < COUNT(rows); i++)
        printf("gigabyte_%s 16 %.2f\n", rows[i].name,
               p->seconds[(p->n - 1) * rows[i].of_1000 / 1000] * 1e6);
    fflush(stdout);
    p->n = 0;
}

/* ---- what to measure ---- */

/* Round trips, or a rate at each size. The table's last row has no name. */
struct measure {
    const char *name;
    void (*trips)(void);
    void (*rates)(size_t size, long count);
};

static inline void measure_one(const struct measure *m, size_t size)
{
    if (m->trips != NULL)
        m->trips();
    for (size_t i = 0; m->rates != NULL && i < COUNT(loads); i++)
        if (size == 0 || size == loads[i].size)
            m->rates(loads[i].size, loads[i].count);
}

/* Each word is the name of a measure, or NAME:SIZE for one size only. */
static inline void measure_all(const struct measure *all, char **words)
{
    for (; *words != NULL; words++) {
        const struct measure *m = all;
        size_t len = strcspn(*words, ":");

        while (m->name != NULL && (strlen(m->name) != len || memcmp(m->name, *words, len) != 0))
            m++;
        if (m->name == NULL)
            die(*words);
        measure_one(m, (*words)[len] == '\0' ? 0 : strtoul(*words + len + 1, NULL, 10));
    }
}

#endif
