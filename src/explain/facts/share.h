/* SPDX-License-Identifier: MIT */
/*
 * The shares
 *
 * Every moment of the wall time is divided among the requests that had a slot then, by what each
 * was doing. Queued requests do not count, else the queue would swallow all. A moment in which no
 * request had a slot goes to what they waited for: a rate, a back-off, the input. The shares add up
 * to the wall time exactly, to the nanosecond.
 */
#ifndef EXPLAIN_SHARE_H
#define EXPLAIN_SHARE_H

#include "facts.h"

/* MUSTER_E_RESOURCE. */
int share_sweep(const struct facts *facts, uint64_t part_ns[PART_N]);

#endif
