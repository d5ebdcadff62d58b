/* SPDX-License-Identifier: MIT */
/*
 * What the workers were at
 *
 * The record has when a response was handed over and when it was done. When a worker began with it
 * follows from that: workers take one response after the other, each when it is free.
 */
#ifndef EXPLAIN_CREW_H
#define EXPLAIN_CREW_H

#include <explain/facts/facts.h>

#define CREW_MOST 1024 /* workers that a client may have */

/*
 * How long a worker had each response, by index of the attempt; 0: none had it. *ret_work_ns is
 * NULL when none had any; to be freed with mem_free(). MUSTER_E_RESOURCE.
 */
int crew_work(const struct facts *facts, uint64_t **ret_work_ns);

#endif
