/* SPDX-License-Identifier: MIT */
/*
 * Refusals: answers that say "not now"
 *
 * 429 (too many requests) and 503 (unavailable) come at once and say nothing of how long an answer
 * takes. They do tell what the server takes: so many a second, or so many at once. How many were
 * under way beside a refusal tells which. At a server that is full it is always about as many, and
 * hardly ever fewer; at one that counts by the second it is any number, and mostly none.
 *
 * Of several hosts the one that refused most is looked at. What it lets in says nothing of the
 * others.
 */
#ifndef EXPLAIN_REFUSALS_H
#define EXPLAIN_REFUSALS_H

#include <explain/facts/facts.h>

/* By one host, where it does not say otherwise. */
struct refusals {
        uint32_t origin;
        size_t n_attempts, n_requests;
        size_t n_too_many, n_full;             /* attempts: 429, 503 */
        size_t n_final, n_final_too_many;      /* requests that ended with one; of these with 429 */
        size_t n_elsewhere, n_final_elsewhere; /* attempts and requests, by the other hosts */
        uint64_t asked_ns;                     /* the longest Retry-After */
        size_t n_let_in, n_let_in_first;       /* first: before it refused any */
        uint64_t first_ns, last_ns;            /* of those let in: from slot to end */
        /* let in for half a second or longer, at best, without what may be saved up; 0: too few */
        double best_per_s;
        uint64_t busy_ns;    /* at least one that was let in was under way */
        uint64_t service_ns; /* what one that was let in took: the middle one */
        bool had_room; /* they waited for no others, and mostly fewer were under way than it takes */
        /*
         * it refused when so many were under way, and hardly otherwise; 0: it does not depend on
         * that
         */
        uint64_t let_in_at_once;
};

/* Without memory there are none. */
void refusals_find(struct refusals *refusals, const struct facts *facts);

bool refusals_is_one(const struct trace_attempt *attempt);

#endif
