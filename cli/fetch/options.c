/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <base/error.h>
#include <base/str.h>
#include <stddef.h>
#include <unistd.h>

/* --- the tables ------------------------------------------------------------------------------ */

static int set_retries(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        return option_set_between(settings, option, value, 0, 1000000, error);
}

static int set_retry_budget(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        if (strcmp(value, "none") == 0) {
                ((struct fetch_options *)settings)->request.client.retry_budget_percent =
                        MUSTER_NO_RETRY_BUDGET;
                return 0;
        }
        if (option_set_between(settings, option, value, 1, 1000, error) == 0)
                return 0;
        error_clear(error);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%s\" is neither a percentage from 1 to 1000 nor none; for no retries at all leave --retry out",
                value);
}

#define CLIENT(member) offsetof(struct fetch_options, request.client.member)
#define OWN(member)    offsetof(struct fetch_options, member)

static const struct option how_to_run[] = {
        { "Output", 'o', "output", "FILE", "result lines to FILE instead of standard output",
                option_set_text, OWN(output) },
        { NULL, 0, "body", "WHERE",
                "inline, none, a directory, or names: out/{host}/{n}-{id}-{sha256}",
                option_set_text, OWN(body) },
        { NULL, 0, "in-order", NULL, "results in the order of the input, not of completion",
                option_set_flag, OWN(in_order) },
        { NULL, 0, "summary", NULL, "print the summary also where stderr is no terminal",
                option_set_flag, OWN(wants_summary) },
        { NULL, 0, "no-progress", NULL, "no progress line", option_set_flag, OWN(no_progress) },
        { NULL, 's', "silent", NULL, "neither progress line nor summary", option_set_flag,
                OWN(is_silent) },

        { "How much at once", 'c', "concurrency", "N", "requests at once (64)", option_set_count,
                CLIENT(concurrency) },
        { NULL, 0, "per-host", "N", "of these to one host (no limit of its own)", option_set_count,
                CLIENT(per_host) },
        { NULL, 0, "rate", "RATE", "starts a second (500/s, 30/m), evenly spaced (no limit)",
                option_set_rate, CLIENT(rate_per_s) },
        { NULL, 0, "rate-per-host", "RATE", "the same for each host by itself (no limit)",
                option_set_rate, CLIENT(rate_per_host_per_s) },

        { HOW_LONG, 0, "queue-timeout", "TIME", "waiting for its turn (none)", option_set_duration,
                CLIENT(queue_timeout_ms) },
        { NULL, 0, "deadline", "TIME", "from submit to result (none)", option_set_duration,
                CLIENT(deadline_ms) },
        { 0 },
};

static const struct option how_to_go_on[] = {
        { WHAT_TO_ACCEPT, 0, "fail-with-body", NULL, "as --fail, and the body is kept",
                option_set_flag, CLIENT(fail_with_body) },
        { NULL, 0, "retry", "N", "tries again after failures that may pass (0)", set_retries,
                CLIENT(max_retries) },
        { NULL, 0, "retry-budget", "PERCENT",
                "retries of all requests together, or none: no bound (20)", set_retry_budget,
                CLIENT(retry_budget_percent) },
        { NULL, 0, "retry-unsafe", NULL, "also for methods that are not idempotent, as POST",
                option_set_flag, CLIENT(retry_unsafe) },

        { "Work on bodies", 0, "process", "COMMAND",
                "give each body to COMMAND; what it writes is `processed`", option_set_text,
                OWN(process.command) },
        { NULL, 0, "process-lines", NULL,
                "COMMAND lives on: a result line in, an answer line out, and so on",
                option_set_flag, OWN(process.is_lines) },
        { NULL, 0, "json", NULL, "bodies must be JSON, and are shown as values: `json`",
                option_set_flag, OWN(process.wants_json) },
        { NULL, 0, "jq", "EXPR", "apply jq's EXPR to each body; its outputs are `processed`",
                option_set_text, OWN(process.jq) },
        { NULL, 0, "process-timeout", "TIME", "for one body (30 s)", option_set_duration,
                OWN(process.timeout_ms) },
        { NULL, 0, "process-max-output", "SIZE", "of what becomes of one body (16M)",
                option_set_size, OWN(process.max_output_bytes) },
        { NULL, 0, "process-workers", "N", "bodies that are worked on at once (processors)",
                option_set_count, CLIENT(workers) },
        { NULL, 0, "process-inline", NULL,
                "do it, and decode bodies, in the event loop's thread: to compare", option_set_flag,
                OWN(process.is_inline) },
        { 0 },
};

static const struct option why_it_took_so_long[] = {
        { "Why it took so long", 0, "record", "FILE",
                "keep where the time of each request went, for muster explain", option_set_text,
                OWN(account.record) },
        { NULL, 0, "assert", "EXPR",
                "exit with 4 unless this holds: 'latency.p99<200ms'; repeatable",
                explain_options_add_assertion, OWN(account.explain.assertions) },
        { NULL, 0, "confirm", NULL, "then try the first remedy that is an option, and compare",
                option_set_flag, OWN(account.explain.confirm.is_wanted) },
        { NULL, 0, "confirm-rounds", "N", "the same N times, with and without it in turns (1)",
                explain_options_set_rounds, OWN(account.explain.confirm.n_rounds) },
        { NULL, 0, "confirm-unsafe", NULL,
                "also requests that may change something on the server, as POST", option_set_flag,
                OWN(account.explain.confirm.allows_unsafe) },
        { 0 },
};

const struct option *const fetch_option_tables[] = {
        input_option_table,
        how_to_run,
        request_option_table,
        how_to_go_on,
        why_it_took_so_long,
        NULL,
};

/* --- parsing --------------------------------------------------------------------------------- */

/* As curl has it. */
static int check_fail(const struct fetch_options *options, struct muster_error *error)
{
        if (!options->request.client.fail_on_status || !options->request.client.fail_with_body)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "--fail drops the body of an error and --fail-with-body keeps it: choose one");
}

static int finish_options(struct fetch_options *options, struct muster_error *error)
{
        int r = check_fail(options, error);

        if (r < 0)
                return r;
        options->body_place = body_place(options->body);
        r = body_files_check(options->body, error);
        if (r < 0)
                return r;
        /* What is to be worked on has to be there, although it is not shown. */
        if (options->body_place == BODY_NONE && !process_is_wanted(&options->process))
                options->request.client.discard_body = true;
        /* With a number of workers large bodies are decoded by them. */
        if (options->process.is_inline)
                options->request.client.workers = 0;
        else if (!options->request.client.workers)
                options->request.client.workers = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
        request_options_finish(&options->request);
        return 0;
}

int fetch_options_parse(struct fetch_options *options, int argc, char **argv,
        struct muster_error *error)
{
        int r;

        *options = (struct fetch_options){ 0 };
        r = option_parse(fetch_option_tables, options, argc, argv, request_options_add_url, error);
        return r == 0 ? finish_options(options, error) : r;
}

void fetch_options_deinit(struct fetch_options *options)
{
        request_options_deinit(&options->request);
        explain_options_deinit(&options->account.explain);
}

/* --- applying -------------------------------------------------------------------------------- */

bool fetch_options_have_rate(const struct fetch_options *options)
{
        return options->request.client.rate_per_s > 0 ||
               options->request.client.rate_per_host_per_s > 0;
}
