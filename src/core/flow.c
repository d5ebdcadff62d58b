/* SPDX-License-Identifier: MIT */
#include "flow.h"

#include "body_wait.h"
#include "deadline.h"
#include "exchange.h"
#include "finish.h"
#include "login.h"
#include "queue.h"
#include "submit.h"
#include "users.h"
#include <assert.h>
#include <base/error.h>
#include <http/request_head.h>

/* responses with a worker or waiting for one: enough that no worker idles */
#define PROCESSING_PER_WORKER 4

/*
 * How often a request is repeated that servers refuse before they begin; a retry comes later. One
 * that is left over when a connection ends is not counted: each time others were taken, so that its
 * turn comes.
 */
#define UNPROCESSED_MAX 3

static void timer_fired(struct loop_timer *timer, uint64_t late_ns);
static void attempt_over(struct muster_request *request, const struct muster_error *error);

/* --- submit ---------------------------------------------------------------------------------- */

void flow_submit(struct engine *engine, struct muster_request *request)
{
        struct muster_error error = { 0 };
        uint64_t now_ns = request->result.submitted_ns;
        int r;

        assert(request->state == REQUEST_NEW && request->id);
        queue_take_charge(engine, request);
        request->timer.fire = timer_fired;
        queue_begin_attempt(request, now_ns);
        submit_set_limits(request, engine->settings);
        deadline_submitted(request, now_ns);
        retry_budget_pay(&engine->retry_budget);
        r = submit_check(request, &error);
        if (r < 0)
                finish_unqueued(request, &error);
        else
                queue_add(request, false);
}

/* --- start ----------------------------------------------------------------------------------- */

static void start_request(struct engine *engine, struct muster_request *request, uint64_t now_ns)
{
        struct muster_error error = { 0 };

        assert(request->state == REQUEST_QUEUED && request->origin);
        request->state = REQUEST_RUNNING;
        result_clear_response(&request->result);
        work_clear(&request->work);
        request->attempt.slot_ns = now_ns;
        if (!request->result.planned_ns)
                request->result.planned_ns = now_ns;
        engine->stats.n_attempts++;
        engine->stats.n_retries += request->is_retry;
        request->is_retry = false;
        deadline_started(request, now_ns);
        if (login_begin(request) == 0) {
                exchange_start(request);
                return;
        }
        error_set_memory(&error, MUSTER_PHASE_QUEUE);
        attempt_over(request, &error);
}

/* Do responses come faster than workers take them? More requests would only fill memory then. */
static bool is_backed_up(const struct engine *engine)
{
        return engine->n_processing >= (size_t)engine->settings->workers * PROCESSING_PER_WORKER;
}

static bool waited_for_slot(const struct muster_request *request)
{
        unsigned wait = request->notes.wait;

        return wait == TRACE_WAIT_SLOT || wait == TRACE_WAIT_HOST || wait == TRACE_WAIT_SHARE;
}

static void note_start(struct engine *engine, const struct muster_request *request, uint64_t now_ns)
{
        uint64_t planned_ns = request->result.planned_ns;

        engine->stats.n_slot_waits += waited_for_slot(request);
        if (!engine->stats.first_start_ns)
                engine->stats.first_start_ns = planned_ns ? planned_ns : now_ns;
}

void flow_start_all(struct engine *engine, uint64_t now_ns)
{
        struct muster_error error = { 0 };
        struct muster_request *request;
        unsigned n_left;

        while ((request = body_wait_refused(engine, &error)))
                flow_abort(request, &error);
        n_left = body_wait_n_may_start(engine);
        while (n_left && !is_backed_up(engine) && (request = sched_next(&engine->sched, now_ns))) {
                note_start(engine, request, now_ns);
                start_request(engine, request, now_ns);
                now_ns = engine_now(engine);
                n_left--;
        }
        if (is_backed_up(engine))
                sched_note_stopped(&engine->sched, TRACE_WAIT_WORKERS);
        else if (!n_left)
                sched_note_stopped(&engine->sched, TRACE_WAIT_MEMORY);
}

/* The attempt goes on in the queue, as if it had not had a slot. */
static void put_back(struct muster_request *request, enum trace_wait why)
{
        struct engine *engine = request->engine;
        struct muster_error error = { 0 };

        assert(request->state == REQUEST_RUNNING && !request->attempt.send_start_ns);
        request->state = REQUEST_QUEUED;
        request->attempt = (struct attempt){ .start_ns = request->attempt.start_ns,
                .stage = MUSTER_PHASE_QUEUE };
        engine->stats.n_attempts--;
        sched_put_back(&engine->sched, request, why);
        deadline_put_back(request);
        if (deadline_arm(request) == 0)
                return;
        error_set_memory(&error, MUSTER_PHASE_QUEUE);
        flow_abort(request, &error);
}

