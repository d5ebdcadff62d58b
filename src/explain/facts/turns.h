/* SPDX-License-Identifier: MIT */
/*
 * What the loop did between two moments
 *
 * Long turns are told of one by one. A handshake or a lag can span thousands of them, and each
 * attempt is asked for its own, many times over. So of every few turns it is kept what all before
 * them add up to.
 *
 * Turns follow each other: one that begins before others have ended, as no run can have it, begins
 * where they do end.
 */
#ifndef EXPLAIN_TURNS_H
#define EXPLAIN_TURNS_H

#include "facts.h"

struct turns;

/* MUSTER_E_RESOURCE. The record is borrowed until turns_free(). */
int turns_new(struct turns **ret_turns, const struct record *record);
struct turns *turns_free(struct turns *turns); /* NULL is allowed; returns NULL */

/* The part of that time in which long turns went on. */
uint64_t turns_busy_ns(const struct turns *turns, uint64_t from_ns, uint64_t to_ns);

/* What they spent on handshakes in it, at most. */
uint64_t turns_tls_ns(const struct turns *turns, uint64_t from_ns, uint64_t to_ns);

/*
 * Of a lag, whose fault it is: add to the parts what the loop was doing. They grow by the whole of
 * the time.
 */
void turns_parts(const struct turns *turns, uint64_t from_ns, uint64_t to_ns,
        uint64_t part_ns[PART_N]);

#endif
