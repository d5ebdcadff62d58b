/* SPDX-License-Identifier: MIT */
/*
 * A request's timeouts
 *
 * Each request has one timer, set to its earliest deadline or before. A deadline that moves away,
 * as the read timeout does with each arrival, is only stored; the timer looks at it when it fires.
 *
 *      queue       submit ──────▶ slot                  read      arrival ──▶ arrival
 *      connect     slot ────────▶ connection ready      total     first slot ─────────▶ result
 *      deadline    submit ──────────────────────────────────────▶ result
 *      speed       first byte ─▶ a while ─▶ a while ...          enough bytes in each
 *
 * No timeout fires because of our own delay. The loop delivers ready input before it fires timers.
 * A request whose connection has unread input is checked again after that was read, unless what was
 * read last had come too late already, for whichever request it was. A timer that is late by more than DEADLINE_LATE_NS shows that this program was
 * away: the peer gets that time back, once.
 */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H

#include "request.h"

/* longer than any turn takes, unless something is wrong */
#define DEADLINE_LATE_NS (20 * NS_PER_MS)

/* The request was submitted at `now_ns`. Its limits and its timer's function are set. */
void deadline_submitted(struct muster_request *request, uint64_t now_ns);

/* The request got a slot, for the first time or again. */
void deadline_started(struct muster_request *request, uint64_t now_ns);

/* The request's connection is ready. */
void deadline_connected(struct muster_request *request, uint64_t now_ns);

/* Bytes arrived. Stores the moment and does not set the timer. */
static inline void deadline_received(struct muster_request *request, uint64_t now_ns)
{
        request->read_until_ns = clock_after(now_ns, request->limits.read_timeout_ns);
}

/*
 * The response has begun, or its reader has caught up: from now on it must not be too slow. Sets the
 * timer; without memory for that, other timers look at it.
 */
void deadline_watch_speed(struct muster_request *request, uint64_t now_ns);

/* The request has given back its slot before it began, and waits for another one. */
void deadline_put_back(struct muster_request *request);

/* The request waits in the queue again, or for its next try. */
void deadline_queued(struct muster_request *request);
void deadline_backoff(struct muster_request *request, uint64_t retry_at_ns);

/* The response is complete, and work on it begins. */
void deadline_processing(struct muster_request *request);

/*
 * Did the work, which ended at `end_ns`, take longer than the request had left? *error says so
 * then.
 */
bool deadline_outlasted(const struct muster_request *request, uint64_t end_ns,
        struct muster_error *error);

/* Would a wait until `at_ns` take longer than the request has left? */
bool deadline_forbids(const struct muster_request *request, uint64_t at_ns);

/* What to do when the timer has fired. */
enum deadline_step {
        DEADLINE_NOT_YET, /* no time is up: set the timer again */
        DEADLINE_RETRY,   /* the wait before its next try is over */
        /* Time is up, but unread input may have come in time: read it, then check again. */
        DEADLINE_READ_FIRST,
        DEADLINE_DROP_BODY, /* an unwanted body has taken too long */
        DEADLINE_SEND_BODY, /* the server has said nothing to the expectation: send the body */
        DEADLINE_OVER,      /* time is up; deadline_say() tells which timeout it was */
};

/* Has one of the request's deadlines come? */
bool deadline_is_due(const struct muster_request *request, uint64_t now_ns);

/* Decide what to do. `signs` is the state of the request's connection; zeroed if it has none. */
enum deadline_step deadline_check(struct muster_request *request, uint64_t now_ns,
        const struct exchange_signs *signs);

/* Set the error for the timeout that is over, with the request's phases so far. */
void deadline_say(const struct muster_request *request, uint64_t now_ns,
        struct muster_error *error);

/* The phase that the request is in, for an error. */
enum muster_phase deadline_stage(const struct muster_request *request);

/* Stop the request's timer. */
void deadline_stop(struct muster_request *request);

/*
 * Set the timer to the earliest deadline, unless it fires before that. MUSTER_E_RESOURCE: memory is
 * out, and the caller must end the request, as no timer will.
 */
int deadline_arm(struct muster_request *request);

#endif
