/* SPDX-License-Identifier: Apache-2.0
 *
 * All of the library's declarations. `pkg-config erlclu` says how to build against it.
 */
#ifndef ERLCLU_ERLCLU_H
#define ERLCLU_ERLCLU_H

#include <erlclu/call.h>
#include <erlclu/error.h>
#include <erlclu/etf.h>
#include <erlclu/format.h>
#include <erlclu/global.h>
#include <erlclu/node.h>
#include <erlclu/pg.h>
#include <erlclu/process.h>
#include <erlclu/talk.h>

#endif
