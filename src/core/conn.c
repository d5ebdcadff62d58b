/* SPDX-License-Identifier: MIT */
#include "conn.h"

#include "engine.h"
#include "mux.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <net/tcp_info.h>
#include <stdio.h>

#define SAMPLE_INTERVAL_NS (100 * NS_PER_MS) /* TCP_INFO costs a system call */
#define OUT_KEEP_BYTES     2048 /* the most that an idle connection keeps for sending */

#define LAST_BYTES 4096 /* read when a connection is closed: a ticket has some 250 */

static struct conn *conn_of_socket(struct loop_socket *socket)
{
        return LIST_OWNER(socket, struct conn, socket);
}

/* --- the end --------------------------------------------------------------------------------- */

/*
 * A ticket that came behind the last response would be lost with the connection. The loop's buffer
 * may be in use by others.
 */
static void take_last_ticket(struct conn *conn)
{
        char bytes[LAST_BYTES];
        size_t n;

        assert(conn->state == CONN_READY && conn->tls);
        tls_read_last(conn->tls);
        if (!tls_awaits_ticket(conn->tls) || !loop_socket_is_open(&conn->socket))
                return;
        n = loop_recv_now(&conn->socket, bytes, sizeof(bytes));
        tls_feed(conn->tls, (struct muster_str){ bytes, n });
        tls_read_last(conn->tls);
}

void conn_close(struct conn *conn, enum trace_closer closer)
{
        if (conn->state == CONN_DEAD)
                return;
        assert(!conn_has_users(conn));
        if (conn->state == CONN_READY && conn->tls && !conn->outer)
                take_last_ticket(conn);
        tracing_conn(conn, closer);
        conn->state = CONN_DEAD;
        loop_socket_close(&conn->socket);
        conn->place = (struct iovec){ 0 };
        if (conn->opener)
                conn->opener->stop(conn);
        conn->ops->closed(conn);
}

struct conn *conn_free(struct conn *conn)
{
        assert(conn->state == CONN_DEAD);
        assert(!conn->dial && !conn->tunnel);
        tls_free(conn->tls);
        tls_free(conn->outer);
        if (conn->mux)
                conn->mux = conn->mux->ops->free(conn->mux);
        buf_deinit(&conn->out);
        return mem_free(conn);
}

void conn_report_failure(struct conn *conn, const struct muster_error *error)
{
        assert(conn->state != CONN_DEAD && error->code);
        conn->ops->failed(conn, error);
}

/* --- sending --------------------------------------------------------------------------------- */

struct buf *conn_head(struct conn *conn)
{
        struct buf *head = conn->tls ? &conn->engine->head : &conn->out;

        assert(conn->tls || !conn->is_sending);
        head->len = 0;
        return head;
}

/*
 * Give `out` and `body` to the loop. A peer that closed may have answered before. So a failed send
 * is only stored, and counts when reading shows that there was no answer.
 */
static int send_pieces(struct conn *conn, struct muster_str body)
{
        struct iovec pieces[2] = { { conn->out.at, conn->out.len },
                { (void *)(uintptr_t)body.at, body.len } };
        int r = loop_send(&conn->socket, pieces, 2, &conn->send_sys);

        assert(!conn->is_sending && conn->state != CONN_DEAD);
        if (r < 0)
                return 0;
        conn->is_sending = r == LOOP_PENDING;
        return conn->is_sending ? CONN_SENDING : 0;
}

/* Move the ciphertext that TLS has to `out`; with TLS inside TLS that of the outer one. */
static int take_ciphertext(struct conn *conn, struct muster_error *error)
{
        int r;

        conn->out.len = 0;
        r = tls_out_take(conn->tls, &conn->out);
        if (r == 0 && conn->outer) {
                r = tls_write(conn->outer, conn->out.at, conn->out.len, error);
                conn->out.len = 0;
                if (r == 0)
                        r = tls_out_take(conn->outer, &conn->out);
        }
        return r == MUSTER_E_RESOURCE ? error_set_memory(error, MUSTER_PHASE_SEND) : r;
}

int conn_flush_tls(struct conn *conn, struct muster_error *error)
{
        int r;

        assert(conn->tls);
        if (conn->is_sending)
                return CONN_SENDING;
        if (!tls_has_out(conn->tls) && !(conn->outer && tls_has_out(conn->outer)))
                return tls_holds(conn->tls) ? CONN_SENDING : 0;
        r = take_ciphertext(conn, error);
        if (r < 0)
                return r;
        r = send_pieces(conn, (struct muster_str){ 0 });
        return tls_holds(conn->tls) ? CONN_SENDING : r;
}

