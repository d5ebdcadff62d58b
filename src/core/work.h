/* SPDX-License-Identifier: MIT */
/*
 * Work on a complete response: decoding the rest of a large body, running the caller's process
 * function
 *
 * It runs on a worker, or in the loop's thread if the caller asked for that or there is no thread.
 * While a worker has the request, the loop touches nothing of it except what is guarded in struct
 * worker_job.
 */
#ifndef CORE_WORK_H
#define CORE_WORK_H

#include "workers.h"
#include <base/buf.h>
#include <muster/error.h>
#include <stdatomic.h>

struct decoder;
struct engine;
struct muster_request;

/* Embedded in a request; zeroed is no work. */
struct work {
        struct worker_job job;
        /* has decoded the beginning of the body; the rest is in `encoded` */
        struct decoder *decoder;
        struct buf encoded;
        struct muster_error error; /* the decoder's */
        /* an error that came while a worker had the request; it becomes the result's */
        struct muster_error abortion;
        int code; /* of the process function or the decoder */
        /* when the request's time is up; does not change while a worker has it */
        uint64_t until_ns;
        atomic_bool is_over; /* tells the worker that nobody waits for the work any more */
        uint64_t decode_ns, end_ns;
};

/* Release it; it is zeroed then. */
void work_deinit(struct work *work);

/* Drop what an earlier attempt's body left, as another attempt begins. */
void work_clear(struct work *work);

/* Does this request need any work? */
bool work_is_wanted(const struct muster_request *request);

#define WORK_IS_DONE 1

/*
 * Begin the work. 0: a worker has it, and engine->workers_watch fires when there is something to
 * take. WORK_IS_DONE: it was done in this thread.
 */
int work_begin(struct muster_request *request);

/* A request whose work is done; NULL if there is none. */
struct muster_request *work_take(struct engine *engine);

/*
 * Stop the workers. Waits for the caller's functions that run, as they work on memory that is about
 * to be freed. Finished work can still be taken; then work_end() ends the workers.
 */
void work_stop(struct engine *engine);
void work_end(struct engine *engine);

/* Take the request back. False: a worker has begun it. */
bool work_withdraw(struct muster_request *request);

/* Has the work begun, or does it still wait for a worker? */
bool work_is_begun(const struct muster_request *request);

#endif
