/* SPDX-License-Identifier: MIT */
/*
 * Fair share: how many slots an origin may have beside others
 *
 * The rule of sched.h without its queues: the replay of a run (src/explain) uses it as well. Pure
 * functions of numbers.
 */
#ifndef CORE_FAIR_SHARE_H
#define CORE_FAIR_SHARE_H

#include <assert.h>
#include <stdint.h>

/* One of this many slots stays for others, however well an origin answers. */
#define FAIR_SHARE_KEPT_PART 8

/* An origin's share of the slots, at least one. `n_active`: origins that have requests. */
static inline uint64_t fair_share(uint64_t concurrency, uint64_t n_active)
{
        uint64_t share = concurrency / (n_active ? n_active : 1);

        return share ? share : 1;
}

/*
 * The most slots that it may have: all of them if it is the only active origin. `credit`: its
 * requests that were answered since the last one that was not.
 */
static inline uint64_t fair_share_most(uint64_t concurrency, uint64_t n_active, uint64_t credit)
{
        uint64_t most = concurrency - concurrency / FAIR_SHARE_KEPT_PART;
        uint64_t share = fair_share(concurrency, n_active);
        uint64_t earned = share + (credit < concurrency ? credit : concurrency);

        assert(most <= concurrency);
        if (n_active <= 1)
                return concurrency;
        return earned < most ? earned : most;
}

#endif
