/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
int call_main(const struct conf *c)
{
    (void)c;
    return 1;
}
