/* SPDX-License-Identifier: MIT */
/*
 * The run as a whole: when it was, what was attempted and requested, what its loop did
 *
 * Each function fills its part of the facts; facts_measure() has the order.
 */
#ifndef EXPLAIN_RUN_H
#define EXPLAIN_RUN_H

#include "facts.h"

/* Fills start_ns, end_ns, wall_ns, what is around it, and is_load. There is an attempt. */
void run_measure_wall(struct facts *facts);

/* Fills what is counted of attempts. */
void run_count_attempts(struct facts *facts);

/*
 * Fills by_request, `all`, and what is counted of requests. MUSTER_E_RESOURCE; MUSTER_E_INPUT: no
 * request has ended.
 */
int run_count_requests(struct facts *facts);

/* Fills what the loop and the processor did between start_ns and end_ns. */
void run_measure_loop(struct facts *facts);

#endif
