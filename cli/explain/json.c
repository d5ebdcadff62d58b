/* SPDX-License-Identifier: MIT */
/*
 * The object for machines
 *
 * Members may be added, those that are there keep their meaning. Times that add up are whole
 * nanoseconds; predictions and measurements are seconds.
 */
#include "page.h"

#include "../output/json.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "name": and a comma before it, unless it is the first of its object. */
static void add_name(struct json_writer *w, const char *name)
{
        char last = w->to->len ? w->to->at[w->to->len - 1] : '{';

        if (last != '{' && last != '[')
                json_write(w, ",");
        json_write(w, "\"");
        json_write(w, name);
        json_write(w, "\":");
}

static void add_u64(struct json_writer *w, const char *name, uint64_t value)
{
        add_name(w, name);
        json_write_u64(w, value);
}

static void add_number(struct json_writer *w, double value)
{
        char text[40];

        snprintf(text, sizeof(text), "%.9g", value);
        json_write(w, isfinite(value) ? text : "null");
}

static void add_double(struct json_writer *w, const char *name, double value)
{
        add_name(w, name);
        add_number(w, value);
}

static void add_bool(struct json_writer *w, const char *name, bool value)
{
        add_name(w, name);
        json_write(w, value ? "true" : "false");
}

static void add_string(struct json_writer *w, const char *text)
{
        if (!text)
                json_write(w, "null");
        else
                json_write_string(w, str_of(text));
}

static void add_text(struct json_writer *w, const char *name, const char *text)
{
        add_name(w, name);
        add_string(w, text);
}

static void add_seconds(struct json_writer *w, const char *name, uint64_t ns)
{
        add_double(w, name, (double)ns / 1e9);
}

static void next_item(struct json_writer *w)
{
        if (w->to->len && w->to->at[w->to->len - 1] != '[')
                json_write(w, ",");
}

/* --- the parts ------------------------------------------------------------------------------- */

/* The record says that it is JSON; whoever wrote the record may have meant something else. */
static void add_command(struct json_writer *w, const char *command)
{
        json_t *value = command ? json_loads(command, JSON_DECODE_ANY, NULL) : NULL;
        char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

        add_name(w, "command");
        if (text)
                json_write(w, text);
        else
                add_string(w, command);
        free(text);
        json_decref(value);
}

static void add_run(struct json_writer *w, const struct muster_run *run)
{
        add_name(w, "run");
        json_write(w, "{");
        add_u64(w, "wall_ns", run->wall_ns);
        add_u64(w, "startup_ns", run->startup_ns);
        add_u64(w, "ending_ns", run->ending_ns);
        add_u64(w, "requests", run->n_requests);
        add_u64(w, "succeeded", run->n_succeeded);
        add_u64(w, "answered_4xx", run->n_4xx);
        add_u64(w, "answered_5xx", run->n_5xx);
        add_u64(w, "failed", run->n_failed);
        add_u64(w, "cancelled", run->n_cancelled);
        add_u64(w, "unsafe", run->n_unsafe);
        add_u64(w, "attempts", run->n_attempts);
        add_u64(w, "retries", run->n_retries);
        add_u64(w, "redirects", run->n_redirects);
        add_u64(w, "connections", run->n_conns_opened);
        add_u64(w, "wire_bytes", run->wire_bytes);
        add_u64(w, "concurrency", run->concurrency);
        add_double(w, "mean_in_flight", run->mean_in_flight);
        add_double(w, "requests_per_s", run->requests_per_s);
        add_u64(w, "latency_p50_ns", run->latency_p50_ns);
        add_u64(w, "latency_p99_ns", run->latency_p99_ns);
        add_u64(w, "latency_mean_ns", run->latency_mean_ns);
        add_u64(w, "process_cpu_ns", run->process_cpu_ns);
        add_u64(w, "dropped", run->n_dropped);
        add_bool(w, "complete", run->is_complete);
        add_command(w, run->command);
        json_write(w, "}");
}

/*
 * {"server":123,...}: ns that add up to run.wall_ns; of a record that lacks requests to the part
 * that it has.
 */
static void add_account(struct json_writer *w, const char *name,
        const struct muster_explanation *explanation, enum muster_account account)
{
        const struct muster_part *part;

        add_name(w, name);
        json_write(w, "{");
        for (size_t i = 0; (part = muster_explanation_part(explanation, account, i)); i++)
                add_u64(w, part->name, part->ns);
        json_write(w, "}");
}

