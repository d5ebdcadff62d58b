/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <assert.h>
#include <base/list.h>
#include <base/minmax.h>
#include <time.h>

#define PLAIN_BYTES (64 * 1024)      /* decrypted at once */
#define PACE_NS     (10 * NS_PER_MS) /* where there is a rate: what it allows in that time */

static void emit(struct wire *wire, enum wire_event_kind kind)
{
        wire->handle(wire, kind, (struct muster_str){ NULL, 0 });
}

/* --- sending --------------------------------------------------------------------------------- */

static bool is_sending(const struct wire *wire)
{
        return wire->socket.n_out > 0 || wire->n_held > 0;
}

/* The first `most` bytes of what is held, or all of it. */
static uint64_t take_held(struct wire *wire, uint64_t most, struct iovec *pieces, unsigned *n)
{
        uint64_t taken = 0;

        *n = 0;
        while (wire->n_held && taken < most) {
                struct iovec *held = &wire->held[0];
                size_t len = (size_t)min_u64(held->iov_len, most - taken);

                pieces[(*n)++] = (struct iovec){ held->iov_base, len };
                taken += len;
                *held = (struct iovec){ (char *)held->iov_base + len, held->iov_len - len };
                if (!held->iov_len) {
                        wire->held[0] = wire->held[1];
                        wire->n_held--;
                }
        }
        return taken;
}

/* A timer that is late makes no difference to the rate; a time without anything to send does. */
static void count_sent(struct wire *wire, uint64_t n, uint64_t now_ns)
{
        if (clock_after(wire->due_ns, PACE_NS) < now_ns)
                wire->due_ns = now_ns;
        wire->due_ns = clock_after(wire->due_ns, n * NS_PER_S / wire->bytes_per_s);
}

/* Send what is held, as much of it as its rate allows. 0, LOOP_PENDING, negative. */
static int send_held(struct wire *wire)
{
        struct loop *loop = wire->socket.loop;
        int r = 0, sys;

        while (r == 0 && wire->n_held) {
                uint64_t now_ns = clock_now(loop->clock);
                struct iovec pieces[2];
                unsigned n_pieces;

                if (now_ns < wire->due_ns)
                        return loop_timer_set(loop, &wire->timer, wire->due_ns) < 0
                                       ? MUSTER_E_RESOURCE
                                       : LOOP_PENDING;
                count_sent(wire,
                        take_held(wire, max_u64(wire->bytes_per_s / (NS_PER_S / PACE_NS), 1),
                                pieces, &n_pieces),
                        now_ns);
                r = loop_send(&wire->socket, pieces, n_pieces, &sys);
        }
        return r;
}

/* 0, LOOP_PENDING (the pieces stay borrowed), negative. */
static int send_pieces(struct wire *wire, const struct iovec *pieces, unsigned n_pieces)
{
        int sys;

        assert(!is_sending(wire) && n_pieces <= sizeof(wire->held) / sizeof(wire->held[0]));
        if (!wire->bytes_per_s)
                return loop_send(&wire->socket, pieces, n_pieces, &sys);
        for (unsigned i = 0; i < n_pieces; i++)
                if (pieces[i].iov_len)
                        wire->held[wire->n_held++] = pieces[i];
        return send_held(wire);
}

/* Send the bytes that TLS has for the peer. 0, LOOP_PENDING, negative. */
static int send_ciphertext(struct wire *wire)
{
        struct iovec piece;
        int r = 0;

        while (r == 0 && tls_has_out(wire->tls)) {
                wire->out.len = 0;
                r = tls_out_take(wire->tls, &wire->out);
                if (r < 0)
                        return r;
                piece = (struct iovec){ wire->out.at, wire->out.len };
                r = send_pieces(wire, &piece, 1);
        }
        return r;
}

/* Spend the CPU time that a handshake costs a slow machine. */
static void burn(uint64_t ns)
{
        uint64_t end = clock_ns_of(CLOCK_THREAD_CPUTIME_ID) + ns;

        while (clock_ns_of(CLOCK_THREAD_CPUTIME_ID) < end)
                ;
}

/* --- receiving ------------------------------------------------------------------------------- */

/* True when the handshake is over and the connection still there. */
static bool shake_hands(struct wire *wire)
{
        int r, sent = 0;

        if (wire->handshake_cost_ns) {
                burn(wire->handshake_cost_ns);
                wire->handshake_cost_ns = 0;
        }
        r = tls_handshake(wire->tls, NULL);
        if (!is_sending(wire))
                sent = send_ciphertext(wire);
        if (r < 0 || sent < 0) {
                emit(wire, WIRE_FAILED);
                return false;
        }
        if (r == TLS_MORE)
                return false;
        wire->is_shaken = true;
        emit(wire, WIRE_SHAKEN);
        return wire_is_open(wire);
}

