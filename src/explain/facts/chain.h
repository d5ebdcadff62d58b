/* SPDX-License-Identifier: MIT */
/*
 * The critical chain
 *
 * From the last result back to the first submit: what was each moment of the wall time waiting for?
 * A request's own phases come first. Its time in the queue belongs to the request whose end gave it
 * the slot, and so on. So of many overlapping requests only those count that the end depended on.
 * The pieces join without a gap and add up to the wall time exactly.
 *
 *      taken ─DELIVER─ ─workers─ ─life─ slot ─┬─ whose end gave it the slot ...
 *                                             ├─ RATE, or nothing but the loop's next turn ─ start ─┬─ BACKOFF ─ the attempt before ...
 *                                             └─ QUEUE: not known                                   └─ submit ─┬─ the result that made room, or after which a watched thread went on ...
 *                                                                                                              └─ INPUT, up to the beginning
 *
 * Each step leads to an attempt that had its slot earlier: whatever is in a record, there is an
 * end.
 */
#ifndef EXPLAIN_CHAIN_H
#define EXPLAIN_CHAIN_H

#include "facts.h"

/*
 * Adds up to facts->wall_ns. Of many equal chains one is as good as another: several of the last
 * results are followed, and averaged.
 */
void chain_walk(const struct facts *facts, uint64_t part_ns[PART_N]);

/*
 * What the time from..to waited for, if this attempt came at the end of it; is added to `part_ns`.
 */
void chain_follow(const struct facts *facts, const struct trace_attempt *attempt, uint64_t from_ns,
        uint64_t to_ns, uint64_t part_ns[PART_N]);

#endif