static void add_bounds(struct json_writer *w, const struct muster_explanation *explanation)
{
        const struct muster_bound *bound;

        add_name(w, "bounds");
        json_write(w, "[");
        for (size_t i = 0; (bound = muster_explanation_bound(explanation, i)); i++) {
                next_item(w);
                json_write(w, "{");
                add_text(w, "name", bound->name);
                add_u64(w, "ns", bound->ns);
                add_text(w, "formula", bound->formula);
                json_write(w, "}");
        }
        json_write(w, "]");
}

static const char *grade_name(enum muster_grade grade)
{
        switch (grade) {
        case MUSTER_GRADE_A:
                return "A";
        case MUSTER_GRADE_B:
                return "B";
        case MUSTER_GRADE_C:
                return "C";
        }
        return "C";
}

static void add_prediction(struct json_writer *w, const char *name,
        const struct muster_finding *finding)
{
        add_name(w, name);
        if (!finding->has_prediction) {
                json_write(w, "null");
                return;
        }
        json_write(w, "{");
        add_seconds(w, "expected", finding->wall_ns);
        add_seconds(w, "low", finding->wall_low_ns);
        add_seconds(w, "high", finding->wall_high_ns);
        json_write(w, "}");
}

static void add_what_is_told(struct json_writer *w, const struct muster_finding *finding)
{
        add_text(w, "title", finding->title);
        add_name(w, "evidence");
        json_write(w, "[");
        for (size_t i = 0; i < finding->n_evidence; i++) {
                next_item(w);
                add_string(w, finding->evidence[i]);
        }
        json_write(w, "]");
        add_text(w, "remedy", finding->remedy);
}

/* Of a watched program, what has to change there. */
static void add_line(struct json_writer *w, const struct muster_finding *finding)
{
        add_text(w, "file", finding->file);
        add_name(w, "line");
        if (finding->line)
                json_write_u64(w, finding->line);
        else
                json_write(w, "null");
        add_text(w, "function", finding->function);
}

static void add_finding(struct json_writer *w, const struct muster_finding *finding)
{
        next_item(w);
        json_write(w, "{");
        add_text(w, "cause", finding->cause);
        add_text(w, "grade", grade_name(finding->grade));
        add_what_is_told(w, finding);
        add_text(w, "option", finding->option);
        add_line(w, finding);
        add_bool(w, "is_client", finding->is_client);
        add_prediction(w, "wall_s", finding);
        json_write(w, "}");
}

static void add_failures(struct json_writer *w, const struct muster_explanation *explanation)
{
        const struct muster_finding *failures = muster_explanation_failures(explanation);

        add_name(w, "failures");
        if (!failures) {
                json_write(w, "null");
                return;
        }
        json_write(w, "{");
        add_what_is_told(w, failures);
        json_write(w, "}");
}

static void add_findings(struct json_writer *w, const struct muster_explanation *explanation)
{
        const struct muster_finding *finding;

        add_name(w, "findings");
        json_write(w, "[");
        for (size_t i = 0; (finding = muster_explanation_finding(explanation, i)); i++)
                add_finding(w, finding);
        json_write(w, "]");
}

static void add_arm(struct json_writer *w, const char *name, const struct confirm_arm *arm,
        unsigned n_rounds)
{
        add_name(w, name);
        json_write(w, "{");
        add_seconds(w, "median_s", arm->median_ns);
        add_name(w, "wall_s");
        json_write(w, "[");
        for (unsigned i = 0; i < n_rounds; i++) {
                next_item(w);
                add_number(w, (double)arm->wall_ns[i] / 1e9);
        }
        json_write(w, "]");
        add_u64(w, "requests", arm->n_requests);
        add_u64(w, "failed", arm->n_failed);
        json_write(w, "}");
}

static void add_confirmation(struct json_writer *w, const struct confirmation *confirmation)
{
        add_name(w, "confirm");
        if (!confirmation || !confirmation->n_rounds) {
                json_write(w, "null");
                return;
        }
        json_write(w, "{");
        add_text(w, "cause", confirmation->finding.cause);
        add_text(w, "option", confirmation->finding.option);
        add_prediction(w, "predicted_s", &confirmation->finding);
        add_seconds(w, "before_s", confirmation->before_ns);
        add_arm(w, "changed", &confirmation->changed, confirmation->n_rounds);
        add_arm(w, "unchanged", &confirmation->unchanged, confirmation->n_rounds);
        add_bool(w, "within",
                confirmation->finding.has_prediction && confirm_is_within(confirmation));
        add_text(w, "conclusion", confirm_conclusion(confirmation));
        json_write(w, "}");
}

