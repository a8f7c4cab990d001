/* SPDX-License-Identifier: Apache-2.0 */
#include <erlclu/public.h>

long bad_now(const char *text);
