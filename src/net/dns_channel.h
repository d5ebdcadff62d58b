/* SPDX-License-Identifier: MIT */
/*
 * c-ares in the loop: its descriptors are watched, its timeouts are a timer
 */
#ifndef NET_DNS_CHANNEL_H
#define NET_DNS_CHANNEL_H

#include "loop.h"

#include <ares.h>

struct dns_channel {
        struct loop *loop;
        ares_channel ares;
        char *servers; /* as they were given; NULL: the system's */
        int rejection; /* status of the last answer that was none: ARES_ESERVFAIL and its like */
        uint64_t rejected_ns; /* when that came */
        struct loop_timer timer;
        struct list sockets; /* of descriptors that c-ares has open */
};

/*
 * `servers` is "ADDRESS[:PORT]", several by commas; NULL: the system's. MUSTER_E_RESOURCE,
 * MUSTER_E_INVALID; deinit it in either case.
 */
int dns_channel_init(struct dns_channel *channel, struct loop *loop, const char *servers,
        struct muster_error *error);

/* Who is asked, and who says so, in words: "127.0.0.1:5353 (--dns-server)". */
void dns_channel_describe_servers(const struct dns_channel *channel, char *text, size_t size);

/*
 * What became of a question that was put at `since_ns`, where c-ares says `status`: versions before
 * 1.20 call it a refused connection also where a server answered that it fails or refuses.
 */
int dns_channel_status(const struct dns_channel *channel, int status, uint64_t since_ns);

/* Calls back what is asked still, with ARES_EDESTRUCTION. May be called twice, and on zeroes. */
void dns_channel_deinit(struct dns_channel *channel);

/* To be called after each question: when c-ares wants to be called next may have changed. */
void dns_channel_set_timer(struct dns_channel *channel);

#endif
