/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include "crew.h"
#include "simulate.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/intake.h>
#include <explain/facts/life.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

/* The whole of a replay: which requests, and what becomes of them. */
struct staging {
        const struct replay *replay;
        const struct facts *facts;
        /* by submission; value: where its attempts begin in by_request */
        struct sort_pair *requests;
        size_t n_requests, n_sampled;
        uint64_t stride;      /* of so many runs of requests one is simulated */
        double n_each;        /* how many requests one of the sample stands for */
        uint32_t *place_of;   /* by index of a request's last attempt: which of `requests` it is */
        uint64_t *process_ns; /* by index of attempt; or NULL */
        /* by now: time in which the client was full; then they would have come as much earlier */
        uint64_t blocked_ns;
        uint64_t submitted_ns;
        struct simulate simulate;
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

/* --- a request as it was --------------------------------------------------------------------- */

static const struct trace_attempt *attempt_at(const struct facts *facts, size_t at)
{
        return &facts->record->attempts[facts->by_request[at]];
}

/* An attempt's part of work that is only known in total. */
static uint64_t even_part(const struct facts *facts, enum trace_work work)
{
        return facts->n_attempts ? facts->loop_ns[work] / facts->n_attempts : 0;
}

static void add_attempt(struct replay_request *request, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = record_conn(facts->record, attempt->conn);
        struct life life;
        uint64_t at_ns;

        life_of(&life, facts, attempt);
        at_ns = life.start_ns;
        for (size_t i = 0; i < life.n; i++) {
                if (life.pieces[i].part >= PART_DNS && life.pieces[i].part <= PART_RECEIVE)
                        request->slot_ns[life.pieces[i].part] += life.pieces[i].end_ns - at_ns;
                at_ns = life.pieces[i].end_ns;
        }
        request->n_attempts++;
        request->n_conns += attempt->conn && !attempt->is_reused;
        request->loop_ns += even_part(facts, TRACE_WORK_IO) + even_part(facts, TRACE_WORK_CALLER) +
                            attempt->stamps.decode_ns;
        if (conn && !attempt->is_reused)
                request->loop_ns += conn->tls_work_ns;
        request->wire_bytes += attempt->wire_bytes;
}

/* With a slot or without, and behind its end. */
static void describe(const struct staging *staging, size_t from, struct replay_request *request)
{
        const struct facts *facts = staging->facts;
        size_t to = facts_request_end(facts, from);
        const struct trace_attempt *last = attempt_at(facts, to - 1);
        uint64_t process_ns = life_process_end_ns(last) - life_end_ns(last);

        *request = (struct replay_request){ .last = last, .origin = last->origin };
        for (size_t at = from; at < to; at++)
                if (attempt_at(facts, at)->stamps.slot_ns)
                        add_attempt(request, facts, attempt_at(facts, at));
        request->backoff_ns = facts_backoff_ns(facts, from, to);
        if (staging->process_ns)
                request->process_ns = staging->process_ns[facts->by_request[to - 1]];
        else if (life_process_part(facts->record) == PART_LOOP_PROCESS)
                request->loop_ns += process_ns;
}

/* --- when it comes --------------------------------------------------------------------------- */

/*
 * When a request comes: as long after the one before it as it did. Time in which there was no room
 * is taken away.
 */
static uint64_t due_ns(struct staging *staging, const struct sort_pair *request)
{
        const struct trace_attempt *first = attempt_at(staging->facts, request->value);

        assert(request->key >= staging->submitted_ns); /* they come in their order */
        if (intake_why(staging->facts, first) == INTAKE_ROOM)
                staging->blocked_ns += request->key - staging->submitted_ns;
        staging->submitted_ns = request->key;
        return request->key - staging->facts->start_ns - staging->blocked_ns;
}

/*
 * Lets a request follow the result that its program waited for, or one that is as many requests
 * before it in the sample. The first ones of the sample are there at the start.
 */
static void follow(const struct staging *staging, size_t place, struct simulate_job *job,
        uint32_t index)
{
        const struct facts *facts = staging->facts;
        const struct sort_pair *request = &staging->requests[place];
        const struct trace_attempt *taken;
        size_t taken_place;

        assert(place < staging->n_requests && index < staging->simulate.n_jobs);
        if (intake_why(facts, attempt_at(facts, request->value)) != INTAKE_RESULT)
                return;
        taken = intake_taken_before(facts, request->key);
        taken_place = taken ? staging->place_of[taken - facts->record->attempts] : place;
        if (taken_place >= place)
                return;
        job->arrives_ns = 0;
        if (place - taken_place > index)
                return;
        job->after = index - (uint32_t)(place - taken_place);
        job->arrives_ns = request->key - taken->taken_ns;
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
                .is_answered = last->status != 0,
        };
        /* It never had a slot: what ended it came after as long. */
        if (!request->n_attempts && last->stamps.end_ns > life_submit_ns(last))
                job->backoff_ns = last->stamps.end_ns - life_submit_ns(last);
}

static void stage_one(struct staging *staging, size_t place, uint64_t due_ns)
{
        const struct replay *replay = staging->replay;
        uint32_t index = staging->simulate.n_jobs++;
        struct simulate_job *job = &staging->simulate.jobs[index];
        struct replay_request as_it_was;

        assert(place < staging->n_requests && index < staging->n_sampled);
        describe(staging, staging->requests[place].value, &as_it_was);
        as_it_was.submit_ns = due_ns;
        if (replay->change)
                replay->change(&as_it_was, staging->facts, replay->argument);
        as_it_was.submit_ns = whole_of((double)as_it_was.submit_ns / staging->n_each);
        make_job(staging, &as_it_was, job);
        if (!replay->all_at_once)
                follow(staging, place, job, index);
        /* Those that come at the same moment keep their order. */
        if (index > 0 && job->after == SIMULATE_NONE && job[-1].after == SIMULATE_NONE &&
                job->arrives_ns <= job[-1].arrives_ns)
                job->arrives_ns = job[-1].arrives_ns + 1;
}

