/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include "draw.h"
#include "rehearsal.h"
#include "simulate.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

#define N_DRAWS 24 /* enough for the ends of a range of nine in ten */

/*
 * Of two runs each scatters, the one that was recorded and the one to come: their difference
 * scatters by the root of two of that.
 */
#define EACH_OF_TWO 1.41

/* The whole of a replay: which requests, and what becomes of them. */
struct staging {
        const struct replay *replay;
        const struct facts *facts;
        struct simulate simulate;
        uint64_t *kinds; /* by index of a job: who may be drawn for it */
        uint64_t n_coming,
                came_ns; /* jobs that come by themselves, and when the last of them did */
};

/* Slots of each origin: the limit that was set, or what its connections have room for. */
static uint64_t per_host_of(const struct facts *facts)
{
        uint64_t per_host = facts->record->run.options.per_host;

        if (facts->streams && (!per_host || facts->streams < per_host))
                per_host = facts->streams;
        return per_host < facts->slots ? per_host : 0;
}

void replay_init(struct replay *replay, const struct facts *facts)
{
        const struct record_options *options = &facts->record->run.options;

        *replay = (struct replay){
                .concurrency = facts->slots,
                .per_host = per_host_of(facts),
                .rate_per_s = options->rate_per_s,
                .rate_per_host_per_s = options->rate_per_host_per_s,
                .workers = options->workers,
        };
}

/* --- staging --------------------------------------------------------------------------------- */

static uint64_t slot_sum(const struct replay_request *request, enum part from, enum part to)
{
        uint64_t sum = 0;

        for (enum part part = from; part <= to; part++)
                sum += request->slot_ns[part];
        return sum;
}

static void make_job(const struct staging *staging, const struct replay_request *request,
        struct simulate_job *job)
{
        uint32_t n = request->n_attempts ? request->n_attempts : 1;
        uint32_t n_gaps = n > 1 ? n - 1 : 1;
        const struct trace_attempt *last = request->last;

        *job = (struct simulate_job){
                .arrives_ns = request->submit_ns,
                .after = SIMULATE_NONE,
                .origin = request->origin < staging->simulate.n_origins ? request->origin : 0,
                .n_visits = request->n_attempts,
                .way_ns = slot_sum(request, PART_DNS, PART_SERVER) / n,
                .receive_ns = request->slot_ns[PART_RECEIVE] / n,
                .loop_ns = request->loop_ns / n,
                .link_bytes = request->wire_bytes / n,
                .backoff_ns = request->backoff_ns / n_gaps,
                .process_ns = request->process_ns,
                .is_answered = trace_is_answered(last),
        };
        /* It never had a slot: what ended it came after as long. */
        if (!request->n_attempts && last->stamps.end_ns > life_submit_ns(last))
                job->backoff_ns = last->stamps.end_ns - life_submit_ns(last);
}

/* Of a kind of their own are those of each host, that open a connection, and that were never sent. */
static uint64_t kind_of(const struct replay_request *request)
{
        return (uint64_t)request->origin * 4 + 2 * (request->n_conns > 0) +
               (request->n_attempts > 0);
}

static void stage_one(struct staging *staging, const struct rehearsed *rehearsed)
{
        const struct replay *replay = staging->replay;
        uint32_t index = staging->simulate.n_jobs++;
        struct simulate_job *job = &staging->simulate.jobs[index];
        struct replay_request request = rehearsed->as_it_was;

        assert(index < staging->facts->rehearsal->n);
        request.follow_ns = rehearsed->after_ns;
        if (replay->all_at_once)
                request.submit_ns = 0;
        if (replay->change)
                replay->change(&request, staging->facts, replay->argument);
        request.submit_ns = whole_of((double)request.submit_ns / staging->simulate.n_each);
        make_job(staging, &request, job);
        staging->kinds[index] = kind_of(&request);
        if (!replay->all_at_once && rehearsed->follows && !request.is_free) {
                job->after = rehearsed->after;
                job->arrives_ns = request.follow_ns;
        }
        if (job->after != SIMULATE_NONE)
                return;
        /* They keep their order; those of one moment are all there before any begins. */
        if (staging->n_coming++)
                job->arrives_ns = max_u64(job->arrives_ns, staging->came_ns);
        staging->came_ns = job->arrives_ns;
}

/* --- answers --------------------------------------------------------------------------------- */

static int stage(struct staging *staging)
{
        const struct replay *replay = staging->replay;
        const struct rehearsal *rehearsal = staging->facts->rehearsal;

        assert(rehearsal && rehearsal->n > 0);
        staging->simulate = (struct simulate){
                .concurrency = replay->concurrency,
                .per_host = replay->per_host,
                .workers = replay->workers,
                .rate_per_s = replay->rate_per_s,
                .rate_per_host_per_s = replay->rate_per_host_per_s,
                .link_bytes_per_s = replay->link_bytes_per_s,
                .server_per_s = replay->server_per_s,
                .n_each = rehearsal->n_each,
                .jobs = mem_array(rehearsal->n, sizeof(*staging->simulate.jobs)),
                .n_origins =
                        (uint32_t)min_u64(staging->facts->record->n_origins, UINT32_MAX - 1) + 1,
        };
        staging->kinds = mem_array(rehearsal->n, sizeof(*staging->kinds));
        if (!staging->simulate.jobs || !staging->kinds)
                return MUSTER_E_RESOURCE;
        for (uint32_t i = 0; i < rehearsal->n; i++)
                stage_one(staging, &rehearsal->list[i]);
        return 0;
}

