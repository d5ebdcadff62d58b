/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <assert.h>
#include <string.h>

unsigned hot_place(const struct hot *hot, uint64_t hash, unsigned n_known)
{
        assert(n_known <= HOT_MAX);
        for (unsigned i = 0; i < n_known; i++)
                if (atomic_load_explicit(&hot->hashes[i], memory_order_relaxed) == hash)
                        return i;
        return HOT_MAX;
}

bool hot_count(struct hot *hot, uint64_t hash, unsigned n_lanes)
{
        uint16_t *count = &hot->counts[hash % HOT_WINDOW];
        unsigned n = atomic_load(&hot->n);

        assert(n_lanes > 1);
        if (hot->n_counted++ == HOT_WINDOW) {
                memset(hot->counts, 0, sizeof(hot->counts));
                hot->n_counted = 1;
        }
        if (++*count <= HOT_WINDOW / n_lanes || n == HOT_MAX)
                return false;
        return hot_place(hot, hash, n) == HOT_MAX;
}

void hot_add(struct hot *hot, uint64_t hash)
{
        unsigned n = atomic_load(&hot->n);

        assert(n < HOT_MAX && hot_place(hot, hash, n) == HOT_MAX);
        atomic_store_explicit(&hot->hashes[n], hash, memory_order_relaxed);
        atomic_store(&hot->n, n + 1);
}

bool hot_is_dealt(const struct hot *hot, uint64_t hash, unsigned n_known)
{
        unsigned i = hot_place(hot, hash, n_known);

        return i < HOT_MAX && !atomic_load(&hot->are_gathered[i]);
}

bool hot_gather(struct hot *hot, uint64_t hash)
{
        unsigned i = hot_place(hot, hash, atomic_load(&hot->n));

        if (i == HOT_MAX || atomic_exchange(&hot->are_gathered[i], true))
                return false;
        atomic_fetch_add(&hot->n_gathered, 1);
        return true;
}
