/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <base/words.h>
#include <string.h>

static void print_requests(const struct page *page, const struct report *report)
{
        uint64_t wall_ns = report->last_ns - report->first_ns;

        page_label(page, "requests");
        fprintf(page->to, "%llu in %s, %.0f/s; %llu succeeded, %llu failed",
                (unsigned long long)report->n_done, words_ns(wall_ns).text,
                wall_ns ? (double)report->n_done * 1e9 / (double)wall_ns : 0,
                (unsigned long long)(report->n_done - report->n_failed),
                (unsigned long long)report->n_failed);
        if (report->n_cancelled)
                fprintf(page->to, "; %s",
                        words_counted(report->n_cancelled, "other was cancelled",
                                      "others were cancelled")
                                .text);
        fprintf(page->to, "\n");
}

static void print_statuses(const struct page *page, const struct report *report)
{
        const char *separator = "";

        if (!report->n_done)
                return;
        page_label(page, "responses");
        for (int i = 1; i < 6; i++) {
                if (!report->n_statuses[i])
                        continue;
                fprintf(page->to, "%s%dxx: %llu", separator, i,
                        (unsigned long long)report->n_statuses[i]);
                separator = ", ";
        }
        if (report->n_statuses[0])
                fprintf(page->to, "%snone: %llu", separator,
                        (unsigned long long)report->n_statuses[0]);
        fprintf(page->to, "\n");
}

static void print_errors(const struct page *page, const struct report *report)
{
        for (int i = 0; i < REPORT_N_CODES; i++) {
                if (!report->n_codes[i])
                        continue;
                page_label(page, "failed");
                fprintf(page->to, "%s%s%s: %llu, the first: %s\n",
                        page->has_colour ? "\033[31m" : "",
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
        fprintf(page->to, "half within %s, 90 %% %s, 99 %% %s, all %s (%s)\n",
                words_ns(hist_quantile(hist, 0.5)).text, words_ns(hist_quantile(hist, 0.9)).text,
                words_ns(hist_quantile(hist, 0.99)).text, words_ns(hist->max).text, what);
}

/* The phases of all requests, the largest first, as shares of the time from slot to the end of the work on the body. */
static void print_phases(const struct page *page, const struct report *report)
{
        static const enum muster_phase shown[] = { MUSTER_PHASE_DNS,     MUSTER_PHASE_TCP,
                                                   MUSTER_PHASE_TLS,     MUSTER_PHASE_SEND,
                                                   MUSTER_PHASE_WAIT,    MUSTER_PHASE_LAG,
                                                   MUSTER_PHASE_RECEIVE, MUSTER_PHASE_DECODE,
                                                   MUSTER_PHASE_PROCESS };
        const size_t n = sizeof(shown) / sizeof(shown[0]);
        uint64_t sum = 0, below = UINT64_MAX;
        const char *separator = "";

        for (size_t i = 0; i < n; i++)
                sum += report->phase_ns[shown[i]];
        if (!sum)
                return;
        page_label(page, "time went to");
        for (;;) {
                uint64_t most = 0;
                enum muster_phase phase = MUSTER_PHASE_DNS;

                for (size_t i = 0; i < n; i++)
                        if (report->phase_ns[shown[i]] > most &&
                            report->phase_ns[shown[i]] < below) {
                                most = report->phase_ns[shown[i]];
                                phase = shown[i];
                        }
                if (!most || (double)most / (double)sum < 0.001)
                        break;
                fprintf(page->to, "%s%s %.1f %%", separator, muster_phase_name(phase),
                        100.0 * (double)most / (double)sum);
                separator = ", ";
                below = most;
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
        fprintf(page->to, "%llu opened, %s on a kept one; %s looked up",
                (unsigned long long)stats->n_conns_opened,
                words_counted(stats->n_conns_reused, "request", "requests").text,
                words_counted(stats->n_lookups, "name", "names").text);
        if (stats->n_tls_handshakes)
                fprintf(page->to, "; %s, %llu of them resumed",
                        words_counted(stats->n_tls_handshakes, "TLS handshake", "TLS handshakes")
                                .text,
                        (unsigned long long)stats->n_tls_resumed);
        fprintf(page->to, "\n");
        page_label(page, "also");
        fprintf(page->to, "%s, %s; bodies of %s, %s on the wire\n",
                words_counted(stats->n_retries, "retry", "retries").text,
                words_counted(stats->n_redirects, "redirect", "redirects").text,
                words_bytes(report->body_bytes).text, words_bytes(report->wire_bytes).text);
}

void summary_print(const struct report *report, const struct muster_client_stats *stats,
                   const char *verdict, const struct page *page)
{
        print_requests(page, report);
        print_statuses(page, report);
        print_errors(page, report);
        print_quantiles(page, "latency", &report->request_ns,
                        report->n_failed
                                ? "of those that succeeded, from a request's turn to its last byte"
                                : "from a request's turn to its last byte");
        print_quantiles(page, "from plan", &report->from_plan_ns, "from planned start to result");
        print_quantiles(page, "queue", &report->queue_ns, "waiting for its turn");
        print_phases(page, report);
        print_connections(page, report, stats);
        print_verdict(page, verdict);
}
