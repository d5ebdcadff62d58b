/* SPDX-License-Identifier: MIT */
/*
 * The lab as a whole: starting, without memory, anything in any order, stopping in the midst
 */
#include "lab_world.h"

#include <base/rand.h>
#include <errno.h>
#include <lab/scenario.h>
#include <stdio.h>
#include <unistd.h>

/* --- starting -------------------------------------------------------------------------------- */

static void test_start_in_words(void **state)
{
        struct lab_config *config;
        struct muster_error error = { 0 };
        struct lab lab = { 0 };
        char url[100], expected[100];

        (void)state;
        lab_stop(&lab); /* zeroed is not running */
        open_world("");
        config = mem_zalloc(sizeof(*config));
        assert_int_equal(config_init(config), 0);
        config->listeners[0].port = listener()->port;
        assert_int_equal(lab_start(&lab, &world.loop, config, &error), MUSTER_E_RESOURCE);
        snprintf(expected, sizeof(expected),
                "listener lab: cannot bind to 127.0.0.1:%u: ", listener()->port);
        assert_true(str_starts(str_of(error.text), expected));
        assert_int_equal(error.sys, EADDRINUSE);
        lab_stop(&lab);
        config_deinit(config);
        mem_free(config);
        listener_url(listener(), NULL, url, sizeof(url));
        snprintf(expected, sizeof(expected), "http://127.0.0.1:%u", listener()->port);
        assert_string_equal(url, expected);
        listener_url(listener(), "a.test", url, sizeof(url));
        snprintf(expected, sizeof(expected), "http://a.test:%u", listener()->port);
        assert_string_equal(url, expected);
        close_world();
}

static void start_without_memory(void)
{
        struct clock clock = { .is_manual = true, .manual_ns = START_NS };
        struct muster_error error = { 0 };
        int sys = 0;

        world.clock = clock;
        if (loop_init(&world.loop, &world.clock, &sys) < 0)
                return;
        if (config_init(&world.config) == 0 &&
                scenario_parse("test", str_of("name a.test 192.0.2.1"), &world.config, NULL) == 0) {
                int r = lab_start(&world.lab, &world.loop, &world.config, &error);

                assert_int_equal(r, error.code);
                assert_true(r == 0 || mem_has_failed());
        }
        close_world();
}

static void test_start_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(start_without_memory);
}

/* --- trouble --------------------------------------------------------------------------------- */

static const char *const requests[] = {
        "GET /plain HTTP/1.1\r\nA: b\r\n\r\n",
        "GET /json/2k/3 HTTP/1.1\r\n\r\n",
        "GET /encoded/gzip,br,zstd HTTP/1.1\r\n\r\n",
        "GET /broken/deflate/trailing HTTP/1.1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        "POST /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "GET /chunked/40k?early-hints=2&gap=1ms HTTP/1.1\r\n\r\n",
        "GET /basic/a/b HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\n",
        "GET /redirect/3?to=%2fplain&header=a:b HTTP/1.1\r\n\r\n",
        "GET /retry/503/1s?times=1&key=a HTTP/1.1\r\n\r\n",
        "GET /cookies/set?a=b&c=d HTTP/1.1\r\n\r\n",
        "GET /cookies HTTP/1.1\r\nCookie: a=b; c=d\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\nGET /delay/5ms HTTP/1.1\r\n\r\nGET /bytes/1M HTTP/1.1\r\n\r\n",
        "GET /lab/stats HTTP/1.1\r\n\r\n",
        "GET /pl",
        "ain HTTP/1.1\r\n\r\n",
        "GET /hang/body HTTP/1.1\r\n\r\n",
        "GET /cut/30 HTTP/1.1\r\n\r\n",
        "GET /trickle/9/1/1ms HTTP/1.1\r\n\r\n",
        "POST /upload HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n",
        "\r\n",
        "x",
};

/* Whatever happened before: all is forgotten, and a new client is served. */
static void check_all_is_well(void)
{
        struct client *client;

        for (size_t i = 0; i < LENGTH(clients); i++)
                if (clients[i].fd > 0)
                        close_client(&clients[i]);
        pass(3 * NS_PER_S);
        assert_int_equal(stats()->n_open, 0);
        assert_int_equal(stats()->n_busy, 0);
        assert_int_equal(listener()->capacity.n_busy, 0);
        assert_int_equal(listener()->capacity.n_waiting, 0);
        assert_true(list_is_empty(&listener()->peers) && list_is_empty(&world.lab.dead));
        client = open_client(0);
        get(client, "/json/2k/3");
        pass(10 * MS);
        answered(client, 200);
        assert_int_equal(client->body.len, 2048);
        get(client, "/plain");
        pass(10 * MS);
        answered(client, 200);
        close_client(client);
}

/* Without any memory of the test's own: only whether the lab survives is asked here. */
static void send_all_without_memory(void)
{
        for (size_t i = 0; i < LENGTH(requests); i++) {
                struct client client;
                char bytes[4096];

                open_client_at(&client, listener()->port, 0);
                settle();
                (void)!send(client.fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL);
                pass(3 * MS);
                while (recv(client.fd, bytes, sizeof(bytes), 0) > 0)
                        ;
                close(client.fd);
                settle();
        }
}

