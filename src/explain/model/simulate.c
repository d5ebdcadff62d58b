/* SPDX-License-Identifier: MIT */
#include "simulate.h"

#include <assert.h>
#include <base/clock.h>
#include <base/list.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <core/fair_share.h>
#include <muster/error.h>

/* The next thing that happens to a job. */
enum step {
        STEP_ARRIVES,
        STEP_OWN_MOMENT, /* by its origin's rate; that of all may be later */
        STEP_DUE,
        STEP_ANSWERED, /* the first byte would be here */
        STEP_SENT,     /* ... and the server has sent it */
        STEP_RECEIVED, /* the last byte is here */
        STEP_HANDLED,  /* the loop is through with it */
        STEP_OVER,
};

struct queue {
        uint32_t first, last;
        uint64_t n;
};

struct origin {
        struct queue planned; /* wait for their moment; only the first one has an event */
        struct queue due;
        uint64_t n_running, credit;
        uint64_t n_here;        /* arrived and not gone: makes it active */
        uint64_t own_moment_ns; /* by its rate, the next one */
        struct list link; /* in the ring, or among those that are held; neither when none is due */
};

struct run {
        const struct simulate *what;
        struct simulate_job *jobs;
        struct origin *origins;
        uint64_t *worker_free_ns;
        /*
         * Jobs that arrive by themselves come in their order, and mostly are many; so the heap has
         * only those that something has happened to.
         */
        struct queue coming;
        struct heap events;
        struct list ring; /* origins with jobs that are due, in turn */
        struct list held; /* such that may have no more at present */
        uint64_t now_ns, n_running, n_active;
        uint64_t next_moment_ns, server_free_ns, link_free_ns, loop_free_ns;
        uint64_t mean_ns; /* of what jobs take of themselves */
        uint64_t end_ns;
        int failed; /* MUSTER_E_RESOURCE */
};

/* The time that one thing takes where there are so many a second. */
static uint64_t each_ns(double per_s, double n)
{
        double ns = n * 1e9 / per_s;

        return ns < 1e18 ? (uint64_t)ns : UINT64_C(1000000000000000000);
}

/* What a job takes when it waits for nobody. */
static uint64_t itself_ns(const struct simulate *what, const struct simulate_job *job)
{
        uint64_t receive_ns = what->link_bytes_per_s > 0 ? 0 : job->receive_ns;

        if (!job->n_visits)
                return job->backoff_ns;
        return job->n_visits * (job->way_ns + receive_ns + job->loop_ns) +
               (job->n_visits - 1) * job->backoff_ns + job->process_ns;
}

