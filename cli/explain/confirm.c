/* SPDX-License-Identifier: MIT */
#include "confirm.h"

#include "../input/method.h"
#include "../option/body_options.h"
#include "../option/standard.h"
#include "../output/body_files.h"
#include "rerun.h"
#include <base/error.h>
#include <base/mem.h>
#include <base/words.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define HELPS_SHARE 0.95 /* of what it took unchanged: above, nothing was gained */
#define PACE_SHARE  0.1  /* of what it took before: below, the server is as fast as it was */

/* --- what to run ----------------------------------------------------------------------------- */

bool confirm_is_wanted(const struct confirm_options *options)
{
        return options->is_wanted || options->n_rounds;
}

const struct muster_finding *confirm_choose(const struct muster_explanation *explanation)
{
        const struct muster_finding *finding;

        for (size_t i = 0; (finding = muster_explanation_finding(explanation, i)); i++)
                if (finding->option && *finding->option)
                        return finding;
        return NULL;
}

/* The value of this option is a file; those of others have "@" before one. */
static bool takes_file(const char *name)
{
        return strcmp(name, "upload-file") == 0 || strcmp(name, "cookie") == 0;
}

static bool ends_with(const char *value, const char *end)
{
        size_t len = strlen(value), end_len = strlen(end);

        return len >= end_len && strcmp(value + len - end_len, end) == 0;
}

/* What the next run would find empty: "@-", also behind a name; "-" as a file. */
static bool is_stdin(const struct invocation_word *word)
{
        if (!word->name || !word->value)
                return false;
        if (takes_file(word->name))
                return path_is_standard(word->value) || strcmp(word->value, ".") == 0;
        return ends_with(word->value, "@-") || strstr(word->value, "=@-;") ||
               ends_with(word->value, "=<-");
}

static bool uses_up_stdin(const struct invocation *invocation)
{
        for (size_t i = 0; i < invocation->n; i++)
                if (is_stdin(&invocation->words[i]))
                        return true;
        return false;
}

static bool has_body(const struct invocation *invocation)
{
        for (size_t i = 0; i < invocation->n; i++)
                if (invocation->words[i].name && body_option_has_body(invocation->words[i].name))
                        return true;
        return false;
}

static bool has_unsafe_options(const struct invocation *invocation)
{
        const char *method = invocation_value(invocation, "request");

        if (method)
                return !method_is_safe(method);
        if (invocation_has(invocation, "head") || invocation_has(invocation, "get"))
                return false;
        return has_body(invocation);
}

int confirm_check(const struct invocation *invocation, bool allows_unsafe,
        struct muster_error *error)
{
        if (invocation_has(invocation, "config"))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--confirm repeats the requests, and cannot tell whether the options in a --config file allow that; write them on the command line");
        if (invocation_has(invocation, "resume") || invocation_has(invocation, "failed-only"))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--confirm repeats the requests, but this run did only those that an earlier one had left (--resume, --failed-only); measure a run of the whole list");
        if (invocation_has(invocation, "duration") || invocation_has(invocation, "ramp"))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--confirm compares how long a run takes, and --%s says how long this one takes; measure one with --requests",
                        invocation_has(invocation, "ramp") ? "ramp" : "duration");
        if (uses_up_stdin(invocation))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--confirm repeats the requests, but standard input can only be read once; put the data into a file");
        if (has_unsafe_options(invocation) && !allows_unsafe)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--confirm would repeat requests that may change something on the server; --confirm-unsafe allows it");
        return 0;
}

const char confirm_nothing[] = "nothing to try: no finding suggests an option of muster fetch";

/*
 * What a run says and keeps is not wanted a second time, and bodies must not take the place of
 * those that were fetched.
 */
static void leave_out_reports(struct invocation *invocation)
{
        static const char *const names[] = {
                "output",
                "append",
                "force",
                "sync",
                "remote-name",
                "remote-name-all",
                "remote-header-name",
                "output-dir",
                "create-dirs",
                "remote-time",
                "record",
                "write-out",
                "verbose",
                "trace",
                "summary",
                "no-progress",
                "silent",
                "confirm",
                "confirm-unsafe",
                "confirm-rounds",
                "assert",
                "load-json",
                "charts",
        };
        const char *body = invocation_value(invocation, "body");

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                invocation_leave_out(invocation, names[i]);
        if (body_place(body) != BODY_NONE)
                invocation_leave_out(invocation, "body");
}

/* Cookies are kept as in the first run, but the file has what came of that. */
static int keep_cookies(struct invocation *invocation, struct muster_error *error)
{
        invocation_leave_out(invocation, "cookie-jar");
        return invocation_add(invocation, "cookie", "", error);
}

