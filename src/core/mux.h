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

#include "request.h"
#include <http/event.h>
#include <muster/error.h>

struct conn;

#define MUX_MORE    1 /* more bytes are needed */
#define MUX_CHANGED 2 /* there may be more room, or none for ever: is_closing() */

struct mux_ops {
        bool is_shared;  /* there is room for several exchanges at once */
        bool can_expect; /* begin() can leave a body behind that waits for 100 (Continue) */

        /* How many more exchanges may begin now. */
        unsigned (*room)(const struct conn *conn);

        /* How many may be under way at once, where they share it; NULL: they never do. */
        unsigned (*allowed)(const struct conn *conn);

        /* Is it known how many exchanges the server allows? Until then room() is a guess. */
        bool (*knows_room)(const struct conn *conn);

        /* Will there be no room any more? */
        bool (*is_closing)(const struct conn *conn);

        /*
         * How many exchanges the server took on a connection that is closing, if it left others
         * over; else 0. NULL: it never does.
         */
        unsigned (*taken)(const struct conn *conn);

        /*
         * Write the head of a request, and its body if that is in memory. As conn_send(): 0: all of
         * it is sent. CONN_SENDING. Negative with *error.
         */
        int (*begin)(struct conn *conn, struct muster_request *request, struct muster_error *error);

        /*
         * Write what can be written now: pieces of uploads (upload.h), and what the protocol has to
         * say of its own. As begin(). Negative with *error: the request *ret_request fails, or all
         * that use the connection if that is NULL.
         */
        int (*flush)(struct conn *conn, struct muster_request **ret_request,
                struct muster_error *error);

        /* The request's upload has something again, which flush() is to send. NULL: it looks. */
        void (*hungry)(struct conn *conn, struct muster_request *request);

        /* Has everything of the request been written, and does the kernel have it? */
        bool (*is_sent)(const struct conn *conn, const struct muster_request *request);

        /* Make the server wait, as the response's reader is slow; and continue. */
        void (*pause)(struct conn *conn, struct muster_request *request);
        void (*resume)(struct conn *conn, struct muster_request *request);

        /*
         * Take the next event from `bytes`, and say whose it is. `now_ns` may be the same for all
         * that was received at once. MUX_MORE: `bytes` is used up; *ret_request is whose bytes they
         * were, or NULL. Negative with *error: the request *ret_request fails; if that is NULL, the
         * connection is unusable. MUX_CHANGED: go on.
         */
        int (*next)(struct conn *conn, struct muster_str *bytes, uint64_t now_ns,
                struct muster_request **ret_request, struct http_event *ret_event,
                struct muster_error *error);

        /*
         * After MUX_MORE: how many of the next bytes are that request's body as it is. 0: none, or
         * not known.
         */
        uint64_t (*body_left)(const struct conn *conn);

        /*
         * `n` of these bytes were received into their place, and next() will not see them. Returns
         * whose they are.
         */
        struct muster_request *(*skip_body)(struct conn *conn, size_t n);

        /*
         * The peer sends no more. 0: that ends the response of *ret_request; NULL: nobody's.
         * Negative with *error: responses were cut short.
         */
        int (*eof)(struct conn *conn, struct muster_request **ret_request,
                struct muster_error *error);

        /* What may have become of a request that has failed? */
        enum request_fate (*fate)(const struct conn *conn, const struct muster_request *request);

        /* A number that changes with each piece of the request that is sent; 0: nothing is left. */
        size_t (*unsent)(const struct conn *conn, const struct muster_request *request);

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
        unsigned n_sending; /* exchanges that have begun and are not sent yet */
};

#endif
