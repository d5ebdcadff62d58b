/* SPDX-License-Identifier: MIT */
/*
 * A client of HTTP/2 for the lab's world: nghttp2 over a plain socket, in the same thread
 */
#ifndef TESTS_UNIT_H2_CLIENT_H
#define TESTS_UNIT_H2_CLIENT_H

#include "lab_world.h"

#include <nghttp2/nghttp2.h>

#define H2C_STREAMS 40

struct h2c_answer {
        int status; /* 0: none yet */
        int n_interim;
        struct buf fields; /* "name: value\n" each */
        struct buf body;
        size_t n_pieces; /* DATA frames that were not empty */
        bool is_closed;
        uint32_t code; /* with which it was closed */
        size_t n_upload;
};

struct h2c {
        struct client socket;
        nghttp2_session *session;
        struct h2c_answer answers[H2C_STREAMS]; /* by (stream - 1) / 2 */
        bool has_goaway;
        int32_t last_id;
        uint32_t goaway_code;
        int n_pongs, n_settings;
};

/* Connect and send the preface; close. */
void h2c_open(struct h2c *client);
void h2c_close(struct h2c *client);

/* Send and receive until nothing more comes. */
void h2c_settle(struct h2c *client);

/* Queue a request; with a body of so many "x", or -1: none. The place of its answer. */
struct h2c_answer *h2c_ask(struct h2c *client, const char *method, const char *path,
        long body_bytes);

/* Ask, and settle. */
struct h2c_answer *h2c_get(struct h2c *client, const char *path);

/* The answer is whole and has this status and, where it is not NULL, this body. */
void h2c_answered(const struct h2c_answer *answer, int status, const char *body);
bool h2c_has_field(const struct h2c_answer *answer, const char *line);

#endif
