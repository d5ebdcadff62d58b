/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../option/config_file.h"
#include "../option/guard_options.h"
#include "../option/way_options.h"
#include <base/error.h>
#include <base/mem.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* --- the tables ------------------------------------------------------------------------------ */

/* With curl -c is a file for cookies. */
static int set_concurrency(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        if (strspn(value, "0123456789") == strlen(value))
                return option_set_count(settings, option, value, error);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%s\" is not a number of 1 or more; to keep cookies in a file use --cookie-jar FILE",
                value);
}

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
                "\"%s\" is neither a percentage from 1 to 1000 nor none; for no retries leave out --retry",
                value);
}

static int set_config(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        const struct config_file config = { fetch_option_tables, settings, request_options_keep };

        int r = texts_add(&((struct fetch_options *)settings)->configs, value, error);

        (void)option;
        return r == 0 ? config_file_read(&config, value, error) : r;
}

/* The last one counts, as with curl. */
static int set_write_out(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        return write_out_parse(&((struct fetch_options *)settings)->write_out, value, error);
}

static int set_sync(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        static const struct {
                const char *name;
                enum sync_way way;
        } ways[] = { { "each", SYNC_EACH }, { "second", SYNC_SECOND }, { "end", SYNC_END } };

        (void)option;
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
                if (strcmp(value, ways[i].name) == 0) {
                        ((struct fetch_options *)settings)->sync = ways[i].way;
                        return 0;
                }
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%s\" is none of each, second and end", value);
}

#define THREADS_MAX 128 /* of the library */

static int set_threads(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        if (strcmp(value, "auto") == 0) {
                ((struct fetch_options *)settings)->request.client.threads = MUSTER_THREADS_AUTO;
                return 0;
        }
        if (option_set_between(settings, option, value, 1, THREADS_MAX, error) == 0)
                return 0;
        error_clear(error);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%s\" is neither a number from 1 to %d nor auto", value, THREADS_MAX);
}

#define CLIENT(member) offsetof(struct fetch_options, request.client.member)
#define OWN(member)    offsetof(struct fetch_options, member)

/* For command lines of curl's, in which -sS is common: what it asks for is so in any case. */
static int keep_default(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)settings;
        (void)option;
        (void)value;
        (void)error;
        return 0;
}

static const struct option more_input[] = {
        { NULL, 0, "url", "URL", "a URL that may begin with a dash, or stand in a -K file",
                request_options_add_url, 0 },
        { NULL, 'K', "config", "FILE", "read options from FILE, one per line, as curl does",
                set_config, 0 },
        { 0 },
};

