/* SPDX-License-Identifier: MIT */
/*
 * Between results: show how far it is, pass on lines that have lain here long enough, and wait for
 * the client, or for it and for input that comes slowly
 */
#include "fetch.h"

#include <base/clock.h>
#include <base/error.h>
#include <base/minmax.h>
#include <limits.h>
#include <poll.h>

#define FLUSH_INTERVAL_NS (50 * NS_PER_MS) /* nobody waits longer for a line that is there */
#define PROGRESS_NS       (100 * NS_PER_MS)
#define READER_NS         (200 * NS_PER_MS) /* nothing is done for longer for who has gone away */

/*
 * How much of the whole batch is over, from 0 to 1; negative when that is not known. What was read
 * is not done yet.
 */
static double share_done(const struct fetch *fetch)
{
        double share = input_progress(&fetch->input);

        if (fetch->load.is_on)
                return load_share_done(&fetch->load, fetch->report.n_done, clock_monotonic());
        if (!fetch->input.n_items)
                return 0;
        return share * (double)(fetch->report.n_done + fetch->report.n_resumed) /
               (double)fetch->input.n_items;
}

void fetch_show_progress(struct fetch *fetch, uint64_t now_ns)
{
        struct muster_client_stats stats;

        /* A line of which the terminal has a part comes first. */
        if (!fetch->has_progress || !stderr_has_room() ||
                (fetch->output.is_terminal && fetch->output_stalls) ||
                (fetch->progress_is_shown && now_ns - fetch->progress_ns < PROGRESS_NS))
                return;
        fetch->progress_ns = now_ns;
        fetch->progress_is_shown = true;
        muster_client_stats(fetch->client, &stats, sizeof(stats));
        progress_show(&fetch->report, &stats, share_done(fetch));
}

void fetch_hide_progress(struct fetch *fetch)
{
        if (fetch->progress_is_shown && stderr_has_room())
                progress_clear();
        fetch->progress_is_shown = false;
}

/*
 * Where lines go to a terminal the progress line is in their way. It is back at the end of the
 * turn: below them, and once for all of them.
 */
int fetch_flush(struct fetch *fetch)
{
        int r;

        if (fetch->output.is_terminal)
                fetch_hide_progress(fetch);
        r = output_offer(&fetch->output, &fetch->error);
        fetch->output_stalls = r == OUTPUT_STALLS;
        return r == OUTPUT_STALLS ? 0 : r;
}

bool fetch_output_stalls(const struct fetch *fetch)
{
        return fetch->output_stalls && output_is_full(&fetch->output);
}

int fetch_flush_when_due(struct fetch *fetch, uint64_t now_ns)
{
        bool may_lie = fetch->n_outstanding > 0 && !fetch->output_stalls &&
                       fetch->output.sync.way != SYNC_EACH;

        if (!fetch->output.buf.len || (may_lie && now_ns - fetch->flushed_ns < FLUSH_INTERVAL_NS))
                return 0;
        fetch->flushed_ns = now_ns;
        return fetch_flush(fetch);
}

int fetch_check_reader(struct fetch *fetch, uint64_t now_ns)
{
        if (now_ns - fetch->reader_ns < READER_NS)
                return 0;
        fetch->reader_ns = now_ns;
        return output_check_reader(&fetch->output, &fetch->error);
}

/* Until the end of a load run. Below a millisecond there is no waiting: nothing begins later. */
static uint64_t until_end_ms(const struct fetch *fetch)
{
        uint64_t now_ns;

        if (!fetch->load.end_ns || fetch->load.has_ended)
                return MUSTER_NO_TIMEOUT;
        now_ns = clock_monotonic();
        return now_ns < fetch->load.end_ns ? (fetch->load.end_ns - now_ns) / NS_PER_MS : 0;
}

/* How long nothing may happen before something else has to be done, but the end of the run. */
static uint64_t usual_patience_ms(const struct fetch *fetch)
{
        if (fetch->output.buf.len)
                return FLUSH_INTERVAL_NS / NS_PER_MS;
        if (fetch->has_progress || fetch->is_stopping)
                return PROGRESS_NS / NS_PER_MS;
        return fetch->output.channel.has_reader ? READER_NS / NS_PER_MS : MUSTER_NO_TIMEOUT;
}

static uint64_t patience_ms(const struct fetch *fetch)
{
        return min_u64(usual_patience_ms(fetch), until_end_ms(fetch));
}

/*
 * Whoever reads the results does not: none is taken where there are many, and the requests in flight
 * go on. Results that are there would make muster_wait(), and the descriptor of a client with
 * threads, come back at once.
 */
static int wait_for_room(struct fetch *fetch)
{
        bool wakes = fetch->options.request.client.threads > 1 && fetch_output_stalls(fetch);
        struct pollfd fds[2] = { { .fd = fetch->output.fd, .events = POLLOUT },
                { .fd = wakes ? -1 : muster_client_fd(fetch->client), .events = POLLIN } };
        uint64_t began_ns = clock_monotonic();
        int r;

        (void)poll(fds, 2, (int)(FLUSH_INTERVAL_NS / NS_PER_MS));
        fetch->stalled_ns += clock_monotonic() - began_ns;
        r = muster_turn(fetch->client);
        return r < 0 ? r : 0;
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
        (void)poll(fds, 2, patience > INT_MAX ? -1 : (int)patience);
        r = muster_turn(fetch->client);
        return r < 0 ? r : 0;
}

int fetch_wait(struct fetch *fetch)
{
        int r;

        if (fetch->output_stalls)
                r = wait_for_room(fetch);
        else if (fetch->is_passing)
                r = muster_turn(fetch->client);
        else if (fetch->input_waits && !fetch->is_stopping && !items_are_full(&fetch->items))
                r = wait_for_both(fetch);
        else
                r = muster_wait(fetch->client, patience_ms(fetch));
        if (r < 0)
                return error_set(&fetch->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                        "the event loop failed: the kernel refuses to wait for events");
        return 0;
}
