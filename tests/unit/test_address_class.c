/* SPDX-License-Identifier: MIT */
/*
 * Which addresses are of the internet, at the ends of each network of the registries; and networks
 * as text
 */
#include "unit.h"

#include <net/address_class.h>
#include <net/network.h>

static struct net_address address_of(const char *text)
{
        struct net_address address;

        if (!address_parse(str_of(text), &address))
                fail_msg("%s is no address", text);
        return address;
}

/* The first and the last address of each network are in it, those around it are in another. */
static const struct {
        const char *before, *first, *last, *after, *name;
} v4_networks[] = {
        { NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0", "an address of this host" },
        { "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0", "a private address" },
        { "100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0",
                "a provider's own address" },
        { "126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0", "a loopback address" },
        { "169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0",
                "a link-local address" },
        { "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0", "a private address" },
        { "191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0", "a protocol's address" },
        { "192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0", "an address for documentation" },
        { "192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0",
                "a sink of name servers" },
        { "192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0", "a relay's address" },
        { "192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0", "a relay's address" },
        { "192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0", "a private address" },
        { "192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0",
                "a sink of name servers" },
        { "198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0",
                "an address for benchmarks" },
        { "198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0",
                "an address for documentation" },
        { "203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0",
                "an address for documentation" },
        { "223.255.255.255", "224.0.0.0", "239.255.255.255", NULL, "a multicast address" },
        { NULL, "240.0.0.0", "255.255.255.254", NULL, "a reserved address" },
        { NULL, "255.255.255.255", "255.255.255.255", NULL, "the broadcast address" },
        { "168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17",
                "a cloud's metadata service" },
};

static const struct {
        const char *before, *first, *last, *after, *name;
} v6_networks[] = {
        { NULL, "::", "::", NULL, "an address of this host" },
        { NULL, "::1", "::1", NULL, "a loopback address" },
        { NULL, "::2", "::ffff:ffff", NULL, "an IPv4-compatible address" },
        { NULL, "::ffff:0.0.0.0", "::ffff:255.255.255.255", NULL, "an IPv4-mapped address" },
        { NULL, "::ffff:0:0:0", "::ffff:0:255.255.255.255", NULL, "an IPv4-translated address" },
        { NULL, "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", NULL,
                "an address for local translation to IPv4" },
        { NULL, "100::", "100::ffff:ffff:ffff:ffff", NULL, "an address that discards" },
        { NULL, "100:0:0:1::", "100::1:ffff:ffff:ffff:ffff", NULL,
                "an address that leads nowhere" },
        { NULL, "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", NULL, "a Teredo address" },
        { NULL, "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", NULL,
                "an address for benchmarks" },
        { NULL, "2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
                "no address but an identifier" },
        { NULL, "2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
                "no address but an identifier" },
        { NULL, "2001:1::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:200::", "a protocol's address" },
        { "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:db9::", "an address for documentation" },
        { "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::", "a 6to4 address" },
        { "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff",
                "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
                "2620:4f:8001::", "a sink of name servers" },
        { "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                "3fff:1000::", "an address for documentation" },
        { NULL, "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, "a segment identifier" },
        { NULL, "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
                "a unique local address" },
        { NULL, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, "a link-local address" },
        { NULL, "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, "a site-local address" },
        { NULL, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, "a multicast address" },
        { NULL, "4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
                "an unassigned address" },
        { "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "6000::", "fbff::", NULL,
                "an unassigned address" },
        { NULL, "fe00::", "fe7f::", NULL, "an unassigned address" },
        { NULL, "1fff::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2000::", "an unassigned address" },
        { NULL, "fd00:ec2::254", "fd00:ec2::254", NULL, "a cloud's metadata service" },
        { NULL, "fd20:ce::254", "fd20:ce::254", NULL, "a cloud's metadata service" },
};

static void expect_class(const char *text, const char *name)
{
        struct net_address address = address_of(text);
        const struct address_class *class = address_class(&address);

        if (!class)
                fail_msg("%s is not \"%s\" but of the internet", text, name);
        assert_string_equal(class->name, name);
}

static void expect_internet(const char *text)
{
        struct net_address address = address_of(text);
        const struct address_class *class = address_class(&address);

        if (class)
                fail_msg("%s is \"%s\" by %s", text, class->name, class->network);
}

static void test_ends_of_networks(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(v4_networks); i++) {
                if (v4_networks[i].before)
                        expect_internet(v4_networks[i].before);
                expect_class(v4_networks[i].first, v4_networks[i].name);
                expect_class(v4_networks[i].last, v4_networks[i].name);
                if (v4_networks[i].after)
                        expect_internet(v4_networks[i].after);
        }
        for (size_t i = 0; i < LENGTH(v6_networks); i++) {
                if (v6_networks[i].before)
                        expect_internet(v6_networks[i].before);
                expect_class(v6_networks[i].first, v6_networks[i].name);
                expect_class(v6_networks[i].last, v6_networks[i].name);
                if (v6_networks[i].after)
                        expect_internet(v6_networks[i].after);
        }
}

static void test_metadata_comes_first(void **state)
{
        static const char *const services[] = { "169.254.169.254", "169.254.170.2",
                "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
                "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254" };

        (void)state;
        for (size_t i = 0; i < LENGTH(services); i++)
                expect_class(services[i], "a cloud's metadata service");
}

/* Every address of IPv4 keeps its class behind the prefix of translators, and no other prefix. */
static void test_ipv4_in_ipv6(void **state)
{
        (void)state;
        expect_internet("64:ff9b::8.8.8.8");
        expect_internet("64:ff9b::101:101");
        expect_class("64:ff9b::127.0.0.1", "a loopback address");
        expect_class("64:ff9b::a00:1", "a private address");
        expect_class("64:ff9b::169.254.169.254", "a cloud's metadata service");
        expect_class("64:ff9b:0:1::8.8.8.8", "an unassigned address");
        expect_class("::ffff:8.8.8.8", "an IPv4-mapped address");
        expect_class("::8.8.8.8", "an IPv4-compatible address");
        expect_class("2002:7f00:1::", "a 6to4 address");
}

static const struct {
        const char *text, *inside, *outside; /* inside NULL: the text is no network */
} networks[] = {
        { "10.0.0.0/8", "10.255.0.1", "11.0.0.0" },
        { "10.1.2.3", "10.1.2.3", "10.1.2.2" },
        { "10.1.2.3/32", "10.1.2.3", "10.1.2.4" },
        { "0.0.0.0/0", "203.0.113.9", "::1" },
        { "::/0", "2001:db8::1", "127.0.0.1" },
        { "192.0.2.128/25", "192.0.2.129", "192.0.2.127" },
        { "[2001:db8::]/32", "2001:db8:1::", "2001:db9::" },
        { "2001:db8::/47", "2001:db8:1::", "2001:db8:2::" },
        { "FE80::/10", "febf::1", "fec0::" },
        { "10.0.0.1/8", NULL, NULL },
        { "10.0.0.0/33", NULL, NULL },
        { "10.0.0.0/", NULL, NULL },
        { "10.0.0.0/-1", NULL, NULL },
        { "10.0.0.0/8/8", NULL, NULL },
        { "/8", NULL, NULL },
        { "", NULL, NULL },
        { "10/8", NULL, NULL },
        { "::/129", NULL, NULL },
        { "example.com/8", NULL, NULL },
};

static void test_networks(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(networks); i++) {
                struct net_address inside, outside;
                struct network network;

                if (!networks[i].inside) {
                        assert_false(network_parse(str_of(networks[i].text), &network));
                        continue;
                }
                inside = address_of(networks[i].inside);
                outside = address_of(networks[i].outside);
                assert_true(network_parse(str_of(networks[i].text), &network));
                assert_true(network_has(&network, &inside));
                assert_false(network_has(&network, &outside));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ends_of_networks),
                cmocka_unit_test(test_metadata_comes_first),
                cmocka_unit_test(test_ipv4_in_ipv6),
                cmocka_unit_test(test_networks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
