// SPDX-License-Identifier: Apache-2.0
// The calculator in C++: rpc:call('calc@127.0.0.1', calc, add, [1, 2]).
#include <erlclu/erlclu.h>

static clu_error add(clu_call *call, clu_reader *args, void *)
{
    int64_t a, b, sum;

    if (clu_match(args, "[~i,~i]", &a, &b) != CLU_OK || __builtin_add_overflow(a, b, &sum))
        return CLU_EBADARG;
    return clu_reply(call, "~i", sum);
}

int main()
{
    clu_options options = {};

    options.name = "calc";
    clu_node *node = clu_node_new(&options);

    clu_export(node, "calc", "add", 2, add, nullptr);
    return clu_main(node);
}
