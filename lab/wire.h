/* SPDX-License-Identifier: MIT */
/*
 * An accepted connection as bytes, with or without TLS
 */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include <net/loop.h>
#include <tls/tls_server.h>

struct wire;

enum wire_event_kind {
        WIRE_SHAKEN,   /* the TLS handshake is complete */
        WIRE_RECEIVED, /* bytes, borrowed until the handler returns */
        WIRE_SENT,     /* a wire_send() that answered LOOP_PENDING is done */
        WIRE_ENDED,    /* the client sends no more */
        WIRE_FAILED,   /* the connection failed; close it */
};

typedef void (*wire_handler)(struct wire *wire, enum wire_event_kind kind, struct muster_str bytes);

/*
 * Embed it; zeroed is closed. A handler may close it; it must stay in memory until the loop's turn
 * is over.
 */
struct wire {
        struct loop_socket socket;
        struct tls *tls; /* NULL: plain */
        wire_handler handle;
        uint64_t handshake_cost_ns; /* processor time to burn, once */
        uint64_t bytes_per_s;       /* sent at most; 0: as fast as it goes */
        struct iovec held[2];       /* of a send, borrowed: what is to go out later */
        unsigned n_held;
        uint64_t due_ns;         /* when more may go out */
        struct loop_timer timer; /* until then */
        bool is_shaken;
        bool is_owed;   /* a WIRE_SENT */
        struct buf out; /* ciphertext on its way */
};

/*
 * Take an accepted descriptor; `context` is NULL for plain bytes. MUSTER_E_RESOURCE: it is closed.
 */
int wire_open(struct wire *wire, struct loop *loop, int take_fd, struct tls_context *context,
        wire_handler handle);

/* 0, LOOP_PENDING (pieces stay borrowed until WIRE_SENT), negative: failed. One at a time. */
int wire_send(struct wire *wire, const struct iovec *pieces, unsigned n_pieces);

/* End our side (close_notify, FIN); receiving goes on. */
void wire_end(struct wire *wire);

/* Close. May be called twice. */
void wire_close(struct wire *wire);

/* Close with a RST. */
void wire_reset(struct wire *wire);

static inline bool wire_is_open(const struct wire *wire)
{
        return loop_socket_is_open(&wire->socket);
}

#endif
