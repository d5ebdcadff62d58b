/* SPDX-License-Identifier: MIT */
#include "capacity.h"

#include <assert.h>
#include <base/minmax.h>

#define LONGEST_NS (365.0 * 24 * 3600 * NS_PER_S) /* the longest service */

static void job_is_done(struct loop_timer *timer, uint64_t late_ns);

void capacity_init(struct capacity *capacity, struct loop *loop, struct rand *rand,
        const struct listener_config *config, const struct pauses *pauses)
{
        *capacity =
                (struct capacity){ .loop = loop, .rand = rand, .config = config, .pauses = pauses };
        list_init(&capacity->waiting);
}

static uint64_t service_ns(struct capacity *capacity)
{
        const struct listener_config *config = capacity->config;
        double others = (double)(capacity->n_busy + capacity->n_waiting);
        double factor =
                1 + config->contention * (double)capacity->n_busy + config->coherency * others;
        double ns;

        ns = (double)spread_draw(&config->service, capacity->rand) * factor;
        return (uint64_t)(ns < LONGEST_NS ? ns : LONGEST_NS);
}

/*
 * A worker takes the job at `start_ns`, which may be slightly in the past. The job was not counted
 * before.
 */
static int start_job(struct capacity *capacity, struct job *job, uint64_t start_ns)
{
        uint64_t ns = service_ns(capacity);
        uint64_t done_ns = pauses_over_ns(capacity->pauses, clock_after(start_ns, ns));

        job->timer.fire = job_is_done;
        if (loop_timer_set(capacity->loop, &job->timer, done_ns) < 0)
                return MUSTER_E_RESOURCE;
        capacity->n_busy++;
        capacity->busy_ns += ns;
        if (start_ns > job->entered_ns)
                capacity->wait_ns += start_ns - job->entered_ns;
        return 0;
}

static struct job *take_waiting(struct capacity *capacity)
{
        struct list *link = list_pop(&capacity->waiting);

        if (!link)
                return NULL;
        capacity->n_waiting--;
        return LIST_OWNER(link, struct job, link);
}

/* A worker became free at `since_ns`. */
static void begin_next(struct capacity *capacity, uint64_t since_ns)
{
        struct job *job;

        while ((job = take_waiting(capacity))) {
                if (start_job(capacity, job, max_u64(since_ns, job->entered_ns)) == 0)
                        return;
                /*
                 * Without memory for its timer the job is never served: its client waits until it
                 * gives up.
                 */
                job->capacity = NULL;
        }
}

static void job_is_done(struct loop_timer *timer, uint64_t late_ns)
{
        struct job *job = LIST_OWNER(timer, struct job, timer);
        struct capacity *capacity = job->capacity;

        job->capacity = NULL;
        capacity->n_busy--;
        capacity->n_done++;
        begin_next(capacity, clock_now(capacity->loop->clock) - late_ns);
        job->done(job);
}

int capacity_enter(struct capacity *capacity, struct job *job, job_done done)
{
        const struct listener_config *config = capacity->config;

        assert(!job->capacity);
        job->entered_ns = clock_now(capacity->loop->clock);
        job->done = done;
        if (capacity->n_busy < config->workers) {
                int r = start_job(capacity, job, job->entered_ns);

                job->capacity = r == 0 ? capacity : NULL;
                return r;
        }
        if (config->has_queue && capacity->n_waiting >= config->queue) {
                capacity->n_refused++;
                return CAPACITY_FULL;
        }
        job->capacity = capacity;
        list_push_back(&capacity->waiting, &job->link);
        if (++capacity->n_waiting > capacity->n_waiting_max)
                capacity->n_waiting_max = capacity->n_waiting;
        return 0;
}

void capacity_leave(struct job *job)
{
        struct capacity *capacity = job->capacity;

        if (!capacity)
                return;
        job->capacity = NULL;
        if (list_is_linked(&job->link)) {
                list_remove(&job->link);
                capacity->n_waiting--;
                return;
        }
        loop_timer_stop(capacity->loop, &job->timer);
        capacity->n_busy--;
        begin_next(capacity, clock_now(capacity->loop->clock));
}
