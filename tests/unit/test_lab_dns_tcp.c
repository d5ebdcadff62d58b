/* SPDX-License-Identifier: MIT */
/*
 * The lab's DNS server by TCP
 */
#include "dns_world.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static int connect_tcp(void)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&world.address, sizeof(world.address)), 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        return fd;
}

static void add_framed(struct message *stream, const struct message *m)
{
        const unsigned char length[2] = { (unsigned char)(m->len >> 8), (unsigned char)m->len };

        add_bytes(stream, length, 2);
        add_bytes(stream, m->at, m->len);
}

/*
 * Exactly so many bytes of the stream, while the server's loop turns. False: its end comes first.
 */
static bool receive_exactly(int fd, unsigned char *at, size_t len)
{
        for (int i = 0; len && i < 10000; i++) {
                ssize_t n = recv(fd, at, len, 0);

                if (n == 0 || (n < 0 && errno != EAGAIN))
                        return false;
                if (n < 0) {
                        turn();
                        continue;
                }
                at += n;
                len -= (size_t)n;
        }
        assert_int_equal(len, 0);
        return true;
}

static bool receive_tcp(int fd)
{
        unsigned char length[2];

        if (!receive_exactly(fd, length, 2))
                return false;
        reply.len = (size_t)length[0] << 8 | length[1];
        return receive_exactly(fd, reply.at, reply.len);
}

static void test_tcp_split_anywhere(void **state)
{
        static struct message stream;
        int fd;

        (void)state;
        open_world();
        add_good(&world.zone, "a.test 10.0.0.1 ::1");
        stream.len = 0;
        for (unsigned id = 1; id <= 3; id++)
                add_framed(&stream, query_of(id, "a.test", id == 2 ? DNS_TYPE_AAAA : 1, 1232));
        fd = connect_tcp();
        for (size_t split = 0; split <= stream.len; split++) {
                assert_int_equal(send(fd, stream.at, split, 0), split);
                turn();
                turn();
                assert_int_equal(send(fd, stream.at + split, stream.len - split, 0),
                        stream.len - split);
                for (unsigned id = 1; id <= 3; id++) {
                        assert_true(receive_tcp(fd));
                        assert_int_equal(id_of(&reply), id);
                        assert_int_equal(n_records_of(&reply), 1);
                }
        }
        assert_int_equal(world.server.n_conns, 1);
        assert_int_equal(world.server.stats.n_queries_tcp, 3 * (stream.len + 1));
        close(fd);
        for (int i = 0; i < 10 && world.server.n_conns; i++)
                turn();
        close_world();
}

static void test_truncated_then_by_tcp(void **state)
{
        static struct message stream;
        struct buf spec = { 0 };
        int fd;

        (void)state;
        open_world();
        buf_add_text(&spec, "large.test");
        for (int i = 0; i < 100; i++)
                buf_add_text(&spec, " 10.0.0.1");
        assert_int_equal(zone_add(&world.zone, buf_str(&spec), NULL), 0);
        buf_deinit(&spec);
        add_good(&world.zone, "small.test 10.0.0.1 truncate");
        expect_answer("none.test", DNS_TYPE_A, DNS_NXDOMAIN, 0);
        assert_true(ask("large.test", DNS_TYPE_A, 0));
        assert_true(is_truncated(&reply));
        assert_int_equal(n_records_of(&reply), 0);
        assert_true(ask("large.test", DNS_TYPE_A, 1232));
        assert_true(is_truncated(&reply));
        assert_true(ask("large.test", DNS_TYPE_A, 1639)); /* 28 + 100 * 16 + 11 */
        assert_false(is_truncated(&reply));
        assert_int_equal(reply.len, 1639);
        assert_true(ask("large.test", DNS_TYPE_A, 1638));
        assert_true(is_truncated(&reply));
        assert_true(ask("small.test", DNS_TYPE_A, 4096));
        assert_true(is_truncated(&reply));
        assert_int_equal(world.server.stats.n_truncated, 4);

        fd = connect_tcp();
        stream.len = 0;
        add_framed(&stream, query_of(1, "large.test", DNS_TYPE_A, 0));
        add_framed(&stream, query_of(2, "small.test", DNS_TYPE_A, 0));
        assert_int_equal(send(fd, stream.at, stream.len, 0), stream.len);
        assert_true(receive_tcp(fd));
        assert_int_equal(n_records_of(&reply), 100);
        assert_true(receive_tcp(fd));
        assert_int_equal(n_records_of(&reply), 1);
        assert_false(is_truncated(&reply));
        assert_int_equal(world.server.stats.n_truncated, 4);
        close(fd);
        close_world();
}

