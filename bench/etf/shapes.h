/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two C programs share: the values of the six shapes, files, and the clock. A program says
 * with a table how it writes a shape, and with one function how it reads any.
 */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOT     0.05 /* seconds that a figure is measured for, at least */
#define N_INTS   100
#define N_PAIRS  50
#define N_PARTS  50
#define N_FLOATS 1000
#define BIN_SIZE (1 << 20)
#define DESC_LEN 40
#define NODE     "n17@10.0.0.17"
#define CREATION 0x65432100u

static char keys[N_PAIRS][16], values[N_PAIRS][24], parts[N_PARTS][16];
static double floats[N_FLOATS];
static char bin[BIN_SIZE];

static void make_values(void)
{
    for (int i = 0; i < N_PAIRS; i++) {
        snprintf(keys[i], sizeof keys[i], "key_%02d", i + 1);
        snprintf(values[i], sizeof values[i], "value_%04d", i + 1);
    }
    for (int i = 0; i < N_PARTS; i++)
        snprintf(parts[i], sizeof parts[i], "section_%d", i + 1);
    for (int i = 0; i < N_FLOATS; i++)
        floats[i] = (i + 1) / 3.0;
    for (int i = 0; i < BIN_SIZE; i++)
        bin[i] = (char)('a' + i % 26);
}

static FILE *open_file(const char *directory, const char *name, const char *ending, const char *how)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s.%s", directory, name, ending);
    FILE *file = fopen(path, how);

    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void save(const char *directory, const char *name, const char *ending, const void *data,
                 size_t len)
{
    FILE *file = open_file(directory, name, ending, "wb");

    if (fwrite(data, 1, len, file) != len || fclose(file) != 0) {
        perror(name);
        exit(1);
    }
}

/* What the BEAM wrote, in static memory. */
static char *load(const char *directory, const char *name, size_t *len)
{
    static char data[2 * BIN_SIZE];
    FILE *file = open_file(directory, name, "etf", "rb");

    *len = fread(data, 1, sizeof data, file);
    fclose(file);
    return data;
}

/* CPU time: what else runs on the machine takes turns, and none of ours. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Prints how often a second `work` can be done. */
static void measure(const char *what, const char *shape, size_t bytes, void (*work)(void))
{
    double t = 0;
    long n;

    for (n = 16; t < SLOT; n *= 2) {
        double start = now();

        for (long i = 0; i < n; i++)
            work();
        t = now() - start;
    }
    printf("%s %s %zu %.0f\n", what, shape, bytes, (double)n / 2 / t);
    fflush(stdout);
}

#endif
