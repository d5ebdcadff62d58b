/* SPDX-License-Identifier: MIT */
/*
 * How much a server may send on a stream before it must wait
 *
 * A window should hold what is sent in one round trip, else a fast link idles; and not much more,
 * as it is also what a reader that stops may find waiting. So it follows the reader: what was
 * consumed in a round trip, times four. TCP doubles what it sends in each round trip of slow start,
 * which leaves the window two of them ahead. It never shrinks, and has a bound.
 *
 * The server is told early, after an eighth of the window, so that it uses nearly all of it. Padding
 * counts as well; nobody reads it, so it is found by what nghttp2 has counted.
 */
#include "h2_internal.h"

#include <assert.h>
#include <base/minmax.h>

/* How much larger than what was consumed in a round trip. */
#define AHEAD 4

/* Tell the server after this part of the window. */
#define TELL_PART 8

void h2_window_begin(struct h2 *h2, struct h2_stream *stream)
{
        stream->window_bytes = h2->options.window_bytes;
        stream->epoch_ns = stream->epoch_bytes = 0;
}

void h2_measured_rtt(struct h2 *h2, uint64_t rtt_ns)
{
        if (!h2->rtt_ns || rtt_ns < h2->rtt_ns)
                h2->rtt_ns = max_u64(rtt_ns, 1);
}

/* How large the window should be, once a round trip has passed. */
static uint32_t wanted_window(const struct h2 *h2, struct h2_stream *stream)
{
        uint64_t elapsed_ns = h2->now_ns - stream->epoch_ns;
        uint64_t wanted = stream->window_bytes;

        if (!stream->epoch_ns || (h2->rtt_ns && elapsed_ns >= h2->rtt_ns)) {
                if (stream->epoch_ns)
                        wanted = AHEAD * stream->epoch_bytes * h2->rtt_ns / elapsed_ns;
                stream->epoch_ns = max_u64(h2->now_ns, 1);
                stream->epoch_bytes = 0;
        }
        return (uint32_t)clamp_u64(wanted, stream->window_bytes,
                max_u64(stream->window_bytes, h2->options.window_bytes_max));
}

/* Tell the server what it may send: up to a whole window beside what nobody has read yet. */
static void tell(struct h2 *h2, struct h2_stream *stream)
{
        int32_t received =
                nghttp2_session_get_stream_effective_recv_data_length(h2->session, stream->id);
        uint32_t window = wanted_window(h2, stream);
        int64_t more = (int64_t)received - stream->unread_bytes + window - stream->window_bytes;

        stream->window_bytes = window;
        stream->owed_bytes = 0;
        /* Without memory the server waits, until the request times out. */
        if (more > 0)
                (void)nghttp2_submit_window_update(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                        (int32_t)more);
}

void h2_consume(struct h2 *h2, struct h2_stream *stream, size_t n)
{
        assert(n <= stream->unread_bytes);
        stream->unread_bytes -= (uint32_t)n;
        stream->owed_bytes += (uint32_t)n;
        stream->epoch_bytes += n;
        if (!stream->is_closed && !stream->is_done && !h2->fatal.code &&
                stream->owed_bytes >= stream->window_bytes / TELL_PART)
                tell(h2, stream);
}
