/* SPDX-License-Identifier: MIT */
/*
 * Hot origins: such as have more requests than one lane should have alone
 *
 * The caller's thread counts, of each few hundred requests that it submits, how many go where. An
 * origin that has more of them than one lane's part is dealt to all lanes from then on. Origins are
 * told apart by the hash of their key; should two have the same, both are dealt.
 *
 * An origin that refuses requests is gathered again, for good: the pace that a server takes is
 * learnt in one place (refusal.h).
 */
#ifndef CORE_HOT_H
#define CORE_HOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HOT_MAX    16  /* at once; there cannot be many */
#define HOT_WINDOW 256 /* requests that are counted together */

struct hot {
        /* Any thread: they are only added. */
        _Atomic uint64_t hashes[HOT_MAX];
        atomic_bool are_gathered[HOT_MAX];
        _Atomic unsigned n, n_gathered;

        /* The caller's thread: how many of this window went where. */
        uint16_t counts[HOT_WINDOW];
        unsigned n_counted;
};

/* A request goes to that origin: is it one to be dealt, among `n_lanes`? The caller's thread. */
bool hot_count(struct hot *hot, uint64_t hash, unsigned n_lanes);

/* Is it dealt? Any thread. */
bool hot_is_dealt(const struct hot *hot, uint64_t hash);

/* It refuses: deal it no more. Any thread. True: it was dealt. */
bool hot_gather(struct hot *hot, uint64_t hash);

#endif
