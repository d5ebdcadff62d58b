/* SPDX-License-Identifier: MIT */
/*
 * A client's HTTP/2 session with its exchanges, for the tests of http/h2.h
 *
 * What the client sends is in `sent`. Who answers is the test's business: h2_peer.h writes frames
 * one by one, h2_server.h is nghttp2's server.
 */
#ifndef TESTS_UNIT_H2_WORLD_H
#define TESTS_UNIT_H2_WORLD_H

#include "unit.h"

#include <http/h2.h>

/* A request, and what came of it. */
struct exchange {
        struct h2_stream *stream;
        struct buf head, body;
        int status;
        unsigned n_interim;
        bool has_length, has_body;
        uint64_t length;
        bool is_done, has_failed, is_unprocessed;
        uint32_t code;
        struct muster_error error;
};

struct h2_world {
        struct h2 *h2;
        uint64_t now_ns;
        struct buf sent;    /* by the client, not looked at yet */
        bool byte_by_byte;  /* how the client is fed */
        bool keeps_windows; /* the readers say nothing of what they use */
        int last;           /* what h2_next() returned at the end */
        struct muster_error error;
        unsigned n_settings, n_goaway, n_pong;
        uint32_t last_stream, goaway_code;
        char said[64];
        uint64_t rtt_ns;
};

void world_open(struct h2_world *world, const struct h2_options *options);
void world_close(struct h2_world *world);

/* Begin "METHOD http://example.com/path", with a body if `has_body`. */
void world_begin(struct h2_world *world, struct exchange *exchange, const char *method,
        const char *path, bool has_body);
void world_get(struct h2_world *world, struct exchange *exchange);

/* End the stream if it has not ended, and release what it holds. */
void exchange_close(struct h2_world *world, struct exchange *exchange);

/* Feed the client, and take all events. As h2_next() at the end. */
int world_feed(struct h2_world *world, const void *at, size_t len);

/* Append to `sent` all that the client has to send. As h2_pull(). */
int world_pull(struct h2_world *world);

/* Did the response come, whole, with this status and body? */
void expect_response(const struct exchange *exchange, int status, const char *body);

/* Did the request fail, with this text? */
void expect_failed(const struct exchange *exchange, enum muster_code code, const char *text);

#endif
