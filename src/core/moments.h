/* SPDX-License-Identifier: MIT */
/*
 * Moments: the plan of one rate, shared by several engines
 *
 * All engines share one sequence of moments (rate.h). An engine with waiting requests leases the
 * next moments, a few at a time if they are close together. Each moment belongs to one engine, so
 * all engines together keep to the rate. An engine whose turn comes late keeps its moments, as the
 * plan does. The plan begins anew when no engine has waiting requests.
 */
#ifndef CORE_MOMENTS_H
#define CORE_MOMENTS_H

#include "rate.h"
#include <pthread.h>
#include <stddef.h>

#define MOMENTS_LEASED_MAX 16

struct moments {
        pthread_mutex_t lock;
        struct rate rate;    /* guarded by the lock, like all members below */
        unsigned n_planning; /* engines with waiting requests */
};

void moments_init(struct moments *moments, double per_s);
void moments_deinit(struct moments *moments);

/* One engine's lease. Zeroed with `of` set it is empty. */
struct moments_lease {
        struct moments *of;
        uint64_t at_ns[MOMENTS_LEASED_MAX];
        unsigned first, n;
        bool is_planning;
};

/* This engine has waiting requests from now on, and wants a moment at `from_ns` or later. */
void moments_begin(struct moments_lease *lease, uint64_t from_ns);

/* This engine has no waiting requests any more. Unused moments of the lease are lost. */
void moments_end(struct moments_lease *lease);

/*
 * The next moment of this engine, in which `n_waiting` requests wait; leases more if none is left.
 * Only between moments_begin() and moments_end().
 */
uint64_t moments_next_ns(struct moments_lease *lease, size_t n_waiting);

/* Use up the next moment. */
uint64_t moments_use(struct moments_lease *lease, size_t n_waiting);

#endif
