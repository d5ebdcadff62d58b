/* SPDX-License-Identifier: MIT */
#include "deadline.h"

#include "engine.h"
#include <assert.h>
#include <base/error.h>
#include <base/minmax.h>
#include <stdio.h>

/* --- which is next --------------------------------------------------------------------------- */

/* When a body is sent without the server's word. */
static uint64_t expect_until(const struct muster_request *request)
{
        return request->expect.state == EXPECT_WAITING ? request->expect.until_ns : UINT64_MAX;
}

/* The earliest of the deadlines that count in the request's state. */
static uint64_t earliest(const struct muster_request *request)
{
        uint64_t always = min_u64(request->total_until_ns, request->deadline_ns);

        switch (request->state) {
        case REQUEST_QUEUED:
                return min_u64(always, request->queue_until_ns);
        case REQUEST_BACKOFF:
                return min_u64(always, request->retry_at_ns);
        case REQUEST_RUNNING:
                /* Its response is there and the body is unwanted: silence is no failure. */
                if (request->drain_until_ns != UINT64_MAX)
                        return min_u64(always, request->drain_until_ns);
                return min_u64(min_u64(min_u64(always, expect_until(request)),
                                       request->speed_until_ns),
                        min_u64(request->connect_until_ns, request->read_until_ns));
        case REQUEST_PROCESSING:
                /* A worker that has begun is told only once. */
                return request->work.abortion.code ? UINT64_MAX : request->work.until_ns;
        case REQUEST_NEW:
        case REQUEST_FINISHED:
        case REQUEST_TAKEN:
                break;
        }
        return UINT64_MAX;
}

/* --- saying which it was --------------------------------------------------------------------- */

/* Is that the moment at which the speed counts? */
static bool is_speed(const struct muster_request *request, uint64_t at_ns)
{
        return request->state == REQUEST_RUNNING && request->drain_until_ns == UINT64_MAX &&
               request->speed_until_ns == at_ns;
}

struct timeout {
        const char *name;
        uint64_t length_ns;
};

static struct timeout timeout_that_ended(const struct muster_request *request, uint64_t at_ns)
{
        const struct request_limits *limits = &request->limits;

        if (request->state == REQUEST_QUEUED && request->queue_until_ns == at_ns)
                return (struct timeout){ "queue", limits->queue_timeout_ns };
        if (request->state == REQUEST_RUNNING && request->connect_until_ns == at_ns)
                return (struct timeout){ "connect", limits->connect_timeout_ns };
        if (request->state == REQUEST_RUNNING && request->read_until_ns == at_ns)
                return (struct timeout){ "read", limits->read_timeout_ns };
        if (request->total_until_ns <= request->deadline_ns)
                return (struct timeout){ "total", limits->total_timeout_ns };
        return (struct timeout){ "deadline", limits->deadline_ns };
}

enum muster_phase deadline_stage(const struct muster_request *request)
{
        switch (request->state) {
        case REQUEST_BACKOFF:
                return MUSTER_PHASE_BACKOFF;
        case REQUEST_RUNNING:
                return request->attempt.stage;
        case REQUEST_PROCESSING:
                /* Waiting for a worker is part of processing. */
                return request->process || !work_is_begun(request) ? MUSTER_PHASE_PROCESS
                                                                   : MUSTER_PHASE_DECODE;
        case REQUEST_NEW:
        case REQUEST_QUEUED:
        case REQUEST_FINISHED:
        case REQUEST_TAKEN:
                break;
        }
        return MUSTER_PHASE_QUEUE;
}

/* All phases of the request so far. */
static void phases_so_far(const struct muster_request *request, uint64_t now_ns,
        uint64_t phase_ns[MUSTER_N_PHASES])
{
        struct attempt attempt = request->attempt;

        memcpy(phase_ns, request->result.phase_ns, sizeof(request->result.phase_ns));
        if (request->state == REQUEST_BACKOFF) {
                phase_ns[MUSTER_PHASE_BACKOFF] += now_ns - attempt.end_ns;
                return;
        }
        if (request->state == REQUEST_PROCESSING) {
                phase_ns[deadline_stage(request)] += now_ns - attempt.end_ns;
                return;
        }
        attempt.end_ns = now_ns;
        attempt_add_phases(&attempt, phase_ns);
}

static void describe_phases(const uint64_t phase_ns[MUSTER_N_PHASES], char *text, size_t size)
{
        size_t at = 0;

        text[0] = '\0';
        for (int i = 0; i < MUSTER_N_PHASES && at < size; i++) {
                enum muster_phase phase = phase_in_order(i);
                double ms = (double)phase_ns[phase] / (double)NS_PER_MS;

                if (ms >= 0.05)
                        at += (size_t)snprintf(text + at, size - at, "%s%s %.*f ms", at ? ", " : "",
                                muster_phase_name(phase), ms < 10 ? 1 : 0, ms);
        }
}