static void end(struct staging *staging)
{
        mem_free(staging->simulate.jobs);
        mem_free(staging->kinds);
}

uint64_t replay_alone_ns(const struct replay *replay, const struct facts *facts)
{
        struct staging staging = { .replay = replay, .facts = facts };
        uint64_t ns = 0;
        int r = stage(&staging);

        if (r == 0)
                r = simulate_run(&staging.simulate, &ns);
        end(&staging);
        if (r < 0)
                return UINT64_MAX;
        return ns ? ns : 1;
}

uint64_t replay_unchanged_ns(const struct facts *facts)
{
        struct replay replay;

        replay_init(&replay, facts);
        return replay_alone_ns(&replay, facts);
}

/* What was simulated, in the measured time. */
static uint64_t scaled_ns(uint64_t simulated_ns, const struct replay *replay,
        const struct facts *facts)
{
        double wall_ns = (double)facts->wall_ns;
        double unchanged_ns = (double)facts->replayed_ns;
        double scale = wall_ns / unchanged_ns;
        double left_out_ns = 0, answer_ns;

        assert(facts->wall_ns > 0 && facts->replayed_ns > 0);
        if (replay->is_alone)
                return max_u64(simulated_ns, 1);
        if (scale > REPLAY_OFF) {
                scale = REPLAY_OFF;
                left_out_ns = wall_ns - unchanged_ns * REPLAY_OFF;
        }
        answer_ns = (double)simulated_ns * scale + left_out_ns;
        return answer_ns < 1 ? 1 : whole_of(answer_ns);
}

uint64_t replay_wall_ns(const struct replay *replay, const struct facts *facts)
{
        uint64_t changed_ns = replay_alone_ns(replay, facts);

        return changed_ns == UINT64_MAX ? UINT64_MAX : scaled_ns(changed_ns, replay, facts);
}

/* --- drawn anew ------------------------------------------------------------------------------ */

/* The same for the same record, and another one for another. */
static uint64_t seed_of(const struct facts *facts)
{
        return facts->wall_ns ^ facts->service.sum << 20 ^ (uint64_t)facts->n_attempts << 40;
}

/* The jobs as they are, then as they are drawn; the latter wall times in ascending order. */
static int run_draws(struct staging *staging, uint64_t *ret_wall_ns, uint64_t walls[N_DRAWS])
{
        struct draw draw;
        int r = draw_init(&draw, &staging->simulate, staging->kinds, seed_of(staging->facts));

        if (r == 0)
                r = simulate_run(&staging->simulate, ret_wall_ns);
        for (size_t i = 0; r == 0 && i < N_DRAWS; i++) {
                draw_next(&draw, &staging->simulate);
                r = simulate_run(&staging->simulate, &walls[i]);
        }
        draw_deinit(&draw);
        sort_numbers(walls, N_DRAWS);
        return r;
}

/* What is changed is changed once: a function that does it may count. */
static int draw_walls(struct replay_range *range, uint64_t walls[N_DRAWS],
        const struct replay *replay, const struct facts *facts)
{
        struct staging staging = { .replay = replay, .facts = facts };
        int r = stage(&staging);

        if (r == 0)
                r = run_draws(&staging, &range->wall_ns, walls);
        end(&staging);
        if (r < 0)
                return r;
        range->wall_ns = scaled_ns(range->wall_ns, replay, facts);
        for (size_t i = 0; i < N_DRAWS; i++)
                walls[i] = scaled_ns(walls[i], replay, facts);
        return 0;
}

static uint64_t further(uint64_t from_ns, uint64_t to_ns)
{
        double ns = (double)from_ns + ((double)to_ns - (double)from_ns) * EACH_OF_TWO;

        return ns < 1 ? 1 : whole_of(ns);
}

void replay_range_of(struct replay_range *range, const struct replay *replay,
        const struct facts *facts)
{
        uint64_t walls[N_DRAWS] = { 0 }, middle_ns;

        *range = (struct replay_range){ UINT64_MAX, UINT64_MAX, UINT64_MAX };
        if (facts->n_requests > REPLAY_DRAWN_MOST) {
                range->wall_ns = range->low_ns = range->high_ns = replay_wall_ns(replay, facts);
                return;
        }
        if (draw_walls(range, walls, replay, facts) < 0) {
                range->wall_ns = UINT64_MAX;
                return;
        }
        middle_ns = quantile_of(walls, N_DRAWS, 0.5);
        range->wall_ns = range->wall_ns / 2 + middle_ns / 2;
        range->low_ns =
                min_u64(further(middle_ns, quantile_of(walls, N_DRAWS, 0.05)), range->wall_ns);
        range->high_ns =
                max_u64(further(middle_ns, quantile_of(walls, N_DRAWS, 0.95)), range->wall_ns);
}
