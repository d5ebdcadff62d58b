/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include "../exit_status.h"
#include "../option/option.h"
#include "../output/output.h"
#include "../report/report.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct pair_options {
        const char *commands[2];
        unsigned n_commands;
        unsigned n_rounds;
        uint64_t for_ms;
        bool is_pair; /* --watch: it is why we are here */
        bool wants_json, is_silent, no_hooks, no_filter;
};

struct pairing {
        struct pair_options options; /* first: options are set in it */
        struct parts parts;
        struct session_options session_options;
        struct pair pair;
        struct muster_error error;
};

/* --- options --------------------------------------------------------------------------------- */

static int set_rounds(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        const unsigned *n_rounds = (const void *)((const char *)settings + option->offset);
        int r = option_set_between(settings, option, value, PAIR_ROUNDS_MIN, PAIR_ROUNDS_MAX,
                error);

        if (r < 0 || *n_rounds % 2 == 0)
                return r;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%s\" is odd; rounds run forward and backward in turn, so give an even number",
                value);
}

#define OWN(member) offsetof(struct pair_options, member)

static const struct option table[] = {
        { "Two programs", 0, "watch", NULL, "compare two programs that do the same job",
                option_set_flag, OWN(is_pair) },
        { NULL, 0, "rounds", "N", "measured rounds, an even number of at least 6 (6)", set_rounds,
                OWN(n_rounds) },
        { NULL, 0, "for", "TIME", "end a program after TIME, as Ctrl-C does", option_set_duration,
                OWN(for_ms) },
        { NULL, 0, "no-hooks", NULL, "load nothing into Python and Node", option_set_flag,
                OWN(no_hooks) },
        { NULL, 0, "no-filter", NULL,
                "do not have the kernel tell of the connections of programs without the C library",
                option_set_flag, OWN(no_filter) },
        { "Output", 0, "json", NULL, "print one JSON object instead of a table", option_set_flag,
                OWN(wants_json) },
        { NULL, 's', "silent", NULL, "no progress on standard error", option_set_flag,
                OWN(is_silent) },
        { 0 },
};

static const struct option *const tables[] = { table, NULL };

static int add_command(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct pair_options *options = settings;

        (void)option;
        if (options->n_commands == 2)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--watch: \"%s\" is a third program; give two, each as one word: 'python3 a.py' 'python3 b.py'",
                        value);
        options->commands[options->n_commands++] = value;
        return 0;
}

static int parse(struct pair_options *options, int argc, char **argv, struct muster_error *error)
{
        int r = option_parse(tables, options, argc, argv, add_command, error);

        if (r != 0)
                return r;
        if (options->n_commands < 2)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--watch needs two programs, each as one word: muster compare --watch 'python3 a.py' 'python3 b.py'");
        if (!options->n_rounds)
                options->n_rounds = PAIR_ROUNDS_MIN;
        return 0;
}

static int help(void)
{
        printf("usage: muster compare --watch [options] COMMAND1 COMMAND2\n\n"
               "Run two programs that do the same job in alternating rounds, watch what they do with HTTP, and say which is\n"
               "faster and why. Each is a command for the shell; what they ask for and print is compared.\n");
        option_help(tables, stdout);
        printf("\nExit status: 0 both ended with status 0 each time, 1 one did not, 2 usage error, 3 could not run. See\n"
               "muster-compare(1).\n");
        return EXIT_ALL_SUCCEEDED;
}

/* --- one run --------------------------------------------------------------------------------- */

static void describe(struct pair_arm *arm, const struct session *session)
{
        const struct muster_explanation *explanation = session->outcome.explanation;
        const struct muster_finding *finding = muster_explanation_finding(explanation, 0);
        const struct muster_process *process, *most = NULL;

        for (size_t i = 0; (process = muster_explanation_process(explanation, i)); i++)
                if (!most || process->n_requests > most->n_requests)
                        most = process;
        if (most)
                snprintf(arm->about, sizeof(arm->about), "%.60s%s%.130s", most->language,
                        *most->language && *most->libraries ? ", " : "", most->libraries);
        snprintf(arm->finding, sizeof(arm->finding), "%s", finding ? finding->title : "");
        snprintf(arm->unseen, sizeof(arm->unseen), "%s",
                explanation ? "" : session->outcome.why.text);
}

/* `round` -1: it does not count. */
static int run_arm(struct pairing *pairing, size_t i, int round)
{
        struct pair_arm *arm = &pairing->pair.arms[i];
        const char *const argv[] = { "sh", "-c", arm->command, NULL };
        struct job *job = round < 1 ? &arm->jobs[round + 1] : NULL;
        struct session_options options = pairing->session_options;
        int output_fd = job ? job_begin(job) : -1;
        struct session session;
        int r;

        options.output_fd = output_fd >= 0 ? output_fd : options.output_fd;
        r = session_run(&session, (char **)(uintptr_t)argv, &pairing->parts, &options,
                &pairing->error);

        if (r == SUBJECT_NOT_RUN)
                r = error_set(&pairing->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                        "there is no shell to run the programs");
        if (r == 0)
                r = session_read(&session, &options, &pairing->error);
        if (job)
                job_end(job,
                        r == 0 && session.outcome.explanation ? session_record(&session, &options)
                                                              : NULL,
                        session.place.folder);
        if (r == 0) {
                const struct counts counts = counts_of(&session);

                pairing->pair.was_interrupted |= session.subject.was_interrupted;
                describe(arm, &session);
                for (int n = 0; round >= 0 && n < N_COUNTS; n++)
                        arm->of[n][round] = counts.of[n];
                if (counts.status && !arm->n_bad++)
                        arm->status = counts.status;
        }
        session_deinit(&session);
        return r;
}

