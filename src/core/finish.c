/* SPDX-License-Identifier: MIT */
#include "finish.h"

#include "attempt_head.h"
#include "deadline.h"
#include "turns.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>

static void check_status(const struct muster_request *request, struct muster_error *error)
{
        const struct request_limits *limits = &request->limits;

        if ((limits->fail_on_status || limits->fail_with_body) && request->result.status >= 400)
                error_set(error, MUSTER_E_STATUS, MUSTER_PHASE_RECEIVE, 0,
                        "status: the server answered %d", request->result.status);
}

static void set_final_url(struct muster_request *request)
{
        struct muster_result *result = &request->result;

        result->final_url.len = 0;
        if (request->url.text.len && (url_add_public(&request->url, &result->final_url) < 0 ||
                                             buf_terminate(&result->final_url) < 0))
                buf_deinit(&result->final_url);
}

void finish_announce(struct muster_request *request, const struct muster_conn_info *conn)
{
        assert(!request->is_announced);
        request->is_announced = true;
        request->result.conn = *conn;
        set_final_url(request);
        list_push_back(&request->engine->finished, &request->link);
}

/*
 * Say why an allowed retry was not made: in the error's text, or as a warning beside the response.
 */
static void say_withheld(struct muster_request *request)
{
        struct muster_result *result = &request->result;
        struct buf reason = { 0 };

        if (retry_add_reason(request, &reason) < 0)
                reason.len = 0;
        if (reason.len && result->error.code) {
                error_add_text(&result->error, (struct muster_str){ "; ", 2 });
                error_add_text(&result->error, buf_str(&reason));
        } else if (reason.len) {
                result_add_warning(result, buf_str(&reason));
        }
        buf_deinit(&reason);
}

#define LEFT_BEHIND_SHOWN 300 /* bytes of the names of fields */

/*
 * A redirect led to an origin that did not get all that was given: who wonders at its answer must
 * know.
 */
static void say_left_behind(struct muster_request *request)
{
        struct muster_result *result = &request->result;
        struct buf names = { 0 }, text = { 0 };
        bool is_status = result->error.code == MUSTER_E_STATUS;

        if (!request->has_left_origin || (result->error.code && !is_status) ||
                attempt_head_add_left_behind(request, &names) < 0 || !names.len)
                goto done;
        request->engine->stats.n_left_behind++;
        if (buf_add_text(&text, "a redirect led to another origin, which did not get: ") < 0 ||
                buf_add_str(&text, str_first(buf_str(&names), LEFT_BEHIND_SHOWN)) < 0 ||
                buf_add_text(&text, "; credentials_to_any_origin (--location-trusted) sends them") <
                        0)
                goto done;
        if (is_status) {
                error_add_text(&result->error, (struct muster_str){ "; ", 2 });
                error_add_text(&result->error, buf_str(&text));
        } else {
                result_add_warning(result, buf_str(&text));
        }
done:
        buf_deinit(&names);
        buf_deinit(&text);
}

/* What the result has in memory, until the caller frees it. */
static void count_body(struct muster_request *request)
{
        struct body_hold *hold = &request->hold;
        size_t bytes = request->result.body.len;

        if (hold->state == BODY_NONE && !request->uses_sink)
                body_share_count(&request->engine->body_share, (int64_t)bytes);
        else if (hold->state != BODY_NONE && bytes)
                body_hold_fit(request->engine->body_share.memory, hold, bytes);
        else if (hold->state != BODY_NONE)
                body_hold_drop(request->engine->body_share.memory, hold);
}

void finish(struct muster_request *request, const struct muster_error *error, uint64_t now_ns)
{
        struct engine *engine = request->engine;
        struct muster_result *result = &request->result;

        assert(request->state != REQUEST_FINISHED && !request->exchange.conn && !request->origin);
        if (error)
                result->error = *error;
        say_withheld(request);
        say_left_behind(request);
        /* Drop the part of a too large body: nobody wanted to hold that much. */
        if (result->error.code == MUSTER_E_TOO_LARGE)
                buf_recycle(&result->body, 0);
        count_body(request);
        sink_end(&request->sink);
        upload_end(&request->upload);
        set_final_url(request);
        deadline_stop(request);
        outstanding_remove(&engine->outstanding, request);
        result->finished_ns = now_ns;
        request->state = request->is_with_caller ? REQUEST_TAKEN : REQUEST_FINISHED;
        engine->n_streams -= request->is_with_caller;
        if (request->is_with_caller)
                result->taken_ns = now_ns;
        else if (!request->is_announced)
                list_push_back(&engine->finished, &request->link);
        engine->stats.n_finished++;
        if (request->is_with_caller)
                tracing_request(request);
}

