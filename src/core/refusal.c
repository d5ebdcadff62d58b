/* SPDX-License-Identifier: MIT */
#include "refusal.h"

#include "engine.h"
#include <assert.h>
#include <base/mem.h>
#include <math.h>

#define MANY_UNAVAILABLE 4 /* of the last 16 responses: more than one broken resource would cause */

bool refusal_is_one(int status, bool says_when)
{
        return status == 429 || (status == 503 && says_when);
}

/* Does a 503 without Retry-After look like a limit? */
static bool is_limit(const struct origin *origin)
{
        unsigned n_let_in = origin->throttle ? origin->throttle->n_let_in : origin->n_let_in;

        return n_let_in && __builtin_popcount(origin->recent_unavailable) >= MANY_UNAVAILABLE;
}

/* The origin's throttle, made at its first refusal. Without memory the pace stays as it is. */
static struct throttle *throttle_of(struct origin *origin)
{
        if (!origin->throttle) {
                origin->throttle = mem_alloc(sizeof(*origin->throttle));
                if (origin->throttle)
                        throttle_init(origin->throttle, origin->first_start_ns, origin->n_let_in);
        }
        return origin->throttle;
}

static void note_refused(struct muster_request *request, uint64_t asked_ns)
{
        struct engine *engine = request->engine;
        struct throttle *throttle = throttle_of(request->origin);
        uint64_t now_ns = clock_now(&engine->clock);

        assert(request->limits.max_retries && request->origin);
        engine->stats.n_refused++;
        if (engine->ops)
                engine->ops->refused(engine, request->origin);
        if (engine->hold_until_ns < clock_after(now_ns, asked_ns))
                engine->hold_until_ns = clock_after(now_ns, asked_ns);
        if (throttle)
                throttle_refused(throttle, &request->start, now_ns, asked_ns);
}

static void note_let_in(struct muster_request *request)
{
        struct origin *origin = request->origin;

        origin->n_let_in += origin->n_let_in < UINT32_MAX;
        if (origin->throttle)
                throttle_let_in(origin->throttle, &request->start,
                        clock_now(&request->engine->clock));
}

/* --- a 503 that may be a limit --------------------------------------------------------------- */

static bool is_paced(const struct muster_request *request)
{
        return request->origin->throttle && isfinite(request->start.per_s);
}

static void note_paced(struct muster_request *request, bool is_503)
{
        if (is_paced(request))
                doubt_paced(&request->origin->doubt, is_503);
}

/* Its 503 come by chance: what was learnt from them is nothing. */
static void forget_pace(struct origin *origin)
{
        origin->throttle = mem_free(origin->throttle);
        origin->n_let_in = 0;
        origin->first_start_ns = 0;
}

static void note_tried(struct muster_request *request, bool is_503)
{
        struct origin *origin = request->origin;

        switch (doubt_tried(&origin->doubt, is_503)) {
        case DOUBT_TRY:
                throttle_free_starts(origin->throttle, DOUBT_TRIAL - DOUBT_FIRST);
                return;
        case DOUBT_CHANCE:
                forget_pace(origin);
                return;
        case DOUBT_LIMIT:
                note_refused(request, 0);
        }
}

static void note_unavailable(struct muster_request *request)
{
        struct origin *origin = request->origin;
        struct doubt *doubt = &origin->doubt;

        if (doubt->is_trying || doubt->is_chance)
                return; /* it was asked before the trial, or says nothing */
        note_paced(request, true);
        if (!request->limits.max_retries || !is_limit(origin)) {
                if (origin->throttle)
                        throttle_go_on(origin->throttle, &request->start);
                return;
        }
        if (is_paced(request) && doubt_hold(doubt) == DOUBT_TRY)
                throttle_free_starts(origin->throttle, DOUBT_FIRST);
        else
                note_refused(request, 0);
}

/* --- all of them ----------------------------------------------------------------------------- */

static void hear(struct muster_request *request, int status, uint64_t asked_ns)
{
        struct origin *origin = request->origin;
        bool is_refusal = refusal_is_one(status, asked_ns != 0);

        if (is_refusal && request->limits.max_retries) {
                note_refused(request, asked_ns);
        } else if (is_refusal) {
                if (origin->throttle)
                        throttle_go_on(origin->throttle, &request->start);
        } else if (request->start.is_free && origin->doubt.is_trying) {
                note_tried(request, status == 503);
        } else if (status == 503) {
                note_unavailable(request);
        } else {
                note_paced(request, false);
                note_let_in(request);
        }
}

void refusal_heard(struct muster_request *request, int status, uint64_t asked_ns)
{
        struct origin *origin = request->origin;
        unsigned recent = (unsigned)origin->recent_unavailable << 1 | (status == 503);

        assert(request->state == REQUEST_RUNNING && origin);
        origin->recent_unavailable = (uint16_t)recent;
        hear(request, status, asked_ns);
        sched_look_again(&request->engine->sched, origin);
}
