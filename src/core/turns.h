/* SPDX-License-Identifier: MIT */
/*
 * Turns: where the loop's time goes, as rows for the tracer
 *
 *      caller ─▶ enter ─ start requests ─▶ over ─ wait for the kernel ─▶ handle what is ready ─ start requests ─▶ leave ─▶ caller
 *                                          ├─ a turn: from the end of one wait to the begin of the next ────────────────────┤
 *
 * If a foreign loop may do the waiting, a turn also ends at leave, and the next one begins at
 * enter. The age of the input shows whether the time between was waiting or the caller's work.
 */
#ifndef CORE_TURNS_H
#define CORE_TURNS_H

#include "trace.h"

struct engine;

/* The first turn begins, and with it the account. */
void turns_begin(struct engine *engine);

/* Note that input was read which the kernel has had since `kernel_ns`. */
void turns_received(struct engine *engine, uint64_t kernel_ns);

/* Note `ns` of work by the loop's thread, for one attempt (0: none). */
void turns_worked(struct engine *engine, enum trace_work work, uint64_t ns, uint64_t attempt);

/* The points of a turn; see above. */
void turns_enter(struct engine *engine);
void turns_over(struct engine *engine);
void turns_leave(struct engine *engine);

/* Report how things stand. */
void turns_sample(struct engine *engine, uint64_t now_ns);

#endif
