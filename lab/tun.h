/* SPDX-License-Identifier: MIT */
/*
 * A TUN device: a network interface whose packets we read and write
 *
 * Made in the network namespace of the caller, with addresses and up, without ip(8). It goes away
 * when its descriptor, and every copy of it in other processes, is closed.
 */
#ifndef LAB_TUN_H
#define LAB_TUN_H

#include <base/str.h>

/* Packets that the kernel keeps for us to read; beyond that it drops. */
#define TUN_QUEUE_PACKETS 1000

#define TUN_IPV6_MTU_MIN 1280 /* RFC 8200 section 5 */

struct tun_options {
        const char *name; /* of the interface */
        const char *ipv4; /* its address; its network is a /24 */
        /* in a /64; left out where the kernel has no IPv6 or the mtu is too small */
        const char *ipv6;
        size_t mtu;
};

/*
 * Make it, and bring it and the loopback interface up. *ret_fd is non-blocking and the caller's:
 * each read gives an IP packet, each write takes one. MUSTER_E_RESOURCE with what is not to be had
 * and what to do.
 */
int tun_open(const struct tun_options *options, int *ret_fd, struct muster_error *error);

#endif
