/* SPDX-License-Identifier: MIT */
/*
 * Queue: how a request comes into the queue of its origin, and out of it without a slot
 *
 * The order in which requests leave it with a slot is the scheduler's (sched.h).
 */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include "engine.h"

/* Make an engine work on the request from now on. */
void queue_take_charge(struct engine *engine, struct muster_request *request);

/* Begin an attempt, which waits first. */
void queue_begin_attempt(struct muster_request *request, uint64_t now_ns);

/*
 * Put the request into the queue of its origin, or send it to the engine where that belongs. If it
 * cannot be queued, it is finished with an error.
 */
void queue_add(struct muster_request *request, bool is_first);

/* Take out of its queue a request that waits. */
void queue_leave(struct muster_request *request);

/*
 * Continue with a request that another engine sent here, as its origin belongs to this engine; with
 * `error`, finish it.
 */
void queue_adopt(struct engine *engine, struct muster_request *request,
        const struct muster_error *error);

/* Send waiting requests to another engine if their origin belongs there by now. */
void queue_send_home(struct engine *engine);

#endif