/*
 * What is due first goes out first; after the client's end the rest is still answered, and then the
 * connection closed.
 */
static void test_tcp_delays_and_end(void **state)
{
        static struct message stream;
        int fd;

        (void)state;
        open_world();
        add_good(&world.zone, "slow.test 10.0.0.1 delay=100ms delay-aaaa=3s");
        add_good(&world.zone, "fast.test 10.0.0.1");
        add_good(&world.zone, "silent.test silent");
        fd = connect_tcp();
        stream.len = 0;
        add_framed(&stream, query_of(1, "slow.test", DNS_TYPE_AAAA, 0));
        add_framed(&stream, query_of(2, "slow.test", DNS_TYPE_A, 0));
        add_framed(&stream, query_of(3, "silent.test", DNS_TYPE_A, 0));
        add_framed(&stream, query_of(4, "fast.test", DNS_TYPE_A, 0));
        assert_int_equal(send(fd, stream.at, stream.len, 0), stream.len);
        shutdown(fd, SHUT_WR);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 4);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 2);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 1);
        assert_false(receive_tcp(fd));
        assert_int_equal(world.server.n_conns, 0);
        close(fd);
        close_world();
}

static void test_tcp_malformed(void **state)
{
        static struct message stream;
        struct message *m;
        int fd;

        (void)state;
        open_world();
        fd = connect_tcp();
        stream.len = 0;
        add_bytes(&stream, "\0\0\0\1x", 5);
        m = query_of(5, "a.test", DNS_TYPE_A, 0);
        m->at[5] = 0;
        add_framed(&stream, m);
        add_framed(&stream, query_of(6, "a.test", DNS_TYPE_A, 0));
        assert_int_equal(send(fd, stream.at, stream.len, 0), stream.len);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 5);
        assert_int_equal(rcode_of(&reply), DNS_FORMERR);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 6);
        assert_int_equal(world.server.stats.n_malformed, 3);
        /* The longest there is, and of no sense. */
        memset(reply.at, 0, sizeof(reply.at));
        memset(stream.at, 0, sizeof(stream.at));
        stream.at[0] = stream.at[1] = 0xff;
        assert_int_equal(send(fd, stream.at, 65536, 0), 65536);
        assert_int_equal(send(fd, stream.at, 1, 0), 1);
        assert_true(receive_tcp(fd));
        assert_int_equal(rcode_of(&reply), DNS_FORMERR);
        close(fd);
        close_world();
}

/*
 * A client that asks and does not read: the server stops to read, and goes on when the client does.
 */
static void test_tcp_client_that_does_not_read(void **state)
{
        static struct message stream;
        struct buf spec = { 0 };
        uint64_t n_before = 0, n_asked = 0, n_whole;
        size_t at = 0;
        int fd, n_still = 0;

        (void)state;
        open_world();
        buf_add_text(&spec, "large.test");
        for (int i = 0; i < ZONE_ADDRESSES_MAX; i++)
                buf_add_text(&spec, " ::1");
        assert_int_equal(zone_add(&world.zone, buf_str(&spec), NULL), 0);
        buf_deinit(&spec);
        fd = connect_tcp();
        stream.len = 0;
        add_framed(&stream, query_of(1, "large.test", DNS_TYPE_AAAA, 0));
        while (n_still < 10) {
                ssize_t n = send(fd, stream.at + at, stream.len - at, 0);

                if (n > 0)
                        at += (size_t)n;
                if (at == stream.len) {
                        n_asked++;
                        at = 0;
                }
                if (n > 0 && n_asked % 1000)
                        continue;
                loop_turn(&world.loop, 0);
                n_still = n < 0 && world.server.stats.n_answered == n_before ? n_still + 1 : 0;
                n_before = world.server.stats.n_answered;
        }
        assert_true(n_asked > 2 * n_before);
        n_whole = n_asked;
        for (uint64_t i = 0; i < n_whole; i++)
                assert_true(receive_tcp(fd));
        assert_int_equal(world.server.stats.n_answered, n_whole);
        /* And now it goes away with answers outstanding. */
        at = at ? stream.len - at : 0;
        assert_int_equal(send(fd, stream.at + stream.len - at, at, 0), at);
        for (int i = 0; i < 1000; i++)
                send(fd, stream.at, stream.len, 0);
        loop_turn(&world.loop, 0);
        close(fd);
        for (int i = 0; i < 1000 && world.server.n_conns; i++)
                turn();
        assert_int_equal(world.server.n_conns, 0);
        close_world();
}

/*
 * More delayed answers than one connection may have: all are answered, and never more than that
 * many are open.
 */