/* --- the runs -------------------------------------------------------------------------------- */

static int read_wall(struct rerun *rerun, struct confirm_arm *arm, unsigned round)
{
        struct muster_explanation *explanation;
        struct muster_run run;
        int r = muster_explain_file(&explanation, rerun->record, rerun->error);

        if (r < 0)
                return r;
        muster_explanation_run(explanation, &run, sizeof(run));
        arm->wall_ns[round] = run.wall_ns;
        arm->n_requests += run.n_requests;
        arm->n_failed += run.n_failed;
        muster_explanation_free(explanation);
        return 0;
}

static int run_once(struct rerun *rerun, const struct invocation *invocation,
        struct confirm_arm *arm, unsigned round)
{
        char **argv = invocation_argv(invocation);
        int r = argv ? rerun_execute(rerun, argv)
                     : error_set_memory(rerun->error, MUSTER_PHASE_QUEUE);

        mem_free(argv);
        if (r == 0)
                r = read_wall(rerun, arm, round);
        rerun_remove_record(rerun);
        return r;
}

/* The words of one arm: `remedy` NULL for that which is unchanged. */
static int make_arm(const struct rerun *rerun, struct invocation *arm,
        const struct invocation *original, const char *remedy)
{
        int r = invocation_copy(arm, original, rerun->error);

        if (r == 0 && remedy)
                r = invocation_change(arm, remedy, rerun->error);
        if (r < 0)
                return r;
        leave_out_reports(arm);
        if (r == 0 && invocation_has(arm, "cookie-jar"))
                r = keep_cookies(arm, rerun->error);
        if (r == 0)
                r = invocation_add(arm, "output", "/dev/null", rerun->error);
        if (r == 0)
                r = invocation_add(arm, "silent", NULL, rerun->error);
        return r == 0 ? invocation_add(arm, "record", rerun->record, rerun->error) : r;
}

static int compare_ns(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

static void take_median(struct confirm_arm *arm, unsigned n)
{
        uint64_t sorted[CONFIRM_ROUNDS_MAX];

        memcpy(sorted, arm->wall_ns, sizeof(sorted));
        qsort(sorted, n, sizeof(sorted[0]), compare_ns);
        arm->median_ns = n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Changed, unchanged, then the other way round, and so on. */
static int run_rounds(struct rerun *rerun, struct confirmation *confirmation,
        const struct invocation *changed, const struct invocation *unchanged, unsigned n)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < n; i++) {
                if (i % 2 == 0)
                        r = run_once(rerun, changed, &confirmation->changed, i);
                if (r == 0)
                        r = run_once(rerun, unchanged, &confirmation->unchanged, i);
                if (r == 0 && i % 2 == 1)
                        r = run_once(rerun, changed, &confirmation->changed, i);
        }
        if (r != 0)
                return r;
        take_median(&confirmation->changed, n);
        take_median(&confirmation->unchanged, n);
        confirmation->n_rounds = n;
        return 0;
}

int confirm_run(struct confirmation *confirmation, const struct invocation *original,
        const struct muster_explanation *explanation, unsigned n_rounds, struct muster_error *error)
{
        const struct muster_finding *finding = confirm_choose(explanation);
        struct invocation changed = { 0 }, unchanged = { 0 };
        struct muster_run run;
        struct rerun rerun;
        int r;

        *confirmation = (struct confirmation){ 0 };
        if (!finding)
                return CONFIRM_NOTHING;
        muster_explanation_run(explanation, &run, sizeof(run));
        confirmation->finding = *finding;
        confirmation->before_ns = run.wall_ns;
        r = rerun_begin(&rerun, error);
        if (r == 0)
                r = make_arm(&rerun, &changed, original, finding->option);
        if (r == 0)
                r = make_arm(&rerun, &unchanged, original, NULL);
        if (r == 0)
                r = run_rounds(&rerun, confirmation, &changed, &unchanged, n_rounds);
        invocation_deinit(&changed);
        invocation_deinit(&unchanged);
        rerun_end(&rerun);
        return r;
}

/* --- what came of it ------------------------------------------------------------------------- */

static double failed_share(const struct confirm_arm *arm)
{
        return arm->n_requests ? (double)arm->n_failed / (double)arm->n_requests : 0;
}

/*
 * Not every remedy is for the wall time: asking a full server for less at once is for others, and
 * for the latency.
 */
