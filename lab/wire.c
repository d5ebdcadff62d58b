/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <base/list.h>
#include <time.h>

#define PLAIN_BYTES (64 * 1024) /* decrypted at once */

static void emit(struct wire *wire, enum wire_event_kind kind)
{
        wire->handle(wire, kind, (struct muster_str){ NULL, 0 });
}

/* Send the bytes that TLS has for the peer. 0, LOOP_PENDING, negative. */
static int send_ciphertext(struct wire *wire)
{
        struct iovec piece;
        int r = 0, sys;

        while (r == 0 && tls_has_out(wire->tls)) {
                wire->out.len = 0;
                r = tls_out_take(wire->tls, &wire->out);
                if (r < 0)
                        return r;
                piece = (struct iovec){ wire->out.at, wire->out.len };
                r = loop_send(&wire->socket, &piece, 1, &sys);
        }
        return r;
}

static bool is_sending(const struct wire *wire)
{
        return wire->socket.n_out > 0;
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
        int r = wire->tls ? send_ciphertext(wire) : 0;

        if (r < 0) {
                emit(wire, WIRE_FAILED);
        } else if (r == 0 && wire->is_owed) {
                wire->is_owed = false;
                emit(wire, WIRE_SENT);
        }
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

        *wire = (struct wire){ .handle = handler };
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
        int r = 0, sys;

        if (!wire->tls) {
                r = loop_send(&wire->socket, pieces, n_pieces, &sys);
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
                if (!is_sending(wire))
                        (void)send_ciphertext(wire);
        }
        shutdown(wire->socket.fd, SHUT_WR);
}

void wire_close(struct wire *wire)
{
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
