/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_WORDS_H
#define FIND_WORDS_H

#include "model/model.h"

/* say: writes a sentence for people into a reason field, cut at its size. */
void say(char reason[REASON_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* say_servers: appends the DNS servers in parentheses behind words: " (asked: 10.0.0.1)"; nothing
 * where there are none. conf may be NULL. */
struct resolv_conf;
void say_servers(char reason[REASON_SIZE], const char *words, const struct resolv_conf *conf);

/* host_name_problem: NULL when the text is a DNS name (letters, digits, '-', '_', labels of 1 to 63
 * bytes, 253 bytes in all, a final dot allowed), else what is wrong with it, as the end of a
 * sentence: "has an empty label". */
const char *host_name_problem(const char *name);
/* host_name_same: equal but for case and a final dot. */
bool host_name_same(const char *a, const char *b);

/* A Service as Kubernetes' DNS names it: NAME.NS.svc.ZONE. */
struct service_name {
    char name[LABEL_SIZE], ns[LABEL_SIZE];
    char zone[HOST_NAME_SIZE];
};

/* service_name_parse: of NAME.NS.svc.ZONE, or _PORT._PROTOCOL.NAME.NS.svc.ZONE, without a final
 * dot; false, and all "", for other names. */
bool service_name_parse(const char *name, struct service_name *out);
/* node_base_problem: the same for what stands before the '@' of a node name. */
const char *node_base_problem(const char *base);

#endif
