/* SPDX-License-Identifier: MIT */
/*
 * What is left to do when a response is whole: decode the rest of a large body, run the caller's
 * process function
 *
 * On a worker, or here where that was asked for or no thread is to be had. The request belongs to
 * the worker meanwhile: the loop touches nothing of it but what is guarded in struct worker_job.
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

/* A request's; zeroed is nothing to do. */
struct work {
        struct worker_job job;
        /* of the bytes in `encoded`, and of those that it has had already */
        struct decoder *decoder;
        struct buf encoded;
        struct muster_error error;    /* of the decoder */
        struct muster_error abortion; /* came while a worker had it: what the result is to be */
        int code;                     /* of the process function, or the decoder */
        uint64_t until_ns;   /* when the request's time is up; constant while a worker has it */
        atomic_bool is_over; /* told to the worker: nobody waits for this any more */
        uint64_t decode_ns, end_ns;
};

void work_deinit(struct work *work);

/* Another attempt begins: what was kept of an earlier one's body is of no use. */
void work_clear(struct work *work);

/* Is there any for this request? */
bool work_is_wanted(const struct muster_request *request);

#define WORK_IS_DONE 1

/*
 * Begin. 0: with a worker, and engine->workers_watch is told when there is something to take.
 * WORK_IS_DONE: it was done here.
 */
int work_begin(struct muster_request *request);

/* A request that its worker is done with; NULL: there is none. */
struct muster_request *work_take(struct engine *engine);

/*
 * Stop: functions of the caller's that run are waited for, as they work on memory that is about to
 * go. What is done can still be taken, then work_end() ends the workers.
 */
void work_stop(struct engine *engine);
void work_end(struct engine *engine);

/* Take the request back from the workers. False: one has it. */
bool work_withdraw(struct muster_request *request);

/* Has it been begun, rather than that it waits for a worker? */
bool work_is_begun(const struct muster_request *request);

#endif
