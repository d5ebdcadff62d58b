/* SPDX-License-Identifier: MIT */
/*
 * What a loop did between two moments
 *
 * Long turns are recorded one by one. A handshake or a lag can span thousands of them, and each
 * attempt asks for its own, many times over. So at every few turns the sum of all before them is
 * kept.
 *
 * Turns of one loop follow each other. One that begins before others have ended, which no run can
 * have, is taken to begin where they end.
 */
#ifndef EXPLAIN_TURNS_H
#define EXPLAIN_TURNS_H

#include "facts.h"

struct all_turns; /* of all loops: most runs have one */

/* MUSTER_E_RESOURCE. The record is borrowed until turns_free(). */
int turns_new(struct all_turns **ret_all, const struct record *record);
struct all_turns *turns_free(struct all_turns *all); /* NULL is allowed; returns NULL */

/* The part of that time in which long turns of that loop went on: trace_attempt has its number. */
uint64_t turns_busy_ns(const struct all_turns *all, uint8_t engine, uint64_t from_ns,
        uint64_t to_ns);

/* What they spent on handshakes in it, at most. */
uint64_t turns_tls_ns(const struct all_turns *all, uint8_t engine, uint64_t from_ns,
        uint64_t to_ns);

/*
 * How long the thread neither ran nor was ready to run in a turn, and before it where it began
 * late: blocked, or stopped. At least, as the kernel's figures are of a longer time; 0 where they
 * are not known, or where pages had to come from a disk.
 */
uint64_t turn_idle_ns(const struct trace_turn *turn);

/* Adds to the parts what the loop was doing in that time. They grow by the whole of it. */
void turns_parts(const struct all_turns *all, uint8_t engine, uint64_t from_ns, uint64_t to_ns,
        uint64_t part_ns[PART_N]);

#endif
