/* SPDX-License-Identifier: MIT */
/*
 * When the lab answers, and how much: delays, trickles, hangs, rates and shares of errors
 */
#include "lab_world.h"

#include <unistd.h>

/* --- time ------------------------------------------------------------------------------------ */

static void test_delay(void **state)
{
        struct client *client;

        (void)state;
        open_world("delay 5ms\nroute /api=/plain?delay=10ms");
        client = open_client(0);
        get(client, "/plain");
        pass(5 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        get(client, "/api"); /* the listener's and the path's */
        pass(15 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        get(client, "/delay/1h");
        pass(3600 * NS_PER_S + 5 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        get(client, "/lab/stats"); /* exempt */
        answered(client, 200);
        close_client(client);
        close_world();
}

static void test_body_delay(void **state)
{
        struct client *client;

        (void)state;
        open_world("body-delay 40ms");
        client = open_client(0);
        get(client, "/plain?body-delay=10ms");
        assert_memory_equal(client->got.at + client->got.len - 4, "\r\n\r\n", 4);
        pass(50 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        get(client, "/lab/stats"); /* exempt */
        answered(client, 200);
        close_client(client);
        close_world();
}

static void test_cold_start(void **state)
{
        struct client *client;

        (void)state;
        open_world("cold-start 2,500ms\ndelay 10ms");
        client = open_client(0);
        get(client, "/lab/stats"); /* warms nothing up */
        answered(client, 200);
        for (int i = 0; i < 4; i++) {
                get(client, "/plain");
                pass((i < 2 ? 510 : 10) * MS - 1);
                assert_false(take(client));
                pass(1);
                answered(client, 200);
                get(client, "/lab/reset"); /* nor makes it cold again */
                answered(client, 200);
        }
        close_client(client);
        close_world();
}

static void test_pauses(void **state)
{
        struct client *client;

        (void)state;
        open_world("pauses 1s,200ms\ndelay 10ms");
        client = open_client(0);
        get(client, "/plain"); /* the first one is after a second */
        pass(10 * MS);
        answered(client, 200);
        pass(980 * MS);
        for (int i = 0; i < 2; i++) {
                get(client, "/plain"); /* its answer falls into the pause */
                pass(210 * MS - 1);
                assert_false(take(client));
                get(open_client(1), "/lab/stats"); /* exempt */
                answered(&clients[1], 200);
                close_client(&clients[1]);
                pass(1);
                answered(client, 200);
                get(client, "/plain");
                pass(10 * MS);
                answered(client, 200);
                pass(780 * MS);
        }
        close_client(client);
        close_world();
}

static void test_trickle(void **state)
{
        struct client *client;
        size_t head;

        (void)state;
        open_world("");
        client = open_client(0);
        get(client, "/trickle/5/2/100ms");
        head = client->got.len - 2;
        assert_memory_equal(client->got.at + head - 4, "\r\n\r\nTh", 6);
        pass(100 * MS - 1);
        pull(client);
        assert_int_equal(client->got.len, head + 2);
        pass(1);
        pull(client);
        assert_int_equal(client->got.len, head + 4);
        assert_false(take(client));
        pass(100 * MS);
        answered(client, 200);
        assert_int_equal(client->body.len, 5);
        get(client, "/chunked/4/1?gap=10ms");
        pass(30 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        assert_int_equal(client->body.len, 4);
        close_client(client);
        close_world();
}

static void test_hangs_cuts_and_resets(void **state)
{
        struct client *client;
        int n_gone = 0;

        (void)state;
        open_world("");
        for (int i = 0; i < 4; i++) {
                static const char *const paths[] = { "/hang", "/hang/head", "/hang/body",
                        "/plain?hang=20" };

                client = open_client(0);
                get(client, paths[i]);
                pass(3600 * NS_PER_S);
                pull(client);
                assert_false(client->is_ended);
                assert_int_equal(client->got.len > 0, i > 0);
                if (i == 2)
                        assert_non_null(memmem(client->got.at, client->got.len, "\r\n\r\nThe", 7));
                if (i == 3)
                        assert_int_equal(client->got.len, 20);
                assert_int_equal(stats()->n_busy, 1);
                close_client(client);
                assert_int_equal(stats()->n_gone, ++n_gone);
                assert_int_equal(stats()->n_busy, 0);
        }
        client = open_client(0);
        get(client, "/cut/25");
        pull(client);
        assert_true(client->is_ended && client->got.len == 25);
        close_client(client);
        client = open_client(0);
        get(client, "/cut");
        assert_true(client->is_ended && client->got.len == 0);
        close_client(client);
        client = open_client(0);
        get(client, "/reset/30");
        assert_true(client->is_reset && client->got.len <= 30);
        close_client(client);
        client = open_client(0);
        get(client, "/plain?delay=1s&reset=0");
        assert_false(client->is_reset);
        pass(NS_PER_S);
        pull(client);
        assert_true(client->is_reset);
        close_client(client);
        assert_int_equal(stats()->n_gone, n_gone + 4);
        assert_int_equal(stats()->n_busy, 0);
        assert_int_equal(stats()->n_open, 0);
        close_world();
}

static void test_write_size(void **state)
{
        struct client *client;

        (void)state;
        open_world("write-size 100");
        client = open_client(0);
        get(client, "/bytes/1M");
        answered(client, 200);
        assert_int_equal(client->body.len, 1024 * 1024);
        close_client(client);
        close_world();
}

/* So much at a time is what a hundredth of a second allows; what was not used is not saved up. */
static void test_connection_rate(void **state)
{
        struct client *client;

        (void)state;
        open_world("connection-rate 100k");
        for (int i = 0; i < 2; i++) { /* each has its own */
                client = open_client(i);
                get(client, "/bytes/50k");
                assert_int_equal(client->got.len, 1024);
        }
        pass(10 * MS);
        pull(client);
        assert_int_equal(client->got.len, 2048);
        pass(480 * MS);
        for (int i = 0; i < 2; i++) {
                pull(&clients[i]);
                assert_int_equal(clients[i].got.len, 50 * 1024);
        }
        pass(10 * MS); /* the head, too */
        for (int i = 0; i < 2; i++)
                answered(&clients[i], 200);
        close_client(&clients[0]);
        pass(NS_PER_S);
        get(client, "/bytes/50k");
        pull(client);
        assert_int_equal(client->got.len - client->used, 1024);
        close_client(client); /* in the middle of it */
        pass(NS_PER_S);
        assert_int_equal(stats()->n_gone, 1);
        close_world();
}

/* --- limits and errors ----------------------------------------------------------------------- */

static void test_rate_limit(void **state)
{
        struct client *client;

        (void)state;
        open_world("rate-limit 10/s,2");
        client = open_client(0);
        get(client, "/plain");
        answered(client, 200);
        get(client, "/plain");
        answered(client, 200);
        ask(client, "POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\nab");
        answered(client, 429);
        assert_true(has_field(client, "Retry-After: 1\r\n"));
        get(client, "/lab/stats"); /* exempt */
        answered(client, 200);
        pass(100 * MS - 1);
        get(client, "/plain");
        answered(client, 429);
        pass(1);
        get(client, "/plain");
        answered(client, 200);
        assert_int_equal(stats()->n_rate_limited, 2);
        close_client(client);
        close_world();
        open_world("");
        client = open_client(0);
        for (int i = 0; i < 5; i++) {
                get(client, "/limited/10?burst=3");
                answered(client, i < 3 ? 200 : 429);
        }
        pass(100 * MS);
        get(client, "/limited/10?burst=3");
        answered(client, 200);
        assert_int_equal(stats()->n_rate_limited, 2);
        close_client(client);
        close_world();
}

static int count_errors(const char *settings, char *pattern)
{
        struct client *client;
        int n = 0;

        open_world(settings);
        client = open_client(0);
        for (int i = 0; i < 400; i++) {
                get(client, "/plain");
                assert_true(take(client));
                assert_true(client->status == 200 || client->status == 500);
                pattern[i] = client->status == 500;
                n += pattern[i];
        }
        assert_int_equal(stats()->n_responses[5], n);
        close_client(client);
        close_world();
        return n;
}

static void test_error_share(void **state)
{
        char one[400], again[400], other[400];
        int n = count_errors("error-share 25%\nseed 3", one);

        (void)state;
        assert_true(n > 60 && n < 140);
        assert_int_equal(count_errors("error-share 25%\nseed 3", again), n);
        assert_memory_equal(one, again, sizeof(one));
        count_errors("error-share 25%\nseed 4", other);
        assert_memory_not_equal(one, other, sizeof(one));
        assert_int_equal(count_errors("error-share 100%", one), 400);
        assert_int_equal(count_errors("error-share 0", one), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_delay),
                cmocka_unit_test(test_body_delay),
                cmocka_unit_test(test_cold_start),
                cmocka_unit_test(test_pauses),
                cmocka_unit_test(test_trickle),
                cmocka_unit_test(test_hangs_cuts_and_resets),
                cmocka_unit_test(test_write_size),
                cmocka_unit_test(test_connection_rate),
                cmocka_unit_test(test_rate_limit),
                cmocka_unit_test(test_error_share),
        };

        return cmocka_run_group_tests_name("lab_time", tests, NULL, NULL);
}