int conn_send(struct conn *conn, struct muster_str body, struct muster_error *error)
{
        int r;

        assert(conn->state == CONN_READY && conn->mux);
        if (!conn->tls)
                return send_pieces(conn, body);
        r = tls_write(conn->tls, conn->engine->head.at, conn->engine->head.len, error);
        if (r == 0 && body.len)
                r = tls_write(conn->tls, body.at, body.len, error);
        return r < 0 ? r : conn_flush_tls(conn, error);
}

int conn_write(struct conn *conn, struct muster_str bytes, struct muster_error *error)
{
        int r;

        assert(conn->state != CONN_READY && !conn->is_sending);
        if (conn->tls) {
                r = tls_write(conn->tls, bytes.at, bytes.len, error);
                return r < 0 ? r : conn_flush_tls(conn, error);
        }
        conn->out.len = 0;
        if (buf_add_str(&conn->out, bytes) < 0)
                return error_set_memory(error, MUSTER_PHASE_SEND);
        return send_pieces(conn, (struct muster_str){ 0 });
}

static void handle_sent(struct conn *conn)
{
        struct muster_error error = { 0 };
        int r = 0;

        assert(conn->is_sending && conn->state != CONN_DEAD);
        conn->is_sending = false;
        if (conn->tls)
                r = conn_flush_tls(conn, &error);
        if (r < 0) {
                conn_report_failure(conn, &error);
                return;
        }
        if (conn->out.size > OUT_KEEP_BYTES && r == 0)
                buf_deinit(&conn->out);
        if (r == 0)
                conn->ops->sent(conn);
}

bool conn_has_input(const struct conn *conn)
{
        return loop_socket_is_open(&conn->socket) && loop_socket_has_input(&conn->socket);
}

bool conn_is_sending(const struct conn *conn)
{
        return conn->is_sending || (conn->tls && tls_holds(conn->tls));
}

size_t conn_unsent_bytes(const struct conn *conn)
{
        size_t n = 0;

        for (unsigned i = 0; i < conn->socket.n_out; i++)
                n += conn->socket.out[i].iov_len;
        return n;
}

/* --- receiving ------------------------------------------------------------------------------- */

void conn_place(struct conn *conn, struct iovec borrow_room)
{
        assert(conn->state == CONN_READY && !conn_has_place(conn));
        if (conn->tls)
                conn->place = borrow_room;
        else
                loop_recv_into(&conn->socket, borrow_room.iov_base, borrow_room.iov_len);
}

bool conn_has_place(const struct conn *conn)
{
        return (conn->tls ? conn->place : conn->socket.into).iov_len > 0;
}

/* Decrypt into the place if there is one, and tell the user. Returns as tls_read(). */
static int decrypt(struct conn *conn, uint64_t kernel_ns, struct muster_error *error)
{
        struct engine *engine = conn->engine;
        struct iovec *place = &conn->place;
        struct muster_str bytes = { engine->plain, 0 };
        size_t n = 0;
        int r;

        assert(conn->state == CONN_READY && conn->tls);
        if (!place->iov_len) {
                r = tls_read(conn->tls, engine->plain, sizeof(engine->plain), &bytes.len, error);
        } else {
                r = tls_read(conn->tls, place->iov_base, place->iov_len, &n, error);
                place->iov_base = (char *)place->iov_base + n;
                place->iov_len -= n;
        }
        if (r != 0)
                return r;
        if (n)
                conn->ops->placed(conn, n);
        conn->ops->received(conn, bytes, kernel_ns);
        return 0;
}

void conn_read_tls(struct conn *conn, uint64_t kernel_ns)
{
        struct muster_error error = { 0 };
        bool held;
        int r;

        held = tls_holds(conn->tls);
        do {
                r = decrypt(conn, kernel_ns, &error);
                if (conn->state == CONN_DEAD)
                        return;
        } while (r == 0);
        if (r == TLS_EOF)
                conn->ops->ended(conn);
        if (r == TLS_MORE)
                r = conn_flush_tls(conn, &error);
        if (r == 0 && held)
                conn->ops->sent(conn);
        if (r < 0 && conn->state != CONN_DEAD)
                conn_report_failure(conn, &error);
}

/*
 * The peer ended its side. Over TLS only close_notify is an end: without it somebody may have cut
 * the response short.
 */
static void handle_end(struct conn *conn)
{
        struct muster_error error = { 0 };

        if (conn->state != CONN_READY) {
                conn->opener->ended(conn);
                return;
        }
        if (!conn->tls) {
                conn->ops->ended(conn);
                return;
        }
        error_set(&error, MUSTER_E_CLOSED, MUSTER_PHASE_RECEIVE, conn->send_sys,
                "closed: %s closed the connection without a TLS close_notify; the response may be cut short",
                conn->info.remote);
        conn_report_failure(conn, &error);
}

