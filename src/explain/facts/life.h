/* SPDX-License-Identifier: MIT */
/*
 * The life of an attempt, cut into parts
 *
 *      slot ─DNS─ ─TCP─ ─TUNNEL─ ─LOOP_TLS─ ─TLS─ ─SEND─ send_end ─NETWORK─ ─SERVER─ first_kernel ─LOOP_*─ first_read ─RECEIVE─ last_kernel ─LOOP_*─ end
 *
 * This is finer than core/attempt.h. The time for which the kernel had data that we did not read is
 * split by what the loop was doing instead; where the loop slept, something had been lost on the
 * way. Whatever the stamps are, the pieces join without a gap from the slot to the end.
 */
#ifndef EXPLAIN_LIFE_H
#define EXPLAIN_LIFE_H

#include "facts.h"

#define LIFE_PIECES 27 /* ten parts on the way out, a lag of five twice, and receive: with room */

struct life_piece {
        enum part part;
        uint64_t end_ns;
};

struct life {
        uint64_t start_ns, end_ns;
        size_t n;
        struct life_piece pieces[LIFE_PIECES]; /* none is empty */
};

/* From slot to end; without a slot: nothing at all. */
void life_of(struct life *life, const struct facts *facts, const struct trace_attempt *attempt);

/* When it gave its slot back; never before it got that. */
uint64_t life_end_ns(const struct trace_attempt *attempt);

/* For how long its body waited for 100 (Continue). */
uint64_t life_expect_ns(const struct trace_attempt *attempt);

/* The processing behind its end, until when and as what; its end where there is none. */
uint64_t life_process_end_ns(const struct trace_attempt *attempt);
enum part life_process_part(const struct record *record);

/* When its request was submitted. */
uint64_t life_submit_ns(const struct trace_attempt *attempt);

/* The first and the last moment that is known of it. */
uint64_t life_first_ns(const struct trace_attempt *attempt);
uint64_t life_last_ns(const struct trace_attempt *attempt);

#endif
