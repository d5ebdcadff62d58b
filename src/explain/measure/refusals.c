/* SPDX-License-Identifier: MIT */
#include "refusals.h"

#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <explain/facts/life.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>
#include <math.h>

#define REFUSALS_LOOKED_AT 256 /* each is held against each: more would take long */

bool refusals_is_one(const struct trace_attempt *attempt)
{
        return attempt->status == 429 || attempt->status == 503;
}

static bool is_let_in(const struct trace_attempt *attempt)
{
        return attempt->stamps.slot_ns && trace_is_answered(attempt) && !refusals_is_one(attempt);
}

/* 0 for those that have no host. */
static uint32_t origin_of(const struct record *record, const struct trace_attempt *attempt)
{
        return attempt->origin <= record->n_origins ? attempt->origin : 0;
}

/* --- who refused most ------------------------------------------------------------------------ */

static uint32_t refused_most(const struct record *record, size_t *n_refused)
{
        uint32_t most = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                uint32_t origin = origin_of(record, &record->attempts[i]);

                if (refusals_is_one(&record->attempts[i]) && ++n_refused[origin] > n_refused[most])
                        most = origin;
        }
        return most;
}

/* --- how many -------------------------------------------------------------------------------- */

static void count_refused(struct refusals *refusals, const struct trace_attempt *attempt)
{
        bool is_too_many = attempt->status == 429;

        refusals->n_too_many += is_too_many;
        refusals->n_full += !is_too_many;
        refusals->n_final += attempt->is_last;
        refusals->n_final_too_many += attempt->is_last && is_too_many;
        if (attempt->retry_after_ns > refusals->asked_ns)
                refusals->asked_ns = attempt->retry_after_ns;
}

static void count(struct refusals *refusals, const struct record *record,
        const struct trace_attempt *attempt)
{
        bool is_refused = refusals_is_one(attempt);

        if (origin_of(record, attempt) != refusals->origin) {
                refusals->n_elsewhere += is_refused;
                refusals->n_final_elsewhere += is_refused && attempt->is_last;
                return;
        }
        refusals->n_attempts += attempt->stamps.slot_ns != 0;
        refusals->n_requests += attempt->is_last;
        if (is_refused)
                count_refused(refusals, attempt);
}

/* --- what was let in ------------------------------------------------------------------------- */

/*
 * Sorted moments at which attempts got a slot; of those let in also when they ended, and how long
 * they took.
 */
struct lives {
        uint64_t *begins, *ends, *durations;
        size_t n;
        /* when these got their slots; then how many that were let in were under way */
        uint64_t *refused;
        size_t n_refused;
};

static void list_lives(struct lives *lives, const struct refusals *refusals,
        const struct record *record)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint64_t slot_ns = attempt->stamps.slot_ns;

                if (origin_of(record, attempt) != refusals->origin)
                        continue;
                if (slot_ns && refusals_is_one(attempt))
                        lives->refused[lives->n_refused++] = slot_ns;
                if (!is_let_in(attempt))
                        continue;
                assert(life_end_ns(attempt) >= slot_ns);
                lives->begins[lives->n] = slot_ns;
                lives->ends[lives->n] = life_end_ns(attempt);
                lives->durations[lives->n] = life_end_ns(attempt) - slot_ns;
                lives->n++;
        }
        sort_numbers(lives->begins, lives->n);
        sort_numbers(lives->ends, lives->n);
        sort_numbers(lives->refused, lives->n_refused);
}

/* How many that were let in were under way at this moment. */
static uint64_t n_under_way(const struct lives *lives, uint64_t moment_ns)
{
        size_t n_begun = sort_n_below(lives->begins, lives->n, moment_ns);
        size_t n_over = sort_n_below(lives->ends, lives->n, moment_ns);

        return n_begun > n_over ? n_begun - n_over : 0;
}

/* How long at least one of them was under way. */
static uint64_t busy_ns(const struct lives *lives)
{
        uint64_t busy_ns = 0, since_ns = lives->n ? lives->begins[0] : 0;

        for (size_t i = 0; i < lives->n; i++) {
                bool is_last = i + 1 == lives->n;

                if (!is_last && lives->begins[i + 1] <= lives->ends[i])
                        continue;
                busy_ns += lives->ends[i] - since_ns;
                if (!is_last)
                        since_ns = lives->begins[i + 1];
        }
        return busy_ns;
}

/*
 * How many were under way beside nearly all of those refused. 0: others were let in beside as many.
 */
static uint64_t let_in_at_once(struct lives *lives)
{
        uint64_t limit;
        size_t n_beyond = 0;

        assert(lives->n > 0 && lives->n_refused > 0);
        for (size_t i = 0; i < lives->n_refused; i++)
                lives->refused[i] = n_under_way(lives, lives->refused[i]);
        sort_numbers(lives->refused, lives->n_refused);
        limit = quantile_of(lives->refused, lives->n_refused, 1 - NEARLY_ALL);
        for (size_t i = 0; i < lives->n; i++)
                n_beyond += n_under_way(lives, lives->begins[i]) >= limit;
        return (double)n_beyond <= (double)lives->n * LET_IN_ALL_THE_SAME ? limit : 0;
}

