/* SPDX-License-Identifier: MIT */
#include "load_answers.h"

#include "processors.h"
#include "waiting.h"
#include <assert.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

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

/* --- a few at a time ------------------------------------------------------------------------- */

/* Gaps far longer than the mean one, of answers that come in bunches. Returns how many. */
static size_t long_gaps(const struct answers *answers, uint64_t *gaps, uint64_t *ret_sum_ns)
{
        double took_ns = (double)(answers->ends[answers->n_ends - 1] - answers->ends[0]);
        double mean_ns = took_ns / (double)(answers->n_ends - 1);
        size_t n = 0;

        *ret_sum_ns = 0;
        for (size_t i = 1; i < answers->n_ends; i++) {
                uint64_t gap_ns = answers->ends[i] - answers->ends[i - 1];

                if (gap_ns < GAP_LEAST_NS || (double)gap_ns < mean_ns * MUCH_LONGER)
                        continue;
                gaps[n++] = gap_ns;
                *ret_sum_ns += gap_ns;
        }
        return n;
}

/*
 * Uses the memory of `many`, which is judged by now. All that are under way at once come together
 * where nobody waits for another: then the bunches are as large as that.
 */
static void judge_bunches(struct answers *answers)
{
        struct load *load = answers->load;
        size_t n_first = load->most < answers->n_ends ? (size_t)load->most : answers->n_ends;
        uint64_t sum_ns;
        double bunch_n;
        size_t n;

        if (n_first < PACE_LEAST || load->answer == LOAD_GROWS || !began_at_once(answers, n_first))
                return;
        n = long_gaps(answers, answers->many, &sum_ns);
        bunch_n = (double)answers->n_ends / (double)(n + 1);
        if (n < PACE_LEAST || bunch_n > (double)load->most * MOST_OF_THEM ||
                !are_even(answers->many, n) ||
                (double)sum_ns < (double)(answers->ends[answers->n_ends - 1] - answers->ends[0]) *
                                         NEARLY_ALL)
                return;
        load->answer = LOAD_GROWS;
        load->bunch_n = bunch_n;
        load->alone_ns = quantile_of(answers->many, n, 0.5);
        load->growth = (double)load->most / bunch_n;
}

/* --- in a row -------------------------------------------------------------------------------- */

/* All of the first ones were asked for before any was answered, or soon after that. */
static bool stood_there(const struct answers *answers, size_t n_first)
{
        return answers->slots[n_first - 1] <= answers->ends[0] || began_at_once(answers, n_first);
}

/*
 * All that were there together were answered after the same time: none waited for another. A loop that
 * reads all of them before it answers the first one does so, too, in the time that the work on them takes.
 */
static void judge_together(struct load *load, const struct spread *first, const struct facts *facts)
{
        struct processors processors;

        processors_of(&processors, facts);
        if (load->answer != LOAD_UNKNOWN || first->n < 2 ||
                (double)first->p90 >= (double)first->min * FLAT_GROWTH ||
                first->min < load->most * processors.each_ns)
                return;
        load->answer = LOAD_FLAT;
        load->is_together = true;
        load->row_low_ns = first->p10;
        load->row_high_ns = first->p90;
}

/* Uses the memory of `few` and `many`, which are judged by now. */
static void judge_row(struct answers *answers)
{
        struct load *load = answers->load;
        uint64_t many = load_many_at_least(load->most), *first = answers->few,
                 *later = answers->many;
        size_t n_first = load->most < answers->n_ends ? (size_t)load->most : answers->n_ends;
        size_t n_row = 0, n_later = 0;
        struct spread row;
        struct stops stops;

        if (n_first < 2 || load->answer == LOAD_GROWS || !stood_there(answers, n_first))
                return;
        stops_of(&stops, answers->facts);
        for (size_t i = 0; i < answers->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &answers->record->attempts[i];

                if (!load_is_answer(load, attempt))
                        continue;
                if (attempt->stamps.slot_ns <= answers->slots[n_first - 1])
                        first[n_row++] = waiting_ns(&stops, answers->facts, attempt);
                else if (attempt->host_in_flight >= many)
                        later[n_later++] = waiting_ns(&stops, answers->facts, attempt);
        }
        sort_numbers(later, n_later);
        spread_of(&row, first, n_row);
        /*
         * The mean of the first ones, as in a few steps any quantile may fall on either side of one.
         * In two steps it is three quarters of the last, in many half of it.
         */
        judge_together(load, &row, answers->facts);
        if (n_first < PACE_LEAST || n_later < PACE_LEAST || !row.min || !spread_is_ramp(&row) ||
                (double)quantile_of(later, n_later, FAST_OF_MANY) <
                        (double)row.sum / (double)row.n * FLAT_GROWTH)
                return;
        load->answer = LOAD_GROWS;
        load->is_row = true;
        load->row_low_ns = row.p10;
        load->row_high_ns = row.p90;
        load->row_later_ns = quantile_of(later, n_later, 0.5);
        load->alone_ns = row.min;
        load->growth = (double)load->row_later_ns / (double)row.min;
}

void load_judge_order(struct answers *answers)
{
        judge_pace(answers);
        judge_bunches(answers);
        judge_row(answers);
}