static void serve_without_memory(const char *settings, long step)
{
        int has_failed = 1;

        for (long n = 0; has_failed; n += step) {
                open_world(settings);
                mem_fail_after(n);
                send_all_without_memory();
                has_failed = mem_has_failed();
                mem_fail_after(-1);
                check_all_is_well();
                close_world();
                assert_true(n < 10000);
        }
}

static void test_serving_without_memory(void **state)
{
        (void)state;
        serve_without_memory("", 1);
        serve_without_memory("workers 1\nservice-time 2ms\nidle-timeout 1s", 1);
}

/* One waits and gets no timer when its turn comes. */
static void test_worker_without_memory(void **state)
{
        struct job first = { 0 }, jobs[2] = { 0 };
        struct capacity *capacity;

        (void)state;
        open_world("workers 1\nservice-time 10ms");
        capacity = &listener()->capacity;
        assert_int_equal(capacity_enter(capacity, &first, NULL), 0);
        assert_int_equal(capacity_enter(capacity, &jobs[0], NULL), 0);
        assert_int_equal(capacity_enter(capacity, &jobs[1], NULL), 0);
        assert_true(capacity->n_busy == 1 && capacity->n_waiting == 2);
        /* The heap of timers has room now only for what it has: take all of it. */
        heap_deinit(&world.loop.timers);
        first.timer.node = (struct heap_node){ 0 };
        mem_fail_after(0);
        capacity_leave(&first);
        mem_fail_after(-1);
        assert_true(capacity->n_busy == 0 && capacity->n_waiting == 0);
        capacity_leave(&jobs[0]);
        capacity_leave(&jobs[1]);
        assert_true(capacity->n_busy == 0 && capacity->n_waiting == 0);
        close_world();
}

static void do_something(struct rand *rand)
{
        size_t i = 1 + rand_up_to(rand, 7);
        struct client *client = &clients[i];
        const char *text = requests[rand_up_to(rand, LENGTH(requests) - 1)];
        static const struct linger abrupt = { .l_onoff = 1 };
        char noise[40];

        if (client->fd <= 0) {
                open_client_at(client, listener()->port, rand_up_to(rand, 1) ? 4096 : 0);
                settle();
                return;
        }
        switch (rand_up_to(rand, 15)) {
        case 0:
                setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
                close_client(client);
                return;
        case 1:
                close_client(client);
                return;
        case 2:
                shutdown(client->fd, SHUT_WR);
                settle();
                return;
        case 3:
                pull(client);
                return;
        case 4:
        case 5:
                pass(rand_up_to(rand, 20 * MS));
                return;
        case 6:
                for (size_t k = 0; k < sizeof(noise); k++)
                        noise[k] = (char)rand_next(rand);
                (void)!send(client->fd, noise, sizeof(noise), MSG_NOSIGNAL);
                settle();
                return;
        default:
                (void)!send(client->fd, text, strlen(text), MSG_NOSIGNAL);
                settle();
                return;
        }
}

static void test_anything_in_any_order(void **state)
{
        static const char *const settings[] = { "",
                "workers 2\nservice-time exp:5ms\nqueue 2\nidle-timeout 50ms",
                "workers 1\nservice-time 5ms\nqueue 0\nrefuse close\nmax-requests 3",
                "delay exp:2ms\nwrite-size 1k\nerror-share 20%\naccept-interval 1ms",
                "max-connections 4\nidle-timeout 20ms", "max-connections 4,503\ndelay 2ms",
                "max-connections 4,close" };

        (void)state;
        for (size_t i = 0; i < LENGTH(settings); i++) {
                struct rand rand;

                rand_init(&rand, i + 1);
                open_world(settings[i]);
                for (int k = 0; k < 1500; k++)
                        do_something(&rand);
                assert_true(stats()->n_requests > 100);
                world.config.listeners[0].error_share = 0;
                world.config.listeners[0].delay = (struct spread){ 0 };
                check_all_is_well();
                close_world();
        }
}

static void test_stop_in_the_midst(void **state)
{
        (void)state;
        open_world("workers 1\nservice-time 5ms");
        for (int i = 0; i < 8; i++)
                get(open_client(i), i % 2 ? "/hang/body" : "/bytes/9M");
        pass(12 * MS);
        close_world();
        open_world("");
        for (int i = 0; i < 8; i++)
                close_client(&clients[i]);
        close_world();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_start_in_words),
                cmocka_unit_test(test_start_without_memory),
                cmocka_unit_test(test_serving_without_memory),
                cmocka_unit_test(test_worker_without_memory),
                cmocka_unit_test(test_anything_in_any_order),
                cmocka_unit_test(test_stop_in_the_midst),
        };

        return cmocka_run_group_tests_name("lab_server", tests, NULL, NULL);
}
