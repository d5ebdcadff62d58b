/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include "deadline.h"
#include "finish.h"
#include <assert.h>
#include <base/error.h>

static void note_origin(struct muster_request *request)
{
        tracing_origin(request->engine, request->origin);
        request->notes.origin = request->origin->number;
}

static int wait_in_queue(struct muster_request *request, bool is_first)
{
        struct sched *sched = &request->engine->sched;
        int r = deadline_arm(request);

        assert(request->state == REQUEST_QUEUED && request->origin);
        if (r < 0)
                return r;
        return is_first ? sched_push_front(sched, request) : sched_add(sched, request);
}

void queue_begin_attempt(struct muster_request *request, uint64_t now_ns)
{
        assert(!request->origin && !request->exchange.conn);
        request->attempt = (struct attempt){ .start_ns = now_ns, .stage = MUSTER_PHASE_QUEUE };
        request->withheld = RETRY_NOT_WITHHELD;
        tracing_number(request);
}

void queue_take_charge(struct engine *engine, struct muster_request *request)
{
        request->engine = engine;
        engine->stats.n_submitted++;
        outstanding_add(&engine->outstanding, request);
}

/* Send the request to another engine if its origin belongs there. True: it is not ours any more. */
static bool has_gone_home(struct muster_request *request)
{
        struct engine *engine = request->engine;
        struct engine *home = engine->ops->home_of(engine, &request->url);

        if (home == engine)
                return false;
        deadline_stop(request);
        outstanding_remove(&engine->outstanding, request);
        engine->stats.n_submitted--;
        engine->ops->send_home(home, request);
        return true;
}

void queue_add(struct muster_request *request, bool is_first)
{
        struct engine *engine = request->engine;
        struct muster_error error = { 0 };
        int r;

        assert(!request->origin && !request->exchange.conn);
        request->state = REQUEST_QUEUED;
        if (engine->ops && has_gone_home(request))
                return;
        request->use = USE_AS_RESULT;
        r = origins_get(&engine->origins, &request->url, &request->origin);
        if (r == 0)
                note_origin(request);
        if (r == 0 && engine->ops)
                engine->ops->met(engine, request->origin);
        if (r == 0 && (r = wait_in_queue(request, is_first)) < 0) {
                origins_release(&engine->origins, request->origin);
                request->origin = NULL;
        }
        if (r < 0) {
                error_set_memory(&error, MUSTER_PHASE_QUEUE);
                finish_unqueued(request, &error);
        }
}

void queue_leave(struct muster_request *request)
{
        struct engine *engine = request->engine;
        struct origin *origin = request->origin;

        assert(request->state == REQUEST_QUEUED && origin);
        sched_remove(&engine->sched, request);
        request->origin = NULL;
        origins_release(&engine->origins, origin);
}

void queue_adopt(struct engine *engine, struct muster_request *request,
        const struct muster_error *error)
{
        assert(request->state == REQUEST_QUEUED && !request->origin);
        queue_take_charge(engine, request);
        if (error)
                finish_unqueued(request, error);
        else
                queue_add(request, request->result.n_attempts > 0);
}

void queue_send_home(struct engine *engine)
{
        struct list *link, *next;

        for (link = engine->outstanding.list.next; link != &engine->outstanding.list; link = next) {
                struct muster_request *request = request_of_all_link(link);

                next = link->next;
                if (request->state != REQUEST_QUEUED ||
                        engine->ops->home_of(engine, &request->url) == engine)
                        continue;
                queue_leave(request);
                (void)has_gone_home(request);
        }
}