static void test_tcp_many_delayed(void **state)
{
        static struct message stream;
        unsigned n = DNS_CONN_DELAYED_MAX * 3 + 5;
        bool is_answered[DNS_CONN_DELAYED_MAX * 3 + 5] = { false };
        int fd;

        (void)state;
        open_world();
        add_good(&world.zone, "slow.test 10.0.0.1 delay=100ms");
        fd = connect_tcp();
        stream.len = 0;
        for (unsigned id = 0; id < n; id++)
                add_framed(&stream, query_of(id, "slow.test", DNS_TYPE_A, 0));
        assert_int_equal(send(fd, stream.at, stream.len, 0), stream.len);
        for (unsigned i = 0; i < n; i++) {
                assert_true(world.server.n_delayed <= DNS_CONN_DELAYED_MAX);
                assert_true(receive_tcp(fd));
                assert_true(id_of(&reply) < n && !is_answered[id_of(&reply)]);
                is_answered[id_of(&reply)] = true; /* those due at one moment go in any order */
        }
        assert_int_equal(clock_now(&world.clock) - START_NS, 400 * NS_PER_MS);
        send(fd, stream.at, stream.len, 0);
        turn();
        assert_int_equal(world.server.n_delayed, DNS_CONN_DELAYED_MAX);
        close(fd); /* reset: the server has not read all */
        for (int i = 0; i < 20 && world.server.n_conns; i++)
                turn();
        assert_int_equal(world.server.n_conns, 0);
        close_world();
}

static void test_delayed_answers_are_bounded(void **state)
{
        struct message *m;

        (void)state;
        open_world();
        add_good(&world.zone, "slow.test 10.0.0.1 delay=1h");
        m = query_of(1, "slow.test", DNS_TYPE_A, 0);
        for (int i = 0; i < DNS_DELAYED_MAX + 1000; i++) {
                send_udp(m);
                if (i % 64 == 63)
                        assert_int_equal(loop_turn(&world.loop, 0), 0);
        }
        for (int i = 0; i < 20; i++)
                assert_int_equal(loop_turn(&world.loop, 0), 0);
        assert_int_equal(world.server.n_delayed, DNS_DELAYED_MAX);
        assert_int_equal(world.server.stats.n_lost, 1000);
        close_world();
}

static void test_connections_are_bounded(void **state)
{
        struct rlimit limit;
        int fds[DNS_CONNS_MAX + 3];
        char c;

        (void)state;
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < 3 * DNS_CONNS_MAX)
                skip();
        open_world();
        for (size_t i = 0; i < LENGTH(fds); i++) {
                fds[i] = connect_tcp();
                if (i % 32 == 0)
                        turn();
        }
        for (int i = 0; i < 100 && world.server.n_conns < DNS_CONNS_MAX; i++)
                turn();
        turn();
        assert_int_equal(world.server.n_conns, DNS_CONNS_MAX);
        assert_int_equal(recv(fds[LENGTH(fds) - 1], &c, 1, 0), 0);
        assert_int_equal(recv(fds[0], &c, 1, 0), -1);
        for (size_t i = 0; i < LENGTH(fds); i++)
                close(fds[i]);
        for (int i = 0; i < 100 && world.server.n_conns; i++)
                turn();
        assert_int_equal(world.server.n_conns, 0);
        close_world();
}

static void test_no_descriptors_left(void **state)
{
        struct rlimit before, none;
        int fd;

        (void)state;
        open_world();
        add_good(&world.zone, "a.test 10.0.0.1");
        fd = connect_tcp();
        getrlimit(RLIMIT_NOFILE, &before);
        none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
        setrlimit(RLIMIT_NOFILE, &none);
        turn();
        assert_int_equal(world.server.n_conns, 0);
        assert_false(world.server.tcp_watch.want_read); /* or it would be ready all the time */
        setrlimit(RLIMIT_NOFILE, &before);
        for (int i = 0; i < 10 && !world.server.n_conns; i++)
                turn();
        assert_int_equal(world.server.n_conns, 1);
        close(fd);
        close_world();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tcp_split_anywhere),
                cmocka_unit_test(test_truncated_then_by_tcp),
                cmocka_unit_test(test_tcp_delays_and_end),
                cmocka_unit_test(test_tcp_malformed),
                cmocka_unit_test(test_tcp_client_that_does_not_read),
                cmocka_unit_test(test_tcp_many_delayed),
                cmocka_unit_test(test_delayed_answers_are_bounded),
                cmocka_unit_test(test_connections_are_bounded),
                cmocka_unit_test(test_no_descriptors_left),
        };

        return cmocka_run_group_tests_name("lab_dns_tcp", tests, NULL, NULL);
}
