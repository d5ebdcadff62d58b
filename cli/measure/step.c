/* SPDX-License-Identifier: MIT */
#include "step.h"

#include "../interrupt.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>

#define PATIENCE_MS  100
#define HOPELESS     0.2 /* of so many, or more, that failed or were turned down */
#define HOPELESS_MIN 200
#define DRAIN_NS     (10 * NS_PER_S) /* what has not finished by then is dropped */

/* Of what was answered well: one for each phase, and */
#define CONNECT      MUSTER_N_PHASES       /* DNS, TCP, tunnel and TLS together */
#define LATENCY      (MUSTER_N_PHASES + 1) /* all phases in which a slot is held */
#define N_HISTOGRAMS (MUSTER_N_PHASES + 2)

struct runner {
        const struct batch *batch;
        size_t next; /* item */
        struct muster_client *client;
        struct batch_scratch scratch;
        unsigned concurrency;
        uint64_t n_outstanding, n_done;
        bool is_counting;
        uint64_t rtt_us; /* sum */
        struct tally tally;
        struct hist *histograms;
};

/* --- requests out, results in ---------------------------------------------------------------- */

/* Enough wait here that a slot which becomes free is used in the same turn. */
static int keep_full(struct runner *runner)
{
        while (runner->n_outstanding < (uint64_t)runner->concurrency * 2) {
                int r = batch_submit(runner->batch, runner->next, runner->client, &runner->scratch,
                        NULL);

                runner->next = (runner->next + 1) % runner->batch->n;
                if (r < 0)
                        return r;
                runner->n_outstanding++;
        }
        return 0;
}

static void count_phases(struct runner *runner, const struct muster_result *result)
{
        uint64_t connect_ns = 0, latency_ns = 0;

        for (int i = 0; i < MUSTER_N_PHASES; i++) {
                uint64_t ns = muster_result_phase_ns(result, (enum muster_phase)i);

                hist_add(&runner->histograms[i], ns);
                if (i == MUSTER_PHASE_DNS || i == MUSTER_PHASE_TCP || i == MUSTER_PHASE_TUNNEL ||
                        i == MUSTER_PHASE_TLS)
                        connect_ns += ns;
                if (tally_counts((enum muster_phase)i))
                        latency_ns += ns;
        }
        hist_add(&runner->histograms[CONNECT], connect_ns);
        hist_add(&runner->histograms[LATENCY], latency_ns);
}

static void count_rtt(struct runner *runner, const struct muster_result *result)
{
        struct muster_conn_info conn;

        muster_result_conn(result, &conn, sizeof(conn));
        runner->rtt_us += conn.rtt_us;
}

static void count_result(struct runner *runner, const struct muster_result *result)
{
        tally_add(&runner->tally, result);
        if (muster_result_error(result) || tally_is_turned_down(result))
                return;
        count_phases(runner, result);
        count_rtt(runner, result);
}

static void take_results(struct runner *runner)
{
        struct muster_result *result;

        while ((result = muster_take(runner->client))) {
                runner->n_outstanding--;
                runner->n_done++;
                if (runner->is_counting)
                        count_result(runner, result);
                muster_result_free(result);
        }
}

/* A server that does not want more is not asked for the whole time, once it is clear. */
static bool is_hopeless(const struct runner *runner)
{
        const struct tally *tally = &runner->tally;

        return tally->n >= HOPELESS_MIN &&
               tally->n_failed + tally->n_turned_down > (uint64_t)(HOPELESS * (double)tally->n);
}

/* Go on until so many are done and so much time has passed. 0 also after Ctrl-C. */
static int run_until(struct runner *runner, uint64_t n, uint64_t until_ns)
{
        int r = 0;

        while (r >= 0 && !interrupt_has_come() &&
                (runner->n_done < n || clock_monotonic() < until_ns) && !is_hopeless(runner)) {
                r = keep_full(runner);
                if (r == 0)
                        r = muster_wait(runner->client, PATIENCE_MS);
                take_results(runner);
        }
        return r < 0 ? r : 0;
}

static void drain(struct runner *runner)
{
        uint64_t end_ns = clock_monotonic() + DRAIN_NS;

        runner->is_counting = false;
        muster_cancel_queued(runner->client);
        take_results(runner);
        while (runner->n_outstanding && !interrupt_has_come() && clock_monotonic() < end_ns) {
                if (muster_wait(runner->client, PATIENCE_MS) < 0)
                        return;
                take_results(runner);
        }
}

/* --- the figures ----------------------------------------------------------------------------- */

