/* SPDX-License-Identifier: MIT */
/*
 * Networks: all addresses that begin with the same bits, "192.0.2.0/24"
 */
#ifndef NET_NETWORK_H
#define NET_NETWORK_H

#include "address.h"

struct network {
        struct net_address base;
        unsigned n_bits; /* that count */
};

/*
 * Parse an address with or without "/" and a number of bits; without, it is this address alone.
 * Bits of the address beyond that number must be zero. False if it is none.
 */
bool network_parse(struct muster_str text, struct network *ret_network);

bool network_has(const struct network *network, const struct net_address *address);

#endif
