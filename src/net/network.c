/* SPDX-License-Identifier: MIT */
#include "network.h"

#include <assert.h>

static const unsigned char *bytes_of(const struct net_address *address)
{
        return (const unsigned char *)&address->u;
}

static unsigned n_bits_of(const struct net_address *address)
{
        return address->family == AF_INET ? 32 : 128;
}

/* Are all bits behind the first `n_bits` zero? "10.0.0.1/8" may have been meant as an address. */
static bool is_clean(const struct net_address *address, unsigned n_bits)
{
        const unsigned char *bytes = bytes_of(address);

        for (unsigned bit = n_bits; bit < n_bits_of(address); bit++)
                if (bytes[bit / 8] >> (7 - bit % 8) & 1)
                        return false;
        return true;
}

bool network_parse(struct muster_str text, struct network *ret_network)
{
        struct muster_str rest = text, address;
        struct network network;
        uint64_t n_bits;

        if (!str_split(&rest, '/', &address) || !address_parse(address, &network.base))
                return false;
        n_bits = n_bits_of(&network.base);
        if (rest.at && (!str_to_u64(rest, &n_bits) || n_bits > n_bits_of(&network.base)))
                return false;
        if (!is_clean(&network.base, (unsigned)n_bits))
                return false;
        network.n_bits = (unsigned)n_bits;
        *ret_network = network;
        return true;
}

bool network_has(const struct network *network, const struct net_address *address)
{
        const unsigned char *a = bytes_of(&network->base), *b = bytes_of(address);
        unsigned n = network->n_bits / 8, rest = network->n_bits % 8;

        assert(network->n_bits <= n_bits_of(&network->base));
        if (network->base.family != address->family || memcmp(a, b, n) != 0)
                return false;
        return !rest || (a[n] ^ b[n]) >> (8 - rest) == 0;
}
