/* SPDX-License-Identifier: MIT */
#include "mux_h1.h"

#include "attempt_head.h"
#include "conn.h"
#include "engine.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <http/h1_write.h>

struct mux_h1 {
        struct mux mux;
        struct h1_reader reader;
        bool is_done;    /* the response is complete, and HTTP_DONE was returned */
        bool has_excess; /* bytes came behind it that nobody asked for */
};

static struct mux_h1 *h1_of(const struct conn *conn)
{
        return LIST_OWNER(conn->mux, struct mux_h1, mux);
}

/* The request that uses the connection; NULL: it is idle. */
static struct muster_request *request_on(const struct conn *conn)
{
        struct list *link = list_first(&conn->exchanges);

        return link ? request_of_exchange_link(link) : NULL;
}

/* --- the request ----------------------------------------------------------------------------- */

static unsigned h1_room(const struct conn *conn)
{
        return list_is_empty(&conn->exchanges) ? 1 : 0;
}

static bool h1_knows_room(const struct conn *conn)
{
        (void)conn;
        return true;
}

/* A connection that may not be used again is closed when its exchange ends. */
static bool h1_is_closing(const struct conn *conn)
{
        (void)conn;
        return false;
}

static int write_head(struct muster_request *request, struct buf *to, struct muster_error *error)
{
        struct attempt_head head;
        int r = attempt_head_init(&head, request);

        if (r == 0)
                r = h1_write_head(&head.http, to, error);
        request->had_proxy_login = r == 0 && head.proxy_authorization.len;
        attempt_head_deinit(&head);
        return r;
}

static int h1_begin(struct conn *conn, struct muster_request *request, struct muster_error *error)
{
        const struct settings *settings = conn->engine->settings;
        struct mux_h1 *h1 = h1_of(conn);
        struct buf *head = conn_head(conn);
        struct muster_str body = { 0 };
        int r;

        assert(request_on(conn) == request);
        h1->is_done = h1->has_excess = false;
        h1_read_begin(&h1->reader, str_is(request_method(request), "HEAD"),
                settings->max_header_bytes);
        h1->reader.is_of_proxy = route_asks_proxy(&request->origin->route);
        r = write_head(request, head, error);
        if (request_sends_body(request) && !expect_holds_body(&request->expect))
                body = buf_str(&request->body);
        request->notes.sent_bytes = head->len + body.len;
        return r < 0 ? r : conn_send(conn, body, error);
}

static int send_piece(struct conn *conn, struct muster_request *request, struct muster_error *error)
{
        struct buf *frame = conn_head(conn);
        struct muster_str piece = { NULL, 0 };
        int r = 0;

        assert(request_on(conn) == request && !expect_holds_body(&request->expect));
        if (request_has_upload(request))
                r = upload_next(&request->upload, &conn->engine->loop, frame, &piece, error);
        else
                piece = buf_str(&request->body);
        if (r == UPLOAD_WAITS)
                return 0;
        request->notes.sent_bytes += frame->len + piece.len;
        return r == 0 && (frame->len || piece.len) ? conn_send(conn, piece, error) : r;
}

/* Send the body in memory that stayed behind its head. */
static int send_held(struct conn *conn, struct muster_request *request, struct muster_error *error)
{
        struct muster_str body = buf_str(&request->body);

        assert(request_on(conn) == request && !expect_holds_body(&request->expect));
        request->expect.is_held = false;
        request->notes.sent_bytes += body.len;
        (void)conn_head(conn);
        return conn_send(conn, body, error);
}

/* Send pieces of the upload as long as the kernel takes them at once. */
static int h1_flush(struct conn *conn, struct muster_request **ret_request,
        struct muster_error *error)
{
        struct muster_request *request = request_on(conn);
        int r = 0;

        *ret_request = request;
        if (conn_is_sending(conn))
                return CONN_SENDING;
        if (!request || expect_waits(request, engine_now(conn->engine)))
                return 0;
        if (request->expect.is_held)
                return send_held(conn, request, error);
        if (!request_has_upload(request))
                return 0;
        while (r == 0 && !request->upload.is_over && !upload_waits(&request->upload) &&
                !conn->send_sys)
                r = send_piece(conn, request, error);
        return r;
}

/* A send that failed is over as well: reading will show what it means. */
static bool h1_is_sent(const struct conn *conn, const struct muster_request *request)
{
        return !conn_is_sending(conn) && !expect_holds_body(&request->expect) &&
               !request->expect.is_held &&
               (!request_has_upload(request) || request->upload.is_over);
}

