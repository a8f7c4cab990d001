/* SPDX-License-Identifier: Apache-2.0
 *
 * What the three clients have in common: the clock, the sizes, and how a figure is printed. A line
 * is `WHAT SIZE VALUE...`: messages a second, or p50 and p99 of a round trip in microseconds. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const struct {
    size_t size;
    long count;
} loads[] = {{16, 300000}, {1024, 200000}, {65536, 8000}, {1 << 20, 500}};

#define REPEATS     5
#define ROUND_TRIPS 20000
#define WARM_UP     2000

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
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

static inline void print_trips(const char *what, double *seconds)
{
    qsort(seconds, ROUND_TRIPS, sizeof *seconds, by_size);
    printf("%s 16 %.2f %.2f\n", what, seconds[ROUND_TRIPS / 2] * 1e6,
           seconds[ROUND_TRIPS * 99 / 100] * 1e6);
    fflush(stdout);
}

static inline void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

#endif
