/* SPDX-License-Identifier: MIT */
/*
 * How it works: one loop that reads as much input as there is room for, takes what is finished, writes it, and waits. Everything is
 * bounded by the ring of items: input is not read faster than results are written.
 */
#include "fetch.h"

#include "fetch_account.h"
#include "fetch_options.h"
#include "input/input.h"
#include "interrupt.h"
#include "item.h"
#include "output/body_files.h"
#include "output/output.h"
#include "report/report.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define QUEUE_MIN         4096 /* items that are read ahead: enough that hosts can take turns */
#define FLUSH_INTERVAL_NS (50 * NS_PER_MS) /* nobody waits longer for a line that is there */
#define PROGRESS_NS       (100 * NS_PER_MS)
#define GRACE_NS          (2 * NS_PER_S) /* for what is in flight at Ctrl-C */

struct fetch {
        struct fetch_options options;
        struct muster_client *client;
        struct input input;
        struct input_item next; /* what was read last */
        bool input_has_ended, input_waits, input_has_failed;
        struct items items;
        struct process process;
        struct output output;
        struct body_files body_files;
        struct report report;
        struct account account;
        uint64_t n_outstanding;
        bool has_progress;
        uint64_t progress_ns, flushed_ns;
        bool is_stopping;
        uint64_t stop_ns;
        struct muster_error error;
};

static uint64_t now(void)
{
        return clock_ns_of(CLOCK_MONOTONIC);
}

/* --- output ------------------------------------------------------------------------------------------------------- */

static void add_processed(struct result_line *line, const struct processed *processed)
{
        if (!processed)
                return;
        line->json = buf_str(&processed->json);
        line->processed = buf_str(&processed->value);
        line->processed_is_base64 = processed->is_base64;
}

/* Of a response that broke off there is nothing worth keeping; that of a status that counts as an error is whole. */
static bool has_body_to_keep(const struct muster_result *result)
{
        const struct muster_error *error = muster_result_error(result);

        return muster_result_status(result) && (!error || muster_result_body_size(result));
}

static int write_item(struct fetch *fetch, struct item *item)
{
        struct muster_error body_error = { 0 };
        struct buf body_file = { 0 };
        struct result_line line = { .n = item->n,
                                    .line = item->line,
                                    .id = str_of(item->id),
                                    .result = item->result,
                                    .error = item->error ? item->error
                                                         : muster_result_error(item->result),
                                    .leaves_body_out = strcmp(fetch->options.body, "none") == 0,
                                    .has_plan = fetch_options_have_rate(&fetch->options) };
        int r;

        if (item->result)
                add_processed(&line, process_result(item->result));
        if (fetch->body_files.is_there && item->result && has_body_to_keep(item->result)) {
                if (body_files_name(&fetch->body_files, item, &body_file, &body_error) == 0)
                        line.body_file = body_file.at;
                else if (!line.error)
                        line.error = &body_error;
        }
        line.leaves_body_out |= fetch->body_files.is_there;
        report_add(&fetch->report, item->result, line.error);
        r = output_add(&fetch->output, &line, &fetch->error);
        buf_deinit(&body_file);
        items_written(&fetch->items, item);
        return r;
}

static bool is_done(const struct item *item)
{
        return item->result || item->error;
}

/* An item has its result: write it now, or when its turn has come. */
static int item_done(struct fetch *fetch, struct item *item)
{
        int r = 0;

        if (!fetch->options.in_order)
                return write_item(fetch, item);
        while (r == 0 && (item = items_oldest(&fetch->items)) && is_done(item))
                r = write_item(fetch, item);
        return r;
}

static int take_results(struct fetch *fetch)
{
        struct muster_result *result;
        int r = 0;

        while (r == 0 && (result = muster_take(fetch->client))) {
                struct item *item = muster_result_userdata(result);

                fetch->n_outstanding--;
                item->result = result;
                r = item_done(fetch, item);
        }
        return r;
}

/* --- input -------------------------------------------------------------------------------------------------------- */

