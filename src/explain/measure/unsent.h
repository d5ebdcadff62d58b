/* SPDX-License-Identifier: MIT */
/*
 * Unsent: requests that gave up before they had a slot
 */
#ifndef EXPLAIN_UNSENT_H
#define EXPLAIN_UNSENT_H

#include <explain/facts/facts.h>

bool unsent_is_one(const struct trace_attempt *attempt);
size_t unsent_count(const struct facts *facts);

#endif