/* --- an attempt is over ---------------------------------------------------------------------- */

static void stop_waiting(struct muster_request *request)
{
        body_hold_leave(request->engine->body_share.memory, &request->hold);
        request->sink.is_blocked = false;
}

static void end_attempt(struct muster_request *request, enum muster_code code)
{
        struct engine *engine = request->engine;
        struct origin *origin = request->origin;
        bool was_answered = request->attempt.first_byte_read_ns != 0;

        assert(request->state == REQUEST_RUNNING && origin);
        if (request->hold.state != BODY_NONE)
                stop_waiting(request);
        request->attempt.end_ns = engine_now(engine);
        /* Without memory for the attempt, its phases still count. */
        (void)result_add_attempt(&request->result, &request->attempt, code,
                request->result.conn.id);
        login_end(request);
        request->origin = NULL;
        if (origin->throttle)
                throttle_end(origin->throttle, &request->start);
        sched_end(&engine->sched, origin, request->notes.number, was_answered);
        origins_release(&engine->origins, origin);
}

static void follow_redirect(struct muster_request *request)
{
        struct url url = request->url;

        assert(!request->origin && request->next_url.text.len);
        tracing_attempt(request, TRACE_REDIRECTED, NULL);
        request->url = request->next_url;
        request->next_url = url;
        request->result.n_redirects++;
        request->engine->stats.n_redirects++;
        request->wants_fresh_conn = false;
        login_redirected(request);
        deadline_queued(request);
        queue_begin_attempt(request, request->attempt.end_ns);
        queue_add(request, true);
}

/* Make the request again, with the credentials that the server asked for. */
static void log_in(struct muster_request *request)
{
        assert(!request->origin);
        tracing_attempt(request, TRACE_CHALLENGED, NULL);
        request->wants_fresh_conn = false;
        deadline_queued(request);
        queue_begin_attempt(request, request->attempt.end_ns);
        queue_add(request, true);
}

/* The request goes on: a large part of a body must not lie in memory until it has its turn. */
static void drop_body(struct muster_request *request)
{
        if (request->hold.state == BODY_NONE)
                return;
        buf_store_give(request->engine->bodies, &request->result.body);
        work_clear(&request->work);
        body_hold_drop(request->engine->body_share.memory, &request->hold);
}

/*
 * Try again at once, as nothing but time was lost: on a new connection if the server had closed the
 * reused one, on any if it had not begun with the request.
 */
static void repeat(struct muster_request *request, const struct muster_error *error)
{
        tracing_attempt(request, TRACE_REPEATED, error);
        drop_body(request);
        request->wants_fresh_conn = request->fate == FATE_UNANSWERED;
        request->n_unprocessed += request->fate == FATE_UNPROCESSED;
        deadline_queued(request);
        queue_begin_attempt(request, request->attempt.end_ns);
        queue_add(request, true);
}

/* Try again at once without the expectation, which the server does not meet. */
static void repeat_without_expect(struct muster_request *request)
{
        assert(!request->origin && request->expect.is_refused);
        tracing_attempt(request, TRACE_NOT_EXPECTED, NULL);
        request->wants_fresh_conn = false;
        deadline_queued(request);
        queue_begin_attempt(request, request->attempt.end_ns);
        queue_add(request, true);
}

/* Finish a request during its back-off: the next attempt never ran and takes no time. */
static void finish_backing_off(struct muster_request *request, const struct muster_error *error,
        uint64_t now_ns)
{
        assert(request->state == REQUEST_BACKOFF);
        queue_begin_attempt(request, now_ns);
        request->attempt.end_ns = now_ns;
        request->attempt.stage = MUSTER_PHASE_BACKOFF;
        finish(request, error, now_ns);
}

static void back_off(struct muster_request *request, const struct muster_error *why)
{
        uint64_t again_ns = clock_after(request->attempt.end_ns, request->retry_wait_ns);
        struct muster_error error = { 0 };

        assert(!request->origin && request->n_retries < request->limits.max_retries);
        tracing_attempt(request, TRACE_RETRIED, why);
        drop_body(request);
        request->state = REQUEST_BACKOFF;
        request->n_retries++;
        request->is_retry = true; /* counted when it is made */
        request->wants_fresh_conn = false;
        deadline_backoff(request, again_ns);
        if (deadline_arm(request) == 0)
                return;
        error_set_memory(&error, MUSTER_PHASE_BACKOFF);
        finish_backing_off(request, &error, request->attempt.end_ns);
}

static void backoff_over(struct muster_request *request)
{
        uint64_t now_ns = engine_now(request->engine);

        assert(request->state == REQUEST_BACKOFF);
        result_add_backoff(&request->result, now_ns - request->attempt.end_ns);
        deadline_queued(request);
        queue_begin_attempt(request, now_ns);
        queue_add(request, true);
}

