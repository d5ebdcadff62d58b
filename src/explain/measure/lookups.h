/* SPDX-License-Identifier: MIT */
/*
 * Lookups of names: how long, how often the same one, and which of them were lost
 *
 * A question that got no answer shows in time alone. The resolver asks again after 2 s (then 4 s, 8
 * s; or the next name server after 2 s), so that a lookup takes a multiple of 2 s and the little
 * that the answer took. A lookup that lost only the question for IPv6 addresses does not hold up
 * requests for that long: after 50 ms they go on with IPv4 (RFC 8305), and the lookup itself ends
 * later, or not within the run.
 */
#ifndef EXPLAIN_LOOKUPS_H
#define EXPLAIN_LOOKUPS_H

#include <explain/facts/facts.h>

struct lookups {
        size_t n;          /* that came to an end */
        size_t n_begun;    /* of them or not */
        size_t n_names;    /* that differ */
        size_t n_again;    /* of a name that had been found before */
        uint64_t again_ns; /* what these took */
        size_t n_lost;     /* that took a multiple of what the resolver waits */
        /* attempts that went on without the other family's answer, after the delay */
        size_t n_without_family;
        struct spread took_ns;
        struct muster_str name; /* the first one; "" when there was none */
};

/* 0 or MUSTER_E_RESOURCE. */
int lookups_of(struct lookups *lookups, const struct facts *facts);

#endif