static void say_over(const struct muster_request *request, uint64_t at_ns, uint64_t now_ns,
        struct muster_error *error)
{
        struct timeout timeout = timeout_that_ended(request, at_ns);
        enum muster_phase stage = deadline_stage(request);
        uint64_t phase_ns[MUSTER_N_PHASES];
        char phases[200];

        phases_so_far(request, now_ns, phase_ns);
        describe_phases(phase_ns, phases, sizeof(phases));
        error_set(error, MUSTER_E_TIMEOUT, stage, 0,
                "timeout: the %s timeout of %g s ran out in phase %s (%s)", timeout.name,
                (double)timeout.length_ns / (double)NS_PER_S, muster_phase_name(stage), phases);
}

static void say_too_slow(const struct muster_request *request, struct muster_error *error)
{
        const struct settings *settings = request->engine->settings;
        uint64_t bytes = request->result.wire_bytes - request->speed_from_bytes;

        error_set(error, MUSTER_E_TIMEOUT, deadline_stage(request), 0,
                "timeout: too slow: %llu byte%s of the body came in %g s, less than %llu a second; if that is to be expected, lower low_speed_bytes_per_s (--speed-limit)",
                (unsigned long long)bytes, bytes == 1 ? "" : "s",
                (double)settings->low_speed_time_ns / (double)NS_PER_S,
                (unsigned long long)settings->low_speed_bytes_per_s);
}

void deadline_say(const struct muster_request *request, uint64_t now_ns, struct muster_error *error)
{
        if (is_speed(request, earliest(request))) {
                say_too_slow(request, error);
                return;
        }
        say_over(request, earliest(request), now_ns, error);
}

bool deadline_outlasted(const struct muster_request *request, uint64_t end_ns,
        struct muster_error *error)
{
        if (end_ns <= request->work.until_ns)
                return false;
        say_over(request, request->work.until_ns, end_ns, error);
        return true;
}

/* --- is one over? ---------------------------------------------------------------------------- */

static uint64_t later(uint64_t at_ns, uint64_t by_ns)
{
        return at_ns == UINT64_MAX ? at_ns : clock_after(at_ns, by_ns);
}

/*
 * Give the peer more time. This program was away when the time ran out, and came back `late_ns`
 * later, so it could not hear the peer. The peer gets as much time from now on.
 */
static void give_back(struct muster_request *request, uint64_t late_ns)
{
        uint64_t away_ns = 2 * late_ns;

        assert(!request->was_late);
        request->was_late = true;
        request->queue_until_ns = later(request->queue_until_ns, away_ns);
        request->connect_until_ns = later(request->connect_until_ns, away_ns);
        request->read_until_ns = later(request->read_until_ns, away_ns);
        request->speed_until_ns = later(request->speed_until_ns, away_ns);
        request->total_until_ns = later(request->total_until_ns, away_ns);
        request->deadline_ns = later(request->deadline_ns, away_ns);
}

/*
 * Is there something that may have come in time and was not read yet? Input is read in the order in
 * which it came, whichever request of the connection it is for.
 */
static bool may_have_arrived(uint64_t at_ns, const struct exchange_signs *signs)
{
        return signs->has_input && signs->input_ns <= at_ns;
}

/*
 * Has the peer taken more of our body, or is it us that have no more of it yet? However slow that
 * is, it is not silence of the peer.
 */
static bool is_sending_on(struct muster_request *request, uint64_t at_ns,
        const struct exchange_signs *signs)
{
        bool has_moved = (signs->unsent_bytes && signs->unsent_bytes != request->unsent_bytes) ||
                         upload_waits(&request->upload);

        request->unsent_bytes = signs->unsent_bytes;
        return has_moved && request->read_until_ns == at_ns;
}

/* Has enough come, or is it our reader that takes no more? */
static bool is_fast_enough(const struct muster_request *request)
{
        const struct settings *settings = request->engine->settings;
        double bytes = (double)(request->result.wire_bytes - request->speed_from_bytes);
        double seconds = (double)settings->low_speed_time_ns / (double)NS_PER_S;

        return request->sink.is_blocked ||
               bytes >= (double)settings->low_speed_bytes_per_s * seconds;
}

static void begin_speed(struct muster_request *request, uint64_t now_ns)
{
        request->speed_until_ns = clock_after(now_ns, request->engine->settings->low_speed_time_ns);
        request->speed_from_bytes = request->result.wire_bytes;
}

bool deadline_is_due(const struct muster_request *request, uint64_t now_ns)
{
        return earliest(request) <= now_ns;
}

