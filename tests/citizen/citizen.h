/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CITIZEN_H
#define TESTS_CITIZEN_H

#include <erlclu/erlclu.h>

/* outward_export: functions by which the node calls others, and says what came of it. */
void outward_export(clu_node *node);
/* large_start: processes that take and give large messages. */
void large_start(clu_node *node);
/* brimful_start: a server that answers when its link is full. */
void brimful_start(clu_node *node);
/* subject_start: the process that does what it is told (subject.h). */
void subject_start(clu_node *node);

#endif
