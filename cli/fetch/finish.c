/* SPDX-License-Identifier: MIT */
/*
 * The end of a run: what is said of it, and the exit status
 */
#include "fetch.h"

#include "../exit_status.h"
#include "../interrupt.h"
#include <base/error.h>
#include <limits.h>
#include <unistd.h>

bool fetch_shows_summary(const struct fetch *fetch)
{
        return !fetch->options.is_silent && (isatty(STDERR_FILENO) || fetch->options.wants_summary);
}

static void tell_interruption(const struct fetch *fetch)
{
        if (!fetch->is_stopping)
                return;
        fprintf(stderr, "muster: interrupted: %llu done, %llu cancelled",
                (unsigned long long)fetch->report.n_done,
                (unsigned long long)fetch->report.n_cancelled);
        if (fetch->input_has_ended)
                fprintf(stderr, "; the whole input was read\n");
        else if (fetch->next.line)
                fprintf(stderr, "; input read up to line %llu of %s\n",
                        (unsigned long long)fetch->next.line, fetch->input.file);
        else
                fprintf(stderr, "; the rest of the input was not read\n");
}

static void tell_summary(const struct fetch *fetch)
{
        struct page page = page_on(stderr);
        struct muster_client_stats stats;

        if (!fetch_shows_summary(fetch))
                return;
        if (!isatty(STDERR_FILENO)) /* a line for each label, whatever its length */
                page.width = UINT_MAX;
        muster_client_stats(fetch->client, &stats, sizeof(stats));
        summary_print(&fetch->report, &stats, account_verdict(&fetch->account), &page);
}

/*
 * What was run is explained, and perhaps run again: then with no connection of the first time still
 * open.
 */
static int tell_account(struct fetch *fetch)
{
        struct muster_error error = { 0 };
        int saved = kept_save(&fetch->options.kept, fetch->client, &error), r;

        if (saved < 0)
                (void)error_tell(&error);
        error_clear(&error);
        r = account_end(&fetch->account, fetch->report.n_done + fetch->report.n_cancelled,
                fetch->is_stopping, &error);

        tell_summary(fetch);
        account_tell(&fetch->account);
        fetch->client = muster_client_free(fetch->client);
        if (r == 0)
                r = account_confirm(&fetch->account, &error);
        if (r == CONFIRM_STOPPED && !fetch->is_stopping) {
                fprintf(stderr, "muster: interrupted: --confirm did not finish\n");
                fetch->is_stopping = true;
        }
        if (r < 0)
                return error_tell(&error);
        return saved < 0 ? EXIT_COULD_NOT_RUN : EXIT_ALL_SUCCEEDED;
}

static int exit_status(const struct fetch *fetch)
{
        if (!fetch->account.all_hold)
                return EXIT_ASSERTION_FAILED;
        return fetch->report.n_failed || fetch->is_stopping ? EXIT_SOME_FAILED : EXIT_ALL_SUCCEEDED;
}

/* Where nothing could be read there is no result, and the file is as it was. */
static int close_output(struct fetch *fetch, struct muster_error *error)
{
        if (!fetch->input_has_failed || fetch->output.n_added)
                return output_close(&fetch->output, error);
        output_abandon(&fetch->output);
        return 0;
}

int fetch_finish(struct fetch *fetch, int r)
{
        struct muster_error late = { 0 }, jar_error = { 0 };
        int status, jar_r;

        fetch_hide_progress(fetch);
        if (r == 0)
                r = output_flush(&fetch->output, &fetch->error);
        process_end(&fetch->process);
        interrupt_end();
        jar_r = cookie_options_save(&fetch->options.request.cookies, &jar_error);
        if (r == 0)
                r = close_output(fetch, &late);
        if (r == 0)
                r = story_close(&fetch->story, &late);
        if (r < 0)
                return error_tell(fetch->error.code ? &fetch->error : &late);
        tell_interruption(fetch);
        status = tell_account(fetch);
        if (jar_r < 0)
                return error_tell(&jar_error);
        if (fetch->input_has_failed)
                return error_tell(&fetch->error);
        return status == EXIT_ALL_SUCCEEDED ? exit_status(fetch) : status;
}
