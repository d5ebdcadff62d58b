/* SPDX-License-Identifier: MIT */
#include "conn.h"

#include "engine.h"
#include "mux.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <net/address.h>
#include <net/tcp_info.h>
#include <stdio.h>

#define SAMPLE_INTERVAL_NS (100 * NS_PER_MS) /* TCP_INFO costs a system call */
#define OUT_KEEP_BYTES     2048 /* the most that an idle connection keeps for sending */

#define LAST_BYTES 4096 /* read when a connection is closed: a ticket has some 250 */

/* The dial is allocated apart, as it is large and soon over. */
struct conn_dial {
        struct dial dial;
        struct conn *conn;
};

static struct conn *conn_of_socket(struct loop_socket *socket)
{
        return LIST_OWNER(socket, struct conn, socket);
}

static struct conn *conn_of_dial(struct dial *dial)
{
        return LIST_OWNER(dial, struct conn_dial, dial)->conn;
}

/* --- the end --------------------------------------------------------------------------------- */

static struct conn_dial *drop_dial(struct conn_dial *dial)
{
        if (dial)
                dial_stop(&dial->dial);
        return mem_free(dial);
}

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
        if (conn->state == CONN_READY && conn->tls)
                take_last_ticket(conn);
        tracing_conn(conn, closer);
        conn->state = CONN_DEAD;
        loop_socket_close(&conn->socket);
        conn->place = (struct iovec){ 0 };
        if (conn->dial)
                dial_stop(&conn->dial->dial);
        conn->ops->closed(conn);
}

struct conn *conn_free(struct conn *conn)
{
        assert(conn->state == CONN_DEAD);
        conn->dial = drop_dial(conn->dial);
        tls_free(conn->tls);
        if (conn->mux)
                conn->mux = conn->mux->ops->free(conn->mux);
        buf_deinit(&conn->out);
        return mem_free(conn);
}

static void report_failure(struct conn *conn, const struct muster_error *error)
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

/*
 * Send the ciphertext that TLS has, unless a send is pending: then it waits for that. CONN_SENDING
 * also while TLS holds bytes until the peer has sent more.
 */
static int flush_tls(struct conn *conn, struct muster_error *error)
{
        int r;

        assert(conn->tls);
        if (conn->is_sending)
                return CONN_SENDING;
        if (!tls_has_out(conn->tls))
                return tls_holds(conn->tls) ? CONN_SENDING : 0;
        conn->out.len = 0;
        r = tls_out_take(conn->tls, &conn->out);
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_SEND);
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
        return r < 0 ? r : flush_tls(conn, error);
}

