/* SPDX-License-Identifier: MIT */
/*
 * The tables are those of IANA (iana-ipv4-special-registry, iana-ipv6-special-registry), multicast
 * (RFC 5771, RFC 4291), and the addresses at which clouds tell a machine its secrets. The first entry
 * that holds the address counts.
 *
 * In IPv6 only 2000::/3 is assigned as unicast of the internet, so that all else needs a name only for
 * people. 2001::/23 is refused as a whole: the few protocols in it that are reachable serve no HTTP.
 */
#include "address_class.h"

#include "network.h"
#include <assert.h>

#define METADATA "a cloud's metadata service"
#define DOCUMENT "an address for documentation"

static const struct address_class v4_classes[] = {
        { "169.254.169.254/32", METADATA },                /* AWS, Azure, Google, and most others */
        { "169.254.170.2/32", METADATA },                  /* AWS, of containers */
        { "169.254.170.23/32", METADATA },                 /* AWS, of pods */
        { "100.100.100.200/32", METADATA },                /* Alibaba */
        { "168.63.129.16/32", METADATA },                  /* Azure: looks public, and is not */
        { "192.0.0.192/32", METADATA },                    /* Oracle */
        { "0.0.0.0/8", "an address of this host" },        /* RFC 791; connects to this machine */
        { "10.0.0.0/8", "a private address" },             /* RFC 1918 */
        { "100.64.0.0/10", "a provider's own address" },   /* RFC 6598 */
        { "127.0.0.0/8", "a loopback address" },           /* RFC 1122 */
        { "169.254.0.0/16", "a link-local address" },      /* RFC 3927 */
        { "172.16.0.0/12", "a private address" },          /* RFC 1918 */
        { "192.0.0.0/24", "a protocol's address" },        /* RFC 6890 */
        { "192.0.2.0/24", DOCUMENT },                      /* RFC 5737 */
        { "192.31.196.0/24", "a sink of name servers" },   /* RFC 7535 */
        { "192.52.193.0/24", "a relay's address" },        /* RFC 7450 */
        { "192.88.99.0/24", "a relay's address" },         /* RFC 7526 */
        { "192.168.0.0/16", "a private address" },         /* RFC 1918 */
        { "192.175.48.0/24", "a sink of name servers" },   /* RFC 7534 */
        { "198.18.0.0/15", "an address for benchmarks" },  /* RFC 2544 */
        { "198.51.100.0/24", DOCUMENT },                   /* RFC 5737 */
        { "203.0.113.0/24", DOCUMENT },                    /* RFC 5737 */
        { "224.0.0.0/4", "a multicast address" },          /* RFC 5771 */
        { "255.255.255.255/32", "the broadcast address" }, /* RFC 919 */
        { "240.0.0.0/4", "a reserved address" },           /* RFC 1112 */
};

static const struct address_class v6_classes[] = {
        { "fd00:ec2::254/128", METADATA },                   /* AWS */
        { "fd00:ec2::23/128", METADATA },                    /* AWS, of pods */
        { "fd20:ce::254/128", METADATA },                    /* Google */
        { "::/128", "an address of this host" },             /* RFC 4291; as 0.0.0.0 */
        { "::1/128", "a loopback address" },                 /* RFC 4291 */
        { "::ffff:0:0/96", "an IPv4-mapped address" },       /* RFC 4291; the kernel uses IPv4 */
        { "::ffff:0:0:0/96", "an IPv4-translated address" }, /* RFC 2765 */
        { "::/96", "an IPv4-compatible address" },           /* RFC 4291 */
        { "64:ff9b:1::/48", "an address for local translation to IPv4" }, /* RFC 8215 */
        { "100::/64", "an address that discards" },                       /* RFC 6666 */
        { "100:0:0:1::/64", "an address that leads nowhere" },            /* RFC 9780 */
        { "2001::/32", "a Teredo address" },                              /* RFC 4380 */
        { "2001:2::/48", "an address for benchmarks" },                   /* RFC 5180 */
        { "2001:10::/28", "no address but an identifier" },               /* RFC 4843 */
        { "2001:20::/28", "no address but an identifier" },               /* RFC 7343 */
        { "2001::/23", "a protocol's address" },                          /* RFC 2928 */
        { "2001:db8::/32", DOCUMENT },                                    /* RFC 3849 */
        { "2002::/16", "a 6to4 address" },                                /* RFC 3056 */
        { "2620:4f:8000::/48", "a sink of name servers" },                /* RFC 7534 */
        { "3fff::/20", DOCUMENT },                                        /* RFC 9637 */
        { "5f00::/16", "a segment identifier" },                          /* RFC 9602 */
        { "fc00::/7", "a unique local address" },                         /* RFC 4193 */
        { "fe80::/10", "a link-local address" },                          /* RFC 4291 */
        { "fec0::/10", "a site-local address" },                          /* RFC 3879 */
        { "ff00::/8", "a multicast address" },                            /* RFC 4291 */
};

static const struct address_class unassigned = { "::/0", "an unassigned address" };

static bool holds(const char *text, const struct net_address *address)
{
        struct network network;
        bool is_one = network_parse(str_of(text), &network);

        assert(is_one);
        return is_one && network_has(&network, address);
}

static const struct address_class *find(const struct address_class *classes, size_t n,
        const struct net_address *address)
{
        for (size_t i = 0; i < n; i++)
                if (holds(classes[i].network, address))
                        return &classes[i];
        return NULL;
}

/* The address of IPv4 that a translator (NAT64) makes of it (RFC 6052 section 2.2). */
static struct net_address translated(const struct net_address *address)
{
        struct net_address v4 = { .family = AF_INET };

        memcpy(&v4.u.v4, &address->u.v6.s6_addr[12], sizeof(v4.u.v4));
        return v4;
}

static const struct address_class *class_of_v4(const struct net_address *address)
{
        return find(v4_classes, sizeof(v4_classes) / sizeof(v4_classes[0]), address);
}

static const struct address_class *class_of_v6(const struct net_address *address)
{
        const struct address_class *class;
        struct net_address v4;

        if (holds("64:ff9b::/96", address)) {
                v4 = translated(address);
                return class_of_v4(&v4);
        }
        class = find(v6_classes, sizeof(v6_classes) / sizeof(v6_classes[0]), address);
        return class || holds("2000::/3", address) ? class : &unassigned;
}

const struct address_class *address_class(const struct net_address *address)
{
        return address->family == AF_INET ? class_of_v4(address) : class_of_v6(address);
}
