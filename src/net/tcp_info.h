/* SPDX-License-Identifier: MIT */
/*
 * What the kernel knows about a TCP connection
 *
 * A file of its own, because <linux/tcp.h> and <netinet/tcp.h> cannot be included together and only
 * the former is complete.
 */
#ifndef NET_TCP_INFO_H
#define NET_TCP_INFO_H

#include <stdint.h>

struct tcp_sample {
        unsigned rtt_us;     /* smoothed */
        unsigned min_rtt_us; /* the least seen */
        unsigned n_retransmits;
        unsigned cwnd;          /* congestion window: segments that may be in flight to the peer */
        uint64_t delivery_rate; /* bytes a second that we sent, as measured last */
        uint64_t rwnd_limited_us, sndbuf_limited_us, busy_us;
        uint64_t bytes_received;
        /* segments received out of order: some that the peer sent got lost */
        unsigned n_out_of_order;
};

/* MUSTER_E_INTERNAL if the kernel does not say; *ret_sample is left alone then. */
int tcp_sample_read(int fd, struct tcp_sample *ret_sample);

#endif
