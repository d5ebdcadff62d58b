/* SPDX-License-Identifier: MIT */
/*
 * Input: what was asked for, and when
 *
 * Slots are empty although requests are still to come. Either the list was not there yet, or the
 * program waited for a whole batch (or a single request) before it began the next, or it had asked
 * to be held back by a rate. The pauses tell the first two apart: with slow input nothing is
 * outstanding for a while, and a program that waits for the last of a batch goes on at once
 * (rounds.h).
 *
 * Where the program has workers of its own and waited for them (own_workers.h), it made no requests for that reason.
 *
 * Requests that come alone, one now and then, are a program's own pace and no batch: the rules say
 * nothing about them. Lines that the command reads are a list, however few there are.
 */
#include "cause.h"

#include "own_workers.h"
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>
#include <explain/measure/load.h>
#include <explain/measure/refusals.h>
#include <explain/measure/rounds.h>
#include <explain/model/raise.h>
#include <explain/model/together.h>
#include <math.h>

static bool is_part(uint64_t part_ns, uint64_t whole_ns, double share)
{
        return (double)part_ns >= (double)whole_ns * share;
}

static bool is_gain(uint64_t wall_ns, const struct facts *facts)
{
        return (double)wall_ns <= (double)facts->wall_ns * (1 - GAIN_NOTICED);
}

/*
 * The wall time with all requests submitted at the start. concurrency 0: as many at once as were
 * allowed.
 */
static uint64_t all_at_once_ns(const struct facts *facts, uint64_t concurrency)
{
        struct replay replay;

        replay_init(&replay, facts);
        replay.all_at_once = true;
        if (concurrency && concurrency < replay.concurrency)
                replay.concurrency = concurrency;
        return replay_wall_ns(&replay, facts);
}

static void work_together(struct replay_request *request, const struct facts *facts, void *argument)
{
        (void)facts;
        request->loop_ns = whole_of((double)request->loop_ns * *(const double *)argument);
}

/* At best the loop is woken up once for many of them. */
static uint64_t all_at_once_least_ns(const struct facts *facts)
{
        double factor =
                together_factor(facts, (double)facts->slots / fmax(facts->mean_in_flight, 1));
        struct replay replay;

        replay_init(&replay, facts);
        replay.all_at_once = true;
        replay.change = work_together;
        replay.argument = &factor;
        return replay_wall_ns(&replay, facts);
}

/* --- the list is not there yet --------------------------------------------------------------- */

static bool came_in_bursts(const struct rounds *rounds, const struct facts *facts)
{
        return rounds->n > 1 && rounds_mean(rounds, facts) >= BATCH_LEAST &&
               is_part(rounds->pauses_ns, facts->wall_ns, PAUSES_MATTER);
}

/*
 * There was one pause, which a program makes for a reason of its own. A slow list makes pauses
 * again and again.
 */
static bool is_one_pause(const struct rounds *rounds)
{
        return is_part(rounds->longest_ns, rounds->pauses_ns, ONE_PAUSE);
}

static bool came_singly(const struct rounds *rounds, const struct facts *facts)
{
        bool is_list = facts->record->run.command || facts->n_requests >= LIST_LEAST;

        return is_list && !is_one_pause(rounds) && rounds_mean(rounds, facts) < BATCH_LEAST &&
               is_part(rounds->pauses_ns, facts->wall_ns, MOST_OF_TIME);
}

/*
 * There was no pause, and yet most of the time slots were free and the end waited for a submission.
 */
static bool came_steadily(const struct rounds *rounds, const struct facts *facts)
{
        return facts->n_requests >= LIST_LEAST && rounds->n < HABIT_LEAST &&
               is_part(facts->starved_ns, facts->wall_ns, MOST_OF_TIME) &&
               is_part(facts->chain_ns[PART_INPUT], facts->wall_ns, MOST_OF_TIME);
}

/*
 * Whatever the pattern of its lines: a list that the end waited for most of the time, while slots
 * were free, starved the run. The record has to say that there was a list to wait for.
 */
static bool list_starved_run(const struct facts *facts)
{
        return facts->record->run.options.input >= MUSTER_INPUT_FILE && facts->n_requests > 1 &&
               is_part(facts->chain_ns[PART_INPUT], facts->wall_ns, MOST_OF_TIME) &&
               is_part(facts->starved_ns, facts->wall_ns, MOST_OF_TIME);
}

