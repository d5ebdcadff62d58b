/* SPDX-License-Identifier: MIT */
#include "load.h"

#include "waiting.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>
#include <stdbool.h>

struct answers {
        struct load *load;
        const struct facts *facts;
        const struct record *record;
        uint64_t *few, *many;
        uint64_t *slots; /* when each began */
        uint64_t *ends;  /* when each was over */
        size_t n_ends;
        uint64_t last_slot_ns;
        uint64_t alone_sum_ns;
        size_t n_alone;
};

bool load_is_answer(const struct load *load, const struct trace_attempt *attempt)
{
        return attempt->origin == load->origin && attempt->status && attempt->status != 429 &&
               attempt->status != 503 && attempt->stamps.first_byte_kernel_ns &&
               attempt->stamps.slot_ns;
}

static uint32_t busiest_origin(const struct facts *facts)
{
        const struct host_facts *busiest = NULL;

        for (size_t i = 0; i < facts->n_hosts; i++)
                if (!busiest || facts->hosts[i].mean_in_flight > busiest->mean_in_flight)
                        busiest = &facts->hosts[i];
        return busiest ? busiest->origin : 0;
}

static void find_most(struct answers *answers)
{
        for (size_t i = 0; i < answers->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &answers->record->attempts[i];

                if (attempt->origin == answers->load->origin &&
                        attempt->host_in_flight > answers->load->most)
                        answers->load->most = attempt->host_in_flight;
        }
}

static uint64_t part_of(uint64_t n, double share)
{
        return whole_of((double)n * share);
}

/* "Few" is up to two where at most 4 are out: one alone would be a group of one. */
static uint64_t few_at_most(uint64_t most)
{
        uint64_t least = most / 2 < 2 ? most / 2 : 2;

        return max_u64(part_of(most, FEW_OUT), least);
}

/* How many are as good as alone: FEW_OUT of the few, but not so few that one of them decides. */
static uint64_t alone_at_most(uint64_t few)
{
        uint64_t least = few < ALONE_LEAST ? few : ALONE_LEAST;

        return max_u64(part_of(few, FEW_OUT), least);
}

static uint64_t many_at_least(uint64_t most)
{
        return most - part_of(most, 1 - MANY_OUT);
}

static void sort_out(struct answers *answers)
{
        struct load *load = answers->load;
        uint64_t few = few_at_most(load->most);
        uint64_t alone = alone_at_most(few);
        uint64_t many = many_at_least(load->most);

        for (size_t i = 0; i < answers->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &answers->record->attempts[i];
                uint64_t answer_ns;

                if (!load_is_answer(load, attempt))
                        continue;
                answer_ns = waiting_ns(answers->facts, attempt);
                assert(answers->n_ends < answers->record->n_attempts);
                answers->slots[answers->n_ends] = attempt->stamps.slot_ns;
                answers->ends[answers->n_ends++] = attempt->stamps.end_ns;
                if (attempt->stamps.slot_ns > answers->last_slot_ns)
                        answers->last_slot_ns = attempt->stamps.slot_ns;
                if (attempt->host_in_flight <= alone) {
                        answers->alone_sum_ns += answer_ns;
                        answers->n_alone++;
                }
                if (attempt->host_in_flight <= few)
                        answers->few[load->n_few++] = answer_ns;
                else if (attempt->host_in_flight >= many)
                        answers->many[load->n_many++] = answer_ns;
        }
        sort_numbers(answers->few, load->n_few);
        sort_numbers(answers->many, load->n_many);
        sort_numbers(answers->slots, answers->n_ends);
        sort_numbers(answers->ends, answers->n_ends);
}

/*
 * One quick answer among few would make everything look grown, and one slow one would hide it. So
 * the slow ones of few are held against the fast ones of many, and the middle of both against each
 * other.
 */
