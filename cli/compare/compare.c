/* SPDX-License-Identifier: MIT */
/*
 * How it works: the list is read, a look at it tells how much of it can be run one by one in the
 * time that people wait for, then every way runs once without counting, then in rounds, forward and
 * backward in turn and as often the one as the other: whatever drifts meanwhile is the same for
 * all.
 */
#include "../command.h"

#include "../interrupt.h"
#include "../measure/options.h"
#include "../option/guard_options.h"
#include "../option/secret.h"
#include "../output/output.h"
#include "../report/report.h"
#include "../watch/pair.h"
#include "comparison.h"
#include "../option/way_options.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/words.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUESTS_MAX  10000000 /* of a run */
#define TIMES_THREADS 10
#define N_THREADS     16
/* what one by one may take, without --requests */
#define ONE_BY_ONE_NS (10 * NS_PER_S)
#define LOOK_NS       NS_PER_S       /* long enough to tell what a request takes */
#define TELL_NS       (5 * NS_PER_S) /* what takes longer is announced */

struct compare_options {
        struct measure_options measure; /* first: see there */
        struct measure_list limits;
        unsigned n_threads, n_rounds, n_requests;
        bool is_pair; /* --watch, where it comes too late */
};

struct compare {
        struct compare_options options;
        struct batch batch;
        struct comparison comparison;
        struct answer *first, *answers; /* of the very first run, and of the present one */
        struct muster_error error;
};

/* --- options --------------------------------------------------------------------------------- */

static int set_threads(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        return option_set_between(settings, option, value, 1, RUN_THREADS_MAX, error);
}

static int set_requests(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        return option_set_between(settings, option, value, 1, REQUESTS_MAX, error);
}

static int set_rounds(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        const unsigned *n_rounds = (const void *)((const char *)settings + option->offset);
        int r = option_set_between(settings, option, value, ROUNDS_MIN, ROUNDS_MAX, error);

        if (r < 0 || *n_rounds % 2 == 0)
                return r;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%s\" is odd; rounds run forward and backward in turn, so give an even number",
                value);
}

#define OWN(member) offsetof(struct compare_options, member)

static const struct option own_options[] = {
        { "What to compare", 'c', "concurrency", "LIST",
                "event loop limits to try; the number of threads is added (8,64)", measure_set_list,
                OWN(limits) },
        { NULL, 0, "threads", "N", "number of threads, each with one request at a time (16)",
                set_threads, OWN(n_threads) },
        { NULL, 'n', "requests", "N",
                "number of requests; a shorter list repeats (10 s one by one)", set_requests,
                OWN(n_requests) },
        { NULL, 0, "rounds", "N", "measured rounds, an even number of at least 6 (6)", set_rounds,
                OWN(n_rounds) },
        { NULL, 0, "watch", NULL,
                "compare two programs instead: --watch 'python3 a.py' 'python3 b.py'; see --watch --help",
                option_set_flag, OWN(is_pair) },
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
        printf("usage: muster compare [options] [URL...]\n\n"
               "Make the same requests one by one, with blocking threads and with an event loop (one thread that waits\n"
               "for many requests at once), and say which is faster and why. Bodies are counted and dropped.\n");
        option_help(tables, stdout);
        printf("\nExit status: 0 no request failed, 1 some failed, 2 usage error, 3 could not run. See muster-compare(1).\n");
        return EXIT_ALL_SUCCEEDED;
}

/* Always with a loop that has as much at once as there are threads. */
static int fill_defaults(struct compare_options *options, struct muster_error *error)
{
        int r = request_options_finish(&options->measure.request, error);

        if (r < 0)
                return r;
        if (options->is_pair)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--watch has to be written on the command line");
        if (!options->n_threads)
                options->n_threads = N_THREADS;
        if (!options->n_rounds)
                options->n_rounds = ROUNDS_MIN;
        if (!options->limits.n) {
                measure_list_add(&options->limits, 8);
                measure_list_add(&options->limits, 64);
        }
        if (!measure_list_add(&options->limits, options->n_threads))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--concurrency: too many limits");
        if (request_options_have_no_input(&options->measure.request))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "nothing to compare: give URLs, -i FILE or a list on standard input (see muster compare --help)");
        return 0;
}

/* --- how much -------------------------------------------------------------------------------- */

/* What a request takes one by one. 0: interrupted before there was one. */
static int time_one_request(struct compare *compare, double *ret_request_ns)
{
        static const struct way way = { .n_threads = 1, .concurrency = 1, .no_reuse = true };
        struct run run;
        int r = run_batch(&run, &compare->batch, &way, LOOK_NS, NULL, &compare->error);

        *ret_request_ns = run.tally.n ? (double)run.wall_ns / (double)run.tally.n : 0;
        return r;
}

