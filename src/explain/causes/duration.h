/* SPDX-License-Identifier: MIT */
/*
 * Durations as options: round figures
 */
#ifndef EXPLAIN_DURATION_H
#define EXPLAIN_DURATION_H

#include "finding.h"
#include <explain/model/replay.h>

/* The next of 1, 2, 5, 10, 20, 50, ... ms. */
uint64_t duration_round_up(uint64_t ns);

/*
 * When to give up on a request that has an attempt longer than `attempt_ns`: a round figure. It
 * leaves requests without such an attempt the time that they took, with all their attempts and the
 * back-off between these.
 */
uint64_t duration_to_give_up(const struct facts *facts, uint64_t attempt_ns);

/* The same for all that were answered, and at least `least_ns`: no answer that came is lost. */
uint64_t duration_that_loses_none(const struct facts *facts, uint64_t least_ns);

/* How many requests that were answered took longer than `most_ns`. */
size_t duration_n_lost(const struct facts *facts, uint64_t most_ns);

/* A round figure as options of muster take it: "200ms", "2s". */
struct words duration_option(uint64_t ns);

/* Give up on a request after `most_ns` with a slot: what it waited for ends then. */
void duration_cut_off(struct replay_request *request, uint64_t most_ns);

#endif
