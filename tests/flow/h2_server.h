/* SPDX-License-Identifier: MIT */
/*
 * A server for flow tests that speaks HTTP/2 in the clear, in the client's own loop
 *
 * nghttp2's server session does the protocol. For each request that has arrived whole the test's
 * function says what to do; the connections can be told to do more.
 */
#ifndef TESTS_FLOW_H2_SERVER_H
#define TESTS_FLOW_H2_SERVER_H

#include <net/loop.h>

struct h2_answer {
        int status;        /* 0: none, the request hangs */
        const char *body;  /* NULL: empty */
        size_t body_bytes; /* instead: so many bytes of 'x' */
        uint64_t delay_ns; /* before all of it */
        uint32_t reset;    /* instead: RST_STREAM with this code; 0: none */
        bool resets_late;  /* not instead, but behind the head */
        bool goes_away;    /* GOAWAY beside it, with this stream as the last one */
        bool refuses_rest; /* GOAWAY instead, with the stream before as the last one */
        bool closes;       /* close the connection instead */
        bool allows_none;  /* beside it: from now on this connection may have no stream */
};

struct h2_server;
struct h2_peer;

/* A request; `n` counts the server's requests from 1. */
struct h2_asked {
        const char *method, *path;
        size_t body_bytes;
        unsigned n;
        unsigned conn; /* the number of its connection, from 1 */
        int stream;
};

typedef struct h2_answer (*h2_function)(struct h2_server *server, const struct h2_asked *asked);

struct h2_server {
        struct loop *loop;
        h2_function answer;
        unsigned max_streams;       /* told to clients; 0: no limit */
        uint64_t settings_delay_ns; /* before the server says anything */
        bool is_deaf;               /* it reads no more */
        void *userdata;
        int fd;
        unsigned short port;
        struct loop_watch watch;
        struct list peers;
        unsigned n_conns, n_requests, n_open, n_resets, n_pings;
        unsigned n_busy, n_busy_max; /* streams at once */
};

void h2_server_start(struct h2_server *server, struct loop *loop, h2_function answer);
void h2_server_stop(struct h2_server *server);

/* "http://127.0.0.1:PORT" and the path, in a static buffer of eight. */
const char *h2_url(const struct h2_server *server, const char *path);

#endif
