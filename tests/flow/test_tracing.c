/* SPDX-License-Identifier: MIT */
/*
 * What a tracer is told: every attempt once, with the reason for its waiting and who ended it;
 * connections, turns, samples
 */
#include "fixture.h"

#include <core/conn.h>
#include <errno.h>
#include <string.h>

#define YES   "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
#define CLOSE "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes"
#define N_MAX 64

/* Keeps what it is told. */
struct notebook {
        struct tracer tracer;
        struct trace_attempt attempts[N_MAX];
        struct trace_conn conns[N_MAX];
        struct trace_try tries[N_MAX];
        struct trace_turn turns[N_MAX];
        struct trace_sample sample;
        size_t n_attempts, n_conns, n_tries, n_turns, n_samples, n_origins, n_ends, n_frees;
        char urls[N_MAX][64], addresses[N_MAX][ADDRESS_TEXT_MAX];
};

static struct notebook *notebook_of(struct tracer *tracer)
{
        return LIST_OWNER(tracer, struct notebook, tracer);
}

static void note_origin(struct tracer *tracer, const struct trace_origin *origin)
{
        assert_int_equal(origin->number, ++notebook_of(tracer)->n_origins);
        assert_true(origin->key.len > 0);
}

static void note_attempt(struct tracer *tracer, const struct trace_attempt *attempt)
{
        struct notebook *book = notebook_of(tracer);

        assert_true(book->n_attempts < N_MAX);
        snprintf(book->urls[book->n_attempts], sizeof(book->urls[0]), "%.*s",
                STR_ARGS(attempt->url));
        book->attempts[book->n_attempts++] = *attempt;
}

static void note_conn(struct tracer *tracer, const struct trace_conn *conn)
{
        struct notebook *book = notebook_of(tracer);

        assert_true(book->n_conns < N_MAX);
        book->conns[book->n_conns++] = *conn;
}

static void note_try(struct tracer *tracer, const struct trace_try *try)
{
        struct notebook *book = notebook_of(tracer);

        assert_true(book->n_tries < N_MAX);
        snprintf(book->addresses[book->n_tries], ADDRESS_TEXT_MAX, "%.*s", STR_ARGS(try->address));
        book->tries[book->n_tries++] = *try;
}

static void note_lookup(struct tracer *tracer, const struct trace_lookup *lookup)
{
        (void)tracer;
        (void)lookup;
        fail(); /* an address needs none */
}

static void note_turn(struct tracer *tracer, const struct trace_turn *turn)
{
        struct notebook *book = notebook_of(tracer);

        assert_true(book->n_turns < N_MAX);
        book->turns[book->n_turns++] = *turn;
}

static void note_sample(struct tracer *tracer, const struct trace_sample *sample)
{
        struct notebook *book = notebook_of(tracer);

        assert_true(sample->at_ns >= book->sample.at_ns);
        book->sample = *sample;
        book->n_samples++;
}

static void note_end(struct tracer *tracer)
{
        notebook_of(tracer)->n_ends++;
}

static void note_free(struct tracer *tracer)
{
        notebook_of(tracer)->n_frees++;
}

static const struct tracer_ops notebook_ops = { note_origin, note_attempt, note_conn, note_try,
        note_lookup, note_turn, note_sample, note_end, note_free };

static void start(struct fixture *f, struct notebook *book,
        const struct muster_client_options *options, script_function answer)
{
        fixture_start(f, options, answer);
        *book = (struct notebook){ .tracer.ops = &notebook_ops };
        assert_int_equal(tracing_begin(&f->client->engine, &book->tracer), 0);
        assert_int_equal(tracing_begin(&f->client->engine, &book->tracer), MUSTER_E_INVALID);
}

static void take_all(struct fixture *f, unsigned n)
{
        while (n--)
                muster_result_free(next_result(f));
        assert_null(muster_next(f->client));
}

static const struct trace_attempt *numbered(const struct notebook *book, uint64_t number)
{
        const struct trace_attempt *found = NULL;

        for (size_t i = 0; i < book->n_attempts; i++) {
                if (book->attempts[i].number != number)
                        continue;
                assert_null(found); /* told once */
                found = &book->attempts[i];
        }
        assert_non_null(found);
        return found;
}