enum deadline_step deadline_check(struct muster_request *request, uint64_t now_ns,
        const struct exchange_signs *signs)
{
        uint64_t at_ns = earliest(request);

        if (at_ns > now_ns)
                return DEADLINE_NOT_YET;
        if (request->state == REQUEST_BACKOFF && request->retry_at_ns == at_ns)
                return DEADLINE_RETRY;
        if (may_have_arrived(at_ns, signs))
                return DEADLINE_READ_FIRST;
        if (request->state == REQUEST_RUNNING && request->drain_until_ns == at_ns)
                return DEADLINE_DROP_BODY;
        if (request->state == REQUEST_RUNNING && expect_until(request) == at_ns)
                return DEADLINE_SEND_BODY;
        if (is_speed(request, at_ns) && is_fast_enough(request)) {
                begin_speed(request, now_ns);
                return DEADLINE_NOT_YET;
        }
        if (is_sending_on(request, at_ns, signs)) {
                deadline_received(request, now_ns);
                return DEADLINE_NOT_YET;
        }
        if (now_ns - at_ns > DEADLINE_LATE_NS && !request->was_late &&
                request->state != REQUEST_PROCESSING) {
                give_back(request, now_ns - at_ns);
                return DEADLINE_NOT_YET;
        }
        return DEADLINE_OVER;
}

/* --- setting it ------------------------------------------------------------------------------ */

int deadline_arm(struct muster_request *request)
{
        struct loop *loop = &request->engine->loop;
        uint64_t at_ns = earliest(request);

        if (at_ns == UINT64_MAX)
                return 0;
        if (heap_has(&request->timer.node) &&
                heap_key(&loop->timers, &request->timer.node) <= at_ns)
                return 0;
        return loop_timer_set(loop, &request->timer, at_ns);
}

void deadline_submitted(struct muster_request *request, uint64_t now_ns)
{
        request->queue_until_ns = clock_after(now_ns, request->limits.queue_timeout_ns);
        request->deadline_ns = clock_after(now_ns, request->limits.deadline_ns);
        request->connect_until_ns = request->read_until_ns = request->total_until_ns = UINT64_MAX;
        request->retry_at_ns = request->drain_until_ns = request->speed_until_ns = UINT64_MAX;
}

/* The queue timeout ends with the first slot, and the total timeout begins. */
void deadline_started(struct muster_request *request, uint64_t now_ns)
{
        bool is_first = request->result.n_attempts == 0;

        assert(request->state == REQUEST_RUNNING);
        request->queue_until_ns = UINT64_MAX;
        request->connect_until_ns = clock_after(now_ns, request->limits.connect_timeout_ns);
        request->read_until_ns = request->drain_until_ns = request->speed_until_ns = UINT64_MAX;
        if (!is_first)
                return;
        request->total_until_ns = clock_after(now_ns, request->limits.total_timeout_ns);
        request->retry_until_ns = clock_after(now_ns, request->engine->settings->retry_max_time_ns);
}

void deadline_connected(struct muster_request *request, uint64_t now_ns)
{
        assert(request->state == REQUEST_RUNNING);
        request->connect_until_ns = UINT64_MAX;
        request->unsent_bytes = 0;
        deadline_received(request, now_ns);
}

void deadline_watch_speed(struct muster_request *request, uint64_t now_ns)
{
        assert(request->state == REQUEST_RUNNING);
        if (request->options.stream && !request->engine->settings->low_speed_is_given)
                return;
        begin_speed(request, now_ns);
        (void)deadline_arm(request);
}

void deadline_put_back(struct muster_request *request)
{
        assert(request->state == REQUEST_QUEUED);
        request->connect_until_ns = request->read_until_ns = UINT64_MAX;
        if (request->result.n_attempts == 0)
                request->queue_until_ns =
                        clock_after(request->result.submitted_ns, request->limits.queue_timeout_ns);
}

void deadline_queued(struct muster_request *request)
{
        assert(request->state == REQUEST_RUNNING || request->state == REQUEST_BACKOFF);
        request->connect_until_ns = request->read_until_ns = request->retry_at_ns = UINT64_MAX;
}

void deadline_backoff(struct muster_request *request, uint64_t retry_at_ns)
{
        assert(request->state == REQUEST_BACKOFF);
        request->connect_until_ns = request->read_until_ns = UINT64_MAX;
        request->retry_at_ns = retry_at_ns;
}

/* The time that a response lay in the kernel until we read it is given back. */
void deadline_processing(struct muster_request *request)
{
        const struct attempt *attempt = &request->attempt;
        uint64_t always = min_u64(request->total_until_ns, request->deadline_ns);

        assert(request->state == REQUEST_PROCESSING);
        assert(attempt->last_byte_read_ns >= attempt->last_byte_kernel_ns);
        request->work.until_ns =
                later(always, attempt->last_byte_read_ns - attempt->last_byte_kernel_ns);
}

bool deadline_forbids(const struct muster_request *request, uint64_t at_ns)
{
        return at_ns >= min_u64(request->total_until_ns, request->deadline_ns);
}

void deadline_stop(struct muster_request *request)
{
        loop_timer_stop(&request->engine->loop, &request->timer);
}
