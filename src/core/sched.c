/* SPDX-License-Identifier: MIT */
#include "sched.h"

#include <assert.h>

void sched_init(struct sched *sched, unsigned concurrency, unsigned per_host)
{
        *sched = (struct sched){ .concurrency = concurrency, .per_host = per_host };
        list_init(&sched->ready);
        list_init(&sched->held);
}

static unsigned min_unsigned(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

static unsigned share(const struct sched *sched)
{
        unsigned share = sched->concurrency / (sched->n_active ? sched->n_active : 1);

        return share ? share : 1;
}

static unsigned may_have(const struct sched *sched, const struct origin *origin)
{
        unsigned most = sched->concurrency;
        unsigned earned;

        if (sched->n_active > 1) {
                most -= sched->concurrency / 8;
                earned = share(sched) + min_unsigned(origin->credit, sched->concurrency);
                most = min_unsigned(most, earned);
        }
        return min_unsigned(most, sched->per_host);
}

/* Put an origin where it belongs now: into the ring, aside, or nowhere. */
static void place(struct sched *sched, struct origin *origin)
{
        list_remove(&origin->ready_link);
        if (!origin->n_queued)
                return;
        if (origin->n_running < may_have(sched, origin))
                list_push_back(&sched->ready, &origin->ready_link);
        else
                list_push_back(&sched->held, &origin->ready_link);
}

/*
 * The number of active origins has changed. Where the share has grown those that were held get another look, in their next turn;
 * that happens at most as often as the share can take another value, about twice the root of `concurrency`.
 */
static void set_active(struct sched *sched, unsigned n_active)
{
        unsigned before = share(sched);

        sched->n_active = n_active;
        if (share(sched) > before || n_active <= 1)
                list_splice(&sched->ready, &sched->held);
}

static bool is_active(const struct origin *origin)
{
        return origin->n_queued || origin->n_running;
}

static void add(struct sched *sched, struct muster_request *request, bool is_first)
{
        struct origin *origin = request->origin;

        assert(!list_is_linked(&request->link));
        if (!is_active(origin))
                set_active(sched, sched->n_active + 1);
        if (is_first)
                list_push_front(&origin->queue, &request->link);
        else
                list_push_back(&origin->queue, &request->link);
        origin->n_queued++;
        sched->n_queued++;
        if (!list_is_linked(&origin->ready_link))
                place(sched, origin);
}

void sched_add(struct sched *sched, struct muster_request *request)
{
        add(sched, request, false);
}

void sched_add_first(struct sched *sched, struct muster_request *request)
{
        add(sched, request, true);
}

bool sched_has_next(const struct sched *sched)
{
        return sched->n_running < sched->concurrency && !list_is_empty(&sched->ready);
}

static struct muster_request *take_first(struct sched *sched, struct origin *origin)
{
        struct muster_request *request = request_of_link(list_pop(&origin->queue));

        origin->n_queued--;
        sched->n_queued--;
        origin->n_running++;
        sched->n_running++;
        return request;
}

struct muster_request *sched_next(struct sched *sched)
{
        while (sched_has_next(sched)) {
                struct origin *origin = origin_of_ready_link(list_first(&sched->ready));
                struct muster_request *request = NULL;

                /* What it may have can have shrunk since it was put here. */
                if (origin->n_running < may_have(sched, origin))
                        request = take_first(sched, origin);
                place(sched, origin);
                if (request)
                        return request;
        }
        return NULL;
}

void sched_remove(struct sched *sched, struct muster_request *request)
{
        struct origin *origin = request->origin;

        list_remove(&request->link);
        origin->n_queued--;
        sched->n_queued--;
        if (!origin->n_queued)
                list_remove(&origin->ready_link);
        if (!is_active(origin))
                set_active(sched, sched->n_active - 1);
}

void sched_end(struct sched *sched, struct origin *origin, bool was_answered)
{
        assert(origin->n_running && sched->n_running);
        origin->n_running--;
        sched->n_running--;
        if (!was_answered)
                origin->credit = 0;
        else if (origin->credit < sched->concurrency)
                origin->credit++;
        if (!is_active(origin))
                set_active(sched, sched->n_active - 1);
        else
                place(sched, origin);
}