static struct script_answer after_100ms(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = YES, .delay_ns = 100 * NS_PER_MS };
}

/* Six requests, two slots: the third has the slot of one of the first two, and so on. */
static void test_who_gave_the_slot(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .concurrency = 2 }, after_100ms);
        for (int i = 0; i < 6; i++)
                muster_get(f.client, script_url(&f.server, "/"), NULL);
        take_all(&f, 6);
        tracing_end(&f.client->engine);
        assert_int_equal(book.n_attempts, 6);
        assert_int_equal(book.n_ends, 1);
        for (uint64_t i = 1; i <= 6; i++) {
                const struct trace_attempt *attempt = numbered(&book, i), *from;

                assert_int_equal(attempt->request, i);
                assert_int_equal(attempt->n, 1);
                assert_int_equal(attempt->outcome, TRACE_RESULT);
                assert_true(attempt->is_last && attempt->is_safe && attempt->is_plain);
                assert_int_equal(attempt->wait, i <= 2 ? TRACE_WAIT_NONE : TRACE_WAIT_SLOT);
                assert_true(attempt->in_flight >= 1 && attempt->in_flight <= 2);
                assert_true(attempt->sent_bytes > 0 && attempt->n_receives >= 1);
                assert_int_equal(attempt->body_bytes, 3);
                if (i <= 2) {
                        assert_int_equal(attempt->slot_from, 0);
                        continue;
                }
                from = numbered(&book, attempt->slot_from);
                assert_true(from->number < attempt->number);
                assert_true(from->stamps.end_ns <= attempt->stamps.slot_ns);
                assert_true(attempt->is_reused);
        }
        assert_int_equal(book.n_conns, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(book.conns[i].n_attempts, 3);
                assert_int_equal(book.conns[i].closer, TRACE_CLOSED_BY_END);
                assert_int_equal(book.conns[i].family, 4);
                assert_true(book.conns[i].bytes_received > 0);
        }
        assert_true(book.n_samples > 0);
        assert_int_equal(book.sample.n_attempts, 6);
        assert_int_equal(book.sample.run_delay_ns, -1); /* on a manual clock */
        fixture_stop(&f);
        assert_int_equal(book.n_ends, 1);
}

static struct script_answer in_pieces(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ny",
                .then = "es",
                .then_after_ns = 30 * NS_PER_MS };
}

/*
 * Of a response in pieces it is told where it stood still; and some are acknowledged at once, few
 * of many, on both connections.
 */
static void test_pieces(void **state)
{
        struct fixture f;
        struct notebook book;
        size_t n_tried[2] = { 0 };

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .concurrency = 2 }, in_pieces);
        for (int i = 0; i < N_MAX; i++)
                muster_get(f.client, script_url(&f.server, "/"), NULL);
        take_all(&f, N_MAX);
        tracing_end(&f.client->engine);
        for (uint64_t i = 1; i <= N_MAX; i++) {
                const struct trace_attempt *attempt = numbered(&book, i);

                assert_int_equal(attempt->n_receives, 2);
                assert_true(attempt->gap_ns > 0);
                assert_int_equal(attempt->gap_ns,
                        attempt->stamps.last_byte_kernel_ns - attempt->stamps.first_byte_kernel_ns);
                assert_int_equal(attempt->gap_bytes, 1);
                n_tried[attempt->conn % 2] += attempt->is_acked_at_once;
        }
        assert_true(n_tried[0] > 0 && n_tried[1] > 0);
        assert_in_range(n_tried[0] + n_tried[1], 8, 8 + N_MAX / 16);
        fixture_stop(&f);
}

/* One piece has no gap, and nothing to be tried with. */
static void test_one_piece(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .concurrency = 2 }, after_100ms);
        for (int i = 0; i < 16; i++)
                muster_get(f.client, script_url(&f.server, "/"), NULL);
        take_all(&f, 16);
        tracing_end(&f.client->engine);
        for (uint64_t i = 1; i <= 16; i++) {
                assert_int_equal(numbered(&book, i)->gap_ns, 0);
                assert_false(numbered(&book, i)->is_acked_at_once);
        }
        fixture_stop(&f);
}

