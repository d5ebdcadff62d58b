/* SPDX-License-Identifier: MIT */
#include "scatter.h"

#include "replay.h"
#include <assert.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <explain/measure/processors.h>
#include <math.h>

#define N_TENTHS 10

/*
 * Nine in ten values of a mean over ten are within 1.83 standard errors (Student, 9 degrees). The
 * run to come scatters as well: times the root of two.
 */
#define ERRORS_OF_TENTHS (1.83 * 1.41)

/* --- its requests ---------------------------------------------------------------------------- */

static double by_requests(const struct facts *facts)
{
        struct replay_range range;
        struct replay replay;

        if (facts->n_requests > REPLAY_DRAWN_MOST)
                return 0;
        replay_init(&replay, facts);
        replay_range_of(&range, &replay, facts);
        return (double)(range.high_ns - range.low_ns) / 2 / (double)range.wall_ns;
}

/* --- its tenths ------------------------------------------------------------------------------ */

struct tenths {
        double sum_ns[N_TENTHS];
        size_t n[N_TENTHS];
};

/* Attempts are in the order in which they began: a tenth of them is one of the time, about. */
static void add_up(struct tenths *tenths, const struct facts *facts)
{
        const struct record *record = facts->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                size_t tenth = i * N_TENTHS / record->n_attempts;

                if (!attempt->stamps.slot_ns)
                        continue;
                tenths->sum_ns[tenth] += (double)(life_end_ns(attempt) - attempt->stamps.slot_ns);
                tenths->n[tenth]++;
        }
}

/* The standard error of the mean of all, as the means of the tenths have it. */
static double by_tenths(const struct facts *facts)
{
        struct tenths tenths = { 0 };
        double mean_ns = 0, squares = 0, error;

        add_up(&tenths, facts);
        for (size_t i = 0; i < N_TENTHS; i++) {
                if (tenths.n[i] < SAMPLE_LEAST)
                        return 0;
                tenths.sum_ns[i] /= (double)tenths.n[i];
                mean_ns += tenths.sum_ns[i] / N_TENTHS;
        }
        if (mean_ns <= 0)
                return 0;
        for (size_t i = 0; i < N_TENTHS; i++)
                squares += (tenths.sum_ns[i] - mean_ns) * (tenths.sum_ns[i] - mean_ns);
        error = sqrt(squares / (N_TENTHS - 1) / N_TENTHS);
        return ERRORS_OF_TENTHS * error / mean_ns;
}

/* --- the replay ------------------------------------------------------------------------------ */

static double by_fit(const struct facts *facts)
{
        assert(facts->replayed_ns > 0 && facts->wall_ns > 0);
        return fabs(log((double)facts->wall_ns / (double)facts->replayed_ns)) * FIT_COUNTS;
}

/* --- the machine ----------------------------------------------------------------------------- */

/*
 * For how long the loop's thread was ready to run and had no processor: others used it. That is in
 * proportion to the work that there was to do, and a remedy leaves the work. The next time it may be
 * nothing, or twice as much. A server on the same machine waits as well.
 */
static uint64_t by_others_ns(const struct facts *facts)
{
        const struct record *record = facts->record;
        const struct trace_sample *first = NULL, *last = NULL;
        struct processors processors;
        uint64_t waited_ns;

        for (size_t i = 0; i < record->n_samples; i++) {
                const struct trace_sample *sample = &record->samples[i];

                if (facts->n_loops > 1 && sample->engine != facts->busiest_loop)
                        continue;
                if (!first)
                        first = sample;
                last = sample;
        }
        if (!first || first->run_delay_ns < 0 || last->run_delay_ns <= first->run_delay_ns)
                return 0;
        waited_ns = (uint64_t)(last->run_delay_ns - first->run_delay_ns);
        processors_of(&processors, facts);
        return min_u64(processors.is_known ? 2 * waited_ns : waited_ns, facts->wall_ns);
}

/*
 * What a watched program does before its requests is mostly computing. While others wait for the
 * processors it may take half of that more or less.
 */
static double loading(const struct facts *facts)
{
        int64_t us = record_counter_growth(facts->record, "pressure.cpu_us");
        double told_ns = (double)facts_told_wall_ns(facts);
        double waited = us > 0 ? fmin((double)us * (double)NS_PER_US / told_ns, 1) : 0;

        return fmax(waited * SCATTER_MOST, LOADING_DIFFERS);
}

void scatter_measure(struct scatter *scatter, const struct facts *facts)
{
        double share = fmax(by_requests(facts), by_tenths(facts));

        share = fmax(fmax(share, by_fit(facts)), RUNS_DIFFER);
        scatter->share = fmin(share, SCATTER_MOST);
        scatter->others_ns = by_others_ns(facts);
        scatter->loading = loading(facts);
}

static uint64_t off_ns(const struct scatter *scatter, uint64_t wall_ns)
{
        return max_u64(whole_of((double)wall_ns * scatter->share), LINE_NS) + scatter->others_ns;
}

uint64_t scatter_low_ns(const struct scatter *scatter, uint64_t wall_ns)
{
        uint64_t most_ns = whole_of((double)wall_ns * SCATTER_MOST);

        return max_u64(wall_ns - min_u64(off_ns(scatter, wall_ns), most_ns), 1);
}

uint64_t scatter_high_ns(const struct scatter *scatter, uint64_t wall_ns, uint64_t was_ns)
{
        const struct scatter alone = { .share = scatter->share };

        return min_u64(wall_ns + off_ns(scatter, wall_ns),
                max_u64(wall_ns + off_ns(&alone, wall_ns), was_ns));
}

static uint64_t runs_differ_ns(uint64_t wall_ns)
{
        return max_u64(whole_of((double)wall_ns * RUNS_DIFFER), LINE_NS);
}

uint64_t runs_differ_low_ns(uint64_t wall_ns)
{
        uint64_t most_ns = whole_of((double)wall_ns * SCATTER_MOST);

        return max_u64(wall_ns - min_u64(runs_differ_ns(wall_ns), most_ns), wall_ns > 0);
}

uint64_t runs_differ_high_ns(uint64_t wall_ns)
{
        return wall_ns + runs_differ_ns(wall_ns);
}
