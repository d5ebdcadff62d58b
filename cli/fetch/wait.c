/* SPDX-License-Identifier: MIT */
/*
 * Between results: show how far it is, pass on lines that have lain here long enough, and wait for
 * the client, or for it and for input that comes slowly
 */
#include "fetch.h"

#include <base/clock.h>
#include <base/error.h>
#include <poll.h>

#define FLUSH_INTERVAL_NS (50 * NS_PER_MS) /* nobody waits longer for a line that is there */
#define PROGRESS_NS       (100 * NS_PER_MS)

/*
 * How much of the whole batch is over, from 0 to 1; negative when that is not known. What was read
 * is not done yet.
 */
static double share_done(const struct fetch *fetch)
{
        double share = input_progress(&fetch->input);

        if (!fetch->input.n_items)
                return 0;
        return share * (double)fetch->report.n_done / (double)fetch->input.n_items;
}

void fetch_show_progress(struct fetch *fetch, uint64_t now_ns)
{
        struct muster_client_stats stats;

        if (!fetch->has_progress ||
                (fetch->progress_is_shown && now_ns - fetch->progress_ns < PROGRESS_NS))
                return;
        fetch->progress_ns = now_ns;
        fetch->progress_is_shown = true;
        muster_client_stats(fetch->client, &stats, sizeof(stats));
        progress_show(&fetch->report, &stats, share_done(fetch));
}

void fetch_hide_progress(struct fetch *fetch)
{
        if (fetch->progress_is_shown)
                progress_clear();
        fetch->progress_is_shown = false;
}

/*
 * Where lines go to a terminal the progress line is in their way. It is back at the end of the
 * turn: below them, and once for all of them.
 */
int fetch_flush(struct fetch *fetch)
{
        if (fetch->output.is_terminal)
                fetch_hide_progress(fetch);
        return output_flush(&fetch->output, &fetch->error);
}

int fetch_flush_when_due(struct fetch *fetch, uint64_t now_ns)
{
        bool more_is_coming = fetch->n_outstanding > 0;

        if (!fetch->output.buf.len ||
                (more_is_coming && now_ns - fetch->flushed_ns < FLUSH_INTERVAL_NS))
                return 0;
        fetch->flushed_ns = now_ns;
        return fetch_flush(fetch);
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

int fetch_wait(struct fetch *fetch)
{
        int r;

        if (fetch->input_waits && !fetch->is_stopping && !items_are_full(&fetch->items))
                r = wait_for_both(fetch);
        else
                r = muster_wait(fetch->client, patience_ms(fetch));
        if (r < 0)
                return error_set(&fetch->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                        "the event loop failed: the kernel refuses to wait for events");
        return 0;
}
