/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_METRICS_H
#define VIEW_METRICS_H

#include "base/buf.h"
#include "model/snapshot.h"

/* The media type of metrics_put's text. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* metrics_put: a snapshot in Prometheus' text format, version 0.0.4. */
void metrics_put(struct buf *out, const struct snapshot *s);

#endif