/* --- the response ---------------------------------------------------------------------------- */

/* Stop reading: the kernel's window fills, and the server waits. */
static void h1_pause(struct conn *conn, struct muster_request *request)
{
        (void)request;
        loop_recv_stop(&conn->socket);
}

static void h1_resume(struct conn *conn, struct muster_request *request)
{
        (void)request;
        loop_recv_start(&conn->socket);
}

static int h1_next(struct conn *conn, struct muster_str *bytes, uint64_t now_ns,
        struct muster_request **ret_request, struct http_event *ret_event,
        struct muster_error *error)
{
        struct mux_h1 *h1 = h1_of(conn);
        int r;

        (void)now_ns;
        *ret_request = request_on(conn);
        if (!*ret_request)
                return !bytes->len ? MUX_MORE
                                   : error_set(error, MUSTER_E_PROTOCOL, MUSTER_PHASE_RECEIVE, 0,
                                             "protocol: the server sent bytes without a request");
        h1->has_excess |= h1->is_done && bytes->len;
        if (h1->is_done)
                return MUX_MORE; /* its request still waits for a sink */
        r = h1_read_next(&h1->reader, &conn->engine->scratch, bytes, ret_event, error);
        if (r < 0)
                *ret_request = NULL;
        if (r == 0 && ret_event->kind == HTTP_HEAD)
                conn->notes.we_close |= ret_event->head.is_in_doubt;
        if (r == 0 && ret_event->kind == HTTP_DONE) {
                h1->is_done = true;
                h1->has_excess = bytes->len > 0;
        }
        return r == H1_MORE ? MUX_MORE : r;
}

static uint64_t h1_body_left(const struct conn *conn)
{
        return h1_read_body_left(&h1_of(conn)->reader);
}

static struct muster_request *h1_skip_body(struct conn *conn, size_t n)
{
        h1_read_skip_body(&h1_of(conn)->reader, n);
        return request_on(conn);
}

static int h1_eof(struct conn *conn, struct muster_request **ret_request,
        struct muster_error *error)
{
        *ret_request = request_on(conn);
        if (!*ret_request)
                return 0;
        h1_of(conn)->reader.keeps_alive = false;
        return h1_read_eof(&h1_of(conn)->reader, error);
}

static enum request_fate h1_fate(const struct conn *conn, const struct muster_request *request)
{
        (void)request;
        return h1_read_has_begun(&h1_of(conn)->reader) ? FATE_UNKNOWN : FATE_UNANSWERED;
}

static size_t h1_unsent(const struct conn *conn, const struct muster_request *request)
{
        (void)request;
        return conn_unsent_bytes(conn);
}

/* --- the end --------------------------------------------------------------------------------- */

static bool h1_end(struct conn *conn, struct muster_request *request)
{
        struct mux_h1 *h1 = h1_of(conn);

        assert(request_on(conn) == request);
        conn->mux->keeps_alive = h1->reader.keeps_alive;
        return h1->reader.keeps_alive && h1->is_done && !h1->has_excess && !conn->send_sys &&
               h1_is_sent(conn, request);
}

/* Only closing the connection takes back a request that was sent. */
static bool h1_cancel(struct conn *conn, struct muster_request *request)
{
        (void)conn;
        (void)request;
        return false;
}

static struct mux *h1_free(struct mux *mux)
{
        struct mux_h1 *h1 = LIST_OWNER(mux, struct mux_h1, mux);

        h1_read_deinit(&h1->reader);
        return mem_free(h1);
}

static const struct mux_ops h1_ops = {
        .can_expect = true,
        .room = h1_room,
        .knows_room = h1_knows_room,
        .is_closing = h1_is_closing,
        .begin = h1_begin,
        .flush = h1_flush,
        .is_sent = h1_is_sent,
        .pause = h1_pause,
        .resume = h1_resume,
        .next = h1_next,
        .body_left = h1_body_left,
        .skip_body = h1_skip_body,
        .eof = h1_eof,
        .fate = h1_fate,
        .unsent = h1_unsent,
        .end = h1_end,
        .cancel = h1_cancel,
        .free = h1_free,
};

struct mux *mux_h1_new(void)
{
        struct mux_h1 *h1 = mem_zalloc(sizeof(*h1));

        if (!h1)
                return NULL;
        h1->mux.ops = &h1_ops;
        return &h1->mux;
}
