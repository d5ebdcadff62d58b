/* SPDX-License-Identifier: MIT */
/*
 * Moments: the plan of one rate, shared by several engines
 *
 * All engines share one sequence of moments (rate.h). An engine with waiting requests leases the
 * next moments, a few at a time if they are close together. Each moment belongs to one engine, so
 * all engines together keep to the rate. An engine whose turn comes late keeps its moments, as the
 * plan does. The plan begins anew when no engine has waiting requests.
 *
 * A plan that one engine had alone until now is closed at first: there are no moments before that
 * engine has handed it over.
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
        bool is_closed;
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

/* There are no moments until moments_open() is called. Before any lease is used. */
void moments_close(struct moments *moments);

/*
 * Hand over the plan that this engine had alone. `is_planning`: it has waiting requests, and the
 * plan goes on; otherwise it begins anew at `now_ns`.
 */
void moments_open(struct moments_lease *lease, const struct rate *rate, bool is_planning,
        uint64_t now_ns);

bool moments_are_open(struct moments *moments);

/* This engine has waiting requests from now on, and wants a moment at `from_ns` or later. */
void moments_begin(struct moments_lease *lease, uint64_t from_ns);

/* This engine has no waiting requests any more. Unused moments of the lease are lost. */
void moments_end(struct moments_lease *lease);

/*
 * The next moment of this engine, in which `n_waiting` requests wait; leases more if none is left.
 * UINT64_MAX while the plan is closed. Only between moments_begin() and moments_end().
 */
uint64_t moments_next_ns(struct moments_lease *lease, size_t n_waiting);

/* Use up the next moment. */
uint64_t moments_use(struct moments_lease *lease, size_t n_waiting);

/* Drop all but one of the moments that have passed, as none could be used before `now_ns`. */
void moments_catch_up(struct moments_lease *lease, uint64_t now_ns);

#endif
