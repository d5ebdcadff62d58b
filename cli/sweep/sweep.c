/* SPDX-License-Identifier: MIT */
/*
 * How it works: a ladder of concurrencies is climbed, each for as long as its figures need; then
 * the best few are measured again, to see whether something else changed meanwhile.
 */
#include "../command.h"

#include "../interrupt.h"
#include "../measure/options.h"
#include "../option/guard_options.h"
#include "../option/secret.h"
#include "../output/output.h"
#include "../report/report.h"
#include "../option/way_options.h"
#include "page.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <stddef.h>
#include <unistd.h>

#define MAX_DEFAULT     256
#define SECONDS_DEFAULT 1000 /* ms */
#define N_AGAIN         3    /* steps that are measured once more */
#define REQUESTS_MIN    10   /* of a step, also where one at a time is slow */
#define LATENCIES       5    /* a step lasts for as many as this of what a request takes alone */

struct sweep_options {
        struct measure_options measure; /* first: see there */
        struct measure_list steps;
        unsigned max;
        uint64_t step_ms;
};

struct sweep {
        struct sweep_options options;
        struct batch batch;
        size_t next; /* item */
        struct curve curve;
        struct muster_error error;
        bool has_failures;
};

/* --- options --------------------------------------------------------------------------------- */

#define OWN(member) offsetof(struct sweep_options, member)

static const struct option own_options[] = {
        { "Steps", 0, "max", "N", "highest concurrency: try 1, 2, 4, ... N (256)", option_set_count,
                OWN(max) },
        { NULL, 0, "steps", "LIST", "concurrencies to try instead: 1,10,100", measure_set_list,
                OWN(steps) },
        { NULL, 0, "seconds", "TIME", "shortest duration of a step (1)", option_set_duration,
                OWN(step_ms) },
        { 0 },
};

static const struct option *const tables[] = {
        input_option_table,
        measure_option_table,
        own_options,
        request_option_table,
        body_option_table,
        cookie_option_table,
        way_option_table,
        guard_option_table,
        NULL,
};

static int help(void)
{
        printf("usage: muster sweep [options] [URL...]\n\n"
               "Make the requests of a list again and again with 1, 2, 4, ... in flight, and say which concurrency to\n"
               "use and what the limit is. Bodies are counted and dropped.\n");
        option_help(tables, stdout);
        printf("\nExit status: 0 no request failed, 1 some failed, 2 usage error, 3 could not run. See muster-sweep(1).\n");
        return EXIT_ALL_SUCCEEDED;
}

static int make_ladder(struct sweep_options *options, struct muster_error *error)
{
        bool fits = true;

        if (!options->max)
                options->max = MAX_DEFAULT;
        for (uint64_t n = 1; n < options->max; n *= 2)
                fits = measure_list_add(&options->steps, (unsigned)n);
        if (fits && options->max <= MEASURE_CONCURRENCY_MAX &&
                measure_list_add(&options->steps, options->max))
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "--max: %u is above %d, the highest concurrency of a client", options->max,
                MEASURE_CONCURRENCY_MAX);
}

static int fill_defaults(struct sweep_options *options, struct muster_error *error)
{
        int r = request_options_finish(&options->measure.request, error);

        if (r < 0)
                return r;
        if (options->steps.n && options->max)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--steps and --max exclude each other; give one of them");
        if (!options->step_ms || options->step_ms == MUSTER_NO_TIMEOUT)
                options->step_ms = SECONDS_DEFAULT;
        if (request_options_have_no_input(&options->measure.request))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "nothing to fetch: give URLs, -i FILE or a list on standard input (see muster sweep --help)");
        return options->steps.n ? 0 : make_ladder(options, error);
}

/* --- the steps ------------------------------------------------------------------------------- */

static void show_progress(const struct sweep *sweep, const char *what, unsigned concurrency)
{
        if (!sweep->options.measure.is_silent && isatty(STDERR_FILENO))
                fprintf(stderr, "\r%s: %u at once\033[K", what, concurrency);
}

static int run_step(struct sweep *sweep, struct step *step, unsigned concurrency)
{
        uint64_t alone_ns = (uint64_t)sweep->curve.steps[0].latency_mean_ns;
        struct step_plan plan = {
                .concurrency = concurrency,
                .least_ns = max_u64(sweep->options.step_ms * NS_PER_MS, LATENCIES * alone_ns),
                .least_requests = max_u64(2 * (uint64_t)concurrency, REQUESTS_MIN),
        };
        int r = step_run(step, &sweep->batch, &sweep->next, &plan, &sweep->error);

        sweep->has_failures |= step->n_failed > 0;
        return r;
}