static void add_assertions(struct json_writer *w, const struct assertions *assertions)
{
        static const char *const units[] = { "ns", "/s", "share", "number" };

        add_name(w, "asserts");
        json_write(w, "[");
        for (size_t i = 0; i < assertions->n; i++) {
                const struct assertion *one = &assertions->list[i];

                next_item(w);
                json_write(w, "{");
                add_text(w, "assert", one->text);
                add_text(w, "figure", one->figure);
                add_text(w, "unit", units[one->kind]);
                add_double(w, "limit", one->limit);
                add_double(w, "actual", one->actual);
                add_bool(w, "holds", one->holds);
                json_write(w, "}");
        }
        json_write(w, "]");
}

/* --- programs that were watched -------------------------------------------------------------- */

/* ["tls", "hook"]: what could not be seen. */
static void add_unseen(struct json_writer *w, unsigned unseen)
{
        static const struct {
                unsigned bit;
                const char *name;
        } names[] = {
                { MUSTER_UNSEEN_TLS, "tls" },
                { MUSTER_UNSEEN_URING, "io_uring" },
                { MUSTER_UNSEEN_STAMPS, "stamps" },
                { MUSTER_UNSEEN_ALL, "all" },
                { MUSTER_UNSEEN_HOOK, "hook" },
                { MUSTER_UNSEEN_DROPPED, "dropped" },
                { MUSTER_UNSEEN_REQUESTS, "requests" },
        };

        add_name(w, "unseen");
        json_write(w, "[");
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (unseen & names[i].bit) {
                        next_item(w);
                        add_string(w, names[i].name);
                }
        json_write(w, "]");
}

static void add_process(struct json_writer *w, const struct muster_process *process)
{
        next_item(w);
        json_write(w, "{");
        add_u64(w, "pid", (uint64_t)process->pid);
        add_u64(w, "parent", (uint64_t)process->ppid);
        add_text(w, "command", process->words);
        add_text(w, "language", process->language);
        add_text(w, "libraries", process->libraries);
        add_text(w, "loop", process->loop);
        add_u64(w, "start_ns", process->start_ns);
        add_u64(w, "end_ns", process->end_ns);
        add_u64(w, "cpu_ns", process->cpu_ns);
        add_u64(w, "threads", process->n_threads);
        add_u64(w, "requests", process->n_requests);
        add_unseen(w, process->unseen);
        json_write(w, "}");
}

static void add_watched(struct json_writer *w, const struct muster_explanation *explanation)
{
        const struct muster_process *process;
        struct muster_watched sums;

        add_name(w, "watched");
        if (muster_explanation_watched(explanation, &sums, sizeof(sums)) < 0) {
                json_write(w, "null");
                return;
        }
        json_write(w, "{");
        add_u64(w, "hosts", sums.n_hosts);
        add_u64(w, "lookups", sums.n_lookups);
        add_u64(w, "lookups_ns", sums.lookups_ns);
        add_u64(w, "tls_handshakes", sums.n_handshakes);
        add_u64(w, "tls_resumed", sums.n_resumed);
        add_u64(w, "clients", sums.n_clients);
        add_u64(w, "queued", sums.n_queued);
        add_u64(w, "queued_ns", sums.queued_ns);
        add_u64(w, "certificates_loaded", sums.n_contexts);
        add_u64(w, "certificates_ns", sums.contexts_ns);
        add_u64(w, "held", sums.n_held);
        add_u64(w, "held_ns", sums.held_ns);
        add_u64(w, "held_most_ns", sums.held_most_ns);
        add_u64(w, "lock_waited_ns", sums.lock_waited_ns);
        add_u64(w, "cpu_ns", sums.cpu_ns);
        add_u64(w, "lost", sums.n_lost);
        add_name(w, "processes");
        json_write(w, "[");
        for (size_t i = 0; (process = muster_explanation_process(explanation, i)); i++)
                add_process(w, process);
        json_write(w, "]}");
}

/* --- the whole ------------------------------------------------------------------------------- */

int page_json(struct buf *to, const struct muster_explanation *explanation,
        const struct confirmation *confirmation, const struct assertions *assertions)
{
        struct json_writer w = { to, 0 };
        struct muster_run run;

        muster_explanation_run(explanation, &run, sizeof(run));
        json_write(&w, "{");
        add_text(&w, "verdict", muster_explanation_verdict(explanation));
        add_run(&w, &run);
        add_account(&w, "chain", explanation, MUSTER_ACCOUNT_CHAIN);
        add_account(&w, "shares", explanation, MUSTER_ACCOUNT_SHARES);
        add_bounds(&w, explanation);
        add_failures(&w, explanation);
        add_findings(&w, explanation);
        add_confirmation(&w, confirmation);
        add_assertions(&w, assertions);
        add_watched(&w, explanation);
        json_write(&w, "}\n");
        return w.r;
}
