/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <base/words.h>
#include <string.h>

#define STATUSES_SHOWN 3 /* of 4xx, and of 5xx */

static void print_requests(const struct page *page, const struct report *report)
{
        uint64_t wall_ns = report->last_ns - report->first_ns;

        page_label(page, "requests");
        fprintf(page->to, "%llu in %s, %.0f/s; %llu succeeded", (unsigned long long)report->n_done,
                words_ns(wall_ns).text,
                wall_ns ? (double)report->n_done * 1e9 / (double)wall_ns : 0,
                (unsigned long long)report->n_succeeded);
        if (report_n_refused(report))
                fprintf(page->to, ", %llu answered 4xx or 5xx",
                        (unsigned long long)report_n_refused(report));
        fprintf(page->to, ", %llu failed", (unsigned long long)report->n_failed);
        if (report->n_cancelled)
                fprintf(page->to, "; %s",
                        words_counted(report->n_cancelled, "other cancelled", "others cancelled")
                                .text);
        fprintf(page->to, "\n");
}

/* What an earlier run had done, which the other figures do not count. */
static void print_resumed(const struct page *page, const struct report *report)
{
        uint64_t n_now = report->n_done + report->n_cancelled;

        if (!report->is_resumed)
                return;
        page_label(page, "resumed");
        fprintf(page->to, "%s of %s were there", words_count(report->n_resumed).text,
                words_count(report->n_resumed + report->n_missing + n_now).text);
        if (report->n_resumed_failed)
                fprintf(page->to, ", %s of them failed (--failed-only does those again)",
                        words_count(report->n_resumed_failed).text);
        if (report->n_missing)
                fprintf(page->to, "; %s (--resume does those)",
                        words_counted(report->n_missing, "has no result", "have no result").text);
        fprintf(page->to, "\n");
}

static void print_answers(const struct page *page, const struct report *report)
{
        const char *separator = "";

        if (!report->n_done)
                return;
        page_label(page, "responses");
        for (int i = 0; i < ANSWER_N; i++) {
                if (!report->answers.n[i])
                        continue;
                fprintf(page->to, "%s%s: %llu", separator, answer_name((enum answer_kind)i),
                        (unsigned long long)report->answers.n[i]);
                separator = ", ";
        }
        fprintf(page->to, "\n");
}

/*
 * Which statuses these were, the most frequent first; a run that got many kinds is not told all of
 * them.
 */
static void print_statuses(const struct page *page, const struct report *report,
        enum answer_kind kind)
{
        const struct answers *answers = &report->answers;
        uint64_t n_others = answers->n[kind];
        int statuses[STATUSES_SHOWN];
        size_t n = answers_rank(answers, kind, statuses, STATUSES_SHOWN);

        for (size_t i = 0; i < n && i < STATUSES_SHOWN; i++) {
                page_label(page, answer_name(kind));
                fprintf(page->to, "%d: %llu, first: %s\n", statuses[i],
                        (unsigned long long)answers_n(answers, statuses[i]),
                        answers_example(answers, statuses[i]));
                n_others -= answers_n(answers, statuses[i]);
        }
        if (n <= STATUSES_SHOWN)
                return;
        page_label(page, answer_name(kind));
        fprintf(page->to, "%zu other statuses: %llu\n", n - STATUSES_SHOWN,
                (unsigned long long)n_others);
}

static void print_errors(const struct page *page, const struct report *report)
{
        for (int i = 0; i < REPORT_N_CODES; i++) {
                if (!report->n_codes[i])
                        continue;
                page_label(page, "failed");
                fprintf(page->to, "%s%s%s: %llu, first: %s\n", page->has_colour ? "\033[31m" : "",
                        muster_code_name((enum muster_code) - i), page->has_colour ? "\033[0m" : "",
                        (unsigned long long)report->n_codes[i],
                        report->examples[i] ? report->examples[i] : "");
        }
}

static void print_quantiles(const struct page *page, const char *name, const struct hist *hist,
        const char *what)
{
        if (!hist->n)
                return;
        page_label(page, name);
        fprintf(page->to, "p50 %s, p90 %s, p99 %s, max %s (%s)\n",
                words_ns(hist_quantile(hist, 0.5)).text, words_ns(hist_quantile(hist, 0.9)).text,
                words_ns(hist_quantile(hist, 0.99)).text, words_ns(hist->max).text, what);
}

/* What a request does while it holds a slot, and after it. */
static const struct {
        enum muster_phase phase;
        const char *words;
} told_phases[] = {
        { MUSTER_PHASE_DNS, "resolving host names" },
        { MUSTER_PHASE_TCP, "opening connections" },
        { MUSTER_PHASE_TUNNEL, "asking the proxy for a tunnel" },
        { MUSTER_PHASE_TLS, "TLS handshakes" },
        { MUSTER_PHASE_SEND, "sending requests" },
        { MUSTER_PHASE_WAIT, "waiting for the server" },
        { MUSTER_PHASE_LAG, "muster's own delay" },
        { MUSTER_PHASE_RECEIVE, "receiving responses" },
        { MUSTER_PHASE_DECODE, "decompressing bodies" },
        { MUSTER_PHASE_PROCESS, "processing bodies" },
};
#define N_TOLD_PHASES   (sizeof(told_phases) / sizeof(told_phases[0]))
#define SHARE_MENTIONED 0.001

