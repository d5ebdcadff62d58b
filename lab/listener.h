/* SPDX-License-Identifier: MIT */
/*
 * A listening socket with conditions of its own, and the connections that came through it
 */
#ifndef LAB_LISTENER_H
#define LAB_LISTENER_H

#include "capacity.h"
#include "config.h"
#include "tally.h"

struct lab;
struct tls_context;

/* The statistics of a listener, to compare with what a client reports. */
struct listener_stats {
        uint64_t n_accepted, n_open, n_open_max;
        uint64_t n_turned_away; /* connections beyond the limit, answered 503 or closed */
        uint64_t n_handshakes, n_resumed, n_handshakes_failed;
        uint64_t n_requests, n_busy,
                n_busy_max; /* busy: between the head of a request and the end of its response */
        uint64_t n_responses[10]; /* that were complete, by the first digit of the status */
        uint64_t n_gone;          /* not complete: the client left, or the plan was so */
        uint64_t n_bad_requests, n_rate_limited;
        uint64_t n_h2;                             /* connections that spoke HTTP/2 */
        uint64_t n_streams, n_streams_at_once_max; /* opened; the most at once on a connection */
        uint64_t n_streams_refused;                /* reset unseen */
        uint64_t n_streams_reset;    /* by either side, before the response was complete */
        uint64_t n_goaways, n_pings; /* sent; received */
        uint64_t n_bytes_received, n_bytes_sent; /* of HTTP, under TLS */
};

struct listener {
        struct lab *lab;
        const struct listener_config *config;
        struct tls_context *tls_context;
        int fd; /* -1: closed */
        uint16_t port;
        struct loop_watch watch;
        struct loop_timer accept_timer; /* until the next connection may be accepted */
        unsigned n_admitted;            /* connections open now that the limit has room for */
        bool is_full;                   /* nothing is accepted until one of these ends */
        struct list peers;
        struct pauses pauses;
        uint64_t n_cold; /* requests that were cold so far */
        struct capacity capacity;
        struct tally tally; /* of the rate limit */
        struct listener_stats stats;
};

/*
 * Begin to listen. MUSTER_E_RESOURCE, MUSTER_E_TLS with *error naming the listener; call
 * listener_stop() in either case.
 */
int listener_start(struct listener *listener, struct lab *lab, const struct listener_config *config,
        struct muster_error *error);

/* Close it and all its connections. May be called twice. */
void listener_stop(struct listener *listener);

/* A connection that the limit had room for has ended. */
void listener_release(struct listener *listener);

/* "http://127.0.0.1:8080"; with another host where `host` is not NULL. */
void listener_url(const struct listener *listener, const char *host, char *text, size_t size);

#endif
