/* SPDX-License-Identifier: MIT */
/*
 * Connections to the lab: kept, pipelined, idle, ended by one side or not read from
 */
#include "lab_world.h"

#include <lab/peer.h>
#include <stdio.h>
#include <unistd.h>

static void test_byte_by_byte(void **state)
{
        static const char text[] = "\r\nPOST /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "3\r\nabc\r\n0\r\n\r\nGET /plain HTTP/1.0\n\n";
        struct client *client;

        (void)state;
        open_world("");
        client = open_client(0);
        for (size_t i = 0; i + 1 < sizeof(text); i++) {
                assert_false(client->is_ended);
                assert_int_equal(send(client->fd, text + i, 1, 0), 1);
                settle();
        }
        answered(client, 200);
        assert_true(str_starts(client->body, "{\"body_bytes\":3"));
        answered(client, 200);
        assert_true(is_closed(client));
        close_client(client);
        close_world();
}

static void test_pipelined(void **state)
{
        struct client *client;
        struct buf text = { 0 };

        (void)state;
        open_world("");
        client = open_client(0);
        for (int i = 0; i < 200; i++) {
                char request[100];

                snprintf(request, sizeof(request),
                        "POST /bytes/%d HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", i * 100);
                buf_add_text(&text, request);
        }
        buf_terminate(&text);
        ask(client, text.at);
        for (size_t i = 0; i < 200; i++) {
                answered(client, 200);
                assert_int_equal(client->body.len, i * 100);
        }
        /* Those with a delay come one after the other, each with its own. */
        ask(client, "GET /delay/10ms HTTP/1.1\r\n\r\nGET /delay/20ms HTTP/1.1\r\n\r\n"
                    "GET /plain HTTP/1.1\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n");
        pass(10 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        pass(20 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        answered(client, 200);
        assert_true(has_field(client, "Connection: close\r\n"));
        assert_true(is_closed(client)); /* the last one gets nothing */
        assert_int_equal(stats()->n_requests, 203);
        buf_deinit(&text);
        close_client(client);
        close_world();
}

static void test_keep_alive_and_its_ends(void **state)
{
        static const struct {
                const char *settings, *text;
                const char *field; /* of the response */
                bool is_closed;
        } cases[] = {
                { "", "GET /plain HTTP/1.1\r\n\r\n", NULL, false },
                { "", "GET /plain HTTP/1.1\r\nConnection: close\r\n\r\n", "Connection: close",
                        true },
                { "", "GET /plain HTTP/1.0\r\n\r\n", "Connection: close", true },
                { "", "GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                        "Connection: keep-alive", false },
                { "", "GET /close HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "", "GET /plain?close=1 HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "", "GET /plain?until-close=1 HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "", "GET /plain?http1.0=1 HTTP/1.1\r\n\r\n", "HTTP/1.0 200", true },
                { "", "GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                        "Content-Length: 10240", true },
                { "no-keep-alive", "GET /plain HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "max-requests 1", "GET /plain HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "max-requests 2", "GET /plain HTTP/1.1\r\n\r\n", NULL, false },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct client *client;

                open_world(cases[i].settings);
                client = open_client(0);
                ask(client, cases[i].text);
                answered(client, 200);
                assert_true(client->body.len >= 6);
                if (cases[i].field ? !has_field(client, cases[i].field)
                                   : has_field(client, "Connection: "))
                        fail_msg("%s: %.*s", cases[i].text, STR_ARGS(client->head));
                assert_int_equal(is_closed(client), cases[i].is_closed);
                close_client(client);
                assert_int_equal(stats()->n_open, 0);
                close_world();
        }
}

static void test_max_requests(void **state)
{
        struct client *client;

        (void)state;
        open_world("max-requests 3");
        client = open_client(0);
        for (int i = 1; i <= 3; i++) {
                assert_false(is_closed(client));
                get(client, "/plain");
                answered(client, 200);
                assert_int_equal(has_field(client, "Connection: close\r\n"), i == 3);
        }
        assert_true(is_closed(client));
        close_client(client);
        close_world();
}

static void test_idle_timeout(void **state)
{
        struct client *client;

        (void)state;
        open_world("idle-timeout 5s");
        client = open_client(0);
        pass(5 * NS_PER_S - 1);
        assert_false(is_closed(client));
        get(client, "/delay/20s"); /* this is not idle */
        pass(20 * NS_PER_S);
        answered(client, 200);
        pass(5 * NS_PER_S - 1);
        assert_false(is_closed(client));
        pass(1);
        assert_true(is_closed(client));
        close_client(client);
        client = open_client(1);
        ask(client, "GET / HT"); /* half a head is nothing */
        pass(5 * NS_PER_S);
        assert_true(is_closed(client));
        close_client(client);
        assert_int_equal(stats()->n_gone, 0);
        close_world();
}

static void test_accept_interval(void **state)
{
        (void)state;
        open_world("accept-interval 50ms");
        for (int i = 0; i < 3; i++)
                open_client_at(&clients[i], listener()->port, 0);
        settle();
        assert_int_equal(stats()->n_accepted, 1);
        pass(50 * MS - 1);
        assert_int_equal(stats()->n_accepted, 1);
        pass(1);
        assert_int_equal(stats()->n_accepted, 2);
        pass(50 * MS);
        assert_int_equal(stats()->n_accepted, 3);
        assert_int_equal(stats()->n_open_max, 3);
        for (int i = 0; i < 3; i++)
                close_client(&clients[i]);
        assert_int_equal(stats()->n_open, 0);
        close_world();
}

static void open_all(int n)
{
        for (int i = 0; i < n; i++)
                open_client_at(&clients[i], listener()->port, 0);
        settle();
}

static void close_all(int n)
{
        for (int i = 0; i < n; i++)
                close_client(&clients[i]);
        assert_int_equal(stats()->n_open, 0);
        assert_int_equal(listener()->n_admitted, 0);
}

/* Others are let in one by one, as those before them end; what they sent meanwhile is answered. */
static void test_max_connections(void **state)
{
        (void)state;
        open_world("max-connections 2\nidle-timeout 100ms");
        open_all(4);
        for (int i = 0; i < 4; i++)
                get(&clients[i], "/plain");
        assert_int_equal(stats()->n_accepted, 2);
        answered(&clients[0], 200);
        answered(&clients[1], 200);
        assert_false(take(&clients[2]));
        close_client(&clients[0]);
        answered(&clients[2], 200);
        assert_false(take(&clients[3]));
        assert_int_equal(stats()->n_accepted, 3);
        pass(100 * MS); /* the two that are served are idle, and are closed */
        answered(&clients[3], 200);
        assert_int_equal(stats()->n_open_max, 2);
        assert_int_equal(stats()->n_turned_away, 0);
        close_all(4);
        close_world();
}

static void test_connections_that_are_too_many(void **state)
{
        (void)state;
        open_world("max-connections 1,503\ndelay 1s");
        open_all(2);
        get(&clients[1], "/plain"); /* at once */
        answered(&clients[1], 503);
        assert_false(has_field(&clients[1], "Retry-After: "));
        assert_true(has_field(&clients[1], "Connection: close\r\n"));
        assert_true(is_closed(&clients[1]));
        close_client(&clients[1]);
        get(&clients[0], "/plain");
        pass(NS_PER_S);
        answered(&clients[0], 200);
        close_client(&clients[0]);
        get(open_client(0), "/lab/stats"); /* there is room again */
        answered(&clients[0], 200);
        get(open_client(1), "/lab/stats"); /* this is always told */
        answered(&clients[1], 200);
        assert_int_equal(stats()->n_turned_away, 2);
        close_all(2);
        close_world();

        open_world("max-connections 1,close");
        open_all(3);
        assert_true(is_closed(&clients[1]) && is_closed(&clients[2]));
        get(&clients[0], "/plain");
        answered(&clients[0], 200);
        assert_true(stats()->n_turned_away == 2 && stats()->n_accepted == 3);
        close_all(3);
        close_world();
}

static void test_client_that_ends_its_side(void **state)
{
        struct client *client;

        (void)state;
        open_world("");
        client = open_client(0);
        get(client, "/plain");
        shutdown(client->fd, SHUT_WR);
        answered(client, 200);
        assert_true(is_closed(client));
        close_client(client);

        /* A response on its way comes whole. */
        open_client_at(client, listener()->port, 4096);
        settle();
        assert_true(send(client->fd, "GET /bytes/8M HTTP/1.1\r\n\r\n", 26, 0) == 26);
        settle();
        shutdown(client->fd, SHUT_WR);
        settle();
        assert_int_equal(stats()->n_busy, 1);
        pull_to_end(client);
        answered(client, 200);
        assert_int_equal(client->body.len, 8 * 1024 * 1024);
        assert_true(is_closed(client));
        close_client(client);

        /* One with pauses, too. */
        client = open_client(0);
        get(client, "/trickle/3/1/100ms");
        shutdown(client->fd, SHUT_WR);
        pass(200 * MS);
        answered(client, 200);
        assert_true(str_is(client->body, "The"));
        assert_true(is_closed(client));
        close_client(client);

        /* One that has not begun: who ends has given up. */
        client = open_client(0);
        get(client, "/delay/1s");
        shutdown(client->fd, SHUT_WR);
        settle();
        assert_true(is_closed(client));
        assert_int_equal(stats()->n_gone, 1);
        close_client(client);
        assert_int_equal(stats()->n_open, 0);
        close_world();
}

/*
 * A client that asks and asks and does not read: what it sent waits in the kernel, and at last all
 * is answered.
 */
static void test_client_that_does_not_read(void **state)
{
        static char text[60000] = "GET /bytes/300k HTTP/1.1\r\nX: ";
        size_t n_sent = 0, n_requests, n_answered = 0;
        struct client *client = &clients[0];

        (void)state;
        memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 5);
        memcpy(text + sizeof(text) - 5, "\r\n\r\n", 4);
        open_world("");
        open_client_at(client, listener()->port, 0);
        settle();
        for (int n_still = 0; n_still < 3;) {
                size_t at = n_sent % (sizeof(text) - 1);
                ssize_t n = send(client->fd, text + at, sizeof(text) - 1 - at, MSG_NOSIGNAL);

                n_sent += n > 0 ? (size_t)n : 0;
                n_still = n > 0 ? 0 : n_still + 1;
                if (n < 0)
                        settle();
        }
        n_requests = n_sent / (sizeof(text) - 1);
        assert_true(peer_of_link(list_first(&listener()->peers))->in.len <=
                    128 * 1024 + LOOP_BUFFER_BYTES);
        assert_true(stats()->n_requests < n_requests);
        while (take(client)) {
                assert_int_equal(client->body.len, 300 * 1024);
                n_answered++;
        }
        assert_int_equal(n_answered, n_requests);
        close_client(client);
        assert_int_equal(stats()->n_open, 0);
        close_world();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_byte_by_byte),
                cmocka_unit_test(test_pipelined),
                cmocka_unit_test(test_keep_alive_and_its_ends),
                cmocka_unit_test(test_max_requests),
                cmocka_unit_test(test_idle_timeout),
                cmocka_unit_test(test_accept_interval),
                cmocka_unit_test(test_max_connections),
                cmocka_unit_test(test_connections_that_are_too_many),
                cmocka_unit_test(test_client_that_ends_its_side),
                cmocka_unit_test(test_client_that_does_not_read),
        };

        return cmocka_run_group_tests_name("lab_conns", tests, NULL, NULL);
}