static void test_per_host_and_share(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .concurrency = 8, .per_host = 1 },
                after_100ms);
        muster_get(f.client, script_url(&f.server, "/a"), NULL);
        muster_get(f.client, script_url(&f.server, "/b"), NULL);
        take_all(&f, 2);
        tracing_end(&f.client->engine);
        assert_int_equal(numbered(&book, 1)->wait, TRACE_WAIT_NONE);
        assert_int_equal(numbered(&book, 2)->wait, TRACE_WAIT_HOST);
        assert_int_equal(numbered(&book, 2)->slot_from, 1);
        assert_string_equal(book.urls[0] + strlen(book.urls[0]) - 2, "/a");
        fixture_stop(&f);
}

static void test_rates(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .rate_per_s = 2 }, after_100ms);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        take_all(&f, 2);
        tracing_end(&f.client->engine);
        assert_int_equal(numbered(&book, 2)->wait, TRACE_WAIT_RATE);
        assert_int_equal(numbered(&book, 2)->planned_ns - numbered(&book, 1)->planned_ns,
                500 * NS_PER_MS);
        fixture_stop(&f);
}

/* A rate of each host is told apart from one of all. */
static void test_rate_of_a_host(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .rate_per_host_per_s = 2 }, after_100ms);
        for (int i = 0; i < 3; i++)
                muster_get(f.client, script_url(&f.server, "/"), NULL);
        take_all(&f, 3);
        tracing_end(&f.client->engine);
        assert_int_equal(numbered(&book, 2)->wait, TRACE_WAIT_HOST_RATE);
        assert_int_equal(numbered(&book, 3)->wait, TRACE_WAIT_HOST_RATE);
        fixture_stop(&f);
}

/* Who starts at once has waited for no rate. */
static void test_first_of_a_rate(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .rate_per_s = 2 }, after_100ms);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        take_all(&f, 1);
        tracing_end(&f.client->engine);
        assert_int_equal(numbered(&book, 1)->wait, TRACE_WAIT_NONE);
        fixture_stop(&f);
}

static struct script_answer many_ways(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        if (path_is(head, "/from"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 302 Found\r\nLocation: /to\r\nContent-Length: 0\r\n\r\n"
                };
        if (path_is(head, "/retried") && n == 1)
                return (struct script_answer){
                        .bytes = "HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
                };
        return (struct script_answer){ .bytes = CLOSE };
}

static void test_attempts_that_are_not_the_last(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book,
                &(struct muster_client_options){ .max_retries = 1, .retry_budget_percent = 100 },
                many_ways);
        muster_get(f.client, script_url(&f.server, "/retried"), NULL);
        take_all(&f, 1);
        muster_get(f.client, script_url(&f.server, "/from"), NULL);
        take_all(&f, 1);
        muster_get(f.client, "nonsense", NULL);
        muster_result_free(muster_next(f.client));
        tracing_end(&f.client->engine);
        assert_int_equal(book.n_attempts, 5);
        assert_int_equal(numbered(&book, 1)->outcome, TRACE_RETRIED);
        assert_int_equal(numbered(&book, 1)->retry_after_ns, 7 * NS_PER_S);
        assert_false(numbered(&book, 1)->is_last);
        assert_int_equal(numbered(&book, 2)->n, 2);
        assert_int_equal(numbered(&book, 2)->stamps.start_ns - numbered(&book, 1)->stamps.end_ns,
                7 * NS_PER_S);
        assert_int_equal(numbered(&book, 3)->outcome, TRACE_REDIRECTED);
        assert_int_equal(numbered(&book, 3)->status, 302);
        assert_int_equal(numbered(&book, 4)->request, 2);
        assert_int_equal(numbered(&book, 5)->outcome, TRACE_FAILED);
        assert_int_equal(numbered(&book, 5)->code, MUSTER_E_URL);
        assert_int_equal(numbered(&book, 5)->origin, 0);
        assert_int_equal(book.n_conns,
                2); /* each was kept for one more, then closed as it was told */
        assert_int_equal(book.conns[0].closer, TRACE_CLOSED_BY_SERVER);
        fixture_stop(&f);
}

