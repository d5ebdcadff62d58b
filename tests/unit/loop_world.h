/* SPDX-License-Identifier: MIT */
/*
 * A loop and two ends of a connection in it
 */
#ifndef TESTS_UNIT_LOOP_WORLD_H
#define TESTS_UNIT_LOOP_WORLD_H

#include "unit.h"

#include <net/loop.h>
#include <netinet/in.h>

#define START_NS (50 * NS_PER_S)

struct side {
        struct loop_socket socket;
        char got[3 * 1024 * 1024];
        size_t n_placed, most_placed; /* of these, by the loop; at once */
        size_t len;
        int n_connected, n_sent, n_eof, n_failed, sys;
        uint64_t kernel_ns, acked_ns;
        int n_acked;
        bool closes_on_receive;
};

struct world {
        struct clock clock;
        struct loop loop;
        struct side a, b;
        int listener;
        struct sockaddr_in address;
};

/* Notes what happens to a side. */
void handle(struct loop_socket *socket, const struct loop_event *event);

void open_world(struct world *w, bool is_manual);
void close_world(struct world *w);

/* Turn until `*what` is not zero. */
void turn_until(struct world *w, const int *what);
/* The same, until the other end has this many bytes. */
void turn_until_received(struct world *w, size_t n);
/* Connect `a` to `b`; both receive. */
void open_pair(struct world *w);
/* In two pieces. */
int send_text(struct side *side, const char *one, const char *two);

#endif