static uint64_t mean_ns(const struct simulate *what)
{
        double sum_ns = 0;

        for (uint32_t i = 0; i < what->n_jobs; i++)
                sum_ns += (double)itself_ns(what, &what->jobs[i]);
        return what->n_jobs ? (uint64_t)(sum_ns / what->n_jobs) : 0;
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

/* --- queues ---------------------------------------------------------------------------------- */

/* A job that goes on stands before those that begin. */
static void enter(struct run *run, struct queue *queue, struct simulate_job *job, bool is_first)
{
        uint32_t index = index_of(run, job);

        assert(index < run->what->n_jobs);
        job->next = SIMULATE_NONE;
        if (!queue->n) {
                queue->first = queue->last = index;
        } else if (is_first) {
                job->next = queue->first;
                queue->first = index;
        } else {
                run->jobs[queue->last].next = index;
                queue->last = index;
        }
        queue->n++;
}

static struct simulate_job *take_first(struct run *run, struct queue *queue)
{
        struct simulate_job *job = &run->jobs[queue->first];

        assert(queue->n > 0 && queue->first < run->what->n_jobs);
        queue->first = job->next;
        queue->n--;
        return job;
}

/* --- slots ----------------------------------------------------------------------------------- */

static uint64_t share(const struct run *run)
{
        return fair_share(run->what->concurrency, run->n_active);
}

static uint64_t may_have(const struct run *run, const struct origin *origin)
{
        uint64_t most = fair_share_most(run->what->concurrency, run->n_active, origin->credit);

        return run->what->per_host ? min_u64(most, run->what->per_host) : most;
}

/* Put an origin where it belongs now: into the ring, aside, or nowhere. */
static void place(struct run *run, struct origin *origin)
{
        list_remove(&origin->link);
        if (!origin->due.n)
                return;
        list_push_back(origin->n_running < may_have(run, origin) ? &run->ring : &run->held,
                &origin->link);
}

static void set_active(struct run *run, uint64_t n_active)
{
        uint64_t before = share(run);

        assert(n_active <= run->what->n_origins);
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
        assert(run->n_running < run->what->concurrency && origin->due.n > 0);
        origin->n_running++;
        run->n_running++;
        start_visit(run, take_first(run, &origin->due));
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

        assert(origin->n_running > 0 && run->n_running >= origin->n_running);
        origin->n_running--;
        run->n_running--;
        origin->credit = job->is_answered ? min_u64(origin->credit + 1, run->what->concurrency) : 0;
        place(run, origin);
}

/* --- rates ----------------------------------------------------------------------------------- */

static bool has_rate(const struct run *run)
{
        return run->what->rate_per_s > 0 || run->what->rate_per_host_per_s > 0;
}

/*
 * The first job that waits starts when its origin's own moment has come. Moments that passed while
 * no job waited are gone.
 */
static void await_own_moment(struct run *run, struct origin *origin)
{
        if (!origin->planned.n)
                return;
        origin->own_moment_ns = max_u64(origin->own_moment_ns, run->now_ns);
        happens(run, &run->jobs[origin->planned.first], STEP_OWN_MOMENT, origin->own_moment_ns);
}

static void plan(struct run *run, struct simulate_job *job)
{
        struct origin *origin = &run->origins[job->origin];

        enter(run, &origin->planned, job, false);
        if (origin->planned.n == 1)
                await_own_moment(run, origin);
}

/* Takes the next moment of the rate of all. */
static void take_moment(struct run *run, struct simulate_job *job)
{
        uint64_t at_ns = run->now_ns;

        if (run->what->rate_per_s > 0) {
                at_ns = max_u64(at_ns, run->next_moment_ns);
                run->next_moment_ns = at_ns + each_ns(run->what->rate_per_s, 1);
        }
        happens(run, job, STEP_DUE, at_ns);
}

/* Of its own moments that passed while others had theirs one is left, and is used up now. */
static void leave_plan(struct run *run, struct origin *origin)
{
        uint64_t own_ns = 0;

        take_first(run, &origin->planned);
        if (run->what->rate_per_host_per_s > 0)
                own_ns = each_ns(run->what->rate_per_host_per_s, 1);
        if (run->now_ns - origin->own_moment_ns >= own_ns)
                origin->own_moment_ns = run->now_ns;
        origin->own_moment_ns += own_ns;
        await_own_moment(run, origin);
}

/* --- steps ----------------------------------------------------------------------------------- */

static void become_due(struct run *run, struct simulate_job *job)
{
        struct origin *origin = &run->origins[job->origin];

        if (has_rate(run))
                leave_plan(run, origin);
        enter(run, &origin->due, job, job->n_visited);
        if (!list_is_linked(&origin->link))
                place(run, origin);
}

static uint64_t work_off(struct run *run, uint64_t process_ns)
{
        uint64_t *first = run->worker_free_ns;

        if (!first || !process_ns)
                return run->now_ns + process_ns;
        for (uint64_t i = 1; i < run->what->workers; i++)
                if (run->worker_free_ns[i] < *first)
                        first = &run->worker_free_ns[i];
        *first = max_u64(*first, run->now_ns) + process_ns;
        return *first;
}

static void arrive(struct run *run, struct simulate_job *job)
{
        struct origin *origin = &run->origins[job->origin];

        if (!job->n_visits) {
                happens(run, job, STEP_OVER, run->now_ns + job->backoff_ns);
                return;
        }
        assert(job->n_visited < job->n_visits);
        if (!job->n_visited && !origin->n_here++)
                set_active(run, run->n_active + 1);
        if (has_rate(run))
                plan(run, job);
        else
                become_due(run, job);
}

/* A visit is done. Another one follows, or the worker, or the job is over. */
static void leave(struct run *run, struct simulate_job *job)
{
        struct origin *origin = &run->origins[job->origin];

        assert(job->n_visited < job->n_visits && origin->n_here > 0);
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

/*
 * When the job would be over among all that the jobs stand for: there is one that takes as long as
 * it does, and many that take the mean.
 */
static void note_end(struct run *run, const struct simulate_job *job)
{
        uint64_t takes_ns = itself_ns(run->what, job);
        uint64_t alone_ns = takes_ns > run->mean_ns ? takes_ns - run->mean_ns : 0;
        double end_ns;

        assert(run->what->n_each >= 1);
        alone_ns = min_u64(alone_ns, run->now_ns);
        end_ns = (double)(run->now_ns - alone_ns) * run->what->n_each + (double)alone_ns;
        run->end_ns = max_u64(run->end_ns, end_ns < 18e18 ? (uint64_t)end_ns : UINT64_MAX);
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
        case STEP_OWN_MOMENT:
                take_moment(run, job);
                return;
        case STEP_DUE:
                become_due(run, job);
                return;
        case STEP_ANSWERED:
                run->server_free_ns = max_u64(run->now_ns, run->server_free_ns);
                happens(run, job, STEP_SENT, run->server_free_ns);
                run->server_free_ns += each_ns(what->server_per_s, 1);
                return;
        case STEP_SENT:
                if (what->link_bytes_per_s <= 0) {
                        happens(run, job, STEP_RECEIVED, run->now_ns + job->receive_ns);
                        return;
                }
                run->link_free_ns = max_u64(run->now_ns, run->link_free_ns) +
                                    each_ns(what->link_bytes_per_s, (double)job->link_bytes);
                happens(run, job, STEP_RECEIVED, run->link_free_ns);
                return;
        case STEP_RECEIVED:
                run->loop_free_ns = max_u64(run->now_ns, run->loop_free_ns) + job->loop_ns;
                happens(run, job, STEP_HANDLED, run->loop_free_ns);
                return;
        case STEP_HANDLED:
                leave(run, job);
                return;
        case STEP_OVER:
                note_end(run, job);
                release_followers(run, job);
                return;
        }
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Behind the ones that come before it, or into the heap where that is not its place. */
static void come(struct run *run, struct simulate_job *job)
{
        const struct queue *coming = &run->coming;

        job->step = STEP_ARRIVES;
        if (coming->n && job->arrives_ns < run->jobs[coming->last].arrives_ns)
                happens(run, job, STEP_ARRIVES, job->arrives_ns);
        else
                enter(run, &run->coming, job, false);
}

static void prepare(struct run *run)
{
        for (uint32_t i = 0; i < run->what->n_jobs; i++)
                run->jobs[i].followers = SIMULATE_NONE;
        for (uint32_t i = 0; i < run->what->n_jobs; i++) {
                struct simulate_job *job = &run->jobs[i];

                if (job->after >= i) { /* none, or one that cannot be */
                        come(run, job);
                        continue;
                }
                assert(job->after < i);
                job->next_follower = run->jobs[job->after].followers;
                run->jobs[job->after].followers = i;
        }
}

static uint64_t next_arrival_ns(const struct run *run)
{
        return run->coming.n ? run->jobs[run->coming.first].arrives_ns : UINT64_MAX;
}

static uint64_t next_ns(const struct run *run)
{
        return min_u64(next_arrival_ns(run), heap_top_key(&run->events));
}

/* NULL: all is over. */
static struct simulate_job *take_next(struct run *run)
{
        struct heap_node *node = heap_top(&run->events);

        if (!node && !run->coming.n)
                return NULL;
        run->now_ns = next_ns(run);
        if (run->coming.n && next_arrival_ns(run) == run->now_ns)
                return take_first(run, &run->coming);
        heap_remove(&run->events, node);
        return LIST_OWNER(node, struct simulate_job, node);
}

int simulate_run(const struct simulate *what, uint64_t *ret_end_ns)
{
        struct simulate own = *what;
        struct run run = {
                .what = &own,
                .jobs = what->jobs,
                .mean_ns = mean_ns(what),
        };
        struct simulate_job *job;

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
        while (!run.failed && (job = take_next(&run))) {
                take_step(&run, job);
                if (next_ns(&run) > run.now_ns)
                        start_all(&run);
        }
        assert(run.failed || run.n_running == 0);
        heap_deinit(&run.events);
        mem_free(run.origins);
        mem_free(run.worker_free_ns);
        *ret_end_ns = run.end_ns;
        return run.failed;
}
