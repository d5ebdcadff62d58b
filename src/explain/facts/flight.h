/* SPDX-License-Identifier: MIT */
/*
 * How many were in flight, and how many waited, at any moment
 *
 * Fills what facts.h has under "Concurrency", by going through the moments at which attempts
 * entered the queue, got their slots and ended.
 */
#ifndef EXPLAIN_FLIGHT_H
#define EXPLAIN_FLIGHT_H

#include "facts.h"

/* Needs start_ns, end_ns and n_attempts. MUSTER_E_RESOURCE. */
int flight_measure(struct facts *facts);

#endif
