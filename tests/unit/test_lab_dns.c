/* SPDX-License-Identifier: MIT */
/*
 * The lab's DNS server by UDP, and how it starts
 */
#include "dns_world.h"

#include <arpa/inet.h>
#include <base/error.h>
#include <base/rand.h>
#include <errno.h>
#include <fcntl.h>

/* --- the server ------------------------------------------------------------------------------ */

static void test_server_answers(void **state)
{
        (void)state;
        open_world();
        add_good(&world.zone, "two.test 10.0.0.1 10.0.0.2 2001:db8::1 ttl=5s");
        add_good(&world.zone, "*.wild.test 10.0.0.3");
        add_good(&world.zone, "empty.test");
        add_good(&world.zone, "fails.test 10.0.0.1 servfail");
        add_good(&world.zone, "refused.test refused");
        add_good(&world.zone, "no.test nxdomain");
        add_good(&world.zone, "half.test 10.0.0.1 ::1 broken-aaaa");
        expect_answer("TWO.test", DNS_TYPE_A, DNS_NOERROR, 2);
        assert_memory_equal(reply.at + 12, "\3TWO\4test\0\0\1\0\1", 14);
        assert_memory_equal(reply.at + 26, "\300\14\0\1\0\1\0\0\0\5\0\4\12\0\0\1", 16);
        assert_memory_equal(reply.at + 42, "\300\14\0\1\0\1\0\0\0\5\0\4\12\0\0\2", 16);
        assert_int_equal(reply.len, 58);
        expect_answer("two.test", DNS_TYPE_AAAA, DNS_NOERROR, 1);
        expect_answer("two.test", 15, DNS_NOERROR, 0);
        expect_answer("x.y.wild.test", DNS_TYPE_A, DNS_NOERROR, 1);
        expect_answer("wild.test", DNS_TYPE_A, DNS_NXDOMAIN, 0);
        expect_answer("empty.test", DNS_TYPE_A, DNS_NOERROR, 0);
        expect_answer("fails.test", DNS_TYPE_A, DNS_SERVFAIL, 0);
        expect_answer("refused.test", DNS_TYPE_A, DNS_REFUSED, 0);
        expect_answer("no.test", DNS_TYPE_A, DNS_NXDOMAIN, 0);
        expect_answer("none.test", DNS_TYPE_A, DNS_NXDOMAIN, 0);
        expect_answer("half.test", DNS_TYPE_A, DNS_NOERROR, 1);
        expect_answer("half.test", DNS_TYPE_AAAA, DNS_SERVFAIL, 0);
        assert_int_equal(world.server.stats.n_queries_udp, 12);
        assert_int_equal(world.server.stats.n_answered, 12);
        close_world();
}

static void test_server_follows_cnames(void **state)
{
        (void)state;
        open_world();
        add_good(&world.zone, "a.test cname=b.test");
        add_good(&world.zone, "b.test cname=c.test");
        add_good(&world.zone, "c.test 10.0.0.1");
        add_good(&world.zone, "lost.test cname=none.test");
        add_good(&world.zone, "round.test cname=round.test");
        expect_answer("a.test", DNS_TYPE_A, DNS_NOERROR, 3);
        expect_answer("a.test", DNS_TYPE_AAAA, DNS_NOERROR, 2);
        expect_answer("a.test", DNS_TYPE_CNAME, DNS_NOERROR, 1);
        expect_answer("lost.test", DNS_TYPE_A, DNS_NXDOMAIN, 1);
        expect_answer("round.test", DNS_TYPE_A, DNS_SERVFAIL, 8);
        close_world();
}

static void test_server_loses(void **state)
{
        unsigned n_lost = 0;

        (void)state;
        open_world();
        add_good(&world.zone, "silent.test 10.0.0.1 silent");
        add_good(&world.zone, "half.test 10.0.0.1 silent-aaaa");
        add_good(&world.zone, "first.test 10.0.0.1 loss-first=2");
        add_good(&world.zone, "never.test 10.0.0.1 loss=100%");
        add_good(&world.zone, "some.test 10.0.0.1 loss=25%");
        assert_false(ask("silent.test", DNS_TYPE_A, 0));
        assert_false(ask("half.test", DNS_TYPE_AAAA, 0));
        expect_answer("half.test", DNS_TYPE_A, DNS_NOERROR, 1);
        assert_false(ask("first.test", DNS_TYPE_A, 0));
        assert_false(ask("first.test", DNS_TYPE_AAAA, 0));
        expect_answer("first.test", DNS_TYPE_A, DNS_NOERROR, 1);
        assert_false(ask("never.test", DNS_TYPE_A, 0));
        assert_int_equal(world.server.stats.n_lost, 5);
        for (int i = 0; i < 200; i++)
                n_lost += !ask("some.test", DNS_TYPE_A, 0);
        assert_true(n_lost > 30 && n_lost < 70);
        assert_int_equal(world.server.stats.n_lost, 5 + n_lost);
        close_world();
}