static int fail_item(struct fetch *fetch, struct item *item, const struct muster_error *error)
{
        item->error = mem_alloc(sizeof(*error));
        if (!item->error)
                return error_set_memory(&fetch->error, MUSTER_PHASE_QUEUE);
        *item->error = *error;
        return item_done(fetch, item);
}

/* The request for an item: plain lines need one of their own only where options add something to them. */
static int make_request(struct fetch *fetch, struct input_item *next)
{
        const struct fetch_options *options = &fetch->options;
        bool is_plain = !next->request;
        int r;

        if (!request_options_add_to_requests(&options->request) &&
            !process_is_wanted(&options->process) && !body_files_wants_requests(&fetch->body_files))
                return 0;
        if (is_plain)
                next->request =
                        muster_request_new(request_options_method(&options->request), next->url);
        if (!next->request)
                return error_set_memory(&next->error, MUSTER_PHASE_QUEUE);
        r = request_options_apply(&options->request, next->request, is_plain, &next->error);
        if (r == 0 && body_files_wants_requests(&fetch->body_files))
                r = body_files_attach(&fetch->body_files, next->request, fetch->items.n_begun,
                                      &next->error);
        if (r < 0)
                next->request = muster_request_free(next->request);
        else if (process_is_wanted(&options->process))
                process_attach(&fetch->process, next->request);
        return r;
}

static int submit_item(struct fetch *fetch, struct input_item *next, struct item *item)
{
        int r;

        if (next->request) {
                muster_request_set_userdata(next->request, item);
                r = muster_submit(fetch->client, next->request, NULL);
                next->request = NULL;
        } else {
                r = muster_get(fetch->client, next->url, item);
        }
        if (r < 0)
                return error_set_memory(&fetch->error, MUSTER_PHASE_QUEUE);
        fetch->n_outstanding++;
        return 0;
}

static int accept_item(struct fetch *fetch, struct input_item *next)
{
        struct item *item = items_begin(&fetch->items);

        item->line = next->line;
        if (next->id.len && !(item->id = mem_strndup(next->id.at, next->id.len)))
                return error_set_memory(&fetch->error, MUSTER_PHASE_QUEUE);
        if (account_input(&fetch->account, &fetch->input, next, &fetch->error) < 0)
                return fetch->error.code;
        if (!next->error.code)
                make_request(fetch, next);
        if (next->error.code)
                return fail_item(fetch, item, &next->error);
        return submit_item(fetch, next, item);
}