/* One that never got a slot has no response: what the result holds is of the attempt before. */
static void test_attempt_without_a_slot(void **state)
{
        struct fixture f;
        struct notebook book;
        uint64_t id;

        (void)state;
        start(&f, &book,
                &(struct muster_client_options){ .max_retries = 1, .retry_budget_percent = 100 },
                many_ways);
        muster_get(f.client, script_url(&f.server, "/retried"), NULL);
        id = f.client->engine.stats.n_submitted;
        assert_int_equal(muster_wait(f.client, 1000), MUSTER_LATER); /* in its back-off */
        assert_int_equal(muster_cancel(f.client, id), 0);
        muster_result_free(muster_next(f.client));
        tracing_end(&f.client->engine);
        assert_int_equal(book.n_attempts, 2);
        assert_int_equal(numbered(&book, 1)->status, 503);
        assert_int_equal(numbered(&book, 1)->http_version, 11);
        assert_int_equal(numbered(&book, 2)->code, MUSTER_E_CANCELLED);
        assert_int_equal(numbered(&book, 2)->stamps.slot_ns, 0);
        assert_int_equal(numbered(&book, 2)->status, 0);
        assert_int_equal(numbered(&book, 2)->http_version, 0);
        assert_int_equal(numbered(&book, 2)->wire_bytes, 0);
        assert_int_equal(numbered(&book, 2)->body_bytes, 0);
        fixture_stop(&f);
}

/* Why an attempt failed is told of those that are tried again, too. */
static void test_system_error_of_each_attempt(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book,
                &(struct muster_client_options){ .max_retries = 1, .retry_budget_percent = 100 },
                many_ways);
        muster_get(f.client, "http://127.0.0.1:1/", NULL);
        take_all(&f, 1);
        tracing_end(&f.client->engine);
        assert_int_equal(book.n_attempts, 2);
        for (uint64_t i = 1; i <= 2; i++) {
                assert_int_equal(numbered(&book, i)->code, MUSTER_E_CONNECT);
                assert_int_equal(numbered(&book, i)->sys, ECONNREFUSED);
        }
        fixture_stop(&f);
}

/*
 * The stamp of the request before comes when the next one is under way on the same connection: it
 * is not that one's.
 */
static void test_late_acknowledgement(void **state)
{
        struct fixture f;
        struct notebook book;
        struct conn *conn;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .concurrency = 1 }, after_100ms);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        take_all(&f, 1);
        conn = conn_of_pool_link(list_first(&f.client->engine.pool.idle));
        conn->socket.awaits_ack = true;
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        assert_int_equal(client_turn(f.client), 0);
        assert_false(list_is_empty(&conn->exchanges));
        conn->socket.handle(&conn->socket,
                &(struct loop_event){ .kind = LOOP_ACKED, .kernel_ns = fixture_now_ns(&f) });
        take_all(&f, 1);
        tracing_end(&f.client->engine);
        assert_int_equal(numbered(&book, 2)->stamps.acked_ns, 0);
        assert_true(numbered(&book, 2)->is_reused);
        fixture_stop(&f);
}

static int pull_twice(void *userdata, void *buffer, size_t size, size_t *ret_n)
{
        unsigned *n = userdata;

        assert_true(size > 3);
        memcpy(buffer, "abc", 3);
        *ret_n = (*n)++ < 2 ? 3 : 0;
        return 0;
}

/* A body that is sent piece by piece: that its head was acknowledged says nothing. */
static void test_upload_has_no_acknowledgement(void **state)
{
        struct fixture f;
        struct notebook book;
        struct muster_request *request;
        unsigned n = 0;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .concurrency = 1 }, after_100ms);
        request = muster_request_new("POST", script_url(&f.server, "/"));
        assert_int_equal(muster_request_set_body_pull(request, 6, pull_twice, NULL, &n), 0);
        assert_int_equal(muster_submit(f.client, request, NULL), 0);
        take_all(&f, 1);
        tracing_end(&f.client->engine);
        assert_true(n >= 2);
        assert_int_equal(numbered(&book, 1)->status, 200);
        assert_int_equal(f.client->engine.tracing.n_acks_wanted, 0);
        fixture_stop(&f);
}

static void test_no_reuse_is_our_wish(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .no_reuse = true }, after_100ms);
        for (int i = 0; i < 3; i++)
                muster_get(f.client, script_url(&f.server, "/"), NULL);
        take_all(&f, 3);
        tracing_end(&f.client->engine);
        assert_non_null(strstr(f.server.last_head, "Connection: close\r\n"));
        assert_int_equal(f.server.n_conns, 3);
        assert_int_equal(book.n_conns, 3);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(book.conns[i].closer, TRACE_CLOSED_BY_CLIENT);
        fixture_stop(&f);
}

