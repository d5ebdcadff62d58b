/* SPDX-License-Identifier: MIT */
#include "simulate.h"

#include <base/clock.h>
#include <base/list.h>
#include <base/mem.h>
#include <muster/error.h>

/* The next thing that happens to a job. */
enum step {
        STEP_ARRIVES,
        STEP_DUE,
        STEP_ANSWERED, /* the first byte would be here */
        STEP_SENT,     /* ... and the server has sent it */
        STEP_RECEIVED, /* the last byte is here */
        STEP_HANDLED,  /* the loop is through with it */
        STEP_OVER,
};

struct origin {
        uint32_t first, last; /* queue of jobs that are due */
        uint64_t n_due, n_running, credit;
        uint64_t n_here; /* arrived and not gone: makes it active */
        uint64_t next_start_ns;
        struct list link; /* in the ring, or among those that are held; neither when none is due */
};

struct run {
        const struct simulate *what;
        struct simulate_job *jobs;
        struct origin *origins;
        uint64_t *worker_free_ns;
        struct heap events;
        struct list ring; /* origins with jobs that are due, in turn */
        struct list held; /* such that may have no more at present */
        uint64_t now_ns, n_running, n_active;
        uint64_t next_start_ns, server_free_ns, link_free_ns, loop_free_ns;
        int failed; /* MUSTER_E_RESOURCE */
};