/* How requests came: how many a second, and how far from each other. */
struct arrival {
        double per_s;
        uint64_t longest_ns;
};

static void measure_arrival(struct arrival *arrival, const struct facts *facts)
{
        const struct record *record = facts->record;
        uint64_t *moments = mem_array(record->n_attempts, sizeof(*moments));
        size_t n = 0;

        *arrival = (struct arrival){ 0 };
        for (size_t i = 0; moments && i < record->n_attempts; i++)
                if (record->attempts[i].n == 1)
                        moments[n++] = record->attempts[i].submitted_ns;
        sort_numbers(moments, n);
        for (size_t i = 1; i < n; i++)
                arrival->longest_ns = max_u64(arrival->longest_ns, moments[i] - moments[i - 1]);
        if (n > 1 && moments[n - 1] > moments[0])
                arrival->per_s =
                        (double)(n - 1) * (double)NS_PER_S / (double)(moments[n - 1] - moments[0]);
        mem_free(moments);
}

/* What would have had the requests there in time depends on who gives them. */
static void remedy_slow_input(struct finding *finding, const struct facts *facts)
{
        switch ((enum muster_input)facts->record->run.options.input) {
        case MUSTER_INPUT_PIPE:
                finding_remedy(finding,
                        "Make the program that writes the list into a pipe faster, or let it write a file first (-i FILE): the run waits for each of its lines.");
                return;
        case MUSTER_INPUT_TERMINAL:
                finding_remedy(finding,
                        "Put the list into a file (-i FILE): the run waits for what is typed.");
                return;
        case MUSTER_INPUT_FILE:
                finding_remedy(finding,
                        "Copy the list to a disk of this machine first: reading it was slower than the requests.");
                return;
        case MUSTER_INPUT_UNKNOWN:
        case MUSTER_INPUT_ARGUMENTS:
                break;
        }
        if (facts->record->run.command)
                finding_remedy(finding,
                        "Write the list beforehand, or faster: everything waits for the program that writes it.");
        else
                finding_remedy(finding,
                        "Submit requests as soon as they are known: the program submits them more slowly than they are done.");
}

/* Of what it gets it refuses too much already: it is no remedy to send it faster. */
static bool server_has_enough(const struct facts *facts)
{
        struct refusals refusals;

        refusals_find(&refusals, facts);
        return (double)(refusals.n_too_many + refusals.n_full) >=
                       (double)facts->n_attempts * REFUSALS_NOT_FEW &&
               refusals.n_too_many + refusals.n_full > 0;
}

static bool input_slow(const struct facts *facts, struct finding *finding)
{
        struct arrival arrival;
        struct rounds rounds;
        uint64_t wall_ns;

        rounds_count(&rounds, facts);
        if (!came_in_bursts(&rounds, facts) && !came_singly(&rounds, facts) &&
                !came_steadily(&rounds, facts) && !list_starved_run(facts))
                return false;
        if (server_has_enough(facts) || own_workers_limit(facts))
                return false;
        wall_ns = all_at_once_ns(facts, 0);
        measure_arrival(&arrival, facts);
        finding_title(finding, "The list of requests came too slowly, at %s per second",
                words_rate(arrival.per_s).text);
        finding_evidence(finding,
                "for %s, %s of the time, slots were free but there was no request to make",
                words_ns(facts->starved_ns).text,
                words_share((double)facts->starved_ns, (double)facts->wall_ns).text);
        finding_evidence(finding,
                "the requests came at %s per second on average, up to %s after each other",
                words_rate(arrival.per_s).text, words_ns(arrival.longest_ns).text);
        if (rounds.n > 1)
                finding_evidence(finding,
                        "the requests came in %s portions; between them everything was done and the program waited for %s in total, up to %s at a time",
                        words_count(rounds.n).text, words_ns(rounds.pauses_ns).text,
                        words_ns(rounds.longest_ns).text);
        finding_evidence(finding, "on average %.1f requests were in flight; %s were allowed",
                facts->mean_in_flight, words_count(facts->slots).text);
        remedy_slow_input(finding, facts);
        finding->explained_ns = facts->chain_ns[PART_INPUT];
        finding_predict(finding, wall_ns, all_at_once_least_ns(facts), facts->wall_ns);
        return true;
}

/* --- the program waits for the last of each batch -------------------------------------------- */

/*
 * What is proposed is to hand over all of them: then as many are in flight as are allowed, and no
 * longer as many as a batch has. A server may not take more at once; then nothing may be gained.
 */