/* An interrupted step is none. */
static int climb(struct sweep *sweep)
{
        struct curve *curve = &sweep->curve;

        curve->n_planned = sweep->options.steps.n;
        for (size_t i = 0; i < curve->n_planned && !curve_has_ended(curve); i++) {
                struct step *step = &curve->steps[curve->n_steps];
                int r;

                show_progress(sweep, "up", sweep->options.steps.values[i]);
                r = run_step(sweep, step, sweep->options.steps.values[i]);
                if (r < 0)
                        return r;
                if (!step->is_complete) {
                        curve->end = CURVE_END_INTERRUPTED;
                        return 0;
                }
                curve->n_steps++;
        }
        return 0;
}

/* A server that cannot do now what it could is left alone. */
static int measure_again(struct sweep *sweep)
{
        struct curve *curve = &sweep->curve;
        size_t best[N_AGAIN], n = curve_best_few(curve, best, N_AGAIN);

        for (size_t i = 0; i < n && curve->n_steps > 1 && !interrupt_has_come(); i++) {
                struct step again;
                unsigned concurrency = curve->steps[best[i]].concurrency;
                int r;

                show_progress(sweep, "again", concurrency);
                r = run_step(sweep, &again, concurrency);
                if (r < 0)
                        return r;
                if (!again.is_complete)
                        break;
                curve->again[best[i]] = again;
                if (!curve_has_looked_again(curve, best[i]))
                        break;
        }
        return 0;
}

/* --- beginning and end ----------------------------------------------------------------------- */

static int print_sweep(struct sweep *sweep)
{
        struct remarks remarks = { 0 };
        int r = 0;

        curve_finish(&sweep->curve);
        sweep_explain(&sweep->curve, &remarks);
        if (sweep->options.measure.wants_json)
                r = sweep_print_json(&sweep->curve, &remarks, stdout);
        else
                sweep_print(&sweep->curve, &remarks, stdout);
        remarks_deinit(&remarks);
        if (r < 0)
                return error_set_memory(&sweep->error, MUSTER_PHASE_QUEUE);
        return output_end_page(&sweep->error);
}

static void tell_interruption(const struct curve *curve)
{
        if (curve->end == CURVE_END_INTERRUPTED)
                fprintf(stderr, "muster: interrupted after %zu of %zu steps\n", curve->n_steps,
                        curve->n_planned);
        else if (curve->was_interrupted)
                fprintf(stderr, "muster: interrupted while the best steps were measured again\n");
}

/* A table needs a step; an object comes in any case, as a program waits for it. */
static int finish_sweep(struct sweep *sweep, int r)
{
        struct curve *curve = &sweep->curve;

        curve->was_interrupted = interrupt_has_come();
        if (!sweep->options.measure.is_silent && isatty(STDERR_FILENO))
                progress_clear();
        interrupt_end();
        tell_interruption(curve);
        if (r == 0 && (curve->n_steps || sweep->options.measure.wants_json))
                r = print_sweep(sweep);
        if (r < 0)
                return error_tell(&sweep->error);
        return sweep->has_failures || sweep->batch.n_left_out || curve->was_interrupted
                       ? EXIT_SOME_FAILED
                       : EXIT_ALL_SUCCEEDED;
}

static int run_sweep(struct sweep *sweep)
{
        const struct measure_options *options = &sweep->options.measure;
        int r = batch_read(&sweep->batch, &options->request, options->allows_unsafe, &sweep->error);

        if (r < 0)
                return error_tell(&sweep->error);
        if (!options->is_silent)
                batch_tell_left_out(&sweep->batch);
        request_options_warn(&options->request);
        interrupt_begin(NULL);
        r = climb(sweep);
        if (r == 0)
                r = measure_again(sweep);
        return finish_sweep(sweep, r);
}

static void free_sweep(struct sweep *sweep)
{
        batch_deinit(&sweep->batch);
        request_options_deinit(&sweep->options.measure.request);
        mem_free(sweep);
}

int sweep_main(int argc, char **argv)
{
        struct sweep *sweep = mem_zalloc(sizeof(*sweep));
        struct arguments arguments = { 0 };
        int status, r;

        if (!sweep)
                return EXIT_COULD_NOT_RUN;
        r = arguments_take(&arguments, tables, argc, argv, &sweep->error);
        if (r == 0)
                r = option_parse(tables, &sweep->options, arguments.argc, arguments.argv,
                        request_options_add_url, &sweep->error);
        if (r == 0)
                r = fill_defaults(&sweep->options, &sweep->error);
        if (r == OPTION_HELP)
                status = help();
        else if (r < 0)
                status = error_tell(&sweep->error);
        else
                status = run_sweep(sweep);
        free_sweep(sweep);
        arguments_deinit(&arguments);
        return status;
}
