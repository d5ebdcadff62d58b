/* SPDX-License-Identifier: MIT */
#include "exchange_send.h"

#include "conn.h"
#include "deadline.h"
#include "engine.h"
#include "heads.h"
#include "mux.h"
#include <assert.h>
#include <base/error.h>

static void stamp_sent(struct muster_request *request, uint64_t now_ns)
{
        struct attempt *attempt = &request->attempt;

        assert(request->exchange.is_sending && request->exchange.conn->mux->n_sending);
        request->exchange.is_sending = false;
        request->exchange.conn->mux->n_sending--;
        if (attempt->send_end_ns || attempt->first_byte_read_ns)
                return; /* answered before it was sent: the rest of the sending is not waited for */
        attempt->send_end_ns = now_ns;
        attempt->stage = MUSTER_PHASE_WAIT;
}

/* Stamp those that are sent. Who is sending mostly began last, and is found from the end. */
static void stamp_all_sent(struct conn *conn)
{
        uint64_t now_ns = engine_now(conn->engine);
        unsigned n_sending = conn->mux->n_sending;

        for (struct list *link = conn->exchanges.prev; n_sending; link = link->prev) {
                struct muster_request *request = request_of_exchange_link(link);

                assert(link != &conn->exchanges);
                if (!request->exchange.is_sending)
                        continue;
                n_sending--;
                if (conn->mux->ops->is_sent(conn, request))
                        stamp_sent(request, now_ns);
        }
}

int exchange_send_on(struct conn *conn, struct muster_request **ret_request,
        struct muster_error *error)
{
        int r = conn->mux->ops->flush(conn, ret_request, error);

        if (r >= 0 && conn->mux->n_sending)
                stamp_all_sent(conn);
        return r;
}

int exchange_send_body(struct muster_request *request, struct muster_error *error)
{
        struct muster_request *failed;
        int r = 0;

        if (expect_over(request, engine_now(request->engine)))
                r = exchange_send_on(request->exchange.conn, &failed, error);
        return r < 0 ? r : 0;
}

/* Begin the upload if there is one. MUSTER_E_INPUT, MUSTER_E_INVALID with *error. */
static int begin_upload(struct muster_request *request, struct muster_error *error)
{
        int r;

        if (!request_has_upload(request))
                return 0;
        r = upload_begin(&request->upload, error);
        if (r == 0 && request->limits.http_1_0 &&
                request->upload.total_bytes == MUSTER_SIZE_UNKNOWN)
                r = error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_SEND, 0,
                        "invalid: HTTP/1.0 has no chunked coding, so the size of the body must be known");
        return r;
}

/*
 * Ask for a stamp of the request's acknowledgement, unless the stamp could be for something else:
 * earlier bytes on this connection, or only the first piece of an upload.
 */
static void ask_for_ack(struct conn *conn, const struct muster_request *request)
{
        if (conn->is_sending || conn->socket.awaits_ack || !conn->notes.family ||
                request_has_upload(request) || !tracing_wants_ack(conn->engine))
                return;
        conn->socket.wants_ack = true;
        conn->notes.acked_attempt = request->notes.number;
}

int exchange_send_begin(struct muster_request *request, uint64_t now_ns, struct muster_error *error)
{
        struct conn *conn = request->exchange.conn;
        struct muster_request *failed;
        int r;

        assert(conn->state == CONN_READY && conn->mux);
        assert(!request->attempt.send_start_ns);
        request->attempt.send_start_ns = now_ns;
        request->attempt.stage = MUSTER_PHASE_SEND;
        conn->notes.n_attempts++;
        conn->notes.we_close = request->limits.no_reuse || request->limits.http_1_0;
        ask_for_ack(conn, request);
        /*
         * Without memory for the timer, the connect timeout still stands. On a reused connection
         * the request has no read timeout.
         */
        deadline_connected(request, now_ns);
        (void)deadline_arm(request);
        r = begin_upload(request, error);
        if (r < 0)
                return r;
        if (request->has_body)
                expect_begin(request, conn->mux->ops->can_expect);
        heads_note_sent(request);
        request->exchange.is_sending = true;
        conn->mux->n_sending++;
        r = conn->mux->ops->begin(conn, request, error);
        if (r == 0 && (request_has_upload(request) || request->expect.is_sent))
                r = conn->mux->ops->flush(conn, &failed, error);
        if (r >= 0 && conn->mux->ops->is_sent(conn, request))
                stamp_sent(request, engine_now(conn->engine));
        return r < 0 ? r : 0;
}