static uint64_t max_ns(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* What one thing of so many a second takes. */
static uint64_t each_ns(double per_s, double n)
{
        double ns = n * 1e9 / per_s;

        return ns < 1e18 ? (uint64_t)ns : UINT64_C(1000000000000000000);
}

static void happens(struct run *run, struct simulate_job *job, enum step step, uint64_t at_ns)
{
        int r;

        job->step = (unsigned char)step;
        r = heap_set(&run->events, &job->node, at_ns);
        if (r < 0)
                run->failed = r;
}

static uint32_t index_of(const struct run *run, const struct simulate_job *job)
{
        return (uint32_t)(job - run->jobs);
}

/* --- slots -------------------------------------------------------------------------------------------------------- */

static uint64_t share(const struct run *run)
{
        uint64_t share = run->what->concurrency / max_ns(run->n_active, 1);

        return max_ns(share, 1);
}

/* As core/sched.c has it. */
static uint64_t may_have(const struct run *run, const struct origin *origin)
{
        uint64_t most = run->what->concurrency;

        if (run->n_active > 1) {
                most -= run->what->concurrency / 8;
                most = min_u64(most, share(run) + origin->credit);
        }
        return run->what->per_host ? min_u64(most, run->what->per_host) : most;
}

/* Put an origin where it belongs now: into the ring, aside, or nowhere. */
static void place(struct run *run, struct origin *origin)
{
        list_remove(&origin->link);
        if (!origin->n_due)
                return;
        list_push_back(origin->n_running < may_have(run, origin) ? &run->ring : &run->held,
                       &origin->link);
}

static void set_active(struct run *run, uint64_t n_active)
{
        uint64_t before = share(run);

        run->n_active = n_active;
        if (share(run) > before || n_active <= 1)
                list_splice(&run->ring, &run->held);
}

static void start_visit(struct run *run, struct simulate_job *job)
{
        const struct simulate *what = run->what;

        if (what->server_per_s > 0)
                happens(run, job, STEP_ANSWERED, run->now_ns + job->way_ns);
        else if (what->link_bytes_per_s > 0)
                happens(run, job, STEP_SENT, run->now_ns + job->way_ns);
        else
                happens(run, job, STEP_RECEIVED, run->now_ns + job->way_ns + job->receive_ns);
}

static void start_first(struct run *run, struct origin *origin)
{
        struct simulate_job *job = &run->jobs[origin->first];

        origin->first = job->next;
        origin->n_due--;
        origin->n_running++;
        run->n_running++;
        start_visit(run, job);
}

static void start_all(struct run *run)
{
        while (run->n_running < run->what->concurrency && !list_is_empty(&run->ring)) {
                struct origin *origin = LIST_OWNER(list_first(&run->ring), struct origin, link);

                if (origin->n_running < may_have(run, origin))
                        start_first(run, origin);
                place(run, origin);
        }
}

static void give_back(struct run *run, struct simulate_job *job)
{
        struct origin *origin = &run->origins[job->origin];

        origin->n_running--;
        run->n_running--;
        origin->credit = job->is_answered ? min_u64(origin->credit + 1, run->what->concurrency) : 0;
        place(run, origin);
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static void enter_queue(struct run *run, struct simulate_job *job)
{
        struct origin *origin = &run->origins[job->origin];
        uint32_t index = index_of(run, job);

        job->next = SIMULATE_NONE;
        if (!origin->n_due) {
                origin->first = origin->last = index;
        } else if (job->n_visited) { /* goes on before new ones begin */
                job->next = origin->first;
                origin->first = index;
        } else {
                run->jobs[origin->last].next = index;
                origin->last = index;
        }
        origin->n_due++;
        if (!list_is_linked(&origin->link))
                place(run, origin);
}

/* When it may start by the rates: their plan goes on from there. */
static uint64_t take_moment(struct run *run, struct origin *origin)
{
        const struct simulate *what = run->what;
        uint64_t at_ns = run->now_ns;

        if (what->rate_per_host_per_s > 0) {
                at_ns = max_ns(at_ns, origin->next_start_ns);
                origin->next_start_ns = at_ns + each_ns(what->rate_per_host_per_s, 1);
        }
        if (what->rate_per_s > 0) {
                at_ns = max_ns(at_ns, run->next_start_ns);
                run->next_start_ns = at_ns + each_ns(what->rate_per_s, 1);
        }
        return at_ns;
}

static uint64_t work_off(struct run *run, uint64_t process_ns)
{
        uint64_t *first = run->worker_free_ns;

        if (!first || !process_ns)
                return run->now_ns + process_ns;
        for (uint64_t i = 1; i < run->what->workers; i++)
                if (run->worker_free_ns[i] < *first)
                        first = &run->worker_free_ns[i];
        *first = max_ns(*first, run->now_ns) + process_ns;
        return *first;
}

static void arrive(struct run *run, struct simulate_job *job)
{
        struct origin *origin = &run->origins[job->origin];

        if (!job->n_visits) {
                happens(run, job, STEP_OVER, run->now_ns + job->backoff_ns);
                return;
        }
        if (!job->n_visited && !origin->n_here++)
                set_active(run, run->n_active + 1);
        happens(run, job, STEP_DUE, take_moment(run, origin));
}

/* A visit is done: another one, the worker, or over. */
static void leave(struct run *run, struct simulate_job *job)
{
        struct origin *origin = &run->origins[job->origin];

        give_back(run, job);
        job->n_visited++;
        if (job->n_visited < job->n_visits) {
                happens(run, job, STEP_ARRIVES, run->now_ns + job->backoff_ns);
                return;
        }
        if (!--origin->n_here)
                set_active(run, run->n_active - 1);
        happens(run, job, STEP_OVER, work_off(run, job->process_ns));
}

static void release_followers(struct run *run, const struct simulate_job *job)
{
        for (uint32_t i = job->followers; i != SIMULATE_NONE; i = run->jobs[i].next_follower)
                happens(run, &run->jobs[i], STEP_ARRIVES, run->now_ns + run->jobs[i].arrives_ns);
}

static void take_step(struct run *run, struct simulate_job *job)
{
        const struct simulate *what = run->what;

        switch ((enum step)job->step) {
        case STEP_ARRIVES:
                arrive(run, job);
                return;
        case STEP_DUE:
                enter_queue(run, job);
                return;
        case STEP_ANSWERED:
                run->server_free_ns = max_ns(run->now_ns, run->server_free_ns);
                happens(run, job, STEP_SENT, run->server_free_ns);
                run->server_free_ns += each_ns(what->server_per_s, 1);
                return;
        case STEP_SENT:
                if (what->link_bytes_per_s <= 0) {
                        happens(run, job, STEP_RECEIVED, run->now_ns + job->receive_ns);
                        return;
                }
                run->link_free_ns = max_ns(run->now_ns, run->link_free_ns) +
                                    each_ns(what->link_bytes_per_s, (double)job->link_bytes);
                happens(run, job, STEP_RECEIVED, run->link_free_ns);
                return;
        case STEP_RECEIVED:
                run->loop_free_ns = max_ns(run->now_ns, run->loop_free_ns) + job->loop_ns;
                happens(run, job, STEP_HANDLED, run->loop_free_ns);
                return;
        case STEP_HANDLED:
                leave(run, job);
                return;
        case STEP_OVER:
                release_followers(run, job);
                return;
        }
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static void prepare(struct run *run)
{
        for (uint32_t i = 0; i < run->what->n_jobs; i++)
                run->jobs[i].followers = SIMULATE_NONE;
        for (uint32_t i = 0; i < run->what->n_jobs; i++) {
                struct simulate_job *job = &run->jobs[i];

                if (job->after >= i) { /* none, or one that cannot be */
                        happens(run, job, STEP_ARRIVES, job->arrives_ns);
                        continue;
                }
                job->next_follower = run->jobs[job->after].followers;
                run->jobs[job->after].followers = i;
        }
}

int simulate_run(const struct simulate *what, uint64_t *ret_end_ns)
{
        struct simulate own = *what;
        struct run run = {
                .what = &own,
                .jobs = what->jobs,
        };
        struct heap_node *node;

        list_init(&run.ring);
        list_init(&run.held);
        own.concurrency = what->concurrency ? what->concurrency : UINT32_MAX;
        run.origins = mem_array(what->n_origins, sizeof(*run.origins));
        if (what->workers)
                run.worker_free_ns = mem_array(what->workers, sizeof(*run.worker_free_ns));
        if (!run.origins || (what->workers && !run.worker_free_ns))
                run.failed = MUSTER_E_RESOURCE;
        else
                prepare(&run);
        while (!run.failed && (node = heap_top(&run.events))) {
                uint64_t at_ns = heap_top_key(&run.events);

                heap_remove(&run.events, node);
                run.now_ns = at_ns;
                take_step(&run, LIST_OWNER(node, struct simulate_job, node));
                if (heap_top_key(&run.events) > at_ns)
                        start_all(&run);
        }
        heap_deinit(&run.events);
        mem_free(run.origins);
        mem_free(run.worker_free_ns);
        *ret_end_ns = run.now_ns;
        return run.failed;
}