void conn_read_outer(struct conn *conn, uint64_t kernel_ns)
{
        struct muster_error error = { 0 };
        struct muster_str bytes = { conn->engine->wrapped, 0 };
        int r;

        while ((r = tls_read(conn->outer, conn->engine->wrapped, PLAIN_BYTES, &bytes.len,
                        &error)) == 0) {
                tls_feed(conn->tls, bytes);
                if (conn->state == CONN_READY || conn->opener->shake_hands(conn))
                        conn_read_tls(conn, kernel_ns);
                if (conn->state == CONN_DEAD)
                        return;
        }
        if (r == TLS_EOF)
                handle_end(conn);
        else if (r == TLS_MORE)
                r = conn_flush_tls(conn, &error);
        if (r < 0)
                conn_report_failure(conn, &error);
}

static void handle_received(struct conn *conn, const struct loop_event *event)
{
        if (!conn->tls) {
                if (event->n_placed)
                        conn->ops->placed(conn, event->n_placed);
                conn->ops->received(conn, event->bytes, event->kernel_ns);
                return;
        }
        if (conn->outer) {
                tls_feed(conn->outer, event->bytes);
                conn_read_outer(conn, event->kernel_ns);
                return;
        }
        tls_feed(conn->tls, event->bytes);
        conn_read_tls(conn, event->kernel_ns);
}

static void handle_failure(struct conn *conn, int sys)
{
        struct muster_error error = { 0 };

        error_set(&error, conn->send_sys ? MUSTER_E_SEND : MUSTER_E_CLOSED, MUSTER_PHASE_RECEIVE,
                sys, "%s: %s: %s", conn->send_sys ? "send" : "closed", conn->info.remote,
                error_sys_text(sys));
        conn_report_failure(conn, &error);
}

/* A queue on the way fills while much comes, and may be empty again when that is over. */
static void look_at_round_trip(struct conn *conn)
{
        if (conn->engine->tracing.tracer)
                conn_sample(conn, engine_now(conn->engine));
}

void conn_handle_socket(struct loop_socket *socket, const struct loop_event *event)
{
        struct conn *conn = conn_of_socket(socket);

        if (conn->state != CONN_READY) {
                conn->opener->event(conn, event);
                return;
        }
        switch (event->kind) {
        case LOOP_CONNECTED:
                return; /* the dial has handled it */
        case LOOP_RECEIVED:
                look_at_round_trip(conn);
                handle_received(conn, event);
                return;
        case LOOP_ACKED:
                conn->ops->acked(conn, event->kernel_ns);
                return;
        case LOOP_SENT:
                handle_sent(conn);
                return;
        case LOOP_EOF:
                handle_end(conn);
                return;
        case LOOP_FAILED:
                handle_failure(conn, event->sys);
                return;
        }
}

bool conn_is_h2(const struct conn *conn)
{
        assert(conn->state == CONN_READY);
        if (conn->kind == CONN_ALPN && conn->tls)
                return str_is(tls_alpn(conn->tls), "h2");
        return conn->kind == CONN_HTTP_2;
}

struct conn *conn_new(struct engine *engine, struct origin *origin, enum conn_kind kind,
        const struct conn_ops *ops, uint64_t now_ns)
{
        struct conn *conn = mem_zalloc(sizeof(*conn));

        if (!conn)
                return NULL;
        conn->engine = engine;
        conn->ops = ops;
        conn->kind = kind;
        conn->origin = origin;
        conn->origin->n_conns++;
        list_init(&conn->exchanges);
        list_init(&conn->waiting);
        conn->notes.id = tracing_number_conn(&engine->tracing);
        conn->notes.opened_ns = now_ns;
        return conn;
}

void conn_sample(struct conn *conn, uint64_t now_ns)
{
        struct tcp_sample sample;

        if (conn->sampled_ns && now_ns - conn->sampled_ns < SAMPLE_INTERVAL_NS)
                return;
        conn->sampled_ns = now_ns;
        if (tcp_sample_read(conn->socket.fd, &sample) < 0)
                return;
        conn->info.rtt_us = sample.rtt_us;
        conn->notes.max_rtt_us = (uint32_t)max_u64(conn->notes.max_rtt_us, sample.rtt_us);
        conn->info.min_rtt_us = sample.min_rtt_us;
        conn->info.n_retransmits = sample.n_retransmits;
}