static bool batch_barrier(const struct facts *facts, struct finding *finding)
{
        struct rounds rounds;
        uint64_t wall_ns;

        rounds_count(&rounds, facts);
        if (!rounds_are_batches(&rounds, facts) || own_workers_limit(facts))
                return false;
        wall_ns = all_at_once_ns(facts, 0);
        if (!is_gain(wall_ns, facts))
                return false;
        finding_title(finding,
                "The program waited for the last request of each batch before it started the next batch");
        finding_evidence(finding,
                "%s times the number of requests in flight fell to 0 and rose again, up to %s",
                words_count(rounds.n).text, words_count(rounds.largest).text);
        finding_evidence(finding,
                "on average %.1f requests were in flight; a batch had %.0f, and %s were allowed",
                facts->mean_in_flight, rounds_mean(&rounds, facts), words_count(facts->slots).text);
        finding_evidence(finding, "half of all requests took at most %s, the slowest took %s",
                words_ns(facts->service.p50).text, words_ns(facts->service.max).text);
        finding_remedy(finding,
                "Submit all requests at once, without waiting for any: the limit keeps %s in flight.",
                words_count(facts->slots).text);
        finding_predict(finding, wall_ns, all_at_once_least_ns(facts), facts->wall_ns);
        return true;
}

/* --- and this one for each request ----------------------------------------------------------- */

static bool one_at_a_time(const struct facts *facts, struct finding *finding)
{
        struct rounds rounds;
        uint64_t wall_ns;

        rounds_count(&rounds, facts);
        if (rounds.n < HABIT_LEAST || rounds.largest > 1 || facts->slots < 2 ||
                rounds.is_by_clock || is_part(rounds.pauses_ns, facts->wall_ns, MOST_OF_TIME) ||
                own_workers_limit(facts))
                return false;
        wall_ns = all_at_once_ns(facts, 0);
        if (!is_gain(wall_ns, facts))
                return false;
        finding_title(finding, "The program made one request after another");
        finding_evidence(finding,
                "never more than 1 request was in flight, although %s were allowed",
                words_count(facts->slots).text);
        finding_evidence(finding,
                "each of the %s requests was submitted when the one before it was done, after %s on average",
                words_count(facts->n_requests).text,
                words_ns(rounds.pauses_ns / (rounds.n - 1)).text);
        finding_remedy(finding,
                "Submit them all, then take the results: the limit keeps the allowed number in flight.");
        finding_predict(finding, wall_ns, all_at_once_least_ns(facts),
                all_at_once_ns(facts, CAREFUL_AT_ONCE));
        return true;
}

/* --- a rate was asked for -------------------------------------------------------------------- */

static bool is_rate_of_host(const struct facts *facts)
{
        return facts->n_waits[TRACE_WAIT_HOST_RATE] > facts->n_waits[TRACE_WAIT_RATE];
}

static double asked_rate(const struct facts *facts)
{
        const struct record_options *options = &facts->record->run.options;

        return is_rate_of_host(facts) ? options->rate_per_host_per_s : options->rate_per_s;
}

/*
 * How late requests began, and how long they took from their planned moment: what a user sees who
 * comes at that rate, whatever we do.
 */
struct plan {
        struct spread late, from_plan;
};

static bool had_plan(const struct trace_attempt *attempt)
{
        return attempt->n == 1 && attempt->planned_ns && attempt->stamps.slot_ns;
}

static bool measure_plan(struct plan *plan, const struct facts *facts)
{
        const struct record *record = facts->record;
        uint64_t *late = mem_array(record->n_attempts, sizeof(*late));
        uint64_t *from_plan = mem_array(record->n_attempts, sizeof(*from_plan));
        size_t n = 0;

        for (size_t i = 0; late && from_plan && i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint64_t planned_ns = attempt->planned_ns;

                if (!had_plan(attempt))
                        continue;
                late[n] = attempt->stamps.slot_ns > planned_ns
                                  ? attempt->stamps.slot_ns - planned_ns
                                  : 0;
                from_plan[n] = late[n] + life_end_ns(attempt) - attempt->stamps.slot_ns;
                n++;
        }
        spread_of(&plan->late, late, n);
        spread_of(&plan->from_plan, from_plan, n);
        mem_free(late);
        mem_free(from_plan);
        return n > 0;
}

/* Every request began about at its planned moment. */
static bool plan_was_kept(const struct facts *facts)
{
        struct plan plan;

        return measure_plan(&plan, facts) && !is_part(plan.late.p90, facts->wall_ns, BEHIND_PLAN);
}

