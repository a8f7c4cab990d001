/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "conf/vm_args.h"

/* Some names are set, one is empty, the others are not set. */
static const char *look_up(void *arg, const char *name)
{
    (void)arg;
    if (name[0] == 'S')
        return "some 'value' #\n%";
    return name[0] == 'E' ? "" : NULL;
}

/* The flags and their values are all the words, each once and in order; lines do not go back; what
 * was passed over lies inside of the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vm_args v;
    struct vm_flag flag;
    size_t seen = 0;

    if (vm_args_parse(&v, (clu_slice){data, size}, look_up, NULL) == CLU_OK) {
        for (size_t at = 0; vm_args_next(&v, &at, &flag); seen = at) {
            assert(at > seen && at - seen == flag.n_values + (flag.flag != NULL));
            assert(flag.flag == NULL || flag.flag == &v.words[seen]);
        }
        assert(seen == v.n_words);
        for (size_t i = 1; i < v.n_words; i++)
            assert(v.words[i - 1].line <= v.words[i].line);
        for (size_t i = 0; i < v.n_passed; i++)
            assert(v.passed[i].text.data >= data &&
                   v.passed[i].text.data + v.passed[i].text.len <= data + size);
    }
    vm_args_fini(&v);
    return 0;
}
