/* SPDX-License-Identifier: MIT */
/*
 * One loop that reads as much input as there is room for, takes what is finished, writes it, and
 * waits.
 */
#include "fetch.h"

#include "../command.h"
#include "../interrupt.h"
#include "../option/secret.h"
#include "../stops.h"
#include "file_use.h"
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
                if (fetch->load.is_on)
                        load_interrupt(&fetch->load, now_ns);
                fetch_hide_progress(fetch);
                if (stderr_has_room())
                        fprintf(stderr,
                                "muster: interrupted; requests in flight get %d s to finish, Ctrl-C again stops at once\n",
                                (int)(GRACE_NS / NS_PER_S));
                muster_cancel_queued(fetch->client);
        } else if (now_ns - fetch->stop_ns > GRACE_NS) {
                muster_cancel_all(fetch->client);
                process_interrupt(&fetch->process);
        }
}

/* After an interruption nobody is waited for that does not read. */
static int check_patience(struct fetch *fetch, uint64_t now_ns)
{
        if (!fetch->is_stopping || !fetch_output_stalls(fetch) ||
                now_ns - fetch->stop_ns <= GRACE_NS)
                return 0;
        return error_set(&fetch->error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, 0,
                "interrupted, and nobody reads the results; %llu were written before",
                (unsigned long long)fetch->output.n_written);
}

static bool is_over(const struct fetch *fetch)
{
        return !fetch->n_outstanding && (fetch->input_has_ended || fetch->is_stopping);
}

/* The time of a load run is over: what waits is not begun, what is under way ends. */
static void end_load(struct fetch *fetch)
{
        fetch->load.has_ended = true;
        fetch->input_has_ended = true;
        if (fetch->options.load.plan.per_s > 0)
                (void)muster_turn(fetch->client); /* what was due before, and this loop late for */
        muster_cancel_queued(fetch->client);
}

static int run_fetch(struct fetch *fetch)
{
        int r = 0;

        if (fetch->load.is_on)
                load_prepare(&fetch->load);
        while (r == 0) {
                uint64_t now_ns = clock_monotonic();

                if (interrupt_has_come())
                        stop_fetch(fetch, now_ns);
                else if (load_is_due(&fetch->load, now_ns))
                        end_load(fetch);
                else if (!fetch_output_stalls(fetch))
                        r = fetch_submit(fetch);
                if (r == 0)
                        r = fetch_take(fetch);
                if (r < 0 || is_over(fetch))
                        break;
                r = fetch_flush_when_due(fetch, now_ns);
                fetch_show_progress(fetch, now_ns);
                if (r == 0)
                        r = fetch_check_reader(fetch, now_ns);
                if (r == 0)
                        r = check_patience(fetch, now_ns);
                if (r == 0)
                        r = fetch_wait(fetch);
                if (fetch->load.is_on)
                        (void)load_has_begun(&fetch->load, fetch->client);
        }
        return r;
}

/* --- beginning and end ----------------------------------------------------------------------- */

static const char *const no_texts[] = { NULL };
static const char *const standard_input[] = { "-", NULL };

/*
 * What cannot be read, be it the first file or the last, is known before anything is written. Of a
 * pipe that has nothing yet no more can be known.
 */
static int begin_input(struct fetch *fetch, const char *const *files)
{
        int r;

        input_init(&fetch->input,
                fetch->options.request.urls.n ? fetch->options.request.urls.list : no_texts, files,
                &fetch->options.request.input);
        if (fetch->load.is_on) {
                fetch->input.is_repeated = true;
                fetch->input.n_most = load_plan_most(&fetch->options.load.plan);
        }
        r = input_check(&fetch->input, &fetch->error);
        if (r == 0)
                r = input_next(&fetch->input, &fetch->next, &fetch->error);
        fetch->has_next = r == 0;
        return r < 0 ? r : 0;
}