static bool may_repeat(const struct muster_request *request)
{
        if (request->fate == FATE_LEFT_OVER)
                return request_can_repeat(request);
        if (request->fate == FATE_UNPROCESSED)
                return request->n_unprocessed < UNPROCESSED_MAX && request_can_repeat(request);
        return request->fate == FATE_UNANSWERED && !request->wants_fresh_conn &&
               request_can_repeat(request) &&
               (request->limits.retry_unsafe ||
                       request_method_is_idempotent(request_method(request)));
}

/* Retry after a failure if that is allowed. True: the request backs off. */
static bool retry_failure(struct muster_request *request, const struct muster_error *error)
{
        if (request->is_announced || !retry_is_failure(request, error))
                return false;
        request->retry_wait_ns = retry_delay_ns(request);
        if (!retry_is_allowed(request, request->retry_wait_ns) || !retry_is_paid(request))
                return false;
        back_off(request, error);
        return true;
}

static void attempt_over(struct muster_request *request, const struct muster_error *error)
{
        assert(request->state == REQUEST_RUNNING && !request->exchange.conn);
        end_attempt(request, error ? error->code : MUSTER_OK);
        upload_end(&request->upload);
        if (error) {
                sink_end(&request->sink);
                if (may_repeat(request))
                        repeat(request, error);
                else if (!retry_failure(request, error))
                        finish(request, error, request->attempt.end_ns);
                return;
        }
        switch (request->use) {
        case USE_AS_RESULT:
                finish_response(request);
                return;
        case USE_AS_REDIRECT:
                follow_redirect(request);
                return;
        case USE_TO_RETRY:
                back_off(request, NULL);
                return;
        case USE_TO_LOG_IN:
                log_in(request);
                return;
        case USE_WITHOUT_EXPECT:
                repeat_without_expect(request);
                return;
        }
}

/* --- from outside ---------------------------------------------------------------------------- */

void flow_abort(struct muster_request *request, const struct muster_error *error)
{
        uint64_t now_ns;

        switch (request->state) {
        case REQUEST_QUEUED:
                queue_leave(request);
                finish_unqueued(request, error);
                return;
        case REQUEST_RUNNING:
                users_cancel(request, error);
                return;
        case REQUEST_BACKOFF:
                now_ns = engine_now(request->engine);
                result_add_backoff(&request->result, now_ns - request->attempt.end_ns);
                finish_backing_off(request, error, now_ns);
                return;
        case REQUEST_PROCESSING:
                if (work_withdraw(request)) {
                        request->engine->n_processing--;
                        finish_processed(request, error, engine_now(request->engine));
                } else if (!request->work.abortion.code) {
                        request->work.abortion = *error;
                        atomic_store(&request->work.is_over, true);
                }
                return;
        case REQUEST_NEW:
        case REQUEST_FINISHED:
        case REQUEST_TAKEN:
                return;
        }
}

/* --- its timer ------------------------------------------------------------------------------- */

static void arm_or_abort(struct muster_request *request)
{
        struct muster_error error = { 0 };

        if (deadline_arm(request) == 0)
                return;
        error_set_memory(&error, deadline_stage(request));
        flow_abort(request, &error);
}

static void time_out(struct muster_request *request, uint64_t now_ns)
{
        struct muster_error error = { 0 };

        users_note_progress(request);
        deadline_say(request, now_ns, &error);
        flow_abort(request, &error);
}

static void check_deadlines(struct muster_request *request, uint64_t now_ns)
{
        struct exchange_signs signs = { 0 };

        if (deadline_is_due(request, now_ns))
                signs = exchange_signs(request);
        switch (deadline_check(request, now_ns, &signs)) {
        case DEADLINE_NOT_YET:
                arm_or_abort(request);
                return;
        case DEADLINE_RETRY:
                backoff_over(request);
                return;
        case DEADLINE_READ_FIRST:
                if (loop_timer_set(&request->engine->loop, &request->timer, now_ns) < 0)
                        arm_or_abort(request);
                return;
        case DEADLINE_DROP_BODY:
                exchange_drop_body(request);
                return;
        case DEADLINE_SEND_BODY:
                exchange_send_unasked(request);
                return;
        case DEADLINE_OVER:
                time_out(request, now_ns);
                return;
        }
}

static void timer_fired(struct loop_timer *timer, uint64_t late_ns)
{
        struct muster_request *request = LIST_OWNER(timer, struct muster_request, timer);

        (void)late_ns; /* of the timer, which may be set to an earlier moment than the deadline */
        check_deadlines(request, request->engine->loop.now_ns);
}

const struct exchange_ops flow_exchange_ops = {
        .announce = finish_announce,
        .over = attempt_over,
        .put_back = put_back,
};
