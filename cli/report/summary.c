/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "../amount.h"
#include <base/clock.h>
#include <string.h>

struct page {
        FILE *to;
        bool has_colour;
};

static void heading(const struct page *page, const char *text)
{
        fprintf(page->to, "%s%-13s%s", page->has_colour ? "\033[1m" : "", text,
                page->has_colour ? "\033[0m" : "");
}

static void print_requests(const struct page *page, const struct report *report)
{
        uint64_t wall_ns = clock_ns_of(CLOCK_MONOTONIC) - report->start_ns;
        char wall[24];

        heading(page, "requests");
        fprintf(page->to, "%llu in %s, %.0f/s; %llu succeeded, %llu failed\n",
                (unsigned long long)report->n_done, amount_ns(wall_ns, wall),
                wall_ns ? (double)report->n_done * 1e9 / (double)wall_ns : 0,
                (unsigned long long)(report->n_done - report->n_failed),
                (unsigned long long)report->n_failed);
}

static void print_statuses(const struct page *page, const struct report *report)
{
        const char *separator = "";

        heading(page, "responses");
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
                heading(page, "failed");
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
        char p50[24], p90[24], p99[24], most[24];

        if (!hist->n)
                return;
        heading(page, name);
        fprintf(page->to, "half within %s, 90 %% %s, 99 %% %s, all %s (%s)\n",
                amount_ns(hist_quantile(hist, 0.5), p50), amount_ns(hist_quantile(hist, 0.9), p90),
                amount_ns(hist_quantile(hist, 0.99), p99), amount_ns(hist->max, most), what);
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
        heading(page, "time went to");
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
        heading(page, "verdict");
        fprintf(page->to, "%s\n", verdict);
}

static void print_connections(const struct page *page, const struct report *report,
                              const struct muster_client_stats *stats)
{
        char body[24], wire[24];

        heading(page, "connections");
        fprintf(page->to, "%llu opened, %llu requests on a kept one; %llu names looked up",
                (unsigned long long)stats->n_conns_opened,
                (unsigned long long)stats->n_conns_reused, (unsigned long long)stats->n_lookups);
        if (stats->n_tls_handshakes)
                fprintf(page->to, "; %llu TLS handshakes, %llu of them resumed",
                        (unsigned long long)stats->n_tls_handshakes,
                        (unsigned long long)stats->n_tls_resumed);
        fprintf(page->to, "\n");
        heading(page, "also");
        fprintf(page->to, "%llu retries, %llu redirects; bodies of %s, %s on the wire\n",
                (unsigned long long)stats->n_retries, (unsigned long long)stats->n_redirects,
                amount_bytes(report->body_bytes, body), amount_bytes(report->wire_bytes, wire));
}

void summary_print(const struct report *report, const struct muster_client_stats *stats,
                   const char *verdict, bool has_colour, FILE *to)
{
        const struct page page = { .to = to, .has_colour = has_colour };

        print_requests(&page, report);
        print_statuses(&page, report);
        print_errors(&page, report);
        print_quantiles(&page, "latency", &report->request_ns, "from slot to last byte");
        print_quantiles(&page, "from plan", &report->from_plan_ns, "from planned start to result");
        print_quantiles(&page, "queue", &report->queue_ns, "waiting for a slot");
        print_phases(&page, report);
        print_connections(&page, report, stats);
        print_verdict(&page, verdict);
}