static void test_server_delays(void **state)
{
        uint64_t start;

        (void)state;
        open_world();
        add_good(&world.zone, "slow.test 10.0.0.1 ::1 delay=100ms delay-aaaa=900ms");
        add_good(&world.zone, "slow6.test 10.0.0.1 ::1 delay-aaaa=30m");
        start = clock_now(&world.clock);
        expect_answer("slow.test", DNS_TYPE_A, DNS_NOERROR, 1);
        assert_int_equal(clock_now(&world.clock) - start, 100 * NS_PER_MS);
        start = clock_now(&world.clock);
        expect_answer("slow.test", DNS_TYPE_AAAA, DNS_NOERROR, 1);
        assert_int_equal(clock_now(&world.clock) - start, 900 * NS_PER_MS);
        start = clock_now(&world.clock);
        expect_answer("slow6.test", DNS_TYPE_A, DNS_NOERROR, 1);
        assert_int_equal(clock_now(&world.clock), start);
        /* The later question is answered first, and one is still open when the server stops. */
        send_udp(query_of(1001, "slow.test", DNS_TYPE_AAAA, 0));
        send_udp(query_of(1002, "slow.test", DNS_TYPE_A, 0));
        send_udp(query_of(1003, "slow6.test", DNS_TYPE_AAAA, 0));
        for (int i = 0; i < 10 && !receive_udp(); i++)
                turn();
        assert_int_equal(id_of(&reply), 1002);
        for (int i = 0; i < 10 && !receive_udp(); i++)
                turn();
        assert_int_equal(id_of(&reply), 1001);
        assert_int_equal(world.server.n_delayed, 1);
        close_world();
}

static void test_server_refuses_malformed(void **state)
{
        struct message *m;

        (void)state;
        open_world();
        m = query_of(9, "a.test", DNS_TYPE_A, 0);
        m->len -= 3;
        send_udp(m);
        turn();
        assert_true(receive_udp());
        assert_int_equal(reply.len, 12);
        assert_int_equal(rcode_of(&reply), DNS_FORMERR);
        m->len = 11;
        send_udp(m);
        turn();
        assert_false(receive_udp());
        m->len = 0;
        send_udp(m);
        turn();
        assert_false(receive_udp());
        assert_int_equal(world.server.stats.n_malformed, 3);
        assert_int_equal(world.server.stats.n_queries_udp, 3);
        m = query_of(9, "a.test", DNS_TYPE_A, 0);
        m->at[m->len - 1] = 3; /* class CHAOS */
        send_udp(m);
        turn();
        assert_true(receive_udp());
        assert_int_equal(rcode_of(&reply), DNS_REFUSED);
        close_world();
}

/* --- starting -------------------------------------------------------------------------------- */

static void test_start_in_words(void **state)
{
        struct dns_server second = { 0 };
        struct muster_error error = { 0 };
        struct sockaddr_in away = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201) };
        struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

        (void)state;
        dns_server_stop(&second); /* zeroed is not running */
        assert_int_equal(dns_server_port(&second), 0);
        open_world();
        assert_int_equal(dns_server_start(&second, &world.loop, &world.zone, &world.rand,
                                 (struct sockaddr *)&world.address, sizeof(world.address), &error),
                MUSTER_E_RESOURCE);
        assert_int_equal(error.sys, EADDRINUSE);
        assert_non_null(strstr(error.text, "DNS server: cannot take UDP queries on 127.0.0.1:"));
        error_clear(&error);
        assert_int_equal(dns_server_start(&second, &world.loop, &world.zone, &world.rand,
                                 (struct sockaddr *)&away, sizeof(away), &error),
                MUSTER_E_RESOURCE);
        assert_int_equal(error.sys, EADDRNOTAVAIL);
        if (dns_server_start(&second, &world.loop, &world.zone, &world.rand,
                    (struct sockaddr *)&six, sizeof(six), NULL) == 0)
                assert_int_not_equal(dns_server_port(&second), 0);
        dns_server_stop(&second);
        close_world();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_server_answers),
                cmocka_unit_test(test_server_follows_cnames),
                cmocka_unit_test(test_server_loses),
                cmocka_unit_test(test_server_delays),
                cmocka_unit_test(test_server_refuses_malformed),
                cmocka_unit_test(test_start_in_words),
        };

        return cmocka_run_group_tests_name("lab_dns", tests, NULL, NULL);
}
