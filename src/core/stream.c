/* SPDX-License-Identifier: MIT */
/*
 * Streams: bodies that their reader pulls from the result's buffer, which holds bytes that came and
 * were not read yet
 */
#include "client.h"
#include "exchange.h"
#include "relay.h"
#include "request.h"
#include <assert.h>

#define COMPACT_BYTES (64 * 1024) /* of read bytes before the rest is moved to the front */

static void take_bytes(struct muster_request *request, void *buffer, size_t n)
{
        struct buf *body = &request->result.body;
        struct sink *sink = &request->sink;

        assert(n && sink->read_at + n <= body->len);
        memcpy(buffer, body->at + sink->read_at, n);
        sink->read_at += n;
        if (sink->read_at == body->len) {
                body->len = sink->read_at = 0;
        } else if (sink->read_at > COMPACT_BYTES) {
                buf_drop_front(body, sink->read_at);
                sink->read_at = 0;
        }
        if (sink->is_blocked && body->len - sink->read_at <= SINK_STREAM_BYTES_MAX / 2)
                exchange_unblock(request);
}

/* Read from the relay that the engine's thread fills; for a client with threads. */
static int read_relay(struct muster_request *request, void *buffer, size_t size, size_t *ret_n)
{
        bool wakes;
        int r = relay_read(request->relay, buffer, size, ret_n, &wakes);

        if (wakes && request->client)
                client_wants_more(request);
        if (r == RELAY_EMPTY)
                return MUSTER_LATER;
        if (r == RELAY_OVER)
                return request->result.error.code ? (int)request->result.error.code : MUSTER_END;
        return r;
}

int muster_result_read_now(struct muster_result *result, void *buffer, size_t size, size_t *ret_n)
{
        struct muster_request *request;
        size_t n;

        if (!result || !buffer || !size || !ret_n)
                return MUSTER_E_INVALID;
        request = request_of_result(result);
        *ret_n = 0;
        if (!request->is_announced)
                return result->error.code ? (int)result->error.code : MUSTER_E_INVALID;
        if (request->relay)
                return read_relay(request, buffer, size, ret_n);
        n = result->body.len - request->sink.read_at;
        if (n) {
                *ret_n = n < size ? n : size;
                take_bytes(request, buffer, *ret_n);
                return 0;
        }
        if (request->state != REQUEST_TAKEN)
                return MUSTER_LATER;
        return result->error.code ? (int)result->error.code : MUSTER_END;
}

int muster_result_read(struct muster_result *result, void *buffer, size_t size, size_t *ret_n)
{
        for (;;) {
                int r = muster_result_read_now(result, buffer, size, ret_n);

                if (r != MUSTER_LATER)
                        return r;
                r = client_wait_for(request_of_result(result));
                if (r < 0)
                        return r;
        }
}