static void receive_tls(struct wire *wire, struct muster_str ciphertext)
{
        static char plain[PLAIN_BYTES]; /* one thread, and used only inside of a call */
        size_t n = 0;
        int r;

        tls_feed(wire->tls, ciphertext);
        if (!wire->is_shaken && !shake_hands(wire))
                return;
        while ((r = tls_read(wire->tls, plain, sizeof(plain), &n, NULL)) == 0) {
                wire->handle(wire, WIRE_RECEIVED, (struct muster_str){ plain, n });
                if (!wire_is_open(wire))
                        return;
        }
        if (r == TLS_MORE && !is_sending(wire))
                r = send_ciphertext(wire);
        if (r < 0)
                emit(wire, WIRE_FAILED);
        else if (r == TLS_EOF)
                emit(wire, WIRE_ENDED);
}

static void finish_send(struct wire *wire)
{
        int r = send_held(wire);

        if (r == 0 && wire->tls)
                r = send_ciphertext(wire);
        if (r < 0) {
                emit(wire, WIRE_FAILED);
        } else if (r == 0 && wire->is_owed) {
                wire->is_owed = false;
                emit(wire, WIRE_SENT);
        }
}

static void may_send_more(struct loop_timer *timer, uint64_t late_ns)
{
        (void)late_ns;
        finish_send(LIST_OWNER(timer, struct wire, timer));
}

static void handle_socket(struct loop_socket *socket, const struct loop_event *event)
{
        struct wire *wire = LIST_OWNER(socket, struct wire, socket);

        switch (event->kind) {
        case LOOP_RECEIVED:
                if (wire->tls)
                        receive_tls(wire, event->bytes);
                else
                        wire->handle(wire, WIRE_RECEIVED, event->bytes);
                return;
        case LOOP_ACKED:
                return; /* was not asked for */
        case LOOP_SENT:
                finish_send(wire);
                return;
        case LOOP_EOF:
                emit(wire, wire->tls && !wire->is_shaken ? WIRE_FAILED : WIRE_ENDED);
                return;
        case LOOP_FAILED:
                emit(wire, WIRE_FAILED);
                return;
        case LOOP_CONNECTED:
                return;
        }
}

/* --- the rest -------------------------------------------------------------------------------- */

int wire_open(struct wire *wire, struct loop *loop, int take_fd, struct tls_context *context,
        wire_handler handler)
{
        struct muster_error error = { 0 };
        int sys, r;

        *wire = (struct wire){ .handle = handler, .timer.fire = may_send_more };
        r = loop_socket_adopt(loop, &wire->socket, handle_socket, take_fd, &sys);
        if (r < 0)
                return r;
        if (context && tls_server_new(&wire->tls, context, &error) < 0) {
                loop_socket_close(&wire->socket);
                return MUSTER_E_RESOURCE;
        }
        loop_recv_start(&wire->socket);
        return 0;
}

int wire_send(struct wire *wire, const struct iovec *pieces, unsigned n_pieces)
{
        int r = 0;

        if (!wire->tls) {
                r = send_pieces(wire, pieces, n_pieces);
        } else {
                for (unsigned i = 0; i < n_pieces && r == 0; i++)
                        r = tls_write(wire->tls, pieces[i].iov_base, pieces[i].iov_len, NULL);
                if (r == 0)
                        r = is_sending(wire) ? LOOP_PENDING : send_ciphertext(wire);
        }
        wire->is_owed = r == LOOP_PENDING;
        return r;
}

void wire_end(struct wire *wire)
{
        if (wire->tls) {
                tls_close(wire->tls);
                if (!is_sending(wire)) {
                        wire->bytes_per_s = 0; /* the last bytes do not wait for the rate */
                        (void)send_ciphertext(wire);
                }
        }
        shutdown(wire->socket.fd, SHUT_WR);
}

void wire_close(struct wire *wire)
{
        if (wire_is_open(wire))
                loop_timer_stop(wire->socket.loop, &wire->timer);
        wire->n_held = 0;
        loop_socket_close(&wire->socket);
        wire->tls = tls_free(wire->tls);
        buf_deinit(&wire->out);
}

void wire_reset(struct wire *wire)
{
        struct linger linger = { .l_onoff = 1 };

        if (wire_is_open(wire))
                (void)setsockopt(wire->socket.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        wire_close(wire);
}