static const struct option how_to_run[] = {
        { "Output", 'o', "output", "FILE", "write result lines to FILE, not to standard output",
                option_set_text, OWN(output) },
        { NULL, 0, "resume", NULL, "go on with FILE: do what has no result there", option_set_flag,
                OWN(resume.goes_on) },
        { NULL, 0, "failed-only", NULL, "do again what failed in FILE, and replace those lines",
                option_set_flag, OWN(resume.repeats_failed) },
        { NULL, 0, "append", NULL, "add result lines to what FILE has", option_set_flag,
                OWN(appends) },
        { NULL, 0, "sync", "WHEN", "bring results to the disk: each, every second, or at the end",
                set_sync, 0 },
        { NULL, 0, "force", NULL, "replace what FILE has", option_set_flag, OWN(replaces) },
        { NULL, 'w', "write-out", "FORMAT",
                "write this instead of lines of JSON: '%{http_code} %{url}\\n', or @FILE",
                set_write_out, 0 },
        { NULL, 0, "body", "WHERE",
                "inline, none, a directory, or a pattern: out/{host}/{n}-{id}-{sha256}",
                option_set_text, OWN(body) },
        { NULL, 'O', "remote-name", NULL, "write each body to a file named as its URL's path ends",
                option_set_flag, OWN(remote.is_wanted) },
        { NULL, 0, "remote-name-all", NULL, "the same: -O is for all URLs", option_set_flag,
                OWN(remote.is_wanted) },
        { NULL, 'J', "remote-header-name", NULL,
                "with -O: take the name from Content-Disposition if it has one", option_set_flag,
                OWN(remote.ways.asks_response) },
        { NULL, 0, "output-dir", "DIR", "with -O: write the files to DIR", option_set_text,
                OWN(remote.directory) },
        { NULL, 0, "create-dirs", NULL, "create the directory of --output-dir", option_set_flag,
                OWN(remote.makes_directories) },
        { NULL, 'R', "remote-time", NULL, "give files of bodies the time of Last-Modified",
                option_set_flag, OWN(remote.ways.keeps_time) },
        { NULL, 0, "in-order", NULL, "write results in input order, not in order of completion",
                option_set_flag, OWN(in_order) },
        { NULL, 0, "summary", NULL, "print the summary even if stderr is not a terminal",
                option_set_flag, OWN(wants_summary) },
        { NULL, 'v', "verbose", NULL, "show each request's story on standard error when it is over",
                option_set_flag, OWN(is_verbose) },
        { NULL, 0, "trace", "FILE", "write these stories to FILE, - is standard output",
                option_set_text, OWN(trace) },
        { NULL, 0, "no-progress", NULL, "show no progress line", option_set_flag,
                OWN(no_progress) },
        { NULL, 's', "silent", NULL, "show neither progress line nor summary", option_set_flag,
                OWN(is_silent) },
        { NULL, 'S', "show-error", NULL, "show errors even with --silent (default)", keep_default,
                0 },

        { "Concurrency and rate", 'c', "concurrency", "N", "requests in flight at once (64)",
                set_concurrency, CLIENT(concurrency) },
        { NULL, 0, "per-host", "N", "requests in flight to one host (no separate limit)",
                option_set_count, CLIENT(per_host) },
        { NULL, 0, "rate", "RATE",
                "request starts per second, evenly spaced: 500/s, 30/m (no limit)", option_set_rate,
                CLIENT(rate_per_s) },
        { NULL, 0, "rate-per-host", "RATE", "the same for each host (no limit)", option_set_rate,
                CLIENT(rate_per_host_per_s) },

        { NULL, 0, "threads", "N|auto", "event loop threads; auto: one per processor (1)",
                set_threads, CLIENT(threads) },

        { HOW_LONG, 0, "queue-timeout", "TIME", "waiting for a free slot (none)",
                option_set_duration, CLIENT(queue_timeout_ms) },
        { NULL, 0, "deadline", "TIME", "a request's whole life, waiting included (none)",
                option_set_duration, CLIENT(deadline_ms) },
        { 0 },
};

static const struct option how_much_load[] = {
        { "Load", 0, "requests", "N", "make N requests in all, repeating the list",
                load_set_requests, OWN(load.n_requests) },
        { NULL, 0, "duration", "TIME", "repeat the list, and begin no request later than this",
                load_set_duration, OWN(load.duration_ms) },
        { NULL, 0, "ramp", "FROM..TO:TIME",
                "raise the rate evenly: 10/s..500/s:60s; ends then, or with --duration",
                load_set_ramp, OWN(load) },
        { NULL, 0, "load-json", "FILE", "also write the load page to FILE, as one JSON object",
                option_set_text, OWN(load.json) },
        { NULL, 0, "charts", NULL, "draw histogram and time line even where it is no terminal",
                option_set_flag, OWN(load.wants_charts) },
        { 0 },
};

static const struct option how_to_go_on[] = {
        { WHAT_TO_ACCEPT, 0, "fail-with-body", NULL, "like --fail, but keep the body",
                option_set_flag, CLIENT(fail_with_body) },
        { NULL, 0, "retry", "N", "retries after failures that may be temporary (0)", set_retries,
                CLIENT(max_retries) },
        { NULL, 0, "retry-delay", "TIME",
                "wait this long before each retry (random, growing from 0.5 s to 30 s)",
                option_set_duration, CLIENT(retry_fixed_delay_ms) },
        { NULL, 0, "retry-max-time", "TIME", "begin no retry later than this (no limit)",
                option_set_duration, CLIENT(retry_max_time_ms) },
        { NULL, 0, "retry-budget", "PERCENT",
                "retries as a share of all requests, or none: no limit (20)", set_retry_budget,
                CLIENT(retry_budget_percent) },
        { NULL, 0, "retry-unsafe", NULL, "also retry methods that are not idempotent, such as POST",
                option_set_flag, CLIENT(retry_unsafe) },

        { "Body processing", 0, "process", "COMMAND",
                "pipe each body to COMMAND; its output becomes `processed`", option_set_text,
                OWN(process.command) },
        { NULL, 0, "process-lines", NULL,
                "keep COMMAND running: it reads result lines, answers a line each", option_set_flag,
                OWN(process.is_lines) },
        { NULL, 0, "parse-json", NULL, "parse bodies as JSON; the value becomes `json`",
                option_set_flag, OWN(process.wants_json) },
        { NULL, 0, "jq", "EXPR", "apply the jq expression EXPR to each body; output: `processed`",
                option_set_text, OWN(process.jq) },
        { NULL, 0, "process-timeout", "TIME", "time limit for one body (30 s)", option_set_duration,
                OWN(process.timeout_ms) },
        { NULL, 0, "process-max-output", "SIZE", "output limit for one body (16M)", option_set_size,
                OWN(process.max_output_bytes) },
        { NULL, 0, "process-workers", "N", "bodies processed at once (number of processors)",
                option_set_count, CLIENT(workers) },
        { NULL, 0, "process-inline", NULL,
                "process and decode in the event loop's thread, for comparison", option_set_flag,
                OWN(process.is_inline) },
        { 0 },
};

