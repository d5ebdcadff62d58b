/* SPDX-License-Identifier: MIT */
/*
 * Racing addresses: listeners on loopback, one of them with a full queue to stand for an address
 * that hangs
 */
#include "unit.h"

#include <arpa/inet.h>
#include <base/error.h>
#include <errno.h>
#include <net/dial.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static struct clock clock_of_test;

struct world {
        struct loop loop;
        struct resolver *resolver;
        struct dial dial;
        int result, n_done;
        int silent_fd; /* a name server that says nothing; -1: none */
        uint16_t port;
        const struct dial_filter *filter; /* NULL: none */
        char override[200];
};

static void done(struct dial *dial, int r)
{
        struct world *w = LIST_OWNER(dial, struct world, dial);

        w->result = r;
        w->n_done++;
}

/* A listener on this address, on the world's port or, for the first one, a free one. */
static int listen_on(struct world *w, const char *text, int backlog)
{
        struct net_address address;
        struct sockaddr_storage at;
        struct sockaddr_in *v4 = (void *)&at;
        int yes = 1, fd;
        socklen_t len;

        assert_true(address_parse(str_of(text), &address));
        len = address_to_sockaddr(&address, w->port, &at);
        fd = socket(address.family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
        assert_int_equal(listen(fd, backlog), 0);
        getsockname(fd, (struct sockaddr *)&at, &len);
        w->port = ntohs(v4->sin_port); /* the port stands at the same place in both families */
        return fd;
}

static void open_world(struct world *w, bool is_manual)
{
        int sys;

        memset(w, 0, sizeof(*w));
        w->silent_fd = -1;
        clock_of_test = (struct clock){ .is_manual = is_manual, .manual_ns = 1000 * NS_PER_S };
        assert_int_equal(loop_init(&w->loop, &clock_of_test, &sys), 0);
}

static void start(struct world *w, const char *addresses)
{
        const char *const overrides[] = { w->override, NULL };
        const struct dial_target target = {
                .host = str_of("h.test"), .port = w->port, .filter = w->filter
        };
        struct muster_error error = { 0 };

        snprintf(w->override, sizeof(w->override), "h.test:%u:%s", w->port, addresses);
        if (resolver_new(&w->resolver, &w->loop,
                    &(struct resolver_options){ .overrides = overrides }, &error) < 0)
                fail_msg("%s", error.text);
        assert_int_equal(dial_start(&w->dial, &w->loop, w->resolver, done, &target), 0);
        assert_int_equal(w->n_done, 0);
}

/*
 * Bound, and read by nobody: at a port that is free the question would be refused, and some
 * versions of c-ares hear it at once.
 */
static uint16_t be_silent(struct world *w)
{
        struct sockaddr_in at = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(at);

        w->silent_fd = socket(AF_INET, SOCK_DGRAM, 0);
        assert_int_equal(bind(w->silent_fd, (struct sockaddr *)&at, len), 0);
        getsockname(w->silent_fd, (struct sockaddr *)&at, &len);
        return ntohs(at.sin_port);
}

/* The name is asked of a server that says nothing; the test answers in its place. */
static void start_without_answer(struct world *w)
{
        const struct dial_target target = {
                .host = str_of("h.test"), .port = w->port, .filter = w->filter
        };
        struct muster_error error = { 0 };
        char server[30];
        struct resolver_options options = { .servers = server };

        snprintf(server, sizeof(server), "127.0.0.1:%u", be_silent(w));
        if (resolver_new(&w->resolver, &w->loop, &options, &error) < 0)
                fail_msg("%s", error.text);
        assert_int_equal(dial_start(&w->dial, &w->loop, w->resolver, done, &target), 0);
        resolve_waiter_cancel(&w->dial.waiter);
}

static void turn_until_done(struct world *w)
{
        for (int i = 0; i < 1000 && !w->n_done; i++)
                assert_int_equal(loop_turn(&w->loop, clock_now(&clock_of_test) + 10 * NS_PER_S), 0);
        assert_int_equal(w->n_done, 1);
}

static void close_world(struct world *w)
{
        dial_stop(&w->dial);
        dial_stop(&w->dial);
        resolver_free(w->resolver);
        loop_deinit(&w->loop);
        if (w->silent_fd >= 0)
                close(w->silent_fd);
}

static void expect_address(const struct world *w, const char *host)
{
        char expected[ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX];

        address_text((const struct sockaddr *)&w->dial.address, text, sizeof(text));
        snprintf(expected, sizeof(expected), "%s:%u", host, w->port);
        assert_string_equal(text, expected);
}

static void expect_try(const struct world *w, size_t i, const char *text, enum dial_fate fate,
        uint64_t took_ns)
{
        const struct dial_try *try = &w->dial.tries[i];
        struct net_address address;

        assert_true(i < w->dial.n_tries);
        assert_true(address_parse(str_of(text), &address));
        assert_true(address_eq(&try->address, &address));
        assert_int_equal(try->fate, fate);
        assert_int_equal(try->end_ns - try->begin_ns, took_ns);
        assert_int_equal(try->sys, fate == DIAL_FAILED ? ECONNREFUSED : 0);
}

static void test_first_address(void **state)
{
        struct world w;
        int fd;

        (void)state;
        open_world(&w, true);
        fd = listen_on(&w, "127.0.0.1", 8);
        start(&w, "127.0.0.1,127.0.0.2");
        turn_until_done(&w);
        assert_int_equal(w.result, 0);
        assert_int_equal(w.dial.n_tried, 1);
        assert_true(w.dial.dns_end_ns > 0);
        expect_address(&w, "127.0.0.1");
        assert_int_equal(w.dial.n_tries, 1);
        expect_try(&w, 0, "127.0.0.1", DIAL_CONNECTED, 0);
        close(fd);
        close_world(&w);
}

/* A refusal starts the next one at once, without its delay. */
static void test_refused_then_next(void **state)
{
        struct world w;
        uint64_t begin;
        int fd;

        (void)state;
        open_world(&w, true);
        fd = listen_on(&w, "127.0.0.3", 8);
        begin = clock_of_test.manual_ns;
        start(&w, "127.0.0.1,127.0.0.2,127.0.0.3");
        turn_until_done(&w);
        assert_int_equal(w.result, 0);
        assert_int_equal(w.dial.n_tried, 3);
        assert_true(clock_of_test.manual_ns - begin < DIAL_ATTEMPT_DELAY_NS);
        expect_address(&w, "127.0.0.3");
        assert_int_equal(w.dial.n_tries, 3);
        expect_try(&w, 0, "127.0.0.1", DIAL_FAILED, 0);
        expect_try(&w, 1, "127.0.0.2", DIAL_FAILED, 0);
        expect_try(&w, 2, "127.0.0.3", DIAL_CONNECTED, 0);
        close(fd);
        close_world(&w);
}

/* 127.0.0.1 hangs: its queue is full. 127.0.0.2 does not. */
struct hanging {
        int fds[10], bad, good;
};

static void hang(struct world *w, struct hanging *h)
{
        h->bad = listen_on(w, "127.0.0.1", 0);
        h->good = listen_on(w, "127.0.0.2", 8);
        for (int i = 0; i < 10; i++) {
                struct sockaddr_in at = { .sin_family = AF_INET,
                        .sin_port = htons(w->port),
                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

                h->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void)!connect(h->fds[i], (struct sockaddr *)&at, sizeof(at));
        }
}

static void unhang(struct hanging *h)
{
        for (int i = 0; i < 10; i++)
                close(h->fds[i]);
        close(h->bad);
        close(h->good);
}

/* One that hangs: the next one is tried after 250 ms, and wins. */
static void test_hanging_address_is_overtaken(void **state)
{
        struct world w;
        struct hanging h;
        uint64_t begin;

        (void)state;
        open_world(&w, true);
        hang(&w, &h);
        begin = clock_of_test.manual_ns;
        start(&w, "127.0.0.1,127.0.0.2");
        turn_until_done(&w);
        assert_int_equal(w.result, 0);
        expect_address(&w, "127.0.0.2");
        assert_int_equal(clock_of_test.manual_ns - begin, DIAL_ATTEMPT_DELAY_NS);
        assert_int_equal(w.dial.n_tries, 2);
        expect_try(&w, 0, "127.0.0.1", DIAL_OVERTAKEN, DIAL_ATTEMPT_DELAY_NS);
        expect_try(&w, 1, "127.0.0.2", DIAL_CONNECTED, 0);
        unhang(&h);
        close_world(&w);
}

/* Nobody waits for it any longer. */
static void test_hanging_address_is_stopped(void **state)
{
        struct world w;
        struct hanging h;

        (void)state;
        open_world(&w, true);
        hang(&w, &h);
        start(&w, "127.0.0.1");
        clock_of_test.manual_ns += NS_PER_S;
        dial_stop(&w.dial);
        assert_int_equal(w.n_done, 0);
        assert_int_equal(w.dial.n_tries, 1);
        expect_try(&w, 0, "127.0.0.1", DIAL_STOPPED, NS_PER_S);
        unhang(&h);
        close_world(&w);
}

/*
 * The resolver tells of the addresses one after the other: the second one waits for its turn all
 * the same.
 */
static void test_late_address_waits_for_its_turn(void **state)
{
        struct world w;
        struct hanging h;
        struct net_address addresses[2];
        struct resolve_answer answer = { .addresses = addresses, .n = 1 };
        uint64_t begin;

        (void)state;
        open_world(&w, true);
        hang(&w, &h);
        address_parse(str_of("127.0.0.1"), &addresses[0]);
        address_parse(str_of("127.0.0.2"), &addresses[1]);
        start_without_answer(&w);
        begin = clock_of_test.manual_ns;
        w.dial.waiter.answered(&w.dial.waiter, &answer);
        clock_of_test.manual_ns += NS_PER_MS;
        answer.n = 2;
        answer.is_final = true;
        w.dial.waiter.answered(&w.dial.waiter, &answer);
        assert_int_equal(w.dial.n_tried, 1);
        turn_until_done(&w);
        assert_int_equal(w.result, 0);
        expect_address(&w, "127.0.0.2");
        assert_int_equal(clock_of_test.manual_ns - begin, DIAL_ATTEMPT_DELAY_NS);
        unhang(&h);
        close_world(&w);
}

static void test_all_refused(void **state)
{
        struct world w;

        (void)state;
        open_world(&w, true);
        w.port = 1;
        start(&w, "127.0.0.1");
        turn_until_done(&w);
        assert_int_equal(w.result, MUSTER_E_CONNECT);
        assert_string_equal(w.dial.error.text,
                "connect: 127.0.0.1:1: connection refused (1 address tried)");
        close_world(&w);
        open_world(&w, true);
        w.port = 1;
        start(&w, "127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5,127.0.0.6");
        turn_until_done(&w);
        assert_int_equal(w.dial.n_tried, 6);
        assert_string_equal(w.dial.error.text,
                "connect: h.test:1: 6 addresses tried, the last, 127.0.0.6:1: connection refused");
        close_world(&w);
}

static struct loop_socket taken;

static void ignore(struct loop_socket *socket, const struct loop_event *event)
{
        (void)socket;
        (void)event;
}

static void take(struct dial *dial, int r)
{
        done(dial, r);
        dial_take_socket(dial, &taken, ignore);
}

static void test_socket_is_taken(void **state)
{
        struct world w;
        int fd, sys = 0, peer;
        char got[3] = "";

        (void)state;
        open_world(&w, true);
        fd = listen_on(&w, "127.0.0.1", 8);
        start(&w, "127.0.0.1");
        w.dial.done = take;
        turn_until_done(&w);
        dial_stop(&w.dial); /* the socket lives on */
        peer = accept(fd, NULL, NULL);
        assert_true(loop_socket_is_open(&taken));
        assert_int_equal(loop_send(&taken, &(struct iovec){ (void *)(uintptr_t) "hi", 2 }, 1, &sys),
                0);
        assert_int_equal(recv(peer, got, 2, 0), 2);
        assert_string_equal(got, "hi");
        loop_socket_close(&taken);
        close(peer);
        close(fd);
        close_world(&w);
}

static void test_stopped_while_racing(void **state)
{
        struct world w;

        (void)state;
        open_world(&w, true);
        w.port = 1;
        start(&w, "127.0.0.1,127.0.0.2");
        dial_stop(&w.dial);
        for (int i = 0; i < 5; i++)
                loop_turn(&w.loop, clock_now(&clock_of_test) + NS_PER_MS);
        assert_int_equal(w.n_done, 0);
        close_world(&w);
}

/* Refuses 127.0.0.1 and ::1. */
static int not_the_first(const struct dial_filter *filter, struct muster_str host,
        const struct net_address *address, struct muster_error *error)
{
        struct net_address first[2];

        (void)filter;
        address_parse(str_of("127.0.0.1"), &first[0]);
        address_parse(str_of("::1"), &first[1]);
        if (!address_eq(address, &first[0]) && !address_eq(address, &first[1]))
                return 0;
        return error_set(error, MUSTER_E_DENIED, MUSTER_PHASE_DNS, 0, "denied: %.*s IPv%d",
                STR_ARGS(host), address->family == AF_INET ? 4 : 6);
}

static const struct dial_filter filter = { not_the_first };

/* Nobody has connected to it. */
static void expect_untouched(int fd)
{
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

        assert_int_equal(poll(&poll_fd, 1, 0), 0);
}

static void test_refused_address_is_left_out(void **state)
{
        struct world w;
        int refused, allowed;

        (void)state;
        open_world(&w, true);
        refused = listen_on(&w, "127.0.0.1", 8);
        allowed = listen_on(&w, "127.0.0.2", 8);
        w.filter = &filter;
        start(&w, "127.0.0.1,127.0.0.2,127.0.0.1");
        turn_until_done(&w);
        assert_int_equal(w.result, 0);
        assert_int_equal(w.dial.n_tried, 1);
        expect_address(&w, "127.0.0.2");
        expect_untouched(refused);
        assert_int_equal(w.dial.n_tries, 2); /* each address once */
        expect_try(&w, 0, "127.0.0.1", DIAL_DENIED, 0);
        expect_try(&w, 1, "127.0.0.2", DIAL_CONNECTED, 0);
        close(refused);
        close(allowed);
        close_world(&w);
}

static void test_all_addresses_refused_by_filter(void **state)
{
        struct world w;
        int fd;

        (void)state;
        open_world(&w, true);
        fd = listen_on(&w, "127.0.0.1", 8);
        w.filter = &filter;
        start(&w, "127.0.0.1,::1");
        turn_until_done(&w);
        assert_int_equal(w.result, MUSTER_E_DENIED);
        assert_string_equal(w.dial.error.text, "denied: h.test IPv4");
        assert_int_equal(w.dial.n_tried, 0);
        assert_int_equal(w.dial.dns_end_ns, 0);
        expect_untouched(fd);
        close(fd);
        close_world(&w);
}

/* Those that are refused come first: the dial waits for the others. */
static void test_late_address_is_allowed(void **state)
{
        struct net_address addresses[2];
        struct resolve_answer answer = { .addresses = addresses, .n = 1 };
        struct world w;

        (void)state;
        open_world(&w, true);
        w.port = 1;
        w.filter = &filter;
        address_parse(str_of("::1"), &addresses[0]);
        address_parse(str_of("127.0.0.2"), &addresses[1]);
        start_without_answer(&w);
        w.dial.waiter.answered(&w.dial.waiter, &answer);
        assert_int_equal(w.n_done, 0);
        assert_int_equal(w.dial.n_tried, 0);
        answer.n = 2;
        answer.is_final = true;
        w.dial.waiter.answered(&w.dial.waiter, &answer);
        turn_until_done(&w);
        assert_int_equal(w.dial.n_tried, 1);
        assert_string_equal(w.dial.error.text,
                "connect: 127.0.0.2:1: connection refused (1 address tried)");
        close_world(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_address),
                cmocka_unit_test(test_refused_then_next),
                cmocka_unit_test(test_hanging_address_is_overtaken),
                cmocka_unit_test(test_hanging_address_is_stopped),
                cmocka_unit_test(test_late_address_waits_for_its_turn),
                cmocka_unit_test(test_all_refused),
                cmocka_unit_test(test_socket_is_taken),
                cmocka_unit_test(test_stopped_while_racing),
                cmocka_unit_test(test_refused_address_is_left_out),
                cmocka_unit_test(test_all_addresses_refused_by_filter),
                cmocka_unit_test(test_late_address_is_allowed),
        };

        return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}
