/* SPDX-License-Identifier: Apache-2.0 */

/* The main of a fuzz target without libFuzzer: runs it once on every file of the directories named
 * on the command line, and on no input at all. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Largest seed; more is cut. */
#define SEED_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *directory, const char *name)
{
    char path[4096];
    uint8_t *data = malloc(SEED_MAX);

    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");

    if (file == NULL || data == NULL) {
        perror(path);
        free(data);
        return 1;
    }
    size_t size = fread(data, 1, SEED_MAX, file);
    /* a block of the exact size: a read behind the input is seen */
    uint8_t *input = realloc(data, size > 0 ? size : 1);

    fclose(file);
    LLVMFuzzerTestOneInput(input, size);
    free(input);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    size_t n = 0;

    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);

        if (directory == NULL) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *e; (e = readdir(directory)) != NULL;)
            if (e->d_name[0] != '.') {
                failed |= replay(argv[i], e->d_name);
                n++;
            }
        closedir(directory);
    }
    printf("%zu inputs\n", n);
    return failed != 0 || n == 0;
}
