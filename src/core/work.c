/* SPDX-License-Identifier: MIT */
#include "work.h"

#include "callback.h"
#include "client.h"
#include "request.h"
#include <http/decode.h>

void work_deinit(struct work *work)
{
        work->decoder = decoder_free(work->decoder);
        buf_deinit(&work->encoded);
}

bool work_is_wanted(const struct muster_request *request)
{
        return request->process || request->work.decoder;
}

/* A manual clock belongs to the test's thread; a worker has its own time then, and the loop sets it right. */
static uint64_t now_of(const struct muster_request *request)
{
        const struct clock *clock = &request->client->clock;

        return clock->is_manual ? 0 : clock_now(clock);
}

static int decode_rest(struct muster_request *request)
{
        struct work *work = &request->work;
        struct muster_result *result = &request->result;
        struct buf *to = request->limits.discard_body ? NULL : &result->body;
        uint64_t start_ns = now_of(request);
        int r = decoder_feed(work->decoder, buf_str(&work->encoded), to, &work->error);

        buf_deinit(&work->encoded);
        if (r == 0)
                r = decoder_end(work->decoder, &work->error);
        if (r == 0 && to && to->at)
                r = buf_terminate(to);
        result->body_bytes = decoder_n_out(work->decoder);
        work->decoder = decoder_free(work->decoder);
        work->decode_ns = now_of(request) - start_ns;
        return r;
}

/* All of it, in whatever thread. */
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

static void run(struct worker_job *job)
{
        do_work(LIST_OWNER(job, struct muster_request, work.job));
}

static void note_inline(struct muster_request *request)
{
        struct work *work = &request->work;
        uint64_t ns =
                work->end_ns > request->attempt.end_ns ? work->end_ns - request->attempt.end_ns : 0;
        uint64_t decode_ns = work->decode_ns < ns ? work->decode_ns : ns;

        tracing_worked(request->client, TRACE_WORK_DECODE, decode_ns, request->notes.number);
        tracing_worked(request->client, TRACE_WORK_PROCESS, ns - decode_ns, request->notes.number);
}

int work_begin(struct muster_request *request)
{
        struct workers *workers = NULL;

        request->work.job.run = run;
        if (!request->options.process_inline && client_workers(request->client, &workers) == 0 &&
            workers_give(workers, &request->work.job) == 0)
                return 0;
        do_work(request);
        note_inline(request);
        return WORK_IS_DONE;
}

bool work_withdraw(struct muster_request *request)
{
        return workers_withdraw(request->client->workers, &request->work.job);
}
