/* SPDX-License-Identifier: MIT */
/*
 * How requests and responses share a connection: the protocol, as a table of what it can do
 *
 * HTTP/1 (mux_h1.h) has room for one exchange at a time. The connection holds a mux and calls none of
 * this: exchange.c asks the mux to write a request, and hands it what came, event by event.
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
         * Write the head of a request, and its body where that is in memory. As conn_send(): 0: all
         * of it is sent. CONN_SENDING. Negative, with *error.
         */
        int (*begin)(struct conn *conn, struct muster_request *request, struct muster_error *error);

        /* Write the next piece of a body that is read as it is sent (upload.h). As begin(). */
        int (*send)(struct conn *conn, struct muster_request *request, struct muster_error *error);

        /* The reader of this response is slow: have the server wait; and go on. */
        void (*pause)(struct conn *conn, struct muster_request *request);
        void (*resume)(struct conn *conn, struct muster_request *request);

        /*
         * The next event in what came, and whose it is. MUX_MORE: `bytes` is used up; *ret_request
         * is whose bytes they were, or NULL. Negative, with *error: the connection is of no more
         * use to anybody.
         */
        int (*next)(struct conn *conn, struct muster_str *bytes,
                struct muster_request **ret_request, struct http_event *ret_event,
                struct muster_error *error);

        /*
         * After MUX_MORE: how many of the bytes that come next are the body of that request as it
         * is. 0: none are, or nobody knows.
         */
        uint64_t (*body_left)(const struct conn *conn);

        /* So many of these were put where they belong, and will not come by next(). */
        void (*skip_body)(struct conn *conn, size_t n);

        /*
         * The peer will send no more. 0: that ended the response of the exchange that is there.
         * Negative, with *error: so it was cut short.
         */
        int (*eof)(struct conn *conn, struct muster_error *error);

        /* For a request that failed: is it certain that the server has not begun to answer? */
        bool (*is_unprocessed)(const struct conn *conn, const struct muster_request *request);

        /*
         * An exchange is over: its response is whole, or the rest of it is dropped. May the
         * connection be used on?
         */
        bool (*end)(struct conn *conn, struct muster_request *request);

        /* So, too, for one that failed or is not wanted any more. */
        bool (*cancel)(struct conn *conn, struct muster_request *request);

        struct mux *(*free)(struct mux *mux); /* returns NULL */
};

/* Embed it first. */
struct mux {
        const struct mux_ops *ops;
        bool keeps_alive; /* the server would have others use the connection; known after end() */
};

#endif
