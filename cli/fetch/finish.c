/* SPDX-License-Identifier: MIT */
/*
 * The end of a run: what is said of it, and the exit status
 */
#include "fetch.h"

#include "../exit_status.h"
#include "../interrupt.h"
#include "../load/page.h"
#include "../stops.h"
#include <base/clock.h>
#include <base/error.h>
#include <limits.h>
#include <unistd.h>

bool fetch_shows_summary(const struct fetch *fetch)
{
        return !fetch->options.is_silent && (isatty(STDERR_FILENO) || fetch->options.wants_summary);
}

/* Where the run can be gone on with, people shall know it. */
static void tell_how_to_go_on(const struct fetch *fetch)
{
        if (fetch->output.is_file && !fetch->output.format && !fetch->options.appends)
                fprintf(stderr, "muster: the same command with --resume does what is left%s\n",
                        fetch->options.replaces ? ", without --force" : "");
}

static void tell_interruption(const struct fetch *fetch)
{
        if (!fetch->is_stopping)
                return;
        fprintf(stderr, "muster: interrupted: %llu done, %llu cancelled",
                (unsigned long long)fetch->report.n_done,
                (unsigned long long)fetch->report.n_cancelled);
        if (fetch->load.is_on) {
                fprintf(stderr, "\n");
                return;
        }
        if (fetch->input_has_ended)
                fprintf(stderr, "; the whole input was read\n");
        else if (fetch->next.line)
                fprintf(stderr, "; input read up to line %llu of %s\n",
                        (unsigned long long)fetch->next.line, fetch->input.file);
        else
                fprintf(stderr, "; the rest of the input was not read\n");
        tell_how_to_go_on(fetch);
}

static void tell_summary(const struct fetch *fetch)
{
        struct page page = page_on(stderr);
        struct muster_client_stats stats;

        if (fetch->load.is_on || !fetch_shows_summary(fetch))
                return;
        if (!isatty(STDERR_FILENO)) /* a line for each label, whatever its length */
                page.width = UINT_MAX;
        muster_client_stats(fetch->client, &stats, sizeof(stats));
        summary_print(&fetch->report, &stats, account_verdict(&fetch->account), &page);
}

/* The page of a load run is what was asked for, so it comes whatever reads it. */
static int tell_load(struct fetch *fetch, struct muster_error *error)
{
        const struct fetch_options *options = &fetch->options;
        const struct report *report = &fetch->report;
        FILE *to = options->stdout_is_taken ? stderr : stdout;
        struct page on = page_on(to);
        struct muster_client_stats stats;
        struct load_page page = { .load = &fetch->load,
                .report = report,
                .stats = &stats,
                .verdict = account_verdict(&fetch->account),
                .has_charts = options->load.wants_charts || isatty(fileno(to)) };
        int r = 0;

        if (!fetch->load.is_on)
                return 0;
        muster_client_stats(fetch->client, &stats, sizeof(stats));
        load_finish(&fetch->load, &stats, report->last_ns - report->first_ns,
                report_request_ns(report), report->phase_ns[MUSTER_PHASE_LAG]);
        if (!isatty(fileno(to)))
                on.width = UINT_MAX;
        if (!options->is_silent)
                load_page_print(&page, &on);
        if (options->load.json)
                r = load_page_write_json(&page, options->load.json, error);
        return r == 0 && to == stdout ? output_end_page(error) : r;
}

/*
 * What was run is explained, and perhaps run again: then with no connection of the first time still
 * open.
 */
static int tell_account(struct fetch *fetch)
{
        struct muster_error error = { 0 };
        int r;

        account_count(&fetch->account, fetch->stalled_ns / NS_PER_US, stops_count());
        r = account_end(&fetch->account, fetch->report.n_done + fetch->report.n_cancelled,
                fetch->is_stopping, &error);

        tell_summary(fetch);
        if (r == 0)
                r = tell_load(fetch, &error);
        account_tell(&fetch->account);
        fetch->client = muster_client_free(fetch->client);
        if (r == 0)
                r = account_confirm(&fetch->account, &error);
        if (r == CONFIRM_STOPPED && !fetch->is_stopping) {
                fprintf(stderr, "muster: interrupted: --confirm did not finish\n");
                fetch->is_stopping = true;
        }
        return r < 0 ? error_tell(&error) : EXIT_ALL_SUCCEEDED;
}

static int exit_status(const struct fetch *fetch)
{
        if (!fetch->account.all_hold)
                return EXIT_ASSERTION_FAILED;
        return fetch->report.n_failed || fetch->is_stopping || fetch->resume.n_standing_failed ||
                               fetch->resume.n_missing
                       ? EXIT_SOME_FAILED
                       : EXIT_ALL_SUCCEEDED;
}

/* Where nothing could be read there is no result, and the file is as it was. */
static int close_output(struct fetch *fetch, struct muster_error *error)
{
        int r = 0;

        if (fetch->input_has_failed && !fetch->output.n_added) {
                output_abandon(&fetch->output);
                return 0;
        }
        if (fetch->resume.is_there) {
                r = output_begin(&fetch->output, error);
                if (r == 0)
                        r = resume_finish(&fetch->resume, fetch->output.fd, error);
        }
        return r < 0 ? r : output_close(&fetch->output, fetch->body_files.directory, error);
}

/*
 * Save cookies, TLS sessions and the list of HSTS. Ctrl-C must not come between: what was learnt
 * would be lost, and half of it be left in a file beside. Negative: something failed, and was told.
 */
static int save_session(struct fetch *fetch)
{
        struct muster_error error = { 0 };
        int jar_r = cookie_options_save(&fetch->options.request.cookies, &error), kept_r;

        if (jar_r < 0)
                (void)error_tell(&error);
        error_clear(&error);
        kept_r = kept_save(&fetch->options.kept, fetch->client, &error);
        if (kept_r < 0)
                (void)error_tell(&error);
        return jar_r < 0 ? jar_r : kept_r;
}

int fetch_finish(struct fetch *fetch, int r)
{
        struct muster_error late = { 0 };
        int status, saved;

        fetch_hide_progress(fetch);
        if (r == 0)
                r = output_flush(&fetch->output, &fetch->error);
        process_end(&fetch->process);
        saved = save_session(fetch);
        interrupt_end();
        if (r == 0)
                r = close_output(fetch, &late);
        if (r == 0)
                r = story_close(&fetch->story, &late);
        if (r < 0)
                return error_tell(fetch->error.code ? &fetch->error : &late);
        tell_interruption(fetch);
        status = tell_account(fetch);
        if (saved < 0)
                return EXIT_COULD_NOT_RUN;
        if (fetch->input_has_failed)
                return error_tell(&fetch->error);
        return status == EXIT_ALL_SUCCEEDED ? exit_status(fetch) : status;
}
