/* SPDX-License-Identifier: MIT */
/*
 * The lab: a server with adjustable conditions
 *
 *      config ──▶ lab ──▶ listener ──▶ peer: request ──▶ route ──▶ plan ──▶ capacity ──▶ reply
 *                  │                          (bytes)     (what)             (when)      (bytes)
 *                  └────▶ name server
 *
 * One thread, one loop. What stands beside a connection's own state is here.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "blob.h"
#include "config.h"
#include "dns_server.h"
#include "link.h"
#include "listener.h"
#include "tally.h"
#include <http/h1_read.h>

struct lab {
        struct loop *loop;
        struct lab_config *config;   /* borrowed */
        struct authority *authority; /* NULL where no listener speaks TLS */
        struct listener *listeners;
        unsigned n_listeners;
        struct dns_server dns;
        const struct link_stats *link_stats; /* NULL without a link */
        struct link_stats link_base;         /* what they were at the last reset */
        struct rand rand;
        struct blobs blobs;
        struct tallies tallies;
        struct h1_scratch scratch;
        struct list dead; /* peers */
        char *filling;
        char date[64]; /* a field line */
        uint64_t date_s;
        uint64_t start_ns;
};

/*
 * Start all that the configuration has, on a loop; both stay as long as the lab. MUSTER_E_RESOURCE,
 * MUSTER_E_TLS with *error; then nothing runs.
 */
int lab_start(struct lab *lab, struct loop *loop, struct lab_config *config,
        struct muster_error *error);

/* Stop and release everything. May be called twice, and on zeroes. */
void lab_stop(struct lab *lab);

/* Free the connections that are over; call it after each turn of the loop. */
void lab_reap(struct lab *lab);

/* Append the statistics as a JSON object. 0 or MUSTER_E_RESOURCE. */
int lab_add_stats(const struct lab *lab, struct buf *to);

/* Reset the counters. What is open now (connections, requests being served) stays counted. */
void lab_reset_stats(struct lab *lab);

/* --- for its parts --------------------------------------------------------------------------- */

/* The period of the letters that fill bodies, in bytes. */
#define LAB_FILLING_PERIOD 67

/*
 * Letters to fill bodies with, as from byte `at` of an endless text on, at least 1 MiB. Borrowed.
 */
struct muster_str lab_filling(const struct lab *lab, uint64_t at);

/* The Date field line of now (RFC 9110 section 6.6.1). Borrowed until the next call. */
struct muster_str lab_date(struct lab *lab);

/* True in this share of the calls. */
bool lab_chance(struct lab *lab, double share);

#endif
