/* SPDX-License-Identifier: MIT */
/*
 * Which hosts, ports and addresses options allow, and in which spellings
 */
#include "unit.h"

#include <core/guard.h>
#include <http/url.h>
#include <stdio.h>

static struct guard guard;
static struct muster_error error;

static void begin(bool deny_private, const char *const *hosts, const char *const *ports)
{
        struct muster_client_options options = {
                .deny_private = deny_private, .allow_hosts = hosts, .allow_ports = ports
        };

        memset(&error, 0, sizeof(error));
        if (guard_init(&guard, &options, &error) < 0)
                fail_msg("%s", error.text);
}

/* May this URL lead to this address? */
static bool may_reach(const char *text, const char *address_text)
{
        struct net_address address;
        struct url url = { 0 };
        int r;

        memset(&error, 0, sizeof(error));
        if (url_parse(&url, str_of(text), NULL, &error) < 0)
                fail_msg("%s", error.text);
        if (!address_text)
                assert_true(address_parse(url_part(&url, url.host), &address));
        else
                assert_true(address_parse(str_of(address_text), &address));
        r = guard_check_host(&guard, url_part(&url, url.host), url.port, &error);
        if (r == GUARD_BY_ADDRESS)
                r = guard.filter.check(&guard.filter, url_part(&url, url.host), &address, &error);
        assert_int_equal(r, error.code);
        assert_true(r == 0 || r == MUSTER_E_DENIED);
        url_deinit(&url);
        return r == 0;
}

static void end(void)
{
        guard_deinit(&guard);
        guard_deinit(&guard);
}

static void test_nothing_is_denied_by_default(void **state)
{
        (void)state;
        begin(false, NULL, NULL);
        assert_true(may_reach("http://localhost:25/", "127.0.0.1"));
        assert_true(may_reach("http://169.254.169.254/", NULL));
        end();
}

/* All that a URL can call loopback, private and metadata addresses: one path reads them all. */
static void test_every_spelling(void **state)
{
        static const char *const spellings[] = { "127.0.0.1", "127.1", "127.0.1", "2130706433",
                "0x7f000001", "0X7F.1", "017700000001", "0177.0.0.1", "0x7f.0x0.0x0.0x1",
                "127.0.0.1.", "127.000.000.001", "%31%32%37.0.0.1", "127%2e0%2e0%2e1",
                "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "0", "0.0.0.0", "[::1]", "[::]",
                "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::FFFF:7F00:1]", "[::127.0.0.1]",
                "[64:ff9b::127.0.0.1]", "[64:FF9B::7f00:1]", "[2002:7f00:1::]",
                "[::ffff:0:127.0.0.1]", "[64:ff9b:1::7f00:1]", "169.254.169.254", "2852039166",
                "0xa9fea9fe", "0xA9.0xFE.0xa9.0xfe", "0251.0376.0251.0376", "169.254.43518",
                "169.16689662", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "[FD00:EC2::254]",
                "[fe80::1]", "[fec0::1]", "[fc00::]", "[ff02::1]", "10.0.0.1", "012.1", "192.168.1",
                "100.100.100.200", "168.63.129.16", "0xac.16.0.1", "255.255.255.255", "224.0.0.1",
                "198.18.0.1", "203.0.113.7", "[2001:db8::1]" };

        (void)state;
        begin(true, NULL, NULL);
        for (size_t i = 0; i < LENGTH(spellings); i++) {
                char url[100];

                snprintf(url, sizeof(url), "http://%s/", spellings[i]);
                if (may_reach(url, NULL))
                        fail_msg("%s is allowed", url);
        }
        assert_true(may_reach("http://8.8.8.8/", NULL));
        assert_true(may_reach("http://0x8080808/", NULL));
        assert_true(may_reach("http://[2a00::1]/", NULL));
        assert_true(may_reach("http://[64:ff9b::8.8.8.8]/", NULL));
        end();
}

static void test_names_are_what_they_lead_to(void **state)
{
        (void)state;
        begin(true, NULL, NULL);
        assert_true(may_reach("http://example.com/", "93.184.215.14"));
        assert_false(may_reach("http://example.com/", "10.0.0.5"));
        assert_string_equal(error.text,
                "denied: example.com: 10.0.0.5 is a private address, which deny_private (--deny-private) forbids; to allow it use allow_hosts (--allow-host 10.0.0.5)");
        assert_int_equal(error.stage, MUSTER_PHASE_DNS);
        assert_false(may_reach("http://127.1/", NULL));
        assert_string_equal(error.text,
                "denied: 127.0.0.1 is a loopback address, which deny_private (--deny-private) forbids; to allow it use allow_hosts (--allow-host 127.0.0.1)");
        end();
}

