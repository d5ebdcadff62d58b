/* SPDX-License-Identifier: MIT */
/*
 * Mux: how requests and responses share a connection; the protocol as a table of functions
 *
 * HTTP/1 (mux_h1.h) has room for one exchange at a time. The connection holds a mux and calls none
 * of these functions. exchange.c has the mux write requests, and takes events from it as bytes
 * come.
 *
 *      exchange.c ──begin, send──▶ mux ──bytes──▶ conn
 *      exchange.c ◀──events────── next ◀──bytes── conn
 */
#ifndef CORE_MUX_H
#define CORE_MUX_H

#include <http/event.h>
#include <muster/error.h>

struct conn;
struct muster_request;

#define MUX_MORE 1 /* more bytes are needed */

struct mux_ops {
        /* How many more exchanges may begin now. */
        unsigned (*room)(const struct conn *conn);

        /*
         * Write the head of a request, and its body if that is in memory. As conn_send(): 0: all of
         * it is sent. CONN_SENDING. Negative with *error.
         */
        int (*begin)(struct conn *conn, struct muster_request *request, struct muster_error *error);

        /* Write the next piece of an upload (upload.h). As begin(). */
        int (*send)(struct conn *conn, struct muster_request *request, struct muster_error *error);

        /* Make the server wait, as the response's reader is slow; and continue. */
        void (*pause)(struct conn *conn, struct muster_request *request);
        void (*resume)(struct conn *conn, struct muster_request *request);

        /*
         * Take the next event from `bytes`, and say whose it is. MUX_MORE: `bytes` is used up;
         * *ret_request is whose bytes they were, or NULL. Negative with *error: the connection is
         * unusable.
         */
        int (*next)(struct conn *conn, struct muster_str *bytes,
                struct muster_request **ret_request, struct http_event *ret_event,
                struct muster_error *error);

        /*
         * After MUX_MORE: how many of the next bytes are that request's body as it is. 0: none, or
         * not known.
         */
        uint64_t (*body_left)(const struct conn *conn);

        /* `n` of these bytes were received into their place, and next() will not see them. */
        void (*skip_body)(struct conn *conn, size_t n);

        /*
         * The peer sends no more. 0: that ends the response of the present exchange. Negative with
         * *error: the response was cut short.
         */
        int (*eof)(struct conn *conn, struct muster_error *error);

        /* For a failed request: is it certain that the server has not begun to answer? */
        bool (*is_unprocessed)(const struct conn *conn, const struct muster_request *request);

        /*
         * End an exchange whose response is complete or dropped. May the connection still be used?
         */
        bool (*end)(struct conn *conn, struct muster_request *request);

        /* The same for an exchange that failed or is not wanted any more. */
        bool (*cancel)(struct conn *conn, struct muster_request *request);

        struct mux *(*free)(struct mux *mux); /* returns NULL */
};

/* Embed it as the first member. */
struct mux {
        const struct mux_ops *ops;
        /* the server keeps the connection open for more requests; known after end() */
        bool keeps_alive;
};

#endif
