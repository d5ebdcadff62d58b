/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <assert.h>
#include <string.h>

/* The place of an origin; HOT_MAX: it has none. */
static unsigned find_place(const struct hot *hot, uint64_t hash)
{
        unsigned n = atomic_load(&hot->n);

        for (unsigned i = 0; i < n; i++)
                if (atomic_load_explicit(&hot->hashes[i], memory_order_relaxed) == hash)
                        return i;
        return HOT_MAX;
}

static void add_hot(struct hot *hot, uint64_t hash)
{
        unsigned n = atomic_load(&hot->n);

        if (n == HOT_MAX || find_place(hot, hash) < HOT_MAX)
                return;
        atomic_store_explicit(&hot->hashes[n], hash, memory_order_relaxed);
        atomic_store(&hot->n, n + 1);
}

bool hot_count(struct hot *hot, uint64_t hash, unsigned n_lanes)
{
        uint16_t *count = &hot->counts[hash % HOT_WINDOW];

        assert(n_lanes > 1);
        if (hot->n_counted++ == HOT_WINDOW) {
                memset(hot->counts, 0, sizeof(hot->counts));
                hot->n_counted = 1;
        }
        if (++*count > HOT_WINDOW / n_lanes)
                add_hot(hot, hash);
        return hot_is_dealt(hot, hash);
}

bool hot_is_dealt(const struct hot *hot, uint64_t hash)
{
        unsigned i = find_place(hot, hash);

        return i < HOT_MAX && !atomic_load(&hot->are_gathered[i]);
}

bool hot_gather(struct hot *hot, uint64_t hash)
{
        unsigned i = find_place(hot, hash);

        if (i == HOT_MAX || atomic_exchange(&hot->are_gathered[i], true))
                return false;
        atomic_fetch_add(&hot->n_gathered, 1);
        return true;
}
