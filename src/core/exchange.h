/* SPDX-License-Identifier: MIT */
/*
 * Exchange: one request and its response on a connection
 *
 * An exchange links a request, which embeds it, to a connection, which may carry several. It begins
 * when the request has a slot, on a connection with room or on a new one, and belongs to that
 * connection from then on. What the connection reports (conn_ops) goes through its mux to the
 * response (response.h). At the end the request is passed on (exchange_ops).
 *
 *      start ─┬─ a connection with room ────────┬─▶ send ──▶ events of the response ──▶ over
 *             └─ one is made ─ wait until ready ┘
 */
#ifndef CORE_EXCHANGE_H
#define CORE_EXCHANGE_H

#include "trace.h"
#include <base/list.h>
#include <muster/error.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct decoder;
struct engine;
struct h2_stream;
struct muster_conn_info;
struct muster_request;

/* Embedded in a request; zeroed is no exchange. */
struct exchange {
        struct conn *conn;       /* from start to over */
        struct list link;        /* in conn->exchanges, before that in conn->waiting */
        struct decoder *decoder; /* for the body that is arriving; NULL: not needed */
        bool has_begun;          /* it is in conn->exchanges */
        bool is_sending;         /* it has begun, and not all of the request is sent */
        unsigned reuse_count;    /* of the connection, when it was joined */
        uint64_t idle_ns;        /* how long that had been idle */
        uint32_t last_received;  /* conn->n_received when something came for it last */
        /* HTTP/2, see mux_h2.c: */
        struct h2_stream *stream;
        uint64_t owed_bytes; /* of the body, that the server may not replace yet */
        bool is_paused;      /* as its reader is slow */
};

/* What exchanges report to the engine. */
struct exchange_ops {
        /* The head of a streamed response is there. */
        void (*announce)(struct muster_request *request, const struct muster_conn_info *conn);
        /*
         * The exchange is over, and the request has no connection any more. `error` NULL: there is
         * a response, and request->use says what to do with it.
         */
        void (*over)(struct muster_request *request, const struct muster_error *error);
        /* It could not begin, and waits for another connection: `why`. It has none any more. */
        void (*put_back)(struct muster_request *request, enum trace_wait why);
};

/* Signs of life of the peer, apart from input that was read: see deadline.h. */
struct exchange_signs {
        bool has_input;      /* the kernel has input that was not read yet */
        uint64_t input_ns;   /* when the kernel got the newest that was read */
        size_t unsent_bytes; /* bytes that the kernel has not taken yet */
};

/* Begin the exchange of a request that has a slot. It may fail and be over at once. */
void exchange_start(struct muster_request *request);

/* An unwanted body takes too long: end the exchange as if the body were complete. */
void exchange_drop_body(struct muster_request *request);

/* The body has waited long enough for 100 (Continue): send it. */
void exchange_send_unasked(struct muster_request *request);

/* A blocked sink, or the memory for bodies, has room again: go on receiving. */
void exchange_unblock(struct muster_request *request);

/* Send what the connections' muxes have to send, at the end of a turn: all of it together. */
void exchange_flush(struct engine *engine);

struct exchange_signs exchange_signs(const struct muster_request *request);

#endif