/*
 * The whole list, where one by one can do it in the time that people wait for. Of a list that is
 * shorter than there are threads nothing could be learnt: that is gone through again and again.
 */
static size_t usual_number(const struct compare *compare, double request_ns)
{
        double affordable = (double)ONE_BY_ONE_NS / request_ns;
        size_t n = compare->batch.n;

        if (n < compare->options.n_threads)
                n = (size_t)compare->options.n_threads * TIMES_THREADS;
        if (affordable < (double)n)
                n = affordable < 2 ? 2 : (size_t)affordable;
        return n;
}

static int choose_number(struct compare *compare, double request_ns)
{
        size_t n = compare->options.n_requests;

        if (!n)
                n = usual_number(compare, request_ns);
        compare->comparison.n_requests = n;
        if (batch_resize(&compare->batch, n) < 0)
                return error_set_memory(&compare->error, MUSTER_PHASE_QUEUE);
        return 0;
}

/* Were the server's answers as fast in every way, a round would take this. */
static double round_ns(const struct compare *compare, double request_ns)
{
        double share = 0;

        for (size_t i = 0; i < compare->comparison.n_modes; i++) {
                const struct way *way = &compare->comparison.modes[i].way;

                share += 1.0 / (way->n_threads * way->concurrency);
        }
        return share * request_ns * (double)compare->batch.n;
}

static void announce(const struct compare *compare, double request_ns)
{
        const struct comparison *c = &compare->comparison;
        double total_ns = round_ns(compare, request_ns) * (compare->options.n_rounds + 1);

        if (compare->options.measure.is_silent)
                return;
        batch_tell_left_out(&compare->batch);
        if (c->n_requests == c->n_listed && total_ns < (double)TELL_NS)
                return;
        fprintf(stderr, "muster: a request takes about %s one by one; ",
                words_ns((uint64_t)request_ns).text);
        if (c->n_requests < c->n_listed)
                fprintf(stderr, "using %zu of the %zu requests, spread over the list%s; ",
                        c->n_requests, c->n_listed,
                        compare->options.n_requests ? "" : " (--requests N to set the number)");
        fprintf(stderr, "%zu modes, %u rounds: about %s in total\n", c->n_modes,
                compare->options.n_rounds + 1, words_ns((uint64_t)total_ns).text);
}

/* --- the rounds ------------------------------------------------------------------------------ */

static uint64_t count_differences(const struct compare *compare)
{
        uint64_t n = 0;

        for (size_t i = 0; i < compare->batch.n; i++)
                n += compare->answers[i].status != compare->first[i].status ||
                     compare->answers[i].body_bytes != compare->first[i].body_bytes;
        return n;
}

static void show_progress(const struct compare *compare, const char *round, const struct mode *mode)
{
        if (!compare->options.measure.is_silent && isatty(STDERR_FILENO))
                fprintf(stderr, "\r%s: %s\033[K", round, mode->name);
}

static int run_mode(struct compare *compare, size_t i, struct answer *answers, struct run *run,
        const char *round)
{
        show_progress(compare, round, &compare->comparison.modes[i]);
        return run_batch(run, &compare->batch, &compare->comparison.modes[i].way, 0, answers,
                &compare->error);
}

/* The server's caches are filled, and what the answers are, and from how many hosts, is known. */
static int warm_up(struct compare *compare)
{
        struct run run;
        int r = 0;

        for (size_t i = 0; r == 0 && i < compare->comparison.n_modes && !interrupt_has_come(); i++)
                r = run_mode(compare, i, i ? compare->answers : compare->first, &run, "warming up");
        if (r == 0 && answers_count_hosts(compare->first, compare->batch.n,
                              &compare->comparison.n_hosts) < 0)
                return error_set_memory(&compare->error, MUSTER_PHASE_QUEUE);
        return r;
}

static int run_round(struct compare *compare, unsigned round)
{
        size_t n = compare->comparison.n_modes;
        char name[40];

        snprintf(name, sizeof(name), "round %u of %u", round + 1, compare->options.n_rounds);
        for (size_t i = 0; i < n; i++) {
                size_t at = round % 2 ? n - 1 - i : i;
                struct run run;
                int r = run_mode(compare, at, compare->answers, &run, name);

                if (r < 0 || interrupt_has_come())
                        return r;
                comparison_add(&compare->comparison, at, round, &run, count_differences(compare));
        }
        compare->comparison.n_rounds++;
        return 0;
}