static void test_exceptions(void **state)
{
        static const char *const hosts[] = { "intern.test", "10.1.0.0/16", "0x7f.1", "[fd00::1]",
                "BÜCHER.test", NULL };

        (void)state;
        begin(true, hosts, NULL);
        assert_true(may_reach("http://intern.test/", "10.0.0.5"));
        assert_true(may_reach("http://a.b.intern.test./", "127.0.0.1"));
        assert_true(may_reach("http://xn--bcher-kva.test/", "127.0.0.1"));
        assert_true(may_reach("http://other.test/", "10.1.255.1"));
        assert_true(may_reach("http://other.test/", "127.0.0.1"));
        assert_true(may_reach("http://2130706433/", NULL));
        assert_true(may_reach("http://[fd00::1]/", NULL));
        assert_true(may_reach("http://other.test/", "8.8.8.8"));
        assert_false(may_reach("http://other.test/", "127.0.0.2"));
        assert_false(may_reach("http://other.test/", "10.2.0.0"));
        assert_false(may_reach("http://xintern.test/", "10.0.0.5"));
        assert_false(may_reach("http://intern.test.evil.test/", "10.0.0.5"));
        assert_false(may_reach("http://test/", "10.0.0.5"));
        assert_false(may_reach("http://[fd00::2]/", NULL));
        assert_false(may_reach("http://[::ffff:10.1.0.1]/", NULL));
        end();
}

static void test_only_these(void **state)
{
        static const char *const names[] = { "*.example.com", ".example.org", NULL };
        static const char *const both[] = { "example.com", "192.0.2.0/24", NULL };

        (void)state;
        begin(false, names, NULL);
        assert_true(may_reach("http://example.com/", "127.0.0.1"));
        assert_true(may_reach("http://www.example.org/", "127.0.0.1"));
        assert_false(may_reach("http://8.8.8.8/", NULL));
        assert_false(may_reach("http://example.net/", "8.8.8.8"));
        assert_string_equal(error.text,
                "denied: example.net is not among the allowed hosts; to allow it use allow_hosts (--allow-host)");
        end();
        begin(false, both, NULL);
        assert_true(may_reach("http://example.com/", "127.0.0.1"));
        assert_true(may_reach("http://example.net/", "192.0.2.9"));
        assert_false(may_reach("http://example.net/", "192.0.3.9"));
        assert_string_equal(error.text,
                "denied: example.net: 192.0.3.9 is not among the allowed hosts; to allow it use allow_hosts (--allow-host 192.0.3.9)");
        end();
}

static void test_ports(void **state)
{
        static const char *const ports[] = { "443", "8000-8080", NULL };
        static const char *const hosts[] = { "intern.test", NULL };

        (void)state;
        begin(true, hosts, ports);
        assert_true(may_reach("https://h.test/", "8.8.8.8"));
        assert_true(may_reach("http://h.test:8000/", "8.8.8.8"));
        assert_true(may_reach("http://intern.test:8080/", "10.0.0.5"));
        assert_false(may_reach("http://h.test:8081/", "8.8.8.8"));
        assert_false(may_reach("http://intern.test:7999/", "10.0.0.5"));
        assert_false(may_reach("http://h.test/", "8.8.8.8"));
        assert_string_equal(error.text,
                "denied: port 80 of h.test is not among the allowed ones; to allow it use allow_ports (--allow-port 80)");
        end();
}

static const struct {
        const char *host, *port, *why;
} bad[] = {
        { "", NULL, "it is not a host" },
        { "*", NULL, "it is not a host" },
        { "*.*.test", NULL, "it is not a host" },
        { ".", NULL, "it is not a host" },
        { "http://h.test", NULL, "it is a URL" },
        { "h.test:80", NULL, "a port is for --allow-port" },
        { "fe80::1%eth0", NULL, "it is not a host" },
        { "h.test/path", NULL, "it is not a network" },
        { "10.0.0.1/8", NULL, "which begins at its first address" },
        { "10.0.0.0/33", NULL, "it is not a network" },
        { "a b", NULL, "it is not a host" },
        { "1.2.3.4.5", NULL, "it is not a host" },
        { NULL, "0", "is no port" },
        { NULL, "65536", "is no port" },
        { NULL, "", "is no port" },
        { NULL, "http", "is no port" },
        { NULL, "90-80", "is no port" },
        { NULL, "80-", "is no port" },
        { NULL, "-80", "is no port" },
        { NULL, "1-2-3", "is no port" },
};

static void test_bad_options(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(bad); i++) {
                const char *const hosts[] = { bad[i].host, NULL };
                const char *const ports[] = { bad[i].port, NULL };
                struct muster_client_options options = { .allow_hosts = hosts,
                        .allow_ports = ports };

                memset(&error, 0, sizeof(error));
                assert_int_equal(guard_init(&guard, &options, &error), MUSTER_E_INVALID);
                if (!strstr(error.text, bad[i].why))
                        fail_msg("%s", error.text);
                end();
        }
}

static void init_and_deinit(void)
{
        static const char *const hosts[] = { "a.test", "bücher.test", "10.0.0.0/8", "127.1", NULL };
        static const char *const ports[] = { "80", "443", NULL };
        struct muster_client_options options = { .allow_hosts = hosts, .allow_ports = ports };
        int r;

        memset(&error, 0, sizeof(error));
        r = guard_init(&guard, &options, &error);
        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        assert_int_equal(r, error.code);
        end();
}

static void test_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(init_and_deinit);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_is_denied_by_default),
                cmocka_unit_test(test_every_spelling),
                cmocka_unit_test(test_names_are_what_they_lead_to),
                cmocka_unit_test(test_exceptions),
                cmocka_unit_test(test_only_these),
                cmocka_unit_test(test_ports),
                cmocka_unit_test(test_bad_options),
                cmocka_unit_test(test_without_memory),
        };

        return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
