/* SPDX-License-Identifier: MIT */
#include "counts.h"

#include <base/words.h>

static const struct {
        const char *name, *title;
        bool is_time, is_mean, is_bytes;
} kinds[N_COUNTS] = {
        [COUNT_WALL] = { "wall_ns", "wall time", true, false },
        [COUNT_RUN] = { "requests_ns", "first request to last answer", true, false },
        [COUNT_REQUESTS] = { "requests", "requests", false, false },
        [COUNT_FAILED] = { "failed", "failed", false, false },
        [COUNT_REFUSED] = { "answered_4xx_5xx", "answered 4xx or 5xx", false, false },
        [COUNT_BYTES] = { "received_bytes", "received", false, false, true },
        [COUNT_IN_FLIGHT] = { "in_flight", "in flight, mean", false, true },
        [COUNT_MOST_IN_FLIGHT] = { "in_flight_most", "in flight, most", false, false },
        [COUNT_LATENCY] = { "latency_ns", "latency of a request, mean", true, false },
        [COUNT_CONNS] = { "connections", "connections opened", false, false },
        [COUNT_LOOKUPS] = { "lookups", "DNS lookups", false, false },
        [COUNT_HANDSHAKES] = { "tls_handshakes", "TLS handshakes", false, false },
        [COUNT_QUEUED] = { "queued", "waited for the library's limit", false, false },
        [COUNT_HELD] = { "held_ns", "event loop blocked", true, false },
        [COUNT_CPU] = { "cpu_ns", "CPU time", true, false },
};

const char *count_name(enum count count)
{
        return kinds[count].name;
}

const char *count_title(enum count count)
{
        return kinds[count].title;
}

void count_text(enum count count, double value, char *text, size_t size)
{
        if (kinds[count].is_time)
                snprintf(text, size, "%s", value > 0 ? words_ns((uint64_t)value).text : "-");
        else if (kinds[count].is_bytes)
                snprintf(text, size, "%s", words_bytes((uint64_t)value).text);
        else if (kinds[count].is_mean)
                snprintf(text, size, "%.1f", value);
        else
                snprintf(text, size, "%s", words_count((uint64_t)(value + 0.5)).text);
}

static void count_run(struct counts *counts, const struct muster_explanation *explanation)
{
        struct muster_watched watched = { 0 };
        struct muster_run run;

        muster_explanation_run(explanation, &run, sizeof(run));
        muster_explanation_watched(explanation, &watched, sizeof(watched));
        muster_explanation_figure(explanation, "concurrency.max",
                &counts->of[COUNT_MOST_IN_FLIGHT]);
        counts->of[COUNT_RUN] = (double)(run.wall_ns - run.startup_ns - run.ending_ns);
        counts->of[COUNT_REQUESTS] = (double)run.n_requests;
        counts->of[COUNT_FAILED] = (double)run.n_failed;
        counts->of[COUNT_REFUSED] = (double)(run.n_4xx + run.n_5xx);
        counts->of[COUNT_BYTES] = (double)run.wire_bytes;
        counts->of[COUNT_IN_FLIGHT] = run.mean_in_flight;
        counts->of[COUNT_LATENCY] = (double)run.latency_mean_ns;
        counts->of[COUNT_CONNS] = (double)run.n_conns_opened;
        counts->of[COUNT_LOOKUPS] = (double)watched.n_lookups;
        counts->of[COUNT_HANDSHAKES] = (double)watched.n_handshakes;
        counts->of[COUNT_QUEUED] = (double)watched.n_queued;
        counts->of[COUNT_HELD] = (double)watched.held_ns;
}

struct counts counts_of(const struct session *session)
{
        struct counts counts = { .status = subject_exit_status(&session->subject) };

        if (session->outcome.explanation)
                count_run(&counts, session->outcome.explanation);
        counts.of[COUNT_WALL] = (double)session->subject.wall_ns;
        counts.of[COUNT_CPU] = (double)session->subject.cpu_ns;
        return counts;
}
