/* SPDX-License-Identifier: MIT */
/*
 * The lab's DNS server: answers from a zone, with the zone's trouble, by UDP and by TCP on one port
 *
 *      datagram ─┐                  ┌─▶ lost
 *                ├─▶ question ─▶ name ─▶ delayed ─▶ answer ─▶ datagram, or truncated
 *      stream  ──┘                  └──────────────▶ answer ─▶ stream, one at a time (RFC 7766)
 *
 * What the zone does to a question is decided when it comes; the answer is written when it goes
 * out. By TCP the same trouble happens as by UDP: a lost question gets no answer and its connection
 * stays. Answers to several questions of one connection go out in the order in which they are due,
 * which need not be the order of the questions; those due at one moment in any.
 */
#ifndef LAB_DNS_SERVER_H
#define LAB_DNS_SERVER_H

#include "zone.h"
#include <base/rand.h>
#include <muster/error.h>
#include <net/loop.h>

#define DNS_CONNS_MAX        1024  /* more are closed at once */
#define DNS_DELAYED_MAX      65536 /* answers not sent yet; questions above that are lost */
#define DNS_CONN_DELAYED_MAX 256   /* of one connection: its next questions wait in the kernel */

struct dns_stats {
        uint64_t n_queries_udp, n_queries_tcp; /* messages, malformed ones too */
        uint64_t n_answered;                   /* sent, refusals of malformed ones too */
        uint64_t n_lost; /* questions that got no answer, for what reason ever */
        uint64_t n_truncated;
        uint64_t n_malformed;
};

/* The server; all zeroes: not running. */
struct dns_server {
        struct loop *loop;
        struct zone *zone;
        struct rand *rand;
        struct loop_watch udp_watch, tcp_watch;
        struct loop_timer accept_timer; /* runs while we have no descriptors left to accept with */
        int udp_fd, tcp_fd;
        struct list conns;
        unsigned n_conns;
        struct list delayed; /* by UDP; each connection has its own */
        unsigned n_delayed;  /* by both */
        struct dns_stats stats;
};

/*
 * Listen on an address; port 0 takes one that is free for both protocols. Loop, zone and rand are
 * borrowed until dns_server_stop(). MUSTER_E_RESOURCE.
 */
int dns_server_start(struct dns_server *server, struct loop *loop, struct zone *zone,
        struct rand *rand, const struct sockaddr *address, socklen_t len,
        struct muster_error *error);

/* The port on which it listens; 0 when it is not running. */
uint16_t dns_server_port(const struct dns_server *server);

/* Close everything; delayed answers are forgotten, `stats` stay. May be called twice. */
void dns_server_stop(struct dns_server *server);

/* --- for its connections (dns_conn.h) -------------------------------------------------------- */

struct dns_conn;

/* The destination of an answer. */
struct dns_asker {
        struct dns_conn *conn; /* NULL: by UDP */
        struct sockaddr_storage address;
        socklen_t address_len;
};

/* Take a message: it is answered now, later or never. */
void dns_server_take(struct dns_server *server, const struct dns_asker *asker,
        struct muster_str bytes);

/* Send the first of a list of answers, which has one, and take it off. */
void dns_server_send_first(struct list *answers);

/* Forget a list of answers: they are lost. */
void dns_server_drop(struct list *answers);

#endif
