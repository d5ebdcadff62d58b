/* SPDX-License-Identifier: MIT */
/*
 * One request and its response on a connection
 *
 * An exchange stands between a request, which embeds it, and a connection, which may carry several.
 * It begins when the request has a slot: on a connection that has room, or on one that is made for
 * it, to which it belongs from then on. What the connection tells (conn_ops) goes by way of its mux
 * to the response (response.h); when all is over the request is handed on (exchange_ops).
 *
 *      start ─┬─ a connection with room ────────┬─▶ send ──▶ events of the response ──▶ over
 *             └─ one is made ─ wait until ready ┘
 */
#ifndef CORE_EXCHANGE_H
#define CORE_EXCHANGE_H

#include <base/list.h>
#include <muster/error.h>

struct conn;
struct decoder;
struct muster_conn_info;
struct muster_request;

/* Embed it in a request; zeroed is none. */
struct exchange {
        struct conn *conn;       /* from start to over */
        struct list link;        /* in conn->exchanges */
        struct decoder *decoder; /* of the body that is arriving; NULL: none is needed */
};

/* To whom exchanges are reported. */
struct exchange_ops {
        /* The head of a stream's response is there. */
        void (*announce)(struct muster_request *request, const struct muster_conn_info *conn);
        /*
         * The exchange is over, and the request has no connection any more. `error` NULL: there was
         * a response, and request->use says what to do with it.
         */
        void (*over)(struct muster_request *request, const struct muster_error *error);
};

/* What a connection shows of its peer beside what was read: see deadline.h. */
struct exchange_signs {
        bool has_input;      /* the kernel has something that was not read yet */
        size_t unsent_bytes; /* that the kernel did not take yet */
};

/* Begin, for a request that has a slot. It may be over at once, with an error. */
void exchange_start(struct muster_request *request);

/* End it with this error; nothing more is wanted of its connection for this request. */
void exchange_cancel(struct muster_request *request, const struct muster_error *error);

/* A body that nobody wants has taken too long: end it as if it were whole. */
void exchange_drop_body(struct muster_request *request);

/* Somebody has read of a stream that was held up: go on. */
void exchange_unblock(struct muster_request *request);

/* While its connection is being made: note in the attempt how far that has come. */
void exchange_note_progress(struct muster_request *request);

struct exchange_signs exchange_signs(const struct muster_request *request);

#endif
