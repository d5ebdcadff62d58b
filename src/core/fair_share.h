/* SPDX-License-Identifier: MIT */
/*
 * Fair share: how many slots an origin may have beside the others
 *
 * The rule of sched.h without its queues, so that whoever plays a run again (src/explain) does as
 * the scheduler did. Pure: numbers in, a number out.
 */
#ifndef CORE_FAIR_SHARE_H
#define CORE_FAIR_SHARE_H

#include <assert.h>
#include <stdint.h>

/* One of so many parts of the slots is kept for others, however good one origin has been. */
#define FAIR_SHARE_KEPT_PART 8

/* An origin's share of the slots; one at least. `n_active`: origins that have requests. */
static inline uint64_t fair_share(uint64_t concurrency, uint64_t n_active)
{
        uint64_t share = concurrency / (n_active ? n_active : 1);

        return share ? share : 1;
}

/*
 * The most that it may have. `credit`: its requests that were answered since the last that was not.
 * While it is the only active one that is all of the slots.
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
