/* SPDX-License-Identifier: MIT */
/*
 * The lab with a number of workers, and what it says of itself
 */
#include "lab_world.h"

#include <unistd.h>

/* --- capacity -------------------------------------------------------------------------------- */

static void open_and_ask(int n)
{
        for (int i = 0; i < n; i++)
                get(open_client(i), "/plain");
}

static void close_clients(int n)
{
        for (int i = 0; i < n; i++)
                close_client(&clients[i]);
        assert_int_equal(stats()->n_open, 0);
        assert_int_equal(stats()->n_busy, 0);
        assert_int_equal(listener()->capacity.n_busy, 0);
        assert_int_equal(listener()->capacity.n_waiting, 0);
}

/* Who has a response that was not taken before? As "01.3". */
static const char *answers_of(int n)
{
        static char text[LENGTH(clients) + 1];

        for (int i = 0; i < n; i++) {
                text[i] = take(&clients[i]) ? (char)('0' + i) : '.';
                assert_true(text[i] == '.' || clients[i].status == 200);
        }
        text[n] = '\0';
        return text;
}

static void test_workers_first_come_first_served(void **state)
{
        const struct capacity *capacity;

        (void)state;
        open_world("workers 2\nservice-time 100ms");
        capacity = &listener()->capacity;
        open_and_ask(5);
        assert_true(capacity->n_busy == 2 && capacity->n_waiting == 3);
        get(open_client(5), "/lab/stats"); /* needs no worker */
        answered(&clients[5], 200);
        pass(100 * MS - 1);
        assert_string_equal(answers_of(5), ".....");
        pass(1);
        assert_string_equal(answers_of(5), "01...");
        pass(100 * MS);
        assert_string_equal(answers_of(5), "..23.");
        pass(100 * MS);
        assert_string_equal(answers_of(5), "....4");
        assert_int_equal(capacity->n_done, 5);
        assert_int_equal(capacity->n_waiting_max, 3);
        assert_int_equal(capacity->busy_ns, 500 * MS);
        assert_int_equal(capacity->wait_ns, 400 * MS);
        close_clients(6);
        close_world();
}

/* A program that was away finds everything as it should have been. */
static void test_workers_when_the_clock_jumps(void **state)
{
        (void)state;
        open_world("workers 2\nservice-time 100ms");
        open_and_ask(5);
        world.clock.manual_ns += 250 * MS;
        settle();
        assert_string_equal(answers_of(5), "0123.");
        assert_int_equal(listener()->capacity.wait_ns, 400 * MS);
        pass(50 * MS - 1);
        assert_string_equal(answers_of(5), ".....");
        pass(1);
        assert_string_equal(answers_of(5), "....4");
        close_clients(5);
        close_world();
}

/* What a worker would have done in a pause is done at its end; the next begins only then. */
static void test_workers_that_pause(void **state)
{
        (void)state;
        open_world("workers 1\nservice-time 400ms\npauses 1s,200ms");
        open_and_ask(4);
        pass(800 * MS);
        assert_string_equal(answers_of(4), "01..");
        pass(400 * MS - 1); /* it would have been done exactly at the end */
        assert_string_equal(answers_of(4), "....");
        pass(1);
        assert_string_equal(answers_of(4), "..2.");
        pass(400 * MS);
        assert_string_equal(answers_of(4), "...3");
        get(&clients[0], "/plain"); /* till 2 s, and so until the end of the pause */
        pass(600 * MS - 1);
        assert_string_equal(answers_of(4), "....");
        pass(1);
        assert_string_equal(answers_of(4), "0...");
        close_clients(4);
        close_world();
}

static void test_queue_that_is_full(void **state)
{
        (void)state;
        open_world("workers 1\nservice-time 100ms\nqueue 1");
        open_and_ask(3);
        answered(&clients[2], 503);
        assert_true(has_field(&clients[2], "Retry-After: 1\r\n"));
        assert_false(has_field(&clients[2], "Connection: close"));
        assert_int_equal(listener()->capacity.n_refused, 1);
        pass(100 * MS);
        assert_string_equal(answers_of(3), "0..");
        get(&clients[2], "/plain"); /* there is room now */
        pass(200 * MS);
        assert_string_equal(answers_of(3), ".12");
        close_clients(3);
        close_world();
        open_world("workers 1\nservice-time 100ms\nqueue 0\nrefuse close");
        open_and_ask(2);
        assert_true(is_closed(&clients[1]));
        assert_int_equal(stats()->n_gone, 1);
        pass(100 * MS);
        assert_string_equal(answers_of(1), "0");
        close_clients(2);
        close_world();
}

static void test_clients_that_leave_a_queue(void **state)
{
        (void)state;
        open_world("workers 1\nservice-time 100ms");
        open_and_ask(4);
        close_client(&clients[1]); /* waits */
        assert_int_equal(listener()->capacity.n_waiting, 2);
        pass(30 * MS);
        close_client(&clients[0]); /* at work: the worker is free at once */
        assert_true(listener()->capacity.n_waiting == 1 && listener()->capacity.n_busy == 1);
        clients[0].fd = clients[1].fd = -1;
        pass(100 * MS - 1);
        assert_false(take(&clients[2]));
        pass(1);
        assert_true(take(&clients[2]));
        pass(100 * MS);
        assert_true(take(&clients[3]));
        assert_int_equal(listener()->capacity.n_done, 2);
        close_clients(4);
        close_world();
}

