/* SPDX-License-Identifier: MIT */
/*
 * What the kernel knows of a TCP connection
 *
 * In a file of its own, as <linux/tcp.h> and <netinet/tcp.h> cannot be included together, and only
 * the former is complete.
 */
#ifndef NET_TCP_INFO_H
#define NET_TCP_INFO_H

#include <stdint.h>

struct tcp_sample {
        unsigned rtt_us;     /* smoothed */
        unsigned min_rtt_us; /* the least seen */
        unsigned n_retransmits;
        unsigned cwnd;          /* segments that may be on their way to the peer */
        uint64_t delivery_rate; /* bytes a second of what we sent, when it was measured last */
        uint64_t rwnd_limited_us, sndbuf_limited_us, busy_us;
        uint64_t bytes_received;
        /* segments that came before one that was missing: what the peer sent got lost */
        unsigned n_out_of_order;
};

/* Negative, and *ret_sample is left alone, where the kernel does not say. */
int tcp_sample_read(int fd, struct tcp_sample *ret_sample);

#endif
