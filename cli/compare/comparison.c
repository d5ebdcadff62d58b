/* SPDX-License-Identifier: MIT */
#include "comparison.h"

#include <assert.h>
#include <string.h>

/* --- the modes ------------------------------------------------------------------------------- */

static struct mode *add_mode(struct comparison *comparison, const char *key, struct way way)
{
        struct mode *mode = &comparison->modes[comparison->n_modes++];

        assert(comparison->n_modes <= MODES_MAX);
        mode->key = key;
        mode->way = way;
        return mode;
}

static void add_one_by_one(struct comparison *comparison)
{
        struct mode *mode;

        mode = add_mode(comparison, "one_by_one_new",
                (struct way){ .n_threads = 1, .concurrency = 1, .no_reuse = true });
        snprintf(mode->name, sizeof(mode->name), "one by one, new connections");
        snprintf(mode->words, sizeof(mode->words), "one by one with new connections");
        mode = add_mode(comparison, "one_by_one", (struct way){ .n_threads = 1, .concurrency = 1 });
        snprintf(mode->name, sizeof(mode->name), "one by one, keep-alive");
        snprintf(mode->words, sizeof(mode->words), "one by one with keep-alive");
}

static void add_threads(struct comparison *comparison, unsigned n)
{
        struct mode *mode =
                add_mode(comparison, "threads", (struct way){ .n_threads = n, .concurrency = 1 });

        snprintf(mode->name, sizeof(mode->name), "%u blocking thread%s", n, n == 1 ? "" : "s");
        snprintf(mode->words, sizeof(mode->words), "%u blocking thread%s", n, n == 1 ? "" : "s");
}

static void add_loop(struct comparison *comparison, unsigned limit)
{
        struct mode *mode =
                add_mode(comparison, "loop", (struct way){ .n_threads = 1, .concurrency = limit });

        snprintf(mode->name, sizeof(mode->name), "event loop, %u at once", limit);
        snprintf(mode->words, sizeof(mode->words), "the event loop with %u at once", limit);
}

/*
 * One by one and threads can keep as many idle connections, all together, as the loop that keeps
 * most.
 */
static void give_room(struct comparison *comparison)
{
        unsigned most = comparison->modes[comparison->n_modes - 1].way.concurrency;

        for (size_t i = 0; i < comparison->first_loop; i++)
                comparison->modes[i].way.room = most / comparison->modes[i].way.n_threads;
}

void comparison_init(struct comparison *comparison, unsigned n_threads, const unsigned *limits,
        size_t n_limits)
{
        memset(comparison, 0, sizeof(*comparison));
        add_one_by_one(comparison);
        comparison->threads = comparison->n_modes;
        add_threads(comparison, n_threads);
        comparison->first_loop = comparison->n_modes;
        for (size_t i = 0; i < n_limits; i++)
                add_loop(comparison, limits[i]);
        give_room(comparison);
}

size_t comparison_n_distinct(const struct comparison *comparison)
{
        size_t n = comparison->first_loop + 1;

        while (n < comparison->n_modes &&
                comparison->modes[n - 1].way.concurrency < comparison->n_requests)
                n++;
        return n;
}

const struct mode *comparison_loop_like_threads(const struct comparison *comparison)
{
        unsigned n_threads = comparison->modes[comparison->threads].way.n_threads;

        for (size_t i = comparison->first_loop; i < comparison->n_modes; i++)
                if (comparison->modes[i].way.concurrency == n_threads)
                        return &comparison->modes[i];
        return NULL;
}

/* --- the figures ----------------------------------------------------------------------------- */

void comparison_add(struct comparison *comparison, size_t i, unsigned round, const struct run *run,
        uint64_t n_different)
{
        struct mode *mode = &comparison->modes[i];
        const struct tally *tally = &run->tally;
        double wall = run->wall_ns ? (double)run->wall_ns : 1;
        double values[N_FIGURES] = {
                [FIGURE_WALL] = wall,
                [FIGURE_RATE] = (double)tally->n * 1e9 / wall,
                [FIGURE_LATENCY] = tally_latency_mean(tally),
                [FIGURE_LATENCY_P50] = (double)hist_quantile(&tally->latency, 0.5),
                [FIGURE_LATENCY_P99] = (double)hist_quantile(&tally->latency, 0.99),
                [FIGURE_CONNECT] = tally_connect_mean(tally),
                [FIGURE_SEND] = tally_phase_mean(tally, MUSTER_PHASE_SEND),
                [FIGURE_WAIT] = tally_phase_mean(tally, MUSTER_PHASE_WAIT),
                [FIGURE_LAG] = tally_phase_mean(tally, MUSTER_PHASE_LAG),
                [FIGURE_RECEIVE] = tally_phase_mean(tally, MUSTER_PHASE_RECEIVE),
                [FIGURE_DECODE] = tally_phase_mean(tally, MUSTER_PHASE_DECODE),
                [FIGURE_IN_FLIGHT] = (double)tally->in_flight_ns / wall,
                [FIGURE_CONNS] = (double)run->n_conns,
                [FIGURE_LOOKUPS] = (double)run->n_lookups,
                [FIGURE_HANDSHAKES] = (double)run->n_handshakes,
                [FIGURE_RESUMED] = (double)run->n_resumed,
                [FIGURE_CPU] = (double)run->cpu.used_ns,
                [FIGURE_BUSY] = (double)(run->cpu.used_ns + run->cpu.delayed_ns) / wall /
                                mode->way.n_threads,
        };

        assert(round < ROUNDS_MAX);
        for (int figure = 0; figure < N_FIGURES; figure++)
                mode->figures[figure][round] = values[figure];
        mode->failed[round] = tally->n_failed;
        mode->refused[round] = tally->n_4xx + tally->n_5xx;
        mode->different[round] = n_different;
        if (!comparison->example[0])
                memcpy(comparison->example, tally->example, sizeof(tally->example));
        if (!comparison->refusal[0])
                memcpy(comparison->refusal, tally->refusal, sizeof(tally->refusal));
}

static uint64_t sum_of(const uint64_t *values, size_t n)
{
        uint64_t sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += values[i];
        return sum;
}

void comparison_finish(struct comparison *comparison)
{
        const double *first = comparison->modes[0].figures[FIGURE_WALL];

        for (size_t i = 0; i < comparison->n_modes && comparison->n_rounds; i++) {
                struct mode *mode = &comparison->modes[i];
                const double *wall = mode->figures[FIGURE_WALL];

                for (int figure = 0; figure < N_FIGURES; figure++)
                        mode->medians[figure] =
                                stat_median(mode->figures[figure], comparison->n_rounds);
                mode->n_failed = sum_of(mode->failed, comparison->n_rounds);
                mode->n_refused = sum_of(mode->refused, comparison->n_rounds);
                mode->n_different = sum_of(mode->different, comparison->n_rounds);
                mode->wall = stat_estimate(wall, comparison->n_rounds);
                mode->speedup = stat_estimate_ratio(first, wall, comparison->n_rounds);
        }
}