static struct step_phase figures_of(const struct hist *hist)
{
        return (struct step_phase){ .mean_ns = hist->n ? (double)hist->sum / (double)hist->n : 0,
                .p50_ns = (double)hist_quantile(hist, 0.5),
                .p99_ns = (double)hist_quantile(hist, 0.99) };
}

static void fill_step(struct step *step, const struct runner *runner, uint64_t wall_ns,
        struct cpu cpu)
{
        const struct tally *tally = &runner->tally;
        struct step_phase latency = figures_of(&runner->histograms[LATENCY]);
        double wall = (double)wall_ns;
        uint64_t n_good = tally->n - tally->n_failed - tally->n_turned_down;

        step->wall_s = wall / 1e9;
        step->n_done = tally->n;
        step->n_failed = tally->n_failed;
        step->n_turned_down = tally->n_turned_down;
        step->n_4xx = tally->n_4xx;
        step->n_5xx = tally->n_5xx;
        step->throughput = (double)n_good / step->wall_s;
        step->rtt_mean_ns = n_good ? (double)runner->rtt_us * 1e3 / (double)n_good : 0;
        step->in_flight = (double)tally->in_flight_ns / wall;
        step->bytes_per_s = (double)tally->wire_bytes / step->wall_s;
        step->latency_mean_ns = latency.mean_ns;
        step->latency_p50_ns = latency.p50_ns;
        step->latency_p99_ns = latency.p99_ns;
        for (int i = 0; i < MUSTER_N_PHASES; i++)
                step->phases[i] = figures_of(&runner->histograms[i]);
        step->connect = figures_of(&runner->histograms[CONNECT]);
        step->cpu = (double)cpu.used_ns / wall;
        step->busy = (double)(cpu.used_ns + cpu.delayed_ns) / wall;
        snprintf(step->example, sizeof(step->example), "%s", tally->example);
        snprintf(step->refusal, sizeof(step->refusal), "%s", tally->refusal);
}

double step_bad_share(const struct step *step)
{
        return step->n_done ? (double)(step->n_failed + step->n_turned_down) / (double)step->n_done
                            : 0;
}

/* --- a step ---------------------------------------------------------------------------------- */

static uint64_t n_conns_opened(const struct runner *runner)
{
        struct muster_client_stats stats;

        muster_client_stats(runner->client, &stats, sizeof(stats));
        return stats.n_conns_opened;
}

static int measure_step(struct step *step, struct runner *runner, const struct step_plan *plan)
{
        uint64_t start_ns, wall_ns, n_conns;
        struct cpu start_cpu, cpu;
        int r = run_until(runner, plan->concurrency, 0);

        if (r < 0)
                return r;
        runner->is_counting = true;
        n_conns = n_conns_opened(runner);
        start_ns = clock_monotonic();
        start_cpu = cpu_now();
        r = run_until(runner, runner->n_done + plan->least_requests, start_ns + plan->least_ns);
        wall_ns = clock_monotonic() - start_ns;
        cpu = cpu_since(cpu_now(), start_cpu);
        fill_step(step, runner, wall_ns, cpu);
        step->n_conns = n_conns_opened(runner) - n_conns;
        drain(runner);
        step->is_complete = !interrupt_has_come();
        return r;
}

static int open_client(struct runner *runner, struct muster_error *error)
{
        struct muster_client_options options = runner->batch->options->client;
        int r;

        options.concurrency = runner->concurrency;
        options.queue_size = (size_t)runner->concurrency * 2;
        options.discard_body = true;
        options.error = error;
        tally_init(&runner->tally);
        runner->histograms = mem_array(N_HISTOGRAMS, sizeof(*runner->histograms));
        if (!runner->histograms)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        for (int i = 0; i < N_HISTOGRAMS; i++)
                hist_init(&runner->histograms[i]);
        options.cookies = muster_jar_copy(options.cookies); /* each step begins with the same */
        r = muster_client_new(&runner->client, &options);
        muster_jar_free(options.cookies);
        return r;
}

int step_run(struct step *step, const struct batch *batch, size_t *next,
        const struct step_plan *plan, struct muster_error *error)
{
        struct runner runner = { .batch = batch, .next = *next, .concurrency = plan->concurrency };
        int r = open_client(&runner, error);

        *step = (struct step){ .concurrency = plan->concurrency };
        if (r == 0 && (r = measure_step(step, &runner, plan)) < 0)
                error_set(error, r, MUSTER_PHASE_QUEUE, 0,
                        "the event loop failed: the kernel refuses to wait for events, or out of memory");
        *next = runner.next;
        muster_client_free(runner.client);
        batch_scratch_deinit(&runner.scratch);
        mem_free(runner.histograms);
        return r;
}
