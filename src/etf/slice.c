/* SPDX-License-Identifier: Apache-2.0 */
#include <erlclu/etf.h>

#include "base/base.h"

clu_slice clu_slice_of(const char *text)
{
    return slice_of(text);
}

bool clu_slice_is(clu_slice s, const char *text)
{
    return slice_is(s, text);
}

bool clu_slice_equal(clu_slice a, clu_slice b)
{
    return slice_equal(a, b);
}
