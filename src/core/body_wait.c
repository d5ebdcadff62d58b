/* SPDX-License-Identifier: MIT */
#include "body_wait.h"

#include "deadline.h"
#include "exchange.h"
#include <base/error.h>
#include <limits.h>

static bool has_nothing(const struct engine *engine)
{
        return !engine->sched.n_running && !engine->n_processing &&
               list_is_empty(&engine->finished);
}

static bool is_full(const struct engine *engine)
{
        return body_share_is_full(&engine->body_share) && engine->sched.n_queued;
}

static struct muster_request *oldest_queued(struct engine *engine)
{
        struct list *all = &engine->outstanding.list;

        for (struct list *link = all->next; link != all; link = link->next)
                if (request_of_all_link(link)->state == REQUEST_QUEUED)
                        return request_of_all_link(link);
        return NULL;
}

/* The next body that is refused, after those that may go on. */
static struct muster_request *next_refused(struct engine *engine)
{
        struct body_hold *hold;

        while ((hold = body_share_next(&engine->body_share)))
                if (hold->state == BODY_REFUSED)
                        return request_of_hold(hold);
                else
                        exchange_unblock(request_of_hold(hold));
        return NULL;
}

struct muster_request *body_wait_refused(struct engine *engine, struct muster_error *error)
{
        struct body_memory *memory = engine->body_share.memory;
        struct muster_request *request = next_refused(engine);

        if (!request && is_full(engine) && has_nothing(engine) && body_memory_must_refuse(memory))
                request = oldest_queued(engine);
        if (!request)
                return NULL;
        error_clear(error);
        error_set(error, MUSTER_E_TOO_LARGE, deadline_stage(request), 0,
                "too_large: results that were taken and not freed hold %llu bytes of bodies, and all may have %llu; free them earlier, or raise body_memory_bytes (--body-memory)",
                (unsigned long long)body_memory_taken_bytes(memory),
                (unsigned long long)memory->cap_bytes);
        return request;
}

unsigned body_wait_n_may_start(struct engine *engine)
{
        struct body_share *share = &engine->body_share;

        if (!is_full(engine) || !body_share_await(share))
                return UINT_MAX;
        return has_nothing(engine) && body_memory_may_start_one(share->memory) ? 1 : 0;
}