static void test_coherency_and_contention(void **state)
{
        (void)state;
        /* As the second begins, the third is there: it takes twice as long. */
        open_world("workers 1\nservice-time 100ms\ncoherency 1");
        open_and_ask(3);
        pass(100 * MS);
        assert_string_equal(answers_of(3), "0..");
        pass(200 * MS - 1);
        assert_string_equal(answers_of(3), "...");
        pass(1);
        assert_string_equal(answers_of(3), ".1.");
        pass(100 * MS);
        assert_string_equal(answers_of(3), "..2");
        close_clients(3);
        close_world();
        /* Those that wait do not contend. */
        open_world("workers 2\nservice-time 100ms\ncontention 1");
        open_and_ask(3);
        pass(100 * MS);
        assert_string_equal(answers_of(3), "0..");
        pass(100 * MS);
        assert_string_equal(answers_of(3), ".1.");
        pass(100 * MS); /* it began beside the second */
        assert_string_equal(answers_of(3), "..2");
        close_clients(3);
        close_world();
        /* Beyond all measure is still a number. */
        open_world("workers 2\nservice-time 100ms\ncontention 1e300");
        open_and_ask(2);
        pass(24 * 3600 * NS_PER_S);
        assert_string_equal(answers_of(2), "0.");
        close_clients(2);
        close_world();
}

/* --- what it says of itself ------------------------------------------------------------------ */

static json_t *listener_in(json_t *json, size_t i)
{
        json_t *in = json_array_get(json_object_get(json, "listeners"), i);

        assert_non_null(in);
        return in;
}

static json_t *get_stats(struct client *client)
{
        get(client, "/lab/stats");
        answered(client, 200);
        assert_true(has_field(client, "Content-Type: application/json\r\n"));
        return json_of(client);
}

static void test_stats(void **state)
{
        struct client *client, *second;
        json_t *json, *first;

        (void)state;
        open_world("listener the-first\nworkers 2\nservice-time 10ms\nlistener second\n"
                   "name a.test 192.0.2.1");
        client = open_client(0);
        second = open_client(1);
        get(second, "/status/503");
        pass(10 * MS);
        answered(second, 503);
        get(second, "/status/404");
        pass(10 * MS);
        answered(second, 404);
        get(second, "/hang");
        pass(980 * MS);
        json = get_stats(client);
        first = listener_in(json, 0);
        assert_true(json_real_value(json_object_get(json, "seconds")) == 1);
        assert_string_equal(text_in(first, "name"), "the-first");
        assert_string_equal(text_in(listener_in(json, 1), "name"), "second");
        assert_int_equal(count_in(first, "port"), listener()->port);
        assert_int_equal(count_in(first, "connections"), 2);
        assert_int_equal(count_in(first, "connections_open"), 2);
        assert_int_equal(count_in(first, "connections_open_max"), 2);
        assert_int_equal(count_in(first, "requests"), 3);
        assert_int_equal(count_in(first, "requests_at_once"), 1);
        assert_int_equal(count_in(first, "responses_4xx"), 1);
        assert_int_equal(count_in(first, "responses_5xx"), 1);
        assert_int_equal(count_in(first, "responses_2xx"), 0);
        assert_int_equal(count_in(first, "served"), 3);
        assert_int_equal(count_in(first, "service_us"), 30000);
        assert_int_equal(count_in(first, "workers"), 2);
        assert_int_equal(count_in(first, "bytes_sent"), second->got.len);
        assert_int_equal(count_in(listener_in(json, 1), "connections"), 0);
        assert_int_equal(count_in(json_object_get(json, "dns"), "port"),
                dns_server_port(&world.lab.dns));
        assert_null(json_object_get(json, "link"));
        json_decref(json);
        get(client, "/lab/reset");
        answered(client, 200);
        close_client(second);
        pass(500 * MS);
        json = get_stats(client);
        first = listener_in(json, 0);
        assert_true(json_real_value(json_object_get(json, "seconds")) == 0.5);
        assert_int_equal(count_in(first, "connections"), 0);
        assert_int_equal(count_in(first, "connections_open"), 1);
        assert_int_equal(count_in(first, "connections_open_max"), 2);
        assert_int_equal(count_in(first, "requests"), 0);
        assert_int_equal(count_in(first, "requests_at_once"), 0);
        assert_int_equal(count_in(first, "requests_at_once_max"), 1);
        assert_int_equal(count_in(first, "incomplete"), 1);
        assert_int_equal(count_in(first, "served"), 0);
        json_decref(json);
        close_client(client);
        close_world();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_workers_first_come_first_served),
                cmocka_unit_test(test_workers_when_the_clock_jumps),
                cmocka_unit_test(test_workers_that_pause),
                cmocka_unit_test(test_queue_that_is_full),
                cmocka_unit_test(test_clients_that_leave_a_queue),
                cmocka_unit_test(test_coherency_and_contention),
                cmocka_unit_test(test_stats),
        };

        return cmocka_run_group_tests_name("lab_capacity", tests, NULL, NULL);
}
