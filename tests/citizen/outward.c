/* SPDX-License-Identifier: Apache-2.0 */
#include "citizen.h"

void outward_export(clu_node *node)
{
    (void)node;
}
