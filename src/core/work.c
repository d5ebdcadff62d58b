/* SPDX-License-Identifier: MIT */
#include "work.h"

#include "callback.h"
#include "engine.h"
#include "request.h"
#include <assert.h>
#include <base/mem.h>
#include <http/decode.h>

#define STEP_BYTES (16 * 1024) /* decodes to at most 16 MiB, in about ten milliseconds */

void work_deinit(struct work *work)
{
        work->decoder = decoder_free(work->decoder);
        buf_deinit(&work->encoded);
        if (work->job.run) /* else nothing else was touched */
                *work = (struct work){ 0 };
}

void work_clear(struct work *work)
{
        work->decoder = decoder_free(work->decoder);
        work->encoded.len = 0;
}

bool work_is_wanted(const struct muster_request *request)
{
        return request->process || request->work.decoder;
}

/*
 * The present moment; 0 on a manual clock, which belongs to the test's thread. The loop puts that
 * right later.
 */
static uint64_t now_of(const struct muster_request *request)
{
        const struct clock *clock = &request->engine->clock;

        return clock->is_manual ? 0 : clock_now(clock);
}

static uint64_t time_left_ns(const struct muster_request *request)
{
        const struct work *work = &request->work;
        uint64_t now_ns;

        if (atomic_load(&work->is_over))
                return 0;
        if (work->until_ns == UINT64_MAX || request->engine->clock.is_manual)
                return UINT64_MAX;
        now_ns = now_of(request);
        return now_ns < work->until_ns ? work->until_ns - now_ns : 0;
}

uint64_t muster_result_time_left_ns(const struct muster_result *result)
{
        const struct muster_request *request = result ? request_of_result(result) : NULL;

        return request && request->state == REQUEST_PROCESSING ? time_left_ns(request) : 0;
}

/*
 * A worker does not wait for memory: the others do, as soon as it has taken what there was. It frees
 * what is encoded only at its end.
 */
static void note_memory(struct muster_request *request, const struct buf *to)
{
        uint64_t bytes = request->work.encoded.len + (to ? to->len : 0);

        if (bytes > request->hold.bytes)
                body_hold_fit(request->engine->body_share.memory, &request->hold, bytes);
}

/* Decode in steps, so that a body whose time is up does not keep the worker from other requests. */
static int decode_in_steps(struct muster_request *request, struct buf *to)
{
        struct work *work = &request->work;
        struct muster_str left = buf_str(&work->encoded);
        int r = 0;

        while (r == 0 && left.len) {
                struct muster_str step = { left.at, left.len < STEP_BYTES ? left.len : STEP_BYTES };

                if (atomic_load(&work->is_over))
                        return MUSTER_E_TIMEOUT;
                r = decoder_feed(work->decoder, step, to, &work->error);
                note_memory(request, to);
                left.at += step.len;
                left.len -= step.len;
        }
        return r;
}

static int decode_rest(struct muster_request *request)
{
        struct work *work = &request->work;
        struct muster_result *result = &request->result;
        struct buf *to = request->limits.discard_body ? NULL : &result->body;
        uint64_t start_ns = now_of(request);
        int r = decode_in_steps(request, to);

        assert(work->decoder);
        buf_deinit(&work->encoded);
        if (r == 0)
                r = decoder_end(work->decoder, &work->error);
        if (r == 0)
                r = result_add_decoder_warning(result, work->decoder);
        if (r == 0 && to && to->at)
                r = buf_terminate(to);
        result->body_bytes = decoder_n_out(work->decoder);
        work->decoder = decoder_free(work->decoder);
        work->decode_ns = now_of(request) - start_ns;
        return r;
}

/* Do all of the work, in any thread. */
static void do_work(struct muster_request *request)
{
        struct work *work = &request->work;

        work->code = work->decoder ? decode_rest(request) : 0;
        if (work->code == 0 && request->process) {
                callback_enter();
                if (request->process(&request->result, request->process_argument) != 0)
                        work->code = MUSTER_E_PROCESS;
                callback_leave();
        }
        work->end_ns = now_of(request);
}

/* --- the way to the workers and back --------------------------------------------------------- */

struct muster_request *work_take(struct engine *engine)
{
        struct worker_job *job = engine->workers ? workers_take(engine->workers) : NULL;

        if (!job)
                return NULL;
        engine->loop.n_elsewhere--;
        return LIST_OWNER(job, struct muster_request, work.job);
}

static int watch_workers(struct engine *engine, struct workers *workers)
{
        return loop_watch_set(&engine->loop, &engine->workers_watch, workers->event_fd, true,
                false);
}

/* Those of the client, made on first use. */
static int start_workers(struct engine *engine)
{
        struct workers *workers;

        if (engine->workers)
                return 0;
        workers = mem_alloc(sizeof(*workers));
        if (!workers || workers_init(workers, engine->settings->workers) < 0) {
                mem_free(workers);
                return MUSTER_E_RESOURCE;
        }
        if (watch_workers(engine, workers) < 0) {
                workers_stop(workers);
                workers_deinit(workers);
                mem_free(workers);
                return MUSTER_E_RESOURCE;
        }
        engine->workers = workers;
        return 0;
}

void work_stop(struct engine *engine)
{
        if (engine->workers)
                workers_stop(engine->workers);
}

void work_end(struct engine *engine)
{
        if (!engine->workers)
                return;
        loop_watch_set(&engine->loop, &engine->workers_watch, engine->workers->event_fd, false,
                false);
        workers_deinit(engine->workers);
        engine->workers = mem_free(engine->workers);
}

static void run_job(struct worker_job *job)
{
        do_work(LIST_OWNER(job, struct muster_request, work.job));
}

int work_begin(struct muster_request *request)
{
        struct engine *engine = request->engine;

        assert(request->state == REQUEST_PROCESSING && work_is_wanted(request));
        request->work.job.run = run_job;
        if (!request->options.process_inline && start_workers(engine) == 0 &&
                workers_give(engine->workers, &request->work.job) == 0) {
                engine->loop.n_elsewhere++;
                return 0;
        }
        request->work.job.is_begun = true;
        do_work(request);
        return WORK_IS_DONE;
}

bool work_withdraw(struct muster_request *request)
{
        bool was_waiting = workers_withdraw(request->engine->workers, &request->work.job);

        assert(request->engine->workers);
        request->engine->loop.n_elsewhere -= was_waiting;
        return was_waiting;
}

bool work_is_begun(const struct muster_request *request)
{
        struct workers *workers = request->engine->workers;

        return workers ? workers_have_begun(workers, &request->work.job)
                       : request->work.job.is_begun;
}
