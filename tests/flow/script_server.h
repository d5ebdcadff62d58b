/* SPDX-License-Identifier: MIT */
/*
 * A server for flow tests, in the client's own loop
 *
 * One thread and one (manual) clock for both sides: what a test says about time is exact. For each
 * request that has arrived whole the test's function says what to do. What begins with a control
 * character is no HTTP but SOCKS: there each piece that comes is a request.
 */
#ifndef TESTS_FLOW_SCRIPT_SERVER_H
#define TESTS_FLOW_SCRIPT_SERVER_H

#include <net/loop.h>

struct script_answer {
        const char *bytes; /* sent as they are; NULL: nothing, the request hangs */
        size_t len;        /* 0: up to the terminating zero */
        uint64_t delay_ns; /* before that */
        const char *then;  /* sent later; NULL: nothing */
        uint64_t then_after_ns;
        bool closes; /* close after them */
        bool resets; /* with a reset */
};

struct script_server;

/* `head` is the request's head, terminated; `n` counts the server's requests from 1. */
typedef struct script_answer (*script_function)(struct script_server *server, const char *head,
        unsigned n);

/* One that never answers. */
struct script_answer script_hangs(struct script_server *server, const char *head, unsigned n);

struct script_server {
        struct loop *loop;
        script_function answer;
        /*
         * what to say to a head with Expect before its body: a 1xx, or a final answer, in place of the
         * body; NULL: nothing
         */
        script_function expects;
        void *userdata;
        int fd;
        unsigned short port;
        struct loop_watch watch;
        struct list conns;
        unsigned n_conns, n_requests; /* ever */
        unsigned n_open, n_open_max;  /* connections at once */
        unsigned n_busy, n_busy_max;  /* requests at once that are not answered yet */
        char last_head[8192];
};

/* Listen on a free port of 127.0.0.1. */
void script_server_start(struct script_server *server, struct loop *loop, script_function answer);

/* The same in two steps: the client's options may have to name the port before there is a loop. */
void script_server_listen(struct script_server *server);
void script_server_begin(struct script_server *server, struct loop *loop, script_function answer);
void script_server_stop(struct script_server *server);

/* Close all connections, as a server does that restarts. */
void script_server_drop_conns(struct script_server *server);

/* "http://127.0.0.1:PORT" and the path, in a static buffer of eight. */
const char *script_url(const struct script_server *server, const char *path);

#endif
