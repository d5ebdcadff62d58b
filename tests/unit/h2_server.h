/* SPDX-License-Identifier: MIT */
/*
 * nghttp2's server session, in memory: a server that keeps the rules
 *
 * It answers "/N" with N bytes, whose values tell their place, and POST with the number of bytes
 * that came.
 */
#ifndef TESTS_UNIT_H2_SERVER_H
#define TESTS_UNIT_H2_SERVER_H

#include "h2_world.h"

#include <nghttp2/nghttp2.h>

struct h2_server {
        nghttp2_session *session;
        unsigned n_resets;   /* by the client */
        size_t padding;      /* added to each frame */
        const uint8_t *rest; /* of the frame that was pulled in part */
        size_t rest_bytes;
};

/* `max_streams`, `window` (of each stream, for uploads): its SETTINGS. */
void server_open(struct h2_server *server, uint32_t max_streams, uint32_t window);
void server_close(struct h2_server *server);

/* Read what the client sent. */
void server_feed(struct h2_server *server, const void *at, size_t len);

/* Append up to `max` bytes to send. */
void server_pull(struct h2_server *server, struct buf *to, size_t max);

/* Let client and server talk until neither has anything more to say. */
void server_talk(struct h2_server *server, struct h2_world *world);

/* Is this the body of "/N"? */
void expect_body(const struct exchange *exchange, size_t n);

#endif
