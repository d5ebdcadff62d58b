/* SPDX-License-Identifier: MIT */
/*
 * A resolver, and the scripted DNS server that it asks, on a free UDP port in the same loop
 */
#ifndef TESTS_UNIT_RESOLVE_WORLD_H
#define TESTS_UNIT_RESOLVE_WORLD_H

#include "unit.h"

#include <arpa/inet.h>
#include <net/resolve.h>

/* --- the server ------------------------------------------------------------------------------ */

struct dns_server {
        struct loop *loop;
        struct loop_watch watch;
        int fd;
        char address[32];
        unsigned n_questions;
        bool is_mute;
        struct loop_timer timer; /* for one answer that comes late */
        unsigned char late[512];
        size_t late_len;
        struct sockaddr_in late_to;
};

/* --- the world ------------------------------------------------------------------------------- */

extern struct clock real_clock;

struct world {
        struct loop loop;
        struct dns_server dns;
        struct resolver *resolver;
};

void open_world(struct world *w, const char *const *overrides);
void close_world(struct world *w);

struct asker {
        struct resolve_waiter waiter;
        unsigned n_calls;
        bool is_final;
        size_t n;
        struct net_address addresses[RESOLVE_ADDRESSES_MAX];
        struct muster_error error;
};

/* As resolver_ask(). */
int ask(struct world *w, struct asker *asker, const char *host);
/* Until it was answered so often; for good. */
void wait_for(struct world *w, struct asker *asker, unsigned n_calls);
void wait_for_all(struct world *w, struct asker *asker);
void expect_address(const struct asker *asker, size_t i, const char *text);

#endif