/* What was cancelled or never taken is told as well, at the end. */
static void test_nothing_is_left_out(void **state)
{
        struct fixture f;
        struct notebook book;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ .concurrency = 1 }, after_100ms);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        assert_int_equal(muster_wait(f.client, MUSTER_NO_TIMEOUT), 0);
        fixture_stop(&f);
        assert_int_equal(book.n_attempts, 2);
        assert_int_equal(numbered(&book, 1)->code, MUSTER_OK);
        assert_int_equal(numbered(&book, 1)->taken_ns, 0);
        assert_int_equal(numbered(&book, 2)->code, MUSTER_E_CANCELLED);
        assert_int_equal(book.n_ends, 1);
}

static void expect_try(const struct notebook *book, size_t i, enum trace_fate fate, int sys,
        const char *host)
{
        const struct trace_try *try = &book->tries[i];

        assert_int_equal(try->conn, book->conns[0].id);
        assert_int_equal(try->n, i + 1);
        assert_int_equal(try->fate, fate);
        assert_int_equal(try->sys, sys);
        assert_true(try->start_ns >= book->conns[0].opened_ns && try->end_ns >= try->start_ns);
        assert_int_equal(strncmp(book->addresses[i], host, strlen(host)), 0);
}

/* The server's loop does not turn here: the kernel accepts, and nobody answers. */
static void ask_other(const struct script_server *server, struct notebook *book)
{
        char place[64], url[64];
        const char *const list[] = { place, NULL };
        struct muster_client *client;

        snprintf(place, sizeof(place), "h.test:%u:10.0.0.1,127.0.0.2,127.0.0.1", server->port);
        snprintf(url, sizeof(url), "http://h.test:%u/", server->port);
        assert_int_equal(client_new_manual(&client,
                                 &(struct muster_client_options){
                                         .size = sizeof(struct muster_client_options),
                                         .resolve = list,
                                         .deny_private = true,
                                         .allow_hosts =
                                                 (const char *const[]){ "127.0.0.0/8", NULL },
                                         .total_timeout_ms = 100 },
                                 START_NS),
                0);
        *book = (struct notebook){ .tracer.ops = &notebook_ops };
        assert_int_equal(tracing_begin(&client->engine, &book->tracer), 0);
        muster_get(client, url, NULL);
        muster_result_free(muster_next(client));
        tracing_end(&client->engine);
        muster_client_free(client);
}

/* Each address that was tried is told; of a connection to its only address, none. */
static void test_addresses_that_were_tried(void **state)
{
        struct fixture f;
        struct notebook book, other;

        (void)state;
        start(&f, &book, &(struct muster_client_options){ 0 }, after_100ms);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        take_all(&f, 1);
        ask_other(&f.server, &other);
        tracing_end(&f.client->engine);
        assert_int_equal(book.n_conns, 1);
        assert_int_equal(book.n_tries, 0);
        assert_int_equal(other.n_conns, 1);
        assert_int_equal(other.n_tries, 3);
        expect_try(&other, 0, TRACE_TRY_DENIED, 0, "10.0.0.1:");
        expect_try(&other, 1, TRACE_TRY_REFUSED, ECONNREFUSED, "127.0.0.2:");
        expect_try(&other, 2, TRACE_TRY_CONNECTED, 0, "127.0.0.1:");
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_gave_the_slot),
                cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_one_piece),
                cmocka_unit_test(test_per_host_and_share),
                cmocka_unit_test(test_rates),
                cmocka_unit_test(test_attempts_that_are_not_the_last),
                cmocka_unit_test(test_rate_of_a_host),
                cmocka_unit_test(test_first_of_a_rate),
                cmocka_unit_test(test_attempt_without_a_slot),
                cmocka_unit_test(test_system_error_of_each_attempt),
                cmocka_unit_test(test_late_acknowledgement),
                cmocka_unit_test(test_upload_has_no_acknowledgement),
                cmocka_unit_test(test_no_reuse_is_our_wish),
                cmocka_unit_test(test_nothing_is_left_out),
                cmocka_unit_test(test_addresses_that_were_tried),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