/* The last of them are. */
static bool is_sampled(const struct staging *staging, size_t place)
{
        return (staging->n_requests - 1 - place) / REPLAY_RUN % staging->stride == 0;
}

static void stage_all(struct staging *staging)
{
        for (size_t i = 0; i < staging->n_requests; i++) {
                uint64_t at_ns =
                        staging->replay->all_at_once ? 0 : due_ns(staging, &staging->requests[i]);

                if (is_sampled(staging, i))
                        stage_one(staging, i, at_ns);
        }
}

static void choose_sample(struct staging *staging)
{
        assert(staging->n_requests > 0);
        staging->stride = (staging->n_requests + REPLAY_MOST - 1) / REPLAY_MOST;
        for (size_t i = 0; i < staging->n_requests; i++)
                staging->n_sampled += is_sampled(staging, i);
        assert(staging->n_sampled > 0 && staging->n_sampled <= staging->n_requests);
        staging->n_each = (double)staging->n_requests / (double)staging->n_sampled;
        staging->simulate.n_each = staging->n_each;
}

/*
 * A request that was stopped took as long as the run did, whatever limits there were. It is left
 * out unless all were stopped.
 */
static bool is_left_out(const struct facts *facts, size_t to)
{
        return attempt_at(facts, to - 1)->code == MUSTER_E_CANCELLED &&
               facts->n_codes[-MUSTER_E_CANCELLED] < facts->n_requests;
}

static void sort_requests(struct staging *staging)
{
        const struct facts *facts = staging->facts;

        for (size_t from = 0, to; from < facts->record->n_attempts; from = to) {
                to = facts_request_end(facts, from);
                if (!is_left_out(facts, to))
                        staging->requests[staging->n_requests++] =
                                (struct sort_pair){ life_submit_ns(attempt_at(facts, from)), from };
        }
        sort_pairs(staging->requests, staging->n_requests);
        for (size_t i = 0; i < staging->n_requests; i++) {
                size_t to = facts_request_end(facts, staging->requests[i].value);

                staging->place_of[facts->by_request[to - 1]] = (uint32_t)i;
        }
        staging->submitted_ns = facts->start_ns;
}

static int begin(struct staging *staging)
{
        const struct facts *facts = staging->facts;
        size_t n = facts->record->n_attempts;

        staging->requests = mem_array(n, sizeof(*staging->requests));
        staging->place_of = mem_array(n, sizeof(*staging->place_of));
        if (!staging->requests || !staging->place_of || crew_work(facts, &staging->process_ns) < 0)
                return MUSTER_E_RESOURCE;
        sort_requests(staging);
        choose_sample(staging);
        staging->simulate.jobs = mem_array(staging->n_sampled, sizeof(*staging->simulate.jobs));
        return staging->simulate.jobs ? 0 : MUSTER_E_RESOURCE;
}

static void end(struct staging *staging)
{
        mem_free(staging->requests);
        mem_free(staging->place_of);
        mem_free(staging->process_ns);
        mem_free(staging->simulate.jobs);
}

/* --- answers --------------------------------------------------------------------------------- */

static uint64_t simulated_ns(const struct replay *replay, const struct facts *facts)
{
        struct staging staging = { .replay = replay, .facts = facts };
        uint64_t ns = 0;
        int r;

        staging.simulate = (struct simulate){
                .concurrency = replay->concurrency,
                .per_host = replay->per_host,
                .workers = replay->workers,
                .rate_per_s = replay->rate_per_s,
                .rate_per_host_per_s = replay->rate_per_host_per_s,
                .link_bytes_per_s = replay->link_bytes_per_s,
                .server_per_s = replay->server_per_s,
                .n_origins = (uint32_t)min_u64(facts->record->n_origins, UINT32_MAX - 1) + 1,
        };
        r = begin(&staging);
        if (r == 0) {
                stage_all(&staging);
                r = simulate_run(&staging.simulate, &ns);
        }
        end(&staging);
        if (r < 0)
                return UINT64_MAX;
        return ns ? ns : 1;
}

uint64_t replay_unchanged_ns(const struct facts *facts)
{
        struct replay replay;

        replay_init(&replay, facts);
        return simulated_ns(&replay, facts);
}

uint64_t replay_wall_ns(const struct replay *replay, const struct facts *facts)
{
        uint64_t changed_ns = simulated_ns(replay, facts);
        double wall_ns = (double)facts->wall_ns;
        double unchanged_ns = (double)facts->replayed_ns;
        double scale = wall_ns / unchanged_ns;
        double left_out_ns = 0, answer_ns;

        assert(facts->wall_ns > 0 && facts->replayed_ns > 0);
        if (changed_ns == UINT64_MAX)
                return UINT64_MAX;
        if (scale > REPLAY_OFF) {
                scale = REPLAY_OFF;
                left_out_ns = wall_ns - unchanged_ns * REPLAY_OFF;
        }
        answer_ns = (double)changed_ns * scale + left_out_ns;
        return answer_ns < 1 ? 1 : whole_of(answer_ns);
}
