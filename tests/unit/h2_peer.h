/* SPDX-License-Identifier: MIT */
/*
 * A server that writes HTTP/2 frames one by one, as wrong as the test wants them
 *
 * Field blocks are literals without Huffman coding (RFC 7541 section 6.2.2), so that what is sent
 * is what is written.
 */
#ifndef TESTS_UNIT_H2_PEER_H
#define TESTS_UNIT_H2_PEER_H

#include "h2_world.h"

enum peer_type {
        PEER_DATA,
        PEER_HEADERS,
        PEER_PRIORITY,
        PEER_RST_STREAM,
        PEER_SETTINGS,
        PEER_PUSH_PROMISE,
        PEER_PING,
        PEER_GOAWAY,
        PEER_WINDOW_UPDATE,
        PEER_CONTINUATION,
};

enum { PEER_END_STREAM = 1, PEER_ACK = 1, PEER_END_HEADERS = 4, PEER_PADDED = 8 };

/* Append a frame. */
void peer_frame(struct buf *to, enum peer_type type, unsigned flags, uint32_t stream,
        const void *payload, size_t len);

/* Append a number in network order. */
void peer_u32(struct buf *to, uint32_t value);

/* Append a field to a field block. */
void peer_field(struct buf *block, const char *name, const char *value);

/* Append frames. `fields`: names and values in turn, then NULL. */
void peer_settings(struct buf *to, uint16_t id, uint32_t value); /* id 0: none */
void peer_headers(struct buf *to, uint32_t stream, unsigned flags, const char *const *fields);
void peer_data(struct buf *to, uint32_t stream, unsigned flags, const char *text);
void peer_number(struct buf *to, enum peer_type type, uint32_t stream, uint32_t value);
void peer_goaway(struct buf *to, uint32_t last, uint32_t code, const char *reason);
void peer_ping(struct buf *to, unsigned flags);

/* A whole response: 200 with this body. */
void peer_response(struct buf *to, uint32_t stream, const char *body);

/* Feed what was written to the client, and empty it. As world_feed(). */
int peer_say(struct h2_world *world, struct buf *to);

/* How many frames of this type the client has sent; *ret_payload is the first one's. */
unsigned peer_count(const struct h2_world *world, enum peer_type type, uint32_t stream,
        struct muster_str *ret_payload);

#endif
