/* SPDX-License-Identifier: MIT */
/*
 * Hot origins: those with more requests than one lane should have alone
 *
 * The caller's thread counts the origins of each few hundred requests that it submits. An origin
 * with more of them than one lane's part is dealt to all lanes from then on. Origins are identified
 * by the hash of their key; if two have the same hash, both are dealt.
 *
 * An origin that refuses requests goes back to one lane for good: the pace that a server accepts is
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
        /* Any thread may read these; entries are only added. */
        _Atomic uint64_t hashes[HOT_MAX];
        atomic_bool are_gathered[HOT_MAX];
        _Atomic unsigned n, n_gathered;

        /* For the caller's thread: how many requests of this window went where. */
        uint16_t counts[HOT_WINDOW];
        unsigned n_counted;
};

/*
 * Count a request to an origin. True: the origin has become hot, and hot_add() is to be called.
 * Only the caller's thread.
 */
bool hot_count(struct hot *hot, uint64_t hash, unsigned n_lanes);

/*
 * Deal an origin from now on; its place is hot->n before. What lanes need to know about that place
 * must be ready. Only the caller's thread.
 */
void hot_add(struct hot *hot, uint64_t hash);

/* The place of an origin among the first `n_known`; HOT_MAX: it has none. Any thread. */
unsigned hot_place(const struct hot *hot, uint64_t hash, unsigned n_known);

/* Is the origin dealt, as far as the first `n_known` places tell? Any thread. */
bool hot_is_dealt(const struct hot *hot, uint64_t hash, unsigned n_known);

/* Stop dealing an origin that refuses. Any thread. True: it was dealt until now. */
bool hot_gather(struct hot *hot, uint64_t hash);

#endif
