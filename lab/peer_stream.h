/* SPDX-License-Identifier: MIT */
/*
 * A stream of HTTP/2: one request and its response
 *
 *      fields ──▶ begin ──▶ body ──▶ complete ──▶ head ──▶ pieces of the body, as nghttp2 asks for them
 *                 (task)
 *
 * It lives from the HEADERS that open it until nghttp2 says that it is closed.
 */
#ifndef LAB_PEER_STREAM_H
#define LAB_PEER_STREAM_H

#include "peer_h2.h"
#include "stream_request.h"

struct peer_stream {
        struct peer_h2 *conn;
        struct list link; /* in the connection's list */
        int32_t id;
        bool is_begun;   /* its head is complete: what comes now are trailers */
        bool is_ignored; /* it was reset before it was looked at */
        struct stream_request fields;
        struct task task;
        struct iovec piece;      /* of the body, to be sent next */
        struct loop_timer timer; /* between two pieces */
        size_t unacknowledged_bytes;
};

/* Open a stream. NULL: memory is out. */
struct peer_stream *peer_stream_new(struct peer_h2 *conn, int32_t id);

/* It serves nothing any more: it is closed, or its connection is. May be called twice. */
void peer_stream_stop(struct peer_stream *stream);
void peer_stream_free(struct peer_stream *stream);

/* Its head is complete; so is the whole request, where `is_last`. */
void peer_stream_begin(struct peer_stream *stream, bool is_last);

/* Its body ended. */
void peer_stream_complete(struct peer_stream *stream);

/* Reset it, with an error code. */
void peer_stream_reset(struct peer_stream *stream, uint32_t code);

static inline struct peer_stream *peer_stream_of_link(struct list *link)
{
        return LIST_OWNER(link, struct peer_stream, link);
}

#endif