void finish_unqueued(struct muster_request *request, const struct muster_error *error)
{
        assert(!request->origin && !request->exchange.conn);
        request->attempt.end_ns = engine_now(request->engine);
        attempt_add_phases(&request->attempt, request->result.phase_ns);
        finish(request, error, request->attempt.end_ns);
}

/* --- work on the response -------------------------------------------------------------------- */

void finish_processed(struct muster_request *request, const struct muster_error *error,
        uint64_t end_ns)
{
        struct muster_result *result = &request->result;
        struct work *work = &request->work;
        uint64_t start_ns = request->attempt.end_ns;

        assert(request->state == REQUEST_PROCESSING);
        if (end_ns < start_ns)
                end_ns = start_ns;
        if (work->decode_ns > end_ns - start_ns)
                work->decode_ns = end_ns - start_ns;
        result->phase_ns[MUSTER_PHASE_DECODE] += work->decode_ns;
        result->phase_ns[MUSTER_PHASE_PROCESS] += end_ns - start_ns - work->decode_ns;
        finish(request, error, end_ns);
}

static void say_processed(struct muster_request *request)
{
        struct work *work = &request->work;
        struct muster_error *error = &request->result.error;

        if (work->code == MUSTER_E_PROCESS)
                error_set(error, MUSTER_E_PROCESS, MUSTER_PHASE_PROCESS, 0,
                        "process: the caller's process function failed");
        else if (work->error.code)
                *error = work->error;
        else if (work->code < 0)
                error_set_memory(error, MUSTER_PHASE_DECODE);
        else
                error_clear(error); /* the function set an error, but returned success */
        check_status(request, error);
}

static void finish_work(struct muster_request *request)
{
        struct work *work = &request->work;
        uint64_t end_ns = work->end_ns ? work->end_ns : engine_now(request->engine);

        if (!work->abortion.code)
                (void)deadline_outlasted(request, end_ns, &work->abortion);
        if (work->abortion.code) {
                request->result.error = work->abortion;
                muster_result_set_processed(&request->result, NULL, NULL);
        } else {
                say_processed(request);
        }
        finish_processed(request, NULL, end_ns);
}

void finish_take_processed(struct engine *engine)
{
        struct muster_request *request;

        while ((request = work_take(engine))) {
                assert(request->state == REQUEST_PROCESSING);
                engine->n_processing--;
                finish_work(request);
        }
}

/* Note work that was done in the loop's thread. */
static void note_inline(struct muster_request *request)
{
        struct work *work = &request->work;
        uint64_t ns =
                work->end_ns > request->attempt.end_ns ? work->end_ns - request->attempt.end_ns : 0;
        uint64_t decode_ns = work->decode_ns < ns ? work->decode_ns : ns;

        turns_worked(request->engine, TRACE_WORK_DECODE, decode_ns, request->notes.number);
        turns_worked(request->engine, TRACE_WORK_PROCESS, ns - decode_ns, request->notes.number);
}

void finish_response(struct muster_request *request)
{
        assert(request->state == REQUEST_RUNNING && request->use == USE_AS_RESULT);
        error_clear(&request->result.error);
        /*
         * Also for an error status, as the response is complete. A failed write takes precedence.
         */
        if (request->uses_sink)
                (void)sink_finish(&request->sink, &request->result.error);
        check_status(request, &request->result.error);
        if (request->work.decoder && request->result.error.code)
                request->process = NULL; /* decode the body, but do not process it */
        if (!work_is_wanted(request) || (request->result.error.code && !request->work.decoder)) {
                finish(request, NULL, request->attempt.end_ns);
                return;
        }
        request->state = REQUEST_PROCESSING;
        deadline_processing(request);
        set_final_url(request); /* the process function may ask for it */
        if (work_begin(request) == WORK_IS_DONE) {
                note_inline(request);
                finish_work(request);
                return;
        }
        request->engine->n_processing++;
        /* Without memory for the timer its deadline no longer counts: the response is here. */
        (void)deadline_arm(request);
}
