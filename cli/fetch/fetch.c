/* SPDX-License-Identifier: MIT */
/*
 * One loop that reads as much input as there is room for, takes what is finished, writes it, and
 * waits.
 */
#include "fetch.h"

#include "../command.h"
#include "../interrupt.h"
#include "../option/secret.h"
#include "../option/standard.h"
#include <base/clock.h>
#include <base/error.h>
#include <unistd.h>

#define QUEUE_MIN 4096           /* items that are read ahead: enough that hosts can take turns */
#define GRACE_NS  (2 * NS_PER_S) /* for what is in flight at Ctrl-C */

/* --- the loop -------------------------------------------------------------------------------- */

/* Ctrl-C: read no more, drop what waits, give what is in flight a moment, then drop that too. */
static void stop_fetch(struct fetch *fetch, uint64_t now_ns)
{
        if (!fetch->is_stopping) {
                fetch->is_stopping = true;
                fetch->stop_ns = now_ns;
                fetch_hide_progress(fetch);
                fprintf(stderr,
                        "muster: interrupted; requests in flight get %d s to finish, Ctrl-C again stops at once\n",
                        (int)(GRACE_NS / NS_PER_S));
                muster_cancel_queued(fetch->client);
        } else if (now_ns - fetch->stop_ns > GRACE_NS) {
                muster_cancel_all(fetch->client);
                process_interrupt(&fetch->process);
        }
}

static bool is_over(const struct fetch *fetch)
{
        return !fetch->n_outstanding && (fetch->input_has_ended || fetch->is_stopping);
}

static int run_fetch(struct fetch *fetch)
{
        int r = 0;

        while (r == 0) {
                uint64_t now_ns = clock_monotonic();

                if (interrupt_has_come())
                        stop_fetch(fetch, now_ns);
                else
                        r = fetch_submit(fetch);
                if (r == 0)
                        r = fetch_take(fetch);
                if (r < 0 || is_over(fetch))
                        break;
                r = fetch_flush_when_due(fetch, now_ns);
                fetch_show_progress(fetch, now_ns);
                if (r == 0)
                        r = fetch_wait(fetch);
        }
        return r;
}

/* --- beginning and end ----------------------------------------------------------------------- */

static const char *const no_texts[] = { NULL };
static const char *const standard_input[] = { "-", NULL };

/* Results would take the place of the list while that is read. */
static int check_output(struct fetch *fetch, const char *const *files)
{
        const char *record = fetch->options.account.record;
        const char *jar = fetch->options.request.cookies.jar_file;

        for (; *files; files++) {
                bool is_stdin = path_is_standard(*files);

                if (output_is(&fetch->output, is_stdin ? "/dev/stdin" : *files))
                        return error_set(&fetch->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "%s is both the input (-i) and the output (-o); write the results to another file",
                                is_stdin ? fetch->output.path : *files);
        }
        if (jar && output_is(&fetch->output, jar))
                return error_set(&fetch->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "%s is both the cookie jar (--cookie-jar) and the output (-o); write the results to another file",
                        jar);
        if (record && output_is(&fetch->output, record))
                return error_set(&fetch->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "%s is both the record (--record) and the output (-o); write the results to another file",
                        record);
        return 0;
}

static int open_all(struct fetch *fetch)
{
        struct fetch_options *options = &fetch->options;
        const char *const *files = options->request.files.n  ? options->request.files.list
                                   : options->request.urls.n ? no_texts
                                                             : standard_input;
        size_t queue = (size_t)options->request.client.concurrency * 4;
        int r;

        if (queue < QUEUE_MIN)
                queue = QUEUE_MIN;
        if (items_init(&fetch->items, queue) < 0)
                return error_set_memory(&fetch->error, MUSTER_PHASE_QUEUE);
        options->request.client.queue_size = fetch->items.size;
        options->request.client.error = &fetch->error;
        r = process_begin(&fetch->process, &options->process, &fetch->error);
        if (r < 0)
                return r;
        input_init(&fetch->input, options->request.urls.n ? options->request.urls.list : no_texts,
                files, &options->request.input);
        r = kept_prepare(&options->kept, &options->request.client, &fetch->error);
        if (r == 0)
                r = muster_client_new(&fetch->client, &options->request.client);
        if (r == 0)
                r = kept_load(&options->kept, fetch->client, &fetch->error);
        if (r == 0)
                r = output_open(&fetch->output, options->output,
                        write_out_is_wanted(&options->write_out) ? &options->write_out : NULL,
                        &fetch->error);
        if (r == 0)
                r = check_output(fetch, files);
        if (r == 0)
                r = story_open(&fetch->story, options->is_verbose, options->trace, &fetch->error);
        if (r == 0 && options->body_place == BODY_FILES)
                r = body_files_open(&fetch->body_files, options->body, options->remote.ways,
                        process_is_wanted(&options->process), &fetch->error);
        return r;
}

static void close_all(struct fetch *fetch)
{
        /* Workers that are still busy look at items, and at what there is to process with. */
        process_interrupt(&fetch->process);
        muster_client_free(fetch->client);
        account_deinit(&fetch->account);
        process_deinit(&fetch->process);
        items_deinit(&fetch->items);
        input_deinit(&fetch->input);
        input_item_deinit(&fetch->next);
        output_abandon(&fetch->output);
        (void)story_close(&fetch->story, &fetch->error);
        report_deinit(&fetch->report);
        body_files_close(&fetch->body_files);
        fetch_options_deinit(&fetch->options);
}

static int help(void)
{
        printf("usage: muster fetch [options] [URL...]\n\n"
               "Fetch many URLs at once: from arguments, from files (-i) or from standard input, one per line.\n"
               "Each request becomes one line of JSON, in order of completion.\n");
        option_help(fetch_option_tables, stdout);
        printf("\nExit status: 0 no request failed, 1 some failed, 2 usage error, 3 could not run, 4 an assertion failed.\nSee muster-fetch(1).\n");
        return EXIT_ALL_SUCCEEDED;
}

int fetch_main(int argc, char **argv)
{
        struct fetch fetch = { 0 };
        struct arguments arguments = { 0 };
        int r = arguments_take(&arguments, fetch_option_tables, argc, argv, &fetch.error);
        int status;

        report_init(&fetch.report);
        if (r == 0)
                r = fetch_options_parse(&fetch.options, arguments.argc, arguments.argv,
                        &fetch.error);
        if (r == 0 && request_options_have_no_input(&fetch.options.request))
                r = error_set(&fetch.error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "nothing to fetch: give URLs, -i FILE or a list on standard input (see muster fetch --help)");
        if (r == 0)
                r = open_all(&fetch);
        if (r == 0)
                r = account_begin(&fetch.account, &fetch.options.account, fetch.client,
                        fetch_shows_summary(&fetch), arguments.argc,
                        arguments.argv, &fetch.error);
        if (r == 0)
                r = account_set_login(&fetch.account, &fetch.options.request.login, &fetch.error);
        if (r == OPTION_HELP) {
                status = help();
        } else if (r < 0) {
                status = error_tell(&fetch.error);
        } else {
                body_files_begin(&fetch.body_files);
                fetch.report.has_plan = fetch_options_have_rate(&fetch.options);
                request_options_warn(&fetch.options.request);
                fetch.has_progress = isatty(STDERR_FILENO) && !fetch.options.is_silent &&
                                     !fetch.options.no_progress;
                interrupt_begin(fetch.client);
                status = fetch_finish(&fetch, run_fetch(&fetch));
        }
        close_all(&fetch);
        arguments_deinit(&arguments);
        return status;
}