static int read_input(struct fetch *fetch)
{
        int r = 0;

        fetch->input_waits = false;
        while (r == 0 && !fetch->input_has_ended && !items_are_full(&fetch->items)) {
                r = input_next(&fetch->input, &fetch->next, &fetch->error);
                if (r == INPUT_WAIT) {
                        fetch->input_waits = true;
                        return 0;
                }
                if (r != 0) {
                        /* What was read before is still done; that the rest could not be read is said at the end. */
                        fetch->input_has_ended = true;
                        fetch->input_has_failed = r < 0;
                        return 0;
                }
                r = accept_item(fetch, &fetch->next);
        }
        return r;
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

/* How much of the whole batch is over, from 0 to 1; negative when that is not known. What was read is not done yet. */
static double share_done(const struct fetch *fetch)
{
        double share = input_progress(&fetch->input);

        if (!fetch->input.n_items)
                return 0;
        return share * (double)fetch->report.n_done / (double)fetch->input.n_items;
}

static void show_progress(struct fetch *fetch, uint64_t now_ns)
{
        struct muster_client_stats stats;

        if (!fetch->has_progress || now_ns - fetch->progress_ns < PROGRESS_NS)
                return;
        fetch->progress_ns = now_ns;
        muster_client_stats(fetch->client, &stats, sizeof(stats));
        progress_show(&fetch->report, &stats, share_done(fetch));
}

/* How long nothing may happen before something else has to be done. */
static uint64_t patience_ms(const struct fetch *fetch)
{
        if (fetch->output.buf.len)
                return FLUSH_INTERVAL_NS / NS_PER_MS;
        return fetch->has_progress || fetch->is_stopping ? PROGRESS_NS / NS_PER_MS
                                                         : MUSTER_NO_TIMEOUT;
}

/* The input may have more at any time: wait for it and for the client together. */
static int wait_for_both(struct fetch *fetch)
{
        uint64_t patience = patience_ms(fetch);
        struct pollfd fds[2] = { { .fd = muster_client_fd(fetch->client), .events = POLLIN },
                                 { .fd = fetch->input.reader.fd, .events = POLLIN } };
        int r;

        if (fds[0].fd < 0)
                return fds[0].fd;
        (void)poll(fds, 2, patience == MUSTER_NO_TIMEOUT ? -1 : (int)patience);
        r = muster_turn(fetch->client);
        return r < 0 ? r : 0;
}

static int wait_for_something(struct fetch *fetch)
{
        int r;

        if (fetch->input_waits && !fetch->is_stopping && !items_are_full(&fetch->items))
                r = wait_for_both(fetch);
        else
                r = muster_wait(fetch->client, patience_ms(fetch));
        if (r < 0)
                return error_set(&fetch->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                                 "the kernel refuses to wait for events");
        return 0;
}

static int flush_when_due(struct fetch *fetch, uint64_t now_ns)
{
        bool more_is_coming = fetch->n_outstanding > 0;

        if (!fetch->output.buf.len ||
            (more_is_coming && now_ns - fetch->flushed_ns < FLUSH_INTERVAL_NS))
                return 0;
        fetch->flushed_ns = now_ns;
        return output_flush(&fetch->output, &fetch->error);
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

/* Ctrl-C: read no more, drop what waits, give what is in flight a moment, then drop that too. */
static void stop(struct fetch *fetch, uint64_t now_ns)
{
        if (!fetch->is_stopping) {
                fetch->is_stopping = true;
                fetch->stop_ns = now_ns;
                if (fetch->has_progress)
                        progress_clear();
                fprintf(stderr,
                        "muster: interrupted; what is in flight gets %d s, Ctrl-C again leaves at "
                        "once\n",
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

static int run(struct fetch *fetch)
{
        int r = 0;

        while (r == 0) {
                uint64_t now_ns = now();

                if (interrupt_has_come())
                        stop(fetch, now_ns);
                else
                        r = read_input(fetch);
                if (r == 0)
                        r = take_results(fetch);
                if (r < 0 || is_over(fetch))
                        break;
                show_progress(fetch, now_ns);
                r = flush_when_due(fetch, now_ns);
                if (r == 0)
                        r = wait_for_something(fetch);
        }
        return r;
}

/* --- beginning and end -------------------------------------------------------------------------------------------- */

static const char *const no_texts[] = { NULL };
static const char *const standard_input[] = { "-", NULL };

static int open_all(struct fetch *fetch)
{
        struct fetch_options *options = &fetch->options;
        const struct input_format *format =
                options->request.input_format ? input_format_find(options->request.input_format)
                                              : NULL;
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
                   files, format);
        r = muster_client_new(&fetch->client, &options->request.client);
        if (r == 0)
                r = output_open(&fetch->output, options->output, &fetch->error);
        if (r == 0 && strcmp(options->body, "inline") != 0 && strcmp(options->body, "none") != 0)
                r = body_files_open(&fetch->body_files, options->body,
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
        buf_deinit(&fetch->next.id);
        buf_deinit(&fetch->output.buf);
        report_deinit(&fetch->report);
        body_files_close(&fetch->body_files);
        fetch_options_deinit(&fetch->options);
}

static void tell_interruption(const struct fetch *fetch)
{
        if (!fetch->is_stopping)
                return;
        fprintf(stderr, "muster: interrupted: %llu done, %llu of them cancelled",
                (unsigned long long)fetch->report.n_done,
                (unsigned long long)fetch->report.n_codes[-MUSTER_E_CANCELLED]);
        if (fetch->input_has_ended)
                fprintf(stderr, "; all of the input had been read\n");
        else if (fetch->next.line)
                fprintf(stderr, "; the input was not read past line %llu of %s\n",
                        (unsigned long long)fetch->next.line, fetch->input.file);
        else
                fprintf(stderr, "; the rest of the input was not read\n");
}

static bool shows_summary(const struct fetch *fetch)
{
        return !fetch->options.is_silent && (isatty(STDERR_FILENO) || fetch->options.wants_summary);
}

static void tell_summary(const struct fetch *fetch)
{
        const char *no_colour = getenv("NO_COLOR");
        struct muster_client_stats stats;

        if (!shows_summary(fetch))
                return;
        muster_client_stats(fetch->client, &stats, sizeof(stats));
        summary_print(&fetch->report, &stats, account_verdict(&fetch->account),
                      isatty(STDERR_FILENO) && !(no_colour && *no_colour), stderr);
}

static int say(const struct muster_error *error)
{
        fprintf(stderr, "muster: %s\n", error->text);
        return error->code == MUSTER_E_INVALID ? EXIT_USAGE : EXIT_COULD_NOT_RUN;
}

/* What was run is explained, and perhaps run again: then with no connection of the first time still open. */
static int tell_account(struct fetch *fetch)
{
        struct muster_error error = { 0 };
        int r = account_end(&fetch->account, fetch->report.n_done, fetch->is_stopping, &error);

        tell_summary(fetch);
        account_tell(&fetch->account);
        fetch->client = muster_client_free(fetch->client);
        if (r == 0)
                r = account_confirm(&fetch->account, &error);
        return r < 0 ? say(&error) : EXIT_ALL_SUCCEEDED;
}

static int exit_status(const struct fetch *fetch)
{
        if (!fetch->account.all_hold)
                return EXIT_ASSERTION_FAILED;
        return fetch->report.n_failed || fetch->is_stopping ? EXIT_SOME_FAILED : EXIT_ALL_SUCCEEDED;
}

static int finish(struct fetch *fetch, int r)
{
        struct muster_error late = { 0 };
        int status;

        if (r == 0)
                r = output_flush(&fetch->output, &fetch->error);
        process_end(&fetch->process);
        interrupt_end();
        if (fetch->has_progress)
                progress_clear();
        if (r == 0)
                r = output_close(&fetch->output, &late);
        if (r < 0)
                return say(fetch->error.code ? &fetch->error : &late);
        tell_interruption(fetch);
        status = tell_account(fetch);
        if (fetch->input_has_failed)
                return say(&fetch->error);
        return status == EXIT_ALL_SUCCEEDED ? exit_status(fetch) : status;
}

static int help(void)
{
        printf("usage: muster fetch [options] [URL...]\n\n"
               "Fetch many URLs at once: those given, those in files (-i), or one a line from "
               "standard input.\n"
               "Each input item becomes one line of JSON, in the order in which they finish.\n");
        option_help(fetch_option_tables, stdout);
        printf("\nExit status: 0 all succeeded, 1 some failed, 2 usage, 3 could not run, 4 an "
               "assertion does not hold.\nSee muster-fetch(1).\n");
        return EXIT_ALL_SUCCEEDED;
}

static bool has_no_input(const struct fetch *fetch)
{
        return !fetch->options.request.urls.n && !fetch->options.request.files.n &&
               isatty(STDIN_FILENO);
}

int fetch_main(int argc, char **argv)
{
        struct fetch fetch = { 0 };
        int r = fetch_options_parse(&fetch.options, argc, argv, &fetch.error);
        int status;

        report_init(&fetch.report);
        if (r == 0 && has_no_input(&fetch))
                r = error_set(&fetch.error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                              "nothing to fetch: give URLs, -i FILE, or a list on standard input "
                              "(muster fetch --help)");
        if (r == 0)
                r = open_all(&fetch);
        if (r == 0)
                r = account_begin(&fetch.account, &fetch.options.account, fetch.client,
                                  shows_summary(&fetch), argc, argv, &fetch.error);
        if (r == OPTION_HELP) {
                status = help();
        } else if (r < 0) {
                status = say(&fetch.error);
        } else {
                fetch.report.has_plan = fetch_options_have_rate(&fetch.options);
                request_options_warn(&fetch.options.request);
                fetch.has_progress = isatty(STDERR_FILENO) && !fetch.options.is_silent &&
                                     !fetch.options.no_progress;
                interrupt_begin(fetch.client);
                status = finish(&fetch, run(&fetch));
        }
        close_all(&fetch);
        return status;
}