static const struct option why_it_took_so_long[] = {
        { "Why it was slow", 0, "record", "FILE",
                "record the timing of each request for muster explain", option_set_text,
                OWN(account.record) },
        { NULL, 0, "assert", "EXPR",
                "exit with status 4 unless this holds: 'latency.p99<200ms'; repeatable",
                explain_options_add_assertion, OWN(account.explain.assertions) },
        { NULL, 0, "confirm", NULL, "repeat the run with the first suggested option and compare",
                option_set_flag, OWN(account.explain.confirm.is_wanted) },
        { NULL, 0, "confirm-rounds", "N", "repeat N times, alternately with and without it (1)",
                explain_options_set_rounds, OWN(account.explain.confirm.n_rounds) },
        { NULL, 0, "confirm-unsafe", NULL,
                "repeat even requests that may change data, such as POST", option_set_flag,
                OWN(account.explain.confirm.allows_unsafe) },
        { 0 },
};

static const struct option what_to_keep[] = {
        { "Kept across runs", 0, "ssl-sessions", "FILE",
                "take TLS sessions from FILE if it is there, and save them to it", option_set_text,
                OWN(kept.ssl_sessions) },
        { NULL, 0, "hsts", "FILE",
                "use https for hosts in FILE, and add those that ask; \"\" is no file",
                option_set_text, OWN(kept.hsts) },
        { 0 },
};

/* A table whose first group is the last one of the table before continues that group in --help. */
const struct option *const fetch_option_tables[] = {
        input_option_table,
        more_input,
        how_to_run,
        request_option_table,
        how_to_go_on,
        body_option_table,
        body_json_option_table,
        cookie_option_table,
        cookie_jar_option_table,
        way_option_table,
        guard_option_table,
        what_to_keep,
        how_much_load,
        why_it_took_so_long,
        NULL,
};

/* --- parsing --------------------------------------------------------------------------------- */

int fetch_options_parse(struct fetch_options *options, int argc, char **argv,
        struct muster_error *error)
{
        int r;

        *options = (struct fetch_options){ 0 };
        r = option_parse(fetch_option_tables, options, argc, argv, request_options_add_url, error);
        return r == 0 ? fetch_options_finish(options, error) : r;
}

/* What pages, pictures and archives end in, and results do not. */
static bool is_named_as_a_body(const char *path)
{
        static const char *const endings[] = { "html", "htm", "xhtml", "css", "js", "jpg", "jpeg",
                "png", "gif", "webp", "svg", "ico", "mp3", "mp4", "webm", "pdf", "zip", "gz", "tgz",
                "tar", "xz", "bz2", "zst", "7z", "rar", "deb", "rpm", "iso", "exe", "bin" };
        const char *dot = strrchr(path, '.');

        for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++)
                if (strcasecmp(dot + 1, endings[i]) == 0)
                        return true;
        return false;
}

/* In curl that is where the body goes. */
static void warn_of_output(const struct fetch_options *options)
{
        const struct request_options *request = &options->request;

        if (options->output && !options->body && request->urls.n == 1 && !request->files.n &&
                is_named_as_a_body(options->output))
                fprintf(stderr,
                        "muster: warning: -o %s gets the result, not the body alone as in curl; to save the body use -O, or --body DIR\n",
                        options->output);
}

void fetch_options_warn(const struct fetch_options *options)
{
        warn_of_output(options);
        request_options_warn(&options->request);
}

void fetch_options_deinit(struct fetch_options *options)
{
        kept_deinit(&options->kept);
        request_options_deinit(&options->request);
        write_out_deinit(&options->write_out);
        remote_options_deinit(&options->remote);
        explain_options_deinit(&options->account.explain);
        mem_free(options->configs.list);
}

/* --- applying -------------------------------------------------------------------------------- */

bool fetch_options_have_rate(const struct fetch_options *options)
{
        return options->request.client.rate_per_s > 0 ||
               options->request.client.rate_per_host_per_s > 0;
}