static void judge(struct answers *answers)
{
        struct load *load = answers->load;
        uint64_t many_fast_ns = quantile_of(answers->many, load->n_many, FAST_OF_MANY);
        uint64_t few_slow_ns = quantile_of(answers->few, load->n_few, SLOW_OF_FEW);

        assert(load->n_few + load->n_many <= answers->n_ends);
        load->growth = 1;
        /* One alone has no slow ones and no fast ones. */
        if (load->n_few < 2 || load->n_many < 2 || !answers->n_alone)
                return;
        load->alone_ns = answers->alone_sum_ns / answers->n_alone;
        load->few_ns = quantile_of(answers->few, load->n_few, 0.5);
        load->many_ns = quantile_of(answers->many, load->n_many, 0.5);
        if (!load->few_ns)
                /* it came before we had told that the request was sent: nothing to measure by */
                return;
        load->growth = (double)load->many_ns / (double)load->few_ns;
        if (load->growth < FLAT_GROWTH)
                load->answer = LOAD_FLAT;
        else if (load->growth >= FULL_GROWTH && many_fast_ns > few_slow_ns)
                load->answer = LOAD_GROWS;
}

/* --- one by one ------------------------------------------------------------------------------ */

/* The first requests, as many as could be out, were held back by no answer. */
static bool began_at_once(const struct answers *answers, size_t n_first)
{
        double asked_ns = (double)(answers->slots[n_first - 1] - answers->slots[0]);
        double answered_ns = (double)(answers->ends[n_first - 1] - answers->ends[0]);

        return asked_ns <= answered_ns * ASKED_AT_ONCE;
}

/* `gaps` are `n`. */
static bool are_even(uint64_t *gaps, size_t n)
{
        double middle_ns;

        sort_numbers(gaps, n);
        middle_ns = (double)quantile_of(gaps, n, 0.5);
        return (double)quantile_of(gaps, n, 0.1) * EVEN_GAPS >= middle_ns &&
               (double)quantile_of(gaps, n, 0.9) <= middle_ns * EVEN_GAPS;
}

/* Uses the memory of `many`, which is judged by now. */
static void judge_pace(struct answers *answers)
{
        struct load *load = answers->load;
        size_t n_first = load->most < answers->n_ends ? (size_t)load->most : answers->n_ends;
        size_t n = answers->n_ends > 0 ? answers->n_ends - 1 : 0;

        if (n < PACE_LEAST || n_first < 2 || !began_at_once(answers, n_first))
                return;
        for (size_t i = 0; i < n; i++)
                answers->many[i] = answers->ends[i + 1] - answers->ends[i];
        if (!are_even(answers->many, n) || quantile_of(answers->many, n, 0.5) < GAP_LEAST_NS)
                return;
        assert(n_first <= answers->n_ends);
        load->answer = LOAD_GROWS;
        load->is_paced = true;
        load->growth = (double)load->most; /* each waits for as many */
        load->alone_ns = quantile_of(answers->many, n, 0.5);
}

/* --- how many a second ----------------------------------------------------------------------- */

static double per_s(const uint64_t *ends, size_t from, size_t to)
{
        uint64_t took_ns = ends[to] - ends[from];

        return took_ns ? (double)(to - from) * (double)NS_PER_S / (double)took_ns : 0;
}

/*
 * The pace from one answer to another. 0: it is the pace of one answer, and would depend on where
 * it is cut.
 */
static double pace_of(const struct answers *answers, size_t from, size_t to)
{
        if (answers->ends[to] - answers->ends[from] < answers->load->alone_ns)
                return 0;
        return per_s(answers->ends, from, to);
}

/* The pace from `n_left` before the end to half of that; 0: too few to tell. */
static double pace_of_half(const struct answers *answers, size_t n_left)
{
        size_t from = answers->n_ends - n_left, to = answers->n_ends - n_left / 2;

        return n_left / 2 < AVERAGE_LEAST || !from ? 0 : pace_of(answers, from - 1, to - 1);
}

/*
 * The best pace of as many in a row before that. Where answers differ some come quickly by
 * accident.
 */