static int run_all(struct compare *compare)
{
        int r = warm_up(compare);

        for (unsigned round = 0;
                r == 0 && round < compare->options.n_rounds && !interrupt_has_come(); round++)
                r = run_round(compare, round);
        compare->comparison.was_interrupted = interrupt_has_come();
        return r;
}

/* --- beginning and end ----------------------------------------------------------------------- */

static int read_and_plan(struct compare *compare)
{
        struct compare_options *options = &compare->options;
        double request_ns;
        int r = batch_read(&compare->batch, &options->measure.request,
                options->measure.allows_unsafe, &compare->error);

        if (r < 0)
                return r;
        request_options_warn(&options->measure.request);
        comparison_init(&compare->comparison, options->n_threads, options->limits.values,
                options->limits.n);
        compare->comparison.n_listed = compare->batch.n;
        compare->comparison.n_left_out = compare->batch.n_left_out;
        interrupt_begin(NULL);
        r = time_one_request(compare, &request_ns);
        if (r < 0 || request_ns == 0)
                return r;
        r = choose_number(compare, request_ns);
        if (r < 0)
                return r;
        announce(compare, request_ns);
        compare->first = mem_array(compare->batch.n, sizeof(*compare->first));
        compare->answers = mem_array(compare->batch.n, sizeof(*compare->answers));
        if (!compare->first || !compare->answers)
                return error_set_memory(&compare->error, MUSTER_PHASE_QUEUE);
        return 0;
}

static int print_comparison(struct compare *compare)
{
        struct comparison *c = &compare->comparison;
        struct remarks remarks = { 0 };
        int r = 0;

        comparison_finish(c);
        comparison_explain(c, &remarks);
        if (compare->options.measure.wants_json)
                r = comparison_print_json(c, &remarks, stdout);
        else
                comparison_print(c, &remarks, stdout);
        remarks_deinit(&remarks);
        if (r < 0)
                return error_set_memory(&compare->error, MUSTER_PHASE_QUEUE);
        return output_end_page(&compare->error);
}

static bool has_failures(const struct comparison *c)
{
        for (size_t i = 0; i < c->n_modes; i++)
                if (c->modes[i].n_failed)
                        return true;
        return c->n_left_out || c->was_interrupted;
}

/* A table needs a round; an object comes in any case, as a program waits for it. */
static int finish_compare(struct compare *compare, int r)
{
        if (!compare->options.measure.is_silent && isatty(STDERR_FILENO))
                progress_clear();
        interrupt_end();
        if (r == 0 && compare->comparison.was_interrupted)
                fprintf(stderr, "muster: interrupted after %u of %u rounds\n",
                        compare->comparison.n_rounds, compare->options.n_rounds);
        if (r == 0 && (compare->comparison.n_rounds || compare->options.measure.wants_json))
                r = print_comparison(compare);
        if (r < 0)
                return error_tell(&compare->error);
        return has_failures(&compare->comparison) ? EXIT_SOME_FAILED : EXIT_ALL_SUCCEEDED;
}

static int run_compare(struct compare *compare)
{
        int r = read_and_plan(compare);

        if (r == 0 && compare->first)
                r = run_all(compare);
        compare->comparison.was_interrupted = interrupt_has_come();
        return finish_compare(compare, r);
}

static void free_compare(struct compare *compare)
{
        mem_free(compare->first);
        mem_free(compare->answers);
        batch_deinit(&compare->batch);
        request_options_deinit(&compare->options.measure.request);
        mem_free(compare);
}

/* Two programs have options of their own. */
static bool is_of_programs(int argc, char **argv)
{
        for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
                if (strcmp(argv[i], "--watch") == 0)
                        return true;
        return false;
}

int compare_main(int argc, char **argv)
{
        struct compare *compare = NULL;
        struct arguments arguments = { 0 };
        int status, r;

        if (is_of_programs(argc, argv))
                return pair_main(argc, argv);
        compare = mem_zalloc(sizeof(*compare));
        if (!compare)
                return EXIT_COULD_NOT_RUN;
        r = arguments_take(&arguments, tables, argc, argv, &compare->error);
        if (r == 0)
                r = option_parse(tables, &compare->options, arguments.argc, arguments.argv,
                        request_options_add_url, &compare->error);
        if (r == 0)
                r = fill_defaults(&compare->options, &compare->error);
        if (r == OPTION_HELP)
                status = help();
        else if (r < 0)
                status = error_tell(&compare->error);
        else
                status = run_compare(compare);
        free_compare(compare);
        arguments_deinit(&arguments);
        return status;
}
