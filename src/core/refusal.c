/* SPDX-License-Identifier: MIT */
#include "refusal.h"

#include "engine.h"
#include <assert.h>
#include <base/mem.h>

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
        uint64_t now_ns = clock_now(&request->engine->clock);

        origin->n_let_in += origin->n_let_in < UINT32_MAX;
        if (origin->throttle)
                throttle_let_in(origin->throttle, &request->start, now_ns);
}

void refusal_heard(struct muster_request *request, int status, uint64_t asked_ns)
{
        struct origin *origin = request->origin;
        unsigned recent = (unsigned)origin->recent_unavailable << 1 | (status == 503);
        bool is_refusal = refusal_is_one(status, asked_ns != 0);

        assert(request->state == REQUEST_RUNNING && origin);
        origin->recent_unavailable = (uint16_t)recent;
        if (request->limits.max_retries && (is_refusal || (status == 503 && is_limit(origin))))
                note_refused(request, asked_ns);
        else if (status != 503 && !is_refusal)
                note_let_in(request);
        else if (origin->throttle)
                throttle_go_on(origin->throttle, &request->start);
        sched_look_again(&request->engine->sched, origin);
}
