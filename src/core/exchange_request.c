/* SPDX-License-Identifier: MIT */
/*
 * The request's part of an exchange: from a connection that is there to all that is sent
 */
#include "engine.h"
#include "exchange.h"
#include "flow.h"
#include <assert.h>
#include <base/error.h>

static uint64_t now_of(const struct conn *conn)
{
        return clock_now(&conn->engine->clock);
}

static void fail(struct conn *conn, int code, struct muster_error *error)
{
        error_set(error, (enum muster_code)code, conn->request->attempt.stage, 0,
                "resource: out of memory while sending the request");
        exchange_failed(conn, error);
}

void exchange_dialled(struct conn *conn, uint64_t dns_end_ns, bool is_connected)
{
        struct attempt *attempt = &conn->request->attempt;

        attempt->dns_end_ns = dns_end_ns;
        attempt->stage = dns_end_ns ? MUSTER_PHASE_TCP : MUSTER_PHASE_DNS;
        if (!is_connected)
                return;
        attempt->tcp_end_ns = now_of(conn);
        attempt->stage = conn->origin->is_tls ? MUSTER_PHASE_TLS : MUSTER_PHASE_SEND;
}

static void stamp_sent(struct conn *conn)
{
        struct attempt *attempt = &conn->request->attempt;

        if (attempt->send_end_ns || attempt->first_byte_read_ns)
                return; /* answered before it was sent: the rest of the sending is nobody's wait */
        attempt->send_end_ns = now_of(conn);
        attempt->stage = MUSTER_PHASE_WAIT;
}

/* Send on for as long as the kernel takes it at once. */
static void send_upload(struct conn *conn)
{
        struct upload *upload = &conn->request->upload;
        struct muster_error error = { 0 };
        int r = 0;

        while (r == 0 && !upload->is_over && !conn->send_sys) {
                struct buf *frame = conn_head(conn);
                struct muster_str piece = { NULL, 0 };

                r = upload_next(upload, frame, &piece, &error);
                conn->request->notes.sent_bytes += frame->len + piece.len;
                if (r == 0 && (frame->len || piece.len))
                        r = conn_send(conn, piece, &error);
        }
        if (r < 0)
                fail(conn, r, &error);
        else if (r == 0 && upload->is_over)
                stamp_sent(conn);
}

void exchange_sent(struct conn *conn)
{
        struct muster_request *request = conn->request;

        if (request_has_upload(request) && !request->upload.is_over)
                send_upload(conn);
        else
                stamp_sent(conn);
}

static void send_request(struct conn *conn, struct muster_request *request)
{
        struct muster_error error = { 0 };
        struct muster_str body = { 0 };
        int r = request_has_upload(request) ? upload_begin(&request->upload, &error) : 0;

        if (r == 0 && request_has_upload(request) && request->limits.http_1_0 &&
                request->upload.total_bytes == MUSTER_SIZE_UNKNOWN)
                r = error_set(&error, MUSTER_E_INVALID, MUSTER_PHASE_SEND, 0,
                        "invalid: HTTP/1.0 has no chunks, so the size of the body must be known");
        if (r == 0)
                r = request_write_head(request, conn->engine->settings->user_agent, conn_head(conn),
                        &error);
        if (request->has_body && !request->is_get_now)
                body = buf_str(&request->body);
        request->notes.sent_bytes = conn->out.len + body.len;
        if (r == 0)
                r = conn_send(conn, body, &error);
        if (r == 0)
                exchange_sent(conn);
        else if (r < 0)
                fail(conn, r, &error);
}

/*
 * Have the acknowledgement of the request stamped. Not where it would be another's: of what went
 * before on this connection, or of the first piece of many.
 */
static void ask_for_ack(struct conn *conn, const struct muster_request *request)
{
        if (conn->is_sending || conn->socket.awaits_ack || request_has_upload(request) ||
                !tracing_wants_ack(conn->engine))
                return;
        conn->socket.wants_ack = true;
        conn->notes.acked_attempt = request->notes.number;
}

/* From here on it is the same for a connection that was just made and one that was kept. */
static void begin(struct conn *conn, uint64_t now_ns)
{
        struct muster_request *request = conn->request;

        request->attempt.send_start_ns = now_ns;
        request->attempt.stage = MUSTER_PHASE_SEND;
        request->notes.conn = conn->notes.id;
        conn->notes.n_attempts++;
        conn->notes.we_close = request->limits.no_reuse || request->limits.http_1_0;
        ask_for_ack(conn, request);
        flow_connected(request);
        h1_read_begin(&conn->reader, str_is(request_method(request), "HEAD"),
                conn->engine->settings->max_header_bytes);
        send_request(conn, request);
}

void exchange_ready(struct conn *conn)
{
        uint64_t now_ns = now_of(conn);

        if (conn->tls)
                conn->request->attempt.tls_end_ns = now_ns;
        begin(conn, now_ns);
}

void exchange_begin(struct conn *conn, struct muster_request *request)
{
        assert(!conn->request && conn->state == CONN_READY);
        conn->request = request;
        request->conn = conn;
        conn->engine->stats.n_conns_reused++;
        request->notes.is_reused = true;
        request->notes.conn_idle_ns = conn->info.idle_ns;
        begin(conn, request->attempt.slot_ns);
}
