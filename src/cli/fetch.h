/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include <jansson.h>

#include "conf/conf.h"

/* fetch_cluster: /api/v1/cluster of the node at --http. EXIT_DONE, or a status after words why not;
 * on success the caller owns *document. */
int fetch_cluster(const struct conf *c, json_t **document);
/* fetch_fail: the status and the sentence for an http_get of this path that failed. */
int fetch_fail(const struct addr *at, const char *path, clu_error err);

#endif