/* The output of this run, or of the one that it goes on with. */
static int open_output(struct fetch *fetch)
{
        struct fetch_options *options = &fetch->options;
        const char *path = options->leaves_lines_out ? "/dev/null" : options->output;
        int r = output_open(&fetch->output, path, options->output_way,
                write_out_is_wanted(&options->write_out) ? &options->write_out : NULL,
                &fetch->error);

        if (r == 0)
                r = sync_begin(&fetch->output.sync, options->sync, fetch->output.fd,
                        fetch->output.path, &fetch->error);
        if (r < 0 || options->output_way != OUTPUT_GO_ON)
                return r;
        if (!fetch->output.is_file)
                return error_set(&fetch->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "%s is not a regular file, so what was written to it before cannot be read; results go to a file with -o FILE",
                        options->output);
        options->resume.body_files = &fetch->body_files;
        r = resume_open(&fetch->resume, &options->resume, fetch->output.fd, options->output,
                &fetch->error);
        if (r == 0)
                output_go_on(&fetch->output, resume_whole_at(&fetch->resume));
        return r;
}

/* Threads that make requests. */
static unsigned n_loops(const struct muster_client_options *client)
{
        long n = client->threads == MUSTER_THREADS_AUTO ? sysconf(_SC_NPROCESSORS_ONLN)
                                                        : (long)client->threads;

        return n > 1 ? (unsigned)n : 1;
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
        if (r == 0 && load_is_wanted(&options->load))
                r = load_init(&fetch->load, &options->load.plan, n_loops(&options->request.client),
                        &fetch->error);
        if (r == 0)
                r = begin_input(fetch, files);
        if (r == 0)
                r = kept_prepare(&options->kept, &options->request.client, &fetch->error);
        if (r == 0)
                r = muster_client_new(&fetch->client, &options->request.client);
        if (r == 0)
                r = kept_load(&options->kept, fetch->client, &fetch->error);
        if (r == 0 && options->body_place == BODY_FILES)
                r = body_files_open(&fetch->body_files, options->body, options->remote.ways,
                        process_is_wanted(&options->process), &fetch->error);
        if (r == 0)
                r = story_open(&fetch->story, options->is_verbose, options->trace, &fetch->error);
        return r == 0 ? open_output(fetch) : r;
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
        load_deinit(&fetch->load);
        resume_close(&fetch->resume);
        body_files_close(&fetch->body_files);
        fetch_options_deinit(&fetch->options);
}

/* What a verdict needs costs processor time for each request: a load run has it where it is asked. */
static bool shows_verdict(const struct fetch *fetch)
{
        return fetch->load.is_on ? fetch->options.account.record && !fetch->options.is_silent
                                 : fetch_shows_summary(fetch);
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
                r = fetch_check_files(&fetch.options, &fetch.error);
        if (r == 0)
                r = open_all(&fetch);
        if (r == 0)
                r = account_begin(&fetch.account, &fetch.options.account, fetch.client,
                        shows_verdict(&fetch), fetch.input.kind, output_kind(&fetch.output),
                        arguments.argc, arguments.argv, &fetch.error);
        if (r == 0)
                r = account_set_login(&fetch.account, &fetch.options.request.login, &fetch.error);
        if (r == 0)
                r = story_begin(&fetch.story, &fetch.error);
        if (r == 0)
                r = fetch_guard_files(&fetch.options, &fetch.body_files, &fetch.error);
        if (r == OPTION_HELP) {
                status = help();
        } else if (r < 0) {
                status = error_tell(&fetch.error);
        } else {
                body_files_begin(&fetch.body_files);
                fetch.report.is_resumed = fetch.resume.is_there;
                fetch.report.has_plan = fetch_options_have_rate(&fetch.options);
                fetch_options_warn(&fetch.options);
                fetch.has_progress = isatty(STDERR_FILENO) && !fetch.options.is_silent &&
                                     !fetch.options.no_progress;
                interrupt_begin(fetch.client);
                stops_begin();
                status = fetch_finish(&fetch, run_fetch(&fetch));
        }
        close_all(&fetch);
        arguments_deinit(&arguments);
        return status;
}