/*
 * The best pace over so many starts in a row, or more, from any of them on. As many as came first,
 * at once, may have been saved up again while the server was left alone: they do not count.
 */
static double best_in_a_row(const struct lives *lives, size_t n_first, uint64_t least_ns)
{
        size_t n_saved = n_first > 1 ? n_first - 1 : 0;
        double best_per_s = 0;

        for (size_t n = n_saved + PACE_LEAST; n < lives->n; n += n / 4 + 1) {
                for (size_t i = n_first; i + n < lives->n; i++) {
                        uint64_t ns = lives->begins[i + n] - lives->begins[i];

                        if (ns >= least_ns)
                                best_per_s = fmax(best_per_s,
                                        (double)(n - n_saved) * (double)NS_PER_S / (double)ns);
                }
        }
        return best_per_s;
}

/*
 * From one refusal to a later one: nothing is saved up when it refuses, so all that it let in until
 * the next refusal came in that time. Less than it allows where it was left alone for long.
 */
static double best_between_refusals(const struct lives *lives)
{
        size_t step = lives->n_refused / REFUSALS_LOOKED_AT + 1;
        double best_per_s = 0;

        for (size_t i = 0; i < lives->n_refused; i += step) {
                size_t n_before = sort_n_below(lives->begins, lives->n, lives->refused[i]);

                for (size_t j = i + step; j < lives->n_refused; j += step) {
                        uint64_t ns = lives->refused[j] - lives->refused[i];
                        size_t n =
                                sort_n_below(lives->begins, lives->n, lives->refused[j]) - n_before;

                        if (ns >= PACE_LASTS_NS && n >= PACE_LEAST)
                                best_per_s =
                                        fmax(best_per_s, (double)n * (double)NS_PER_S / (double)ns);
                }
        }
        return best_per_s;
}

/* What it let in at best for a while: both are at most what it allows. */
static double best_per_s(const struct lives *lives, size_t n_first)
{
        return fmax(best_in_a_row(lives, n_first, PACE_LASTS_NS / 2), best_between_refusals(lives));
}

/* Durations are sorted by now. Those that wait for each other differ. */
static bool had_room(const struct lives *lives, const struct refusals *refusals)
{
        double quick_ns = (double)quantile_of(lives->durations, lives->n, FAST_OF_MANY);
        double slow_ns = (double)quantile_of(lives->durations, lives->n, 1 - FAST_OF_MANY);
        double sum_ns = 0;

        for (size_t i = 0; i < lives->n; i++)
                sum_ns += (double)lives->durations[i];
        return slow_ns < quick_ns * FULL_GROWTH &&
               sum_ns < (double)refusals->busy_ns * (double)refusals->let_in_at_once * NEARLY_FULL;
}

static void measure(struct refusals *refusals, struct lives *lives)
{
        assert(lives->n + lives->n_refused > 0 || !refusals->n_let_in);
        refusals->n_let_in = lives->n;
        if (!lives->n || !lives->n_refused)
                return;
        refusals->first_ns = lives->begins[0];
        refusals->last_ns = lives->ends[lives->n - 1];
        refusals->n_let_in_first = sort_n_below(lives->begins, lives->n, lives->refused[0]);
        refusals->best_per_s = best_per_s(lives, refusals->n_let_in_first);
        refusals->busy_ns = busy_ns(lives);
        sort_numbers(lives->durations, lives->n);
        refusals->service_ns = quantile_of(lives->durations, lives->n, 0.5);
        refusals->let_in_at_once = let_in_at_once(lives);
        refusals->had_room = had_room(lives, refusals);
}

/* --- all of it ------------------------------------------------------------------------------- */

void refusals_find(struct refusals *refusals, const struct facts *facts)
{
        const struct record *record = facts->record;
        size_t n = record->n_attempts;
        size_t *n_refused = mem_array(record->n_origins + 1, sizeof(*n_refused));
        struct lives lives = {
                .begins = mem_array(n, sizeof(uint64_t)),
                .ends = mem_array(n, sizeof(uint64_t)),
                .durations = mem_array(n, sizeof(uint64_t)),
                .refused = mem_array(n, sizeof(uint64_t)),
        };

        *refusals = (struct refusals){ 0 };
        if (n_refused && lives.begins && lives.ends && lives.durations && lives.refused) {
                refusals->origin = refused_most(record, n_refused);
                for (size_t i = 0; i < n; i++)
                        count(refusals, record, &record->attempts[i]);
                list_lives(&lives, refusals, record);
                measure(refusals, &lives);
        }
        mem_free(n_refused);
        mem_free(lives.begins);
        mem_free(lives.ends);
        mem_free(lives.durations);
        mem_free(lives.refused);
}