static bool promises_gain(const struct confirmation *confirmation)
{
        const struct muster_finding *finding = &confirmation->finding;

        return !finding->has_prediction ||
               (double)finding->wall_ns < HELPS_SHARE * (double)confirmation->before_ns;
}

/*
 * How many times as long the same takes now as in the run that was explained. A prediction is of
 * that run, so it is judged at this pace: a server that has become slower meanwhile has not proven
 * it wrong.
 */
static double pace(const struct confirmation *confirmation)
{
        if (!confirmation->before_ns || !confirmation->unchanged.median_ns)
                return 1;
        return (double)confirmation->unchanged.median_ns / (double)confirmation->before_ns;
}

/* Too little, or too much. The range has in it that runs of the same differ. */
enum where { WHERE_BELOW, WHERE_WITHIN, WHERE_ABOVE };

static enum where where_in_range(const struct confirmation *confirmation)
{
        const struct muster_finding *finding = &confirmation->finding;
        double changed_ns = (double)confirmation->changed.median_ns;

        if (changed_ns < (double)finding->wall_low_ns * pace(confirmation))
                return WHERE_BELOW;
        return changed_ns > (double)finding->wall_high_ns * pace(confirmation) ? WHERE_ABOVE
                                                                               : WHERE_WITHIN;
}

bool confirm_is_within(const struct confirmation *confirmation)
{
        return where_in_range(confirmation) == WHERE_WITHIN;
}

const char *confirm_conclusion(const struct confirmation *confirmation)
{
        const struct muster_finding *finding = &confirmation->finding;

        if (failed_share(&confirmation->changed) > failed_share(&confirmation->unchanged) + 0.001)
                return "Not confirmed: more requests failed than without the change";
        if (promises_gain(confirmation) &&
                (double)confirmation->changed.median_ns >
                        HELPS_SHARE * (double)confirmation->unchanged.median_ns)
                return "Not confirmed: the change gained nothing";
        if (!finding->has_prediction)
                return "The change helps";
        switch (where_in_range(confirmation)) {
        case WHERE_ABOVE:
                return promises_gain(confirmation) ? "The change helps, but less than predicted"
                                                   : "It took longer than predicted";
        case WHERE_BELOW:
                return "The change helps more than predicted";
        case WHERE_WITHIN:
                break;
        }
        return "The prediction was right: what was measured is within its range";
}

__attribute__((format(printf, 2, 3))) static int add(struct buf *to, const char *format, ...)
{
        char text[500];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        return buf_add_text(to, text);
}

static int add_predicted(struct buf *to, const struct muster_finding *finding)
{
        if (!finding->has_prediction)
                return 0;
        return add(to, "predicted %s (%s), ", words_ns(finding->wall_ns).text,
                words_range_ns(finding->wall_low_ns, finding->wall_high_ns).text);
}

static uint64_t scaled_ns(uint64_t ns, double times)
{
        return (uint64_t)((double)ns * times);
}

/* Without this a prediction that is right at another pace looks wrong beside what was measured. */
static int add_pace(struct buf *to, const struct confirmation *confirmation)
{
        double times = pace(confirmation);

        if (!confirmation->finding.has_prediction || fabs(times - 1) <= PACE_SHARE)
                return 0;
        return add(to,
                " The unchanged run now takes %.2g times as long as before, so the scaled prediction is %s (%s).",
                times, words_ns(scaled_ns(confirmation->finding.wall_ns, times)).text,
                words_range_ns(scaled_ns(confirmation->finding.wall_low_ns, times),
                        scaled_ns(confirmation->finding.wall_high_ns, times))
                        .text);
}

static int add_failures(struct buf *to, const struct confirm_arm *arm, const char *when)
{
        if (!arm->n_failed)
                return 0;
        return add(to, " %llu of %llu requests failed %s.", (unsigned long long)arm->n_failed,
                (unsigned long long)arm->n_requests, when);
}

int confirm_words(const struct confirmation *confirmation, struct buf *to)
{
        int r = add(to, "%s: ", confirmation->finding.option);

        if (r == 0)
                r = add_predicted(to, &confirmation->finding);
        if (r == 0)
                r = add(to,
                        "measured %s; the recorded run took %s, and an unchanged repeat %s. %s.",
                        words_ns(confirmation->changed.median_ns).text,
                        words_ns(confirmation->before_ns).text,
                        words_ns(confirmation->unchanged.median_ns).text,
                        confirm_conclusion(confirmation));
        if (r == 0)
                r = add_pace(to, confirmation);
        if (r == 0)
                r = add_failures(to, &confirmation->changed, "with it");
        if (r == 0)
                r = add_failures(to, &confirmation->unchanged, "without it");
        return r;
}
