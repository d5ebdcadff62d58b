/* SPDX-License-Identifier: MIT */
/*
 * A request's timeouts
 *
 * One timer a request, set to the earliest of what can happen to it, or earlier: a moment that
 * moves away (the read timeout with each arrival) is only written down, and the timer looks at it
 * when it fires.
 *
 *      queue       submit ──────▶ slot                  read      arrival ──▶ arrival
 *      connect     slot ────────▶ connection ready      total     first slot ─────────▶ result
 *      deadline    submit ──────────────────────────────────────▶ result
 *
 * No timeout fires because of our own delay. The loop delivers what is there before it fires
 * timers; a request with input that was not read yet is asked again after that, unless what it read
 * last came too late already. And a timer that is late by more than DEADLINE_LATE_NS says that this
 * program was away: then the peer gets that time back, once.
 */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H

#include "request.h"

/* more than a turn ever takes that is not somebody's mistake */
#define DEADLINE_LATE_NS (20 * NS_PER_MS)

/* Submitted at `now_ns`: request->limits are set, and what its timer calls. */
void deadline_submitted(struct muster_request *request, uint64_t now_ns);

/* Got a slot, at first or again. MUSTER_E_RESOURCE as for all that set the timer. */
void deadline_started(struct muster_request *request, uint64_t now_ns);

/* The connection is ready. */
void deadline_connected(struct muster_request *request, uint64_t now_ns);

/* Bytes arrived: only written down. */
static inline void deadline_received(struct muster_request *request, uint64_t now_ns)
{
        request->read_until_ns = clock_after(now_ns, request->limits.read_timeout_ns);
}

/* Waits again in the queue, or for its next try. */
void deadline_queued(struct muster_request *request);
void deadline_backoff(struct muster_request *request, uint64_t retry_at_ns);

/* Its response is whole, and is worked on. */
void deadline_processing(struct muster_request *request);

/*
 * The work was done at `end_ns`: did that outlast what the request had left? Then *error says it.
 */
bool deadline_outlasted(const struct muster_request *request, uint64_t end_ns,
        struct muster_error *error);

/* Would waiting until `at_ns` outlast what the request has left? */
bool deadline_forbids(const struct muster_request *request, uint64_t at_ns);

/* What it means that the timer has fired. */
enum deadline_step {
        DEADLINE_NOT_YET, /* nothing is over: to be armed again */
        DEADLINE_RETRY,   /* it has waited long enough for its next try */
        /* Its time is up, but what was not read yet may have come in time: to be asked again then. */
        DEADLINE_READ_FIRST,
        DEADLINE_DROP_BODY, /* the body that nobody wants has taken too long */
        DEADLINE_OVER,      /* its time is up, as deadline_say() tells */
};

/* Is there anything to look at? */
bool deadline_is_due(const struct muster_request *request, uint64_t now_ns);

/* `signs`: what its connection shows; zeroed when it has none. */
enum deadline_step deadline_look(struct muster_request *request, uint64_t now_ns,
        const struct exchange_signs *signs);

/* Which one is over, and what the request has lived through so far. */
void deadline_say(const struct muster_request *request, uint64_t now_ns,
        struct muster_error *error);

/* Where the request is, as an error tells it. */
enum muster_phase deadline_stage(const struct muster_request *request);

/* Nothing more can happen to it. */
void deadline_stop(struct muster_request *request);

/*
 * Set the timer to the earliest moment, unless it runs to an earlier one. MUSTER_E_RESOURCE: no
 * memory for it; the request must then be ended by the caller, as nobody would.
 */
int deadline_arm(struct muster_request *request);

#endif
