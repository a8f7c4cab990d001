/* SPDX-License-Identifier: Apache-2.0 */
#include <erlclu/erlclu.h>

/* rpc:call(Node, calc, add, [A, B]) */
static clu_error add(clu_call *call, clu_reader *args, void *arg)
{
    int64_t a, b, sum;

    (void)arg;
    if (clu_match(args, "[~i,~i]", &a, &b) != CLU_OK || __builtin_add_overflow(a, b, &sum))
        return CLU_EBADARG; /* the caller sees error:badarg */
    return clu_reply(call, "~i", sum);
}

int main(void)
{
    clu_node *node = clu_node_new(&(clu_options){
        .name = "calc", /* at $MY_POD_IP, else at 127.0.0.1 */
        .discover = "dns:erlclu-headless.erlclu.svc.cluster.local",
    });

    clu_export(node, "calc", "add", 2, add, NULL); /* errors stick to the node */
    return clu_main(node);                         /* until SIGTERM; says what failed; frees */
}