static void tell_progress(const struct pairing *pairing, const char *round, size_t i)
{
        if (!pairing->options.is_silent && isatty(STDERR_FILENO))
                fprintf(stderr, "\r%s: %s\033[K", round, pairing->pair.arms[i].command);
}

/* --- the rounds ------------------------------------------------------------------------------ */

/* A program that does not even begin is not run again and again. */
static int warm_up(struct pairing *pairing)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < 2 && !pairing->pair.was_interrupted; i++) {
                const struct pair_arm *arm = &pairing->pair.arms[i];

                tell_progress(pairing, "warming up", i);
                r = run_arm(pairing, i, -1);
                if (r == 0 && (arm->status == 126 || arm->status == 127))
                        r = error_set(&pairing->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                                "%s: the shell cannot run it (status %d)", arm->command,
                                arm->status);
        }
        return r;
}

static int run_rounds(struct pairing *pairing)
{
        struct pair *pair = &pairing->pair;
        int r = 0;

        for (unsigned round = 0; r == 0 && round < pairing->options.n_rounds; round++) {
                char name[40];

                snprintf(name, sizeof(name), "round %u of %u", round + 1,
                        pairing->options.n_rounds);
                for (size_t i = 0; r == 0 && i < 2 && !pair->was_interrupted; i++) {
                        size_t at = round % 2 ? 1 - i : i;

                        tell_progress(pairing, name, at);
                        r = run_arm(pairing, at, (int)round);
                }
                if (r < 0 || pair->was_interrupted)
                        break;
                pair->n_rounds++;
        }
        return r;
}

static void finish(struct pair *pair)
{
        if (!pair->n_rounds)
                return;
        for (size_t i = 0; i < 2; i++) {
                struct pair_arm *arm = &pair->arms[i];

                for (int n = 0; n < N_COUNTS; n++)
                        arm->medians[n] = stat_median(arm->of[n], pair->n_rounds);
                arm->wall = stat_estimate(arm->of[COUNT_WALL], pair->n_rounds);
        }
        pair->ratio = stat_estimate_ratio(pair->arms[1].of[COUNT_WALL],
                pair->arms[0].of[COUNT_WALL], pair->n_rounds);
}

static int show(struct pairing *pairing)
{
        struct remarks remarks = { 0 };
        int r = 0;

        finish(&pairing->pair);
        pair_explain(&pairing->pair, &remarks);
        if (pairing->options.wants_json)
                r = pair_print_json(&pairing->pair, &remarks, stdout);
        else
                pair_print(&pairing->pair, &remarks, stdout);
        remarks_deinit(&remarks);
        if (r < 0)
                return error_set_memory(&pairing->error, MUSTER_PHASE_QUEUE);
        return output_end_page(&pairing->error);
}

/* --- the whole ------------------------------------------------------------------------------- */

static int run_pairing(struct pairing *pairing)
{
        struct pair *pair = &pairing->pair;
        int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        int r = parts_find(&pairing->parts, &pairing->error);

        pairing->session_options = (struct session_options){
                .no_hooks = pairing->options.no_hooks,
                .no_filter = pairing->options.no_filter,
                .for_ns = pairing->options.for_ms * NS_PER_MS,
                .is_apart = true,
                .output_fd = null_fd,
                .error_fd = null_fd,
        };
        for (size_t i = 0; i < 2; i++) {
                pair->arms[i].command = pairing->options.commands[i];
                job_init(&pair->arms[i].jobs[0]);
                job_init(&pair->arms[i].jobs[1]);
        }
        if (r == 0)
                r = warm_up(pairing);
        if (r == 0)
                r = run_rounds(pairing);
        if (!pairing->options.is_silent && isatty(STDERR_FILENO))
                progress_clear();
        if (r == 0 && pair->was_interrupted)
                fprintf(stderr, "muster: interrupted after %u of %u rounds\n", pair->n_rounds,
                        pairing->options.n_rounds);
        if (r == 0 && (pair->n_rounds || pairing->options.wants_json))
                r = show(pairing);
        close(null_fd);
        for (size_t i = 0; i < 4; i++)
                job_deinit(&pair->arms[i / 2].jobs[i % 2]);
        if (r < 0)
                return error_tell(&pairing->error);
        return pair->was_interrupted || pair->arms[0].n_bad || pair->arms[1].n_bad
                       ? EXIT_SOME_FAILED
                       : EXIT_ALL_SUCCEEDED;
}

int pair_main(int argc, char **argv)
{
        struct pairing *pairing = mem_zalloc(sizeof(*pairing));
        int status, r;

        if (!pairing)
                return EXIT_COULD_NOT_RUN;
        r = parse(&pairing->options, argc, argv, &pairing->error);
        if (r == OPTION_HELP)
                status = help();
        else if (r < 0)
                status = error_tell(&pairing->error);
        else
                status = run_pairing(pairing);
        mem_free(pairing);
        return status;
}
