/* SPDX-License-Identifier: MIT */
/*
 * c-ares in the loop: watches for its descriptors, a timer for its timeouts
 */
#ifndef NET_DNS_CHANNEL_H
#define NET_DNS_CHANNEL_H

#include "loop.h"

#include <ares.h>

struct dns_channel {
        struct loop *loop;
        ares_channel ares;
        char *servers; /* as given by the user; NULL: the system's */
        /* status of the last answer that was a failure: ARES_ESERVFAIL and its like */
        int rejection;
        uint64_t rejected_ns; /* when that answer came */
        struct loop_timer timer;
        struct list sockets; /* of descriptors that c-ares has open */
};

/*
 * `servers` is "ADDRESS[:PORT]", several separated by commas; NULL: the system's.
 * MUSTER_E_RESOURCE, MUSTER_E_INVALID; call deinit in either case.
 */
int dns_channel_init(struct dns_channel *channel, struct loop *loop, const char *servers,
        struct muster_error *error);

/* The name servers and where they were configured, in words: "127.0.0.1:5353 (--dns-server)". */
void dns_channel_describe_servers(const struct dns_channel *channel, char *text, size_t size);

/*
 * The real status of a question that was asked at `since_ns` and for which c-ares reports `status`.
 * Versions before 1.20 report a refused connection also when a server answered with a failure or a
 * refusal.
 */
int dns_channel_status(const struct dns_channel *channel, int status, uint64_t since_ns);

/* Ends open questions with ARES_EDESTRUCTION. May be called twice, and on a zeroed channel. */
void dns_channel_deinit(struct dns_channel *channel);

/* Set the timer to when c-ares wants to be called next. Call it after each question. */
void dns_channel_set_timer(struct dns_channel *channel);

#endif