static double pace_by_accident(const struct answers *answers, size_t n_full, size_t n)
{
        double best = 0;

        for (size_t i = 0; i + n < n_full; i += n) {
                double pace = pace_of(answers, i, i + n);

                if (pace > best)
                        best = pace;
        }
        return best;
}

/*
 * The pace with best_n out. Answers that ended while fewer were left had been begun when `n_left`
 * and more were out, and were slowed down by as many. Between there and all of them the pace is
 * taken to fall as the Universal Scalability Law has it beyond its peak, with 1 / (1 + k (n - 1)).
 */
static double pace_at(const struct load *load, double pace, double n_left)
{
        double ratio = pace / load->full_per_s;
        double rest = (double)(load->most - 1) - ratio * (n_left - 1);
        double k = rest > 0 ? (ratio - 1) / rest : 0;

        return pace * (1 + k * (n_left - 1)) / (1 + k * (load->best_n - 1));
}

/*
 * The pace is no accident of a few answers: it is higher than any before, and so is that of all up
 * to there.
 */
static bool is_peak(const struct answers *answers, size_t n_full, size_t n_left, double pace)
{
        double worth_it = answers->load->full_per_s * BETTER_PACE;

        return pace > worth_it &&
               pace > pace_by_accident(answers, n_full, n_left - n_left / 2) * BEYOND_SCATTER &&
               pace_of(answers, n_full - 1, answers->n_ends - n_left / 2 - 1) > worth_it;
}

/*
 * Until the last request begins all slots are in use; then fewer and fewer are. That time is looked
 * at in halves: from all to half of them, to a quarter, and so on. Where answers come faster with
 * fewer out, more at once had slowed the server down. A server that is merely full keeps its pace.
 */
static void watch_the_end(struct answers *answers)
{
        struct load *load = answers->load;
        double best = 0;
        size_t n_full = 0;

        while (n_full < answers->n_ends && answers->ends[n_full] <= answers->last_slot_ns)
                n_full++;
        if (n_full < answers->n_ends / 2)
                n_full = answers->n_ends / 2; /* all began at once: the pace of the first half */
        if (n_full < 2)
                return;
        assert(n_full <= answers->n_ends);
        load->full_per_s = per_s(answers->ends, 0, n_full - 1);
        for (size_t n_left = answers->n_ends - n_full; n_left; n_left /= 2) {
                double pace = pace_of_half(answers, n_left);

                if (pace <= best || !is_peak(answers, n_full, n_left, pace))
                        continue;
                best = pace;
                load->best_n = (double)n_left * 3 / 4;
                load->best_per_s = pace_at(load, pace, (double)n_left);
        }
}

void load_measure_host(struct load *load, const struct facts *facts, uint32_t origin)
{
        struct answers answers = { .load = load, .facts = facts, .record = facts->record };
        size_t n = facts->record->n_attempts;

        *load = (struct load){ .origin = origin, .growth = 1 };
        answers.few = mem_array(n, sizeof(*answers.few));
        answers.many = mem_array(n, sizeof(*answers.many));
        answers.slots = mem_array(n, sizeof(*answers.slots));
        answers.ends = mem_array(n, sizeof(*answers.ends));
        if (answers.few && answers.many && answers.slots && answers.ends) {
                find_most(&answers);
                sort_out(&answers);
                judge(&answers);
                watch_the_end(&answers);
                judge_pace(&answers);
        }
        mem_free(answers.few);
        mem_free(answers.many);
        mem_free(answers.slots);
        mem_free(answers.ends);
}

void load_measure(struct load *load, const struct facts *facts)
{
        load_measure_host(load, facts, busiest_origin(facts));
}

bool load_is_full(const struct load *load)
{
        return load->answer == LOAD_GROWS && load->full_per_s > 0;
}

double load_factor_when_raised(const struct load *load, double raise)
{
        double seen = load->growth > 1 + HIDDEN_GROWTH ? load->growth - 1 : HIDDEN_GROWTH;

        if (seen > 1)
                seen = 1;
        return raise > 1 ? 1 + seen * (raise - 1) : 1;
}
