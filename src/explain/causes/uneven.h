/* SPDX-License-Identifier: MIT */
/*
 * Uneven: is it one host, or one path of a host, that takes most of the time?
 */
#ifndef EXPLAIN_UNEVEN_H
#define EXPLAIN_UNEVEN_H

#include <explain/model/raise.h>

enum uneven_by { UNEVEN_BY_HOST, UNEVEN_BY_PATH };

/*
 * The slow host or path, and the others that it is held against: other hosts, or other paths of its
 * host.
 */
struct uneven {
        enum uneven_by by;
        uint32_t which; /* an origin's or a path's number */
        struct muster_str name;
        size_t n, n_rest;
        size_t n_unanswered; /* of n */
        uint64_t p50_ns, rest_p50_ns, rest_p90_ns;
        uint64_t sum_ns, all_ns; /* of slots' time: its own, that of all attempts */
};

/* Does it go to the slow one? */
bool uneven_has(const struct uneven *uneven, const struct trace_attempt *attempt);

/* Is there one? A path goes before its host. */
bool uneven_find(struct uneven *uneven, const struct facts *facts);
bool uneven_is_there(const struct facts *facts);

/* How much longer the run took because of it. */
uint64_t uneven_cost_ns(const struct uneven *uneven, const struct facts *facts);

/*
 * Is there one that costs as much as raising the limit gains? Then the finding is about it, with
 * the limit as remedy; else about the limit alone.
 */
bool uneven_goes_first(const struct facts *facts, const struct raise *raise);

#endif
