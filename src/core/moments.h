/* SPDX-License-Identifier: MIT */
/*
 * The planned moments of one rate, shared by several engines
 *
 * There is one sequence of moments (rate.h) for all of them. An engine that has somebody waiting
 * leases the next ones, a few at a time where they are close together: each moment is one engine's,
 * so all engines together start no more than the rate says. An engine whose turn comes late keeps
 * its moments, as the plan does. The plan begins anew where no engine has anybody waiting.
 */
#ifndef CORE_MOMENTS_H
#define CORE_MOMENTS_H

#include "rate.h"
#include <pthread.h>
#include <stddef.h>

#define MOMENTS_LEASED_MAX 16

struct moments {
        pthread_mutex_t lock;
        struct rate rate;    /* guarded, as all below */
        unsigned n_planning; /* engines that have somebody waiting */
};

void moments_init(struct moments *moments, double per_s);
void moments_deinit(struct moments *moments);

/* An engine's. Zeroed with `of` set is none yet. */
struct moments_lease {
        struct moments *of;
        uint64_t at_ns[MOMENTS_LEASED_MAX];
        unsigned first, n;
        bool is_planning;
};

/* Somebody waits in this engine from now on, and wants a moment at `from_ns` or later. */
void moments_begin(struct moments_lease *lease, uint64_t from_ns);

/* Nobody does any more. Moments that were leased and not used are gone. */
void moments_end(struct moments_lease *lease);

/*
 * The next moment of this engine, in which `n_waiting` want one; leased when there is none. Between
 * moments_begin() and moments_end().
 */
uint64_t moments_next_ns(struct moments_lease *lease, size_t n_waiting);

/* The same, and it is used up. */
uint64_t moments_use(struct moments_lease *lease, size_t n_waiting);

#endif