/*
 * Whoever asks for a rate has a reason, be it to spare a server or to measure it. So this is told
 * as a fact, with the latency at that rate, and nothing is advised. Where answers take longer the
 * more requests are under way, the servers held the run back (causes_server.c). On a ramp there is no
 * one rate at which the latency could be told.
 */
static bool rate_too_low(const struct facts *facts, struct finding *finding)
{
        size_t n_held = facts->n_waits[TRACE_WAIT_RATE] + facts->n_waits[TRACE_WAIT_HOST_RATE];
        const char *whose = is_rate_of_host(facts) ? " per host" : "";
        struct replay replay;
        struct load load;
        struct plan plan;

        if (asked_rate(facts) <= 0 || facts->record->run.options.rate_ramp_ns ||
                (double)n_held < (double)facts->n_attempts * MOST_OF_THEM ||
                !plan_was_kept(facts) || !measure_plan(&plan, facts))
                return false;
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS)
                return false;
        replay_init(&replay, facts);
        replay.rate_per_s = replay.rate_per_host_per_s = 0;
        if (!is_gain(replay_wall_ns(&replay, facts), facts))
                return false;
        finding_title(finding,
                "The rate that you asked for, %s per second%s, set the time; latency at that rate: p50 %s, p99 %s",
                words_rate(asked_rate(facts)).text, whose, words_ns(plan.from_plan.p50).text,
                words_ns(plan.from_plan.p99).text);
        finding_evidence(finding, "%s of %s requests waited for their start by the rate",
                words_count(n_held).text, words_count(facts->n_attempts).text);
        finding_evidence(finding, "on average %.1f requests were in flight; %s were allowed",
                facts->mean_in_flight, words_count(facts->slots).text);
        finding_evidence(finding, "a response took %s%s", words_ns(facts->service.p50).text,
                load.answer == LOAD_FLAT ? ": the servers were not at their limit" : "");
        finding_evidence(finding, "starts were late by %s or less, 99 %% of them; the latest by %s",
                words_ns(plan.late.p99).text, words_ns(plan.late.max).text);
        finding_remedy(finding,
                facts->is_load
                        ? "The plan was kept, so these latencies are the server's; raise the rate (--ramp) to see how far it keeps up."
                        : "The plan was kept, so these latencies are the server's; only a higher rate would finish sooner.");
        finding->explained_ns = facts->chain_ns[PART_RATE];
        return true;
}

/* --- and could not be kept ------------------------------------------------------------------- */

static bool coordinated(const struct facts *facts, struct finding *finding)
{
        struct replay replay;
        struct raise raise;
        struct plan plan;

        if (asked_rate(facts) <= 0 || !measure_plan(&plan, facts) ||
                plan.late.p50 < facts->service.p50 ||
                !is_part(facts->full_ns, facts->wall_ns, FULL_SLOTS_MATTER))
                return false;
        finding_title(finding, "The requested rate of %s per second could not be kept",
                words_rate(asked_rate(facts)).text);
        finding_evidence(finding,
                "half of the requests started at least %s after their planned start, because all slots (%s) were taken",
                words_ns(plan.late.p50).text, words_count(facts->slots).text);
        finding_evidence(finding,
                "p50 from the planned start is %s; from the real start it looks like %s",
                words_ns(plan.from_plan.p50).text, words_ns(facts->service.p50).text);
        finding_remedy(finding,
                "Allow more at once, or use a lower rate; and judge the server by the times from the plan.");
        finding->explained_ns = plan.late.max;
        replay_init(&replay, facts);
        raise_limit(&raise, &replay, &replay.concurrency, facts->n_requests, facts);
        if (!raise.limit)
                return true;
        finding_option(finding, "--concurrency %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
        return true;
}

const struct cause causes_input[] = {
        { "input-slow", MUSTER_GRADE_A, input_slow, CAUSE_OF_OURS },
        { "batch-barrier", MUSTER_GRADE_A, batch_barrier, CAUSE_OF_OURS },
        { "one-at-a-time", MUSTER_GRADE_A, one_at_a_time, CAUSE_OF_OURS },
        { "rate-too-low", MUSTER_GRADE_A, rate_too_low, CAUSE_OF_OURS },
        { "coordinated", MUSTER_GRADE_A, coordinated, CAUSE_OF_OURS },
        { 0 },
};
