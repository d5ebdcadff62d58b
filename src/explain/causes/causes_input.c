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
 * Requests that come alone, one now and then, are a program's own pace and no batch: the rules say
 * nothing about them. Lines that the command reads are a list, however few there are.
 */
#include "cause.h"

#include <base/clock.h>
#include <base/mem.h>
#include <explain/facts/life.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>
#include <explain/measure/load.h>
#include <explain/measure/rounds.h>
#include <explain/model/raise.h>

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

static bool input_slow(const struct facts *facts, struct finding *finding)
{
        struct rounds rounds;
        uint64_t wall_ns;

        rounds_count(&rounds, facts);
        if (!came_in_bursts(&rounds, facts) && !came_singly(&rounds, facts) &&
                !came_steadily(&rounds, facts))
                return false;
        wall_ns = all_at_once_ns(facts, 0);
        finding_title(finding, "The list of requests came too slowly");
        finding_evidence(finding,
                "for %s of the time slots were free, but there was no request to make",
                words_share((double)facts->starved_ns, (double)facts->wall_ns).text);
        if (rounds.n > 1)
                finding_evidence(finding,
                        "the requests came in %s portions; between them everything was done and the program waited for %s in total, up to %s at a time",
                        words_count(rounds.n).text, words_ns(rounds.pauses_ns).text,
                        words_ns(rounds.longest_ns).text);
        finding_evidence(finding, "on average %.1f requests were in flight; %s were allowed",
                facts->mean_in_flight, words_count(facts->slots).text);
        finding_remedy(finding,
                "Write the list beforehand, or faster: everything waits for the program that writes it.");
        finding->explained_ns = facts->chain_ns[PART_INPUT];
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
        return true;
}

/* --- the program waits for the last of each batch -------------------------------------------- */

/*
 * The expected gain is that of as many at once as a batch has. Where all of a batch take the same
 * there is no such gain; then it is that of more at once.
 */
static bool batch_barrier(const struct facts *facts, struct finding *finding)
{
        struct rounds rounds;
        uint64_t same_ns, more_ns;

        rounds_count(&rounds, facts);
        if (!rounds_are_batches(&rounds, facts))
                return false;
        same_ns = all_at_once_ns(facts, rounds.largest);
        more_ns = all_at_once_ns(facts, 0);
        if (!is_gain(more_ns, facts))
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
                "Submit the next request whenever one is done, or all at once: the limit keeps the allowed number in flight.");
        finding_predict(finding, is_gain(same_ns, facts) ? same_ns : more_ns, more_ns,
                facts->wall_ns);
        return true;
}

/* --- and this one for each request ----------------------------------------------------------- */

static bool one_at_a_time(const struct facts *facts, struct finding *finding)
{
        struct rounds rounds;
        uint64_t wall_ns;

        rounds_count(&rounds, facts);
        if (rounds.n < HABIT_LEAST || rounds.largest > 1 || facts->slots < 2 ||
                rounds.is_by_clock || is_part(rounds.pauses_ns, facts->wall_ns, MOST_OF_TIME))
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
        finding_predict(finding, wall_ns, wall_ns, all_at_once_ns(facts, CAREFUL_AT_ONCE));
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
 * Where answers take longer the more requests are under way, the servers held the run back
 * (causes_server.c).
 */
static bool rate_too_low(const struct facts *facts, struct finding *finding)
{
        size_t n_held = facts->n_waits[TRACE_WAIT_RATE] + facts->n_waits[TRACE_WAIT_HOST_RATE];
        const char *option = is_rate_of_host(facts) ? "--rate-per-host" : "--rate";
        const char *whose = is_rate_of_host(facts) ? " per host" : "";
        struct replay replay;
        struct load load;
        uint64_t wall_ns;

        if (asked_rate(facts) <= 0 || (double)n_held < (double)facts->n_attempts * MOST_OF_THEM ||
                !plan_was_kept(facts))
                return false;
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS)
                return false;
        replay_init(&replay, facts);
        replay.rate_per_s = replay.rate_per_host_per_s = 0;
        wall_ns = replay_wall_ns(&replay, facts);
        if (!is_gain(wall_ns, facts))
                return false;
        finding_title(finding, "The requested rate of %s per second%s held the run back",
                words_rate(asked_rate(facts)).text, whose);
        finding_evidence(finding, "%s of %s requests waited for their start by the rate",
                words_count(n_held).text, words_count(facts->n_attempts).text);
        finding_evidence(finding, "on average %.1f requests were in flight; %s were allowed",
                facts->mean_in_flight, words_count(facts->slots).text);
        finding_evidence(finding, "a response took %s%s", words_ns(facts->service.p50).text,
                load.answer == LOAD_FLAT ? ": the servers were not at their limit" : "");
        finding_remedy(finding,
                "If the server's owner allows it, use a higher rate, or leave out %s.", option);
        finding_option(finding, "without %s", option);
        finding_predict(finding, wall_ns, wall_ns,
                whole_of((double)wall_ns * load_factor_when_raised(&load, (double)RAISE_MOST)));
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
        { "input-slow", MUSTER_GRADE_A, input_slow },
        { "batch-barrier", MUSTER_GRADE_A, batch_barrier },
        { "one-at-a-time", MUSTER_GRADE_A, one_at_a_time },
        { "rate-too-low", MUSTER_GRADE_A, rate_too_low },
        { "coordinated", MUSTER_GRADE_A, coordinated },
        { 0 },
};
