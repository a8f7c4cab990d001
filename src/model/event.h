/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include "model/model.h"

enum event_level {
    LEVEL_DEBUG,
    LEVEL_INFO,
    LEVEL_WARNING,
    LEVEL_ERROR,
    LEVEL_NONE, /* of a log: nothing is shown */
};

/* The one table of events: id, word, level, sentence. {node} {address} {stage} {reason} {number}
 * {what} stand for the event's fields. It feeds log, journal, event stream and counters. */
#define EVENT_MAP(X)                                                                               \
    X(EVENT_STARTED, "started", LEVEL_INFO,                                                        \
      "this node is {node}, creation {number}, at {address}")                                      \
    X(EVENT_STOPPED, "stopped", LEVEL_INFO, "{node} stops: {reason}")                              \
    X(EVENT_SETTING, "setting", LEVEL_WARNING, "{what}: {reason}")                                 \
    X(EVENT_COOKIE, "cookie", LEVEL_INFO,                                                          \
      "the cookie was read anew ({what}); the one before is good for {number} s more")             \
    X(EVENT_FATAL, "fatal", LEVEL_ERROR, "{reason}")                                               \
    X(EVENT_NODE_UP, "node_up", LEVEL_INFO, "linked with {node} at {address}")                     \
    X(EVENT_NODE_DOWN, "node_down", LEVEL_WARNING, "lost {node} at {address}: {reason}")           \
    X(EVENT_NODE_REPLACED, "node_replaced", LEVEL_INFO,                                            \
      "{node} came back as a new incarnation, creation {number}")                                  \
    X(EVENT_TWINS, "twins", LEVEL_WARNING,                                                         \
      "two nodes are called {node} and take each other's place: that of creation {number}, at "    \
      "{address}, has come back; rename one")                                                      \
    X(EVENT_DIAL_FAILED, "dial_failed", LEVEL_WARNING, "{place}: {stage}: {reason}")               \
    X(EVENT_REJECTED, "rejected", LEVEL_WARNING, "refused {node} from {address}: {reason}")        \
    X(EVENT_PROTOCOL, "protocol", LEVEL_WARNING,                                                   \
      "closed the link to {node} at {address}: {reason}")                                          \
    X(EVENT_DISCOVERY, "discovery", LEVEL_INFO, "{what}: {number} listed")                         \
    X(EVENT_DISCOVERY_FAILED, "discovery_failed", LEVEL_WARNING, "{what}: {reason}")               \
    X(EVENT_NO_DISCOVERY, "no_discovery", LEVEL_INFO,                                              \
      "{what}: this node looks for nobody, and waits to be dialled")                               \
    X(EVENT_LISTED, "listed", LEVEL_INFO, "{what} lists {place}")                                  \
    X(EVENT_UNLISTED, "unlisted", LEVEL_INFO, "{what} no longer lists {place}: {reason}")          \
    X(EVENT_RECONNECTED, "reconnected", LEVEL_INFO,                                                \
      "{node} opened a new link from {address}; the older one is closed")                          \
    X(EVENT_VISIT, "visit", LEVEL_DEBUG, "{node} came from {address}: a command")                  \
    X(EVENT_VISIT_ENDED, "visit_ended", LEVEL_DEBUG, "{node} left: {reason}")                      \
    X(EVENT_REJECTED_MORE, "rejected_more", LEVEL_WARNING,                                         \
      "{number} more connections were refused, too many to tell one by one")                       \
    X(EVENT_LIMIT, "limit", LEVEL_WARNING, "{what}: {reason}")                                     \
    X(EVENT_CHANGES, "changes", LEVEL_INFO, "{what}: {number} more changes of the list")           \
    X(EVENT_NOT_READING, "not_reading", LEVEL_WARNING,                                             \
      "{node} does not read: {number} bytes wait for it")                                          \
    X(EVENT_READS_AGAIN, "reads_again", LEVEL_INFO, "{node} reads again")                          \
    X(EVENT_ISLANDS, "islands", LEVEL_WARNING,                                                     \
      "{number} groups of living nodes without a known link between them: /api/v1/cluster tells "  \
      "who and why")                                                                               \
    X(EVENT_ONE_MESH, "one_mesh", LEVEL_INFO,                                                      \
      "all living nodes that we know of are one group again")                                      \
    X(EVENT_EPMD, "epmd", LEVEL_INFO, "{reason}")                                                  \
    X(EVENT_EPMD_FAILED, "epmd_failed", LEVEL_WARNING, "{reason}")                                 \
    X(EVENT_HTTP, "http", LEVEL_INFO, "the page is at http://{address}/")                          \
    X(EVENT_READY, "ready", LEVEL_INFO, "ready")                                                   \
    X(EVENT_DRAINING, "draining", LEVEL_INFO,                                                      \
      "draining: readiness is off, links stay until the end")                                      \
    X(EVENT_NOT_READY, "not_ready", LEVEL_WARNING, "not ready: {reason}")                          \
    X(EVENT_GLOBAL, "global", LEVEL_WARNING, "global: {node}: {reason}")                           \
    X(EVENT_GLOBAL_NAME, "global_name", LEVEL_INFO, "global: the name {what}: {reason}")           \
    X(EVENT_LOST_EVENTS, "lost_events", LEVEL_ERROR,                                               \
      "{number} events were dropped: too many at once")                                            \
    X(EVENT_BAD_REPLY, "bad_reply", LEVEL_WARNING, "{what}: its reply has a bad format")

enum event_id {
#define X(id, word, level, sentence) id,
    EVENT_MAP(X)
#undef X
        EVENT_IDS
};

struct event {
    enum event_id id;
    char node[NODE_NAME_SIZE]; /* "" where it has no meaning; so all below */
    struct addr address;
    enum stage stage;
    uint64_t number;
    char what[SPEC_SIZE];
    char reason[REASON_SIZE];
};

#endif
