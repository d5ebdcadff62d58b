/* SPDX-License-Identifier: MIT */
/*
 * The lab's DNS server over loopback on a manual clock, and what a client says to it
 */
#ifndef TESTS_UNIT_DNS_WORLD_H
#define TESTS_UNIT_DNS_WORLD_H

#include "unit.h"

#include <lab/dns_server.h>

#define START_NS (50 * NS_PER_S)

/* Names as the lab's settings have them; add_good() fails the test where they are refused. */
int add(struct zone *zone, const char *text, struct muster_error *error);
void add_good(struct zone *zone, const char *text);

struct message {
        unsigned char at[65536];
        size_t len;
};

void add_bytes(struct message *m, const void *at, size_t len);
void add_name(struct message *m, const char *name);

/* `edns_bytes` 0: without EDNS. */
struct message *query_of(unsigned id, const char *name, unsigned type, unsigned edns_bytes);
struct muster_str str_of_message(const struct message *m);
/* Of an answer. */
unsigned id_of(const struct message *m);
unsigned rcode_of(const struct message *m);
unsigned n_records_of(const struct message *m);
bool is_truncated(const struct message *m);

struct world {
        struct clock clock;
        struct loop loop;
        struct zone zone;
        struct rand rand;
        struct dns_server server;
        struct sockaddr_in address;
        int udp;
};

extern struct world world;
extern struct message reply; /* received last */

void open_world(void);
void close_world(void);
void turn(void);
void send_udp(const struct message *m);
bool receive_udp(void);

/* The answer to a question by UDP in `reply`. False: none comes. The clock tells when it came. */
bool ask(const char *name, unsigned type, unsigned edns_bytes);

/* Ask, and this comes. */
void expect_answer(const char *name, unsigned type, unsigned rcode, unsigned n_records);

#endif