static void handle_sent(struct conn *conn)
{
        struct muster_error error = { 0 };
        int r = 0;

        assert(conn->is_sending && conn->state != CONN_DEAD);
        conn->is_sending = false;
        if (conn->tls)
                r = flush_tls(conn, &error);
        if (r < 0) {
                report_failure(conn, &error);
                return;
        }
        if (conn->out.size > OUT_KEEP_BYTES && r == 0)
                buf_deinit(&conn->out);
        if (r == 0 && conn->state == CONN_READY)
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

static void become_ready(struct conn *conn)
{
        assert(conn->state == (conn->tls ? CONN_HANDSHAKE : CONN_DIALING) && !conn->mux);
        conn->state = CONN_READY;
        if (conn->tls) {
                conn->notes.tls_end_ns = engine_now(conn->engine);
                snprintf(conn->info.tls_version, sizeof(conn->info.tls_version), "%s",
                        tls_version_name(conn->tls));
                snprintf(conn->info.tls_cipher, sizeof(conn->info.tls_cipher), "%s",
                        tls_cipher_name(conn->tls));
                conn->info.tls_resumed = tls_was_resumed(conn->tls);
                conn->engine->stats.n_tls_handshakes++;
                conn->engine->stats.n_tls_resumed += conn->info.tls_resumed;
        }
        conn->ops->ready(conn);
}

static void note_handshake(struct conn *conn, uint64_t ns)
{
        conn->notes.tls_work_ns += ns;
        tracing_worked(conn->engine, TRACE_WORK_TLS, ns, conn->notes.wanted_by);
}

/* True if the handshake is complete and the connection still open. */
static bool shake_hands(struct conn *conn)
{
        struct muster_error error = { 0 };
        uint64_t start_ns = engine_now(conn->engine);
        int r = tls_handshake(conn->tls, &error);
        int sent = flush_tls(conn, &error);

        assert(conn->state == CONN_HANDSHAKE && conn->tls);
        note_handshake(conn, engine_now(conn->engine) - start_ns);
        if (r >= 0 && sent < 0)
                r = sent;
        if (r < 0) {
                report_failure(conn, &error);
                return false;
        }
        if (r == TLS_MORE)
                return false;
        become_ready(conn);
        return conn->state != CONN_DEAD;
}

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

static void read_tls(struct conn *conn, uint64_t kernel_ns)
{
        struct muster_error error = { 0 };
        bool held;
        int r;

        if (conn->state == CONN_HANDSHAKE && !shake_hands(conn))
                return;
        held = tls_holds(conn->tls);
        do {
                r = decrypt(conn, kernel_ns, &error);
                if (conn->state == CONN_DEAD)
                        return;
        } while (r == 0);
        if (r == TLS_EOF)
                conn->ops->ended(conn);
        if (r == TLS_MORE)
                r = flush_tls(conn, &error);
        if (r == 0 && held)
                conn->ops->sent(conn);
        if (r < 0 && conn->state != CONN_DEAD)
                report_failure(conn, &error);
}

static void handle_received(struct conn *conn, const struct loop_event *event)
{
        if (!conn->tls) {
                if (event->n_placed)
                        conn->ops->placed(conn, event->n_placed);
                conn->ops->received(conn, event->bytes, event->kernel_ns);
                return;
        }
        tls_feed(conn->tls, event->bytes);
        read_tls(conn, event->kernel_ns);
}

/*
 * The peer ended its side. Over TLS only close_notify is an end: without it somebody may have cut
 * the response short.
 */
static void handle_end(struct conn *conn)
{
        struct muster_error error = { 0 };

        if (!conn->tls) {
                conn->ops->ended(conn);
                return;
        }
        if (conn->state == CONN_HANDSHAKE)
                error_set(&error, MUSTER_E_TLS, MUSTER_PHASE_TLS, 0,
                        "tls: the server closed the connection during the handshake; does it speak TLS 1.2 or later on this port?");
        else
                error_set(&error, MUSTER_E_CLOSED, MUSTER_PHASE_RECEIVE, conn->send_sys,
                        "closed: %s closed the connection without a TLS close_notify; the response may be cut short",
                        conn->info.remote);
        report_failure(conn, &error);
}

static void handle_failure(struct conn *conn, int sys)
{
        struct muster_error error = { 0 };

        if (conn->state == CONN_HANDSHAKE)
                error_set(&error, MUSTER_E_TLS, MUSTER_PHASE_TLS, sys,
                        "tls: %s during the handshake with %s", error_sys_text(sys),
                        conn->info.remote);
        else
                error_set(&error, conn->send_sys ? MUSTER_E_SEND : MUSTER_E_CLOSED,
                        MUSTER_PHASE_RECEIVE, sys, "%s: %s: %s", conn->send_sys ? "send" : "closed",
                        conn->info.remote, error_sys_text(sys));
        report_failure(conn, &error);
}

static void handle_socket(struct loop_socket *socket, const struct loop_event *event)
{
        struct conn *conn = conn_of_socket(socket);

        switch (event->kind) {
        case LOOP_CONNECTED:
                return; /* the dial has handled it */
        case LOOP_RECEIVED:
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

/* --- the beginning --------------------------------------------------------------------------- */

static void note_remote(struct conn *conn, const struct dial *dial)
{
        address_text((const struct sockaddr *)&dial->address, conn->info.remote,
                sizeof(conn->info.remote));
        conn->info.id = conn->notes.id;
        conn->notes.family = dial->address.ss_family == AF_INET6 ? 6 : 4;
        conn->engine->stats.n_conns_opened++;
}

/* Without memory for them, nothing is resumed. */
static struct tls_sessions *sessions_of(struct origin *origin, struct tls_context *context)
{
        assert(origin->is_tls);
        if (!origin->sessions)
                origin->sessions =
                        tls_context_sessions(context, buf_str(&origin->host), origin->port);
        return origin->sessions;
}

/* What to offer (RFC 7301 section 3.1), the preferred one first. */
static struct muster_str alpn_of(const struct conn *conn)
{
        if (conn->kind == CONN_ALPN)
                return (struct muster_str){ "\x02h2\x08http/1.1", 12 };
        return (struct muster_str){ "\x08http/1.1", 9 };
}

bool conn_is_h2(const struct conn *conn)
{
        assert(conn->state == CONN_READY);
        if (conn->kind == CONN_ALPN && conn->tls)
                return str_is(tls_alpn(conn->tls), "h2");
        return conn->kind == CONN_HTTP_2;
}

static void begin_tls(struct conn *conn)
{
        struct muster_error error = { 0 };
        struct tls_context *context;
        uint64_t start_ns = engine_now(conn->engine);
        int r = tls_source_get(conn->engine->tls_source, &context, &error);

        assert(conn->state == CONN_DIALING && !conn->tls);
        /* A client's first handshake loads the trust store. */
        tracing_worked(conn->engine, TRACE_WORK_TLS, engine_now(conn->engine) - start_ns,
                conn->notes.wanted_by);
        if (r == 0)
                r = tls_new(&conn->tls, context, buf_str(&conn->origin->host), alpn_of(conn),
                        sessions_of(conn->origin, context), &error);
        if (r < 0) {
                report_failure(conn, &error);
                return;
        }
        conn->state = CONN_HANDSHAKE;
        conn->notes.had_ticket = tls_has_offered(conn->tls);
        shake_hands(conn);
}

static void handle_connected(struct conn *conn)
{
        assert(!conn->dial && loop_socket_is_open(&conn->socket));
        loop_recv_start(&conn->socket);
        if (conn->origin->is_tls)
                begin_tls(conn);
        else
                become_ready(conn);
}

/* Dialling is over. The dial can be freed here, as done() is the last thing that it does. */
static void handle_dialled(struct dial *dial, int r)
{
        struct conn *conn = conn_of_dial(dial);
        struct muster_error error = dial->error;

        assert(conn->state == CONN_DIALING && conn->dial);
        conn->notes.dns_end_ns = dial->dns_end_ns;
        conn->notes.tcp_end_ns = r == 0 ? engine_now(conn->engine) : 0;
        conn->info.n_addresses = dial->n_tried;
        if (r == 0) {
                note_remote(conn, dial);
                dial_take_socket(dial, &conn->socket, handle_socket);
        }
        conn->dial = drop_dial(conn->dial);
        if (r == 0)
                handle_connected(conn);
        else
                report_failure(conn, &error);
}

struct conn *conn_new(struct engine *engine, struct origin *origin, enum conn_kind kind,
        const struct conn_ops *ops, uint64_t now_ns)
{
        struct conn *conn = mem_zalloc(sizeof(*conn));

        if (!conn)
                return NULL;
        conn->dial = mem_zalloc(sizeof(*conn->dial));
        if (!conn->dial) {
                mem_free(conn);
                return NULL;
        }
        conn->dial->conn = conn;
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

int conn_dial(struct conn *conn, struct muster_error *error)
{
        int r = dial_start(&conn->dial->dial, &conn->engine->loop, conn->engine->resolver,
                handle_dialled, buf_str(&conn->origin->host), conn->origin->port);

        assert(conn->state == CONN_DIALING && conn->dial);
        if (r < 0)
                error_set(error, (enum muster_code)r, MUSTER_PHASE_DNS, 0, "%s",
                        conn->dial->dial.error.text);
        return r;
}

uint64_t conn_dns_end_ns(const struct conn *conn)
{
        return conn->dial ? conn->dial->dial.dns_end_ns : conn->notes.dns_end_ns;
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
        conn->info.min_rtt_us = sample.min_rtt_us;
        conn->info.n_retransmits = sample.n_retransmits;
}