/* The largest that was not told yet; N_TOLD_PHASES: there is none that is worth a word. */
static size_t next_phase(const struct report *report, const bool told[], uint64_t sum)
{
        size_t next = N_TOLD_PHASES;

        for (size_t i = 0; i < N_TOLD_PHASES; i++) {
                uint64_t ns = report->phase_ns[told_phases[i].phase];

                if (!told[i] && (double)ns >= (double)sum * SHARE_MENTIONED &&
                        (next == N_TOLD_PHASES || ns > report->phase_ns[told_phases[next].phase]))
                        next = i;
        }
        return next;
}

/*
 * The phases of all requests, the largest first, as shares of the time from slot to the end of the
 * work on the body.
 */
static void print_phases(const struct page *page, const struct report *report)
{
        bool told[N_TOLD_PHASES] = { false };
        const char *separator = " ";
        uint64_t sum = 0;
        size_t next;

        for (size_t i = 0; i < N_TOLD_PHASES; i++)
                sum += report->phase_ns[told_phases[i].phase];
        if (!sum)
                return;
        page_bold(page, true);
        fprintf(page->to, "where the time went:");
        page_bold(page, false);
        while ((next = next_phase(report, told, sum)) < N_TOLD_PHASES) {
                fprintf(page->to, "%s%s %.1f %%", separator, told_phases[next].words,
                        100.0 * (double)report->phase_ns[told_phases[next].phase] / (double)sum);
                told[next] = true;
                separator = ", ";
        }
        fprintf(page->to, "\n");
}

static void print_verdict(const struct page *page, const char *verdict)
{
        if (!*verdict)
                return;
        page_label(page, "verdict");
        page_wrap(page, PAGE_LABEL_WIDTH, PAGE_LABEL_WIDTH, verdict);
}

static void print_connections(const struct page *page, const struct report *report,
        const struct muster_client_stats *stats)
{
        page_label(page, "connections");
        fprintf(page->to, "%llu opened, %s reused one; ", (unsigned long long)stats->n_conns_opened,
                words_counted(stats->n_conns_reused, "request", "requests").text);
        if (stats->n_lookups)
                fprintf(page->to, "%s",
                        words_counted(stats->n_lookups, "DNS lookup", "DNS lookups").text);
        else
                fprintf(page->to, "no DNS lookups");
        if (stats->n_tls_handshakes)
                fprintf(page->to, "; %s, %llu of them resumed",
                        words_counted(stats->n_tls_handshakes, "TLS handshake", "TLS handshakes")
                                .text,
                        (unsigned long long)stats->n_tls_resumed);
        fprintf(page->to, "\n");
        page_label(page, "also");
        fprintf(page->to, "%s, %s; bodies %s, on the wire %s\n",
                words_counted(stats->n_retries, "retry", "retries").text,
                words_counted(stats->n_redirects, "redirect", "redirects").text,
                words_bytes(report->body_bytes).text, words_bytes(report->wire_bytes).text);
}

/* Why a server may have refused what would be allowed. */
static void print_left_behind(const struct page *page, const struct muster_client_stats *stats)
{
        if (!stats->n_left_behind)
                return;
        page_label(page, "not sent");
        fprintf(page->to,
                "%s led by a redirect to another origin (scheme, host, port), which did not get the header fields or passwords given; --location-trusted sends them\n",
                words_counted(stats->n_left_behind, "request was", "requests were").text);
}

/* Which host, and what else it answered, stands with the statuses. */
static void print_logins(const struct page *page, const struct muster_client_stats *stats)
{
        if (!stats->n_logins_refused)
                return;
        page_label(page, "login");
        fprintf(page->to,
                "%s user name and password, or a token, that the server does not accept (401)\n",
                words_counted(stats->n_logins_refused, "request sent a", "requests sent a").text);
}

/* What the servers asked for, and what was not tried again although --retry allows it. */
static void print_refusals(const struct page *page, const struct muster_client_stats *stats)
{
        if (stats->n_refused) {
                page_label(page, "refused");
                fprintf(page->to,
                        "%s asked to come back later (429, 503); muster slowed down for them\n",
                        words_counted(stats->n_refused, "response", "responses").text);
        }
        if (stats->n_retries_withheld) {
                page_label(page, "withheld");
                fprintf(page->to,
                        "%s, because the retry budget was used up; --retry-budget allows more\n",
                        words_counted(stats->n_retries_withheld, "retry", "retries").text);
        }
}

void summary_print_outcome(const struct report *report, const struct page *page)
{
        print_requests(page, report);
        print_resumed(page, report);
        print_answers(page, report);
        print_statuses(page, report, ANSWER_4XX);
        print_statuses(page, report, ANSWER_5XX);
        print_errors(page, report);
}

void summary_print_work(const struct report *report, const struct muster_client_stats *stats,
        const char *verdict, const struct page *page)
{
        print_phases(page, report);
        print_connections(page, report, stats);
        print_logins(page, stats);
        print_refusals(page, stats);
        print_left_behind(page, stats);
        print_verdict(page, verdict);
}

void summary_print(const struct report *report, const struct muster_client_stats *stats,
        const char *verdict, const struct page *page)
{
        summary_print_outcome(report, page);
        print_quantiles(page, "latency", &report->request_ns,
                report->n_failed ? "requests without an error; time in the queue not counted"
                                 : "time in the queue not counted");
        print_quantiles(page, "from plan", &report->from_plan_ns,
                "from the planned start to the result");
        print_quantiles(page, "queue", &report->queue_ns, "waiting for a free slot");
        summary_print_work(report, stats, verdict, page);
}
