/* SPDX-License-Identifier: MIT */
/*
 * Findings about connections that a watched program opens again and again: each against a run that
 * has it, and those that look like it
 */
#include "watched.h"

#define MS NS_PER_MS

static bool is_conns(const struct record *record, const char *name, struct finding *finding)
{
        return watched_is_found(record, causes_program_conns, name, finding);
}

/* 5 rounds of 20; connecting is half of each. */
static const struct record_maker opening = {
        .n = 100,
        .slots = 20,
        .no_reuse = true,
        .each = { .tcp_ns = 40 * MS, .network_ns = 40 * MS },
};

static void close_all(struct record *record, enum trace_closer closer)
{
        for (size_t i = 0; i < record->n_conns; i++)
                record->conns[i].closer = (uint8_t)closer;
}

/* One program, whose connections are closed by itself. */
static void make_opening(struct record *record, const char *library, const char *loop)
{
        make(record, &opening);
        close_all(record, TRACE_CLOSED_BY_CLIENT);
        watched_await(record);
        watch(record, library, loop);
}

/* A client for each of so many requests, made at line 8. */
static void add_clients(struct record *record, size_t n_each)
{
        struct programs *programs = &record->programs;
        uint32_t site = watched_site(record, 8, "fetch");

        for (size_t i = 0; i < programs->n_calls; i++) {
                if (i % n_each == 0)
                        ADD_ROW(programs->clients, programs->n_clients,
                                (struct program_client){ .process = 1,
                                        .library = str_of("aiohttp"),
                                        .site = site,
                                        .limit = 100,
                                        .n_requests = n_each });
                programs->calls[i].client = (uint32_t)programs->n_clients;
        }
}

/* --- a client for each ----------------------------------------------------------------------- */

static void test_client_each_request(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_opening(&record, "aiohttp 3.9", "asyncio");
        add_clients(&record, 1);
        assert_true(is_conns(&record, "client-each-request", &finding));
        assert_line(&finding, 8);
        assert_string_equal(finding.title,
                "Each request had a client of its own, and so a connection of its own (fetch.py:8)");
        assert_non_null(strstr(finding.remedy, "Make one aiohttp.ClientSession() outside"));
        assert_predicted(&finding, 240 * MS);
        /* The server closes them: one client for all would change nothing. */
        close_all(&record, TRACE_CLOSED_BY_SERVER);
        assert_false(is_conns(&record, "client-each-request", &finding));
        /* ... unless it was asked to, as aiohttp.request() does. */
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].asks_close = true;
        assert_true(is_conns(&record, "client-each-request", &finding));
        assert_false(is_conns(&record, "no-keep-alive", &finding));
        record_deinit(&record);
}

static void test_not_client_each_request(void **state)
{
        struct record_maker kept = opening, cheap = opening;
        struct record record;
        struct finding finding;

        (void)state;
        /* A client for each task, which makes ten requests. */
        make_opening(&record, "aiohttp 3.9", "asyncio");
        add_clients(&record, 10);
        assert_false(is_conns(&record, "client-each-request", &finding));
        record_deinit(&record);
        /* Its connections are reused all the same: they share a connector. */
        kept.no_reuse = false;
        make(&record, &kept);
        watch(&record, "aiohttp 3.9", "asyncio");
        add_clients(&record, 1);
        assert_false(is_conns(&record, "client-each-request", &finding));
        record_deinit(&record);
        /* Connecting is a hundredth of it. */
        cheap.each.server_ns = 4000 * MS;
        make(&record, &cheap);
        close_all(&record, TRACE_CLOSED_BY_CLIENT);
        watch(&record, "aiohttp 3.9", "asyncio");
        add_clients(&record, 1);
        assert_false(is_conns(&record, "client-each-request", &finding));
        record_deinit(&record);
}

/* A shell that starts curl for each URL. */
static void test_process_each_request(void **state)
{
        struct record record;
        struct finding finding;
        struct programs *programs = &record.programs;

        (void)state;
        make_opening(&record, "", "");
        programs->processes[0].language = programs->processes[0].libraries = str_of("");
        programs->processes[0].exe = str_of("/bin/sh");
        for (size_t i = 0; i < programs->n_calls; i++) {
                ADD_ROW(programs->processes, programs->n_processes,
                        (struct program_process){ .exe = str_of("/usr/bin/curl") });
                programs->calls[i].process = (uint32_t)programs->n_processes;
                programs->calls[i].site = 0;
        }
        assert_true(is_conns(&record, "client-each-request", &finding));
        assert_string_equal(finding.title, "Each request was made by a process of its own");
        assert_non_null(strstr(finding.remedy, "Give all URLs to one curl"));
        assert_null(finding.shown.file);
        record_deinit(&record);
}

/* Loading certificates for each client takes longer than connecting. */
static void test_contexts_of_clients(void **state)
{
        struct record record;
        struct finding finding, without;

        (void)state;
        make_opening(&record, "httpx 0.27", "");
        add_clients(&record, 1);
        assert_true(is_conns(&record, "client-each-request", &without));
        for (uint64_t i = 0; i < 100; i++)
                ADD_ROW(record.programs.contexts, record.programs.n_contexts,
                        (struct program_chore){ .process = 1,
                                .site = 1,
                                .start_ns = 1 + i * 2 * MS,
                                .took_ns = 2 * MS });
        assert_true(is_conns(&record, "client-each-request", &finding));
        assert_in_range(without.shown.wall_ns - finding.shown.wall_ns, 190 * MS, 200 * MS);
        record_deinit(&record);
}

/* --- closed, thrown away --------------------------------------------------------------------- */

static void test_no_keep_alive(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_opening(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 100);
        assert_true(is_conns(&record, "no-keep-alive", &finding));
        assert_line(&finding, 40);
        assert_non_null(strstr(finding.title, "client closed each connection"));
        assert_predicted(&finding, 240 * MS);
        /* The server closes them, and nobody asked for it. */
        close_all(&record, TRACE_CLOSED_BY_SERVER);
        assert_false(is_conns(&record, "no-keep-alive", &finding));
        assert_true(cause_is_found(&record, causes_conns, "server-closes", &finding));
        /* ... as it was asked to. */
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].asks_close = true;
        assert_true(is_conns(&record, "no-keep-alive", &finding));
        assert_non_null(strstr(finding.title, "asked the server to close"));
        assert_non_null(strstr(finding.remedy, "force_close=True"));
        assert_false(cause_is_found(&record, causes_conns, "server-closes", &finding));
        record_deinit(&record);
}

static void test_unread_bodies(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_opening(&record, "requests 2.31", "");
        watched_client(&record, 0);
        assert_false(is_conns(&record, "unread-bodies", &finding));
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].is_unread = true;
        assert_true(is_conns(&record, "unread-bodies", &finding));
        assert_line(&finding, 12);
        assert_non_null(strstr(finding.remedy, "stream=True"));
        assert_predicted(&finding, 240 * MS);
        assert_false(is_conns(&record, "no-keep-alive", &finding));
        record_deinit(&record);
}

/*
 * The rest of a response has to be read as well: 20 kB are a round trip more on a cold connection, and
 * half of one, or one, or none, on a warm one.
 */
static void test_unread_bodies_are_read(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_opening(&record, "requests 2.31", "");
        watched_client(&record, 0);
        for (size_t i = 0; i < record.programs.n_calls; i++) {
                record.programs.calls[i].is_unread = true;
                record.programs.calls[i].left_bytes = 20000;
        }
        assert_true(is_conns(&record, "unread-bodies", &finding));
        assert_predicted(&finding, 360 * MS);
        assert_in_range(finding.shown.wall_low_ns, 240 * MS, 290 * MS);
        assert_in_range(finding.shown.wall_high_ns, 435 * MS, 450 * MS);
        /* What the first flight has in it takes none. */
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].left_bytes = 10000;
        assert_true(is_conns(&record, "unread-bodies", &finding));
        assert_predicted(&finding, 240 * MS);
        /* A length that nobody told may be another round trip. */
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].left_bytes = 0;
        assert_true(is_conns(&record, "unread-bodies", &finding));
        assert_predicted(&finding, 240 * MS);
        assert_in_range(finding.shown.wall_high_ns, 435 * MS, 450 * MS);
        record_deinit(&record);
}

/*
 * A semaphore is free before the loop has seen the end of the response before. So nothing follows a
 * result, and yet each comes only when another one is done with.
 */
static void test_turns_taken_before_results(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_opening(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 100);
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].taken_ns += 30 * MS;
        assert_true(is_conns(&record, "no-keep-alive", &finding));
        assert_in_range(finding.shown.wall_ns, 230 * MS, 310 * MS); /* of 430 ms */
        record_deinit(&record);
}

static void after_pauses(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i / maker->slots * 180 * MS;
}

/*
 * 20 threads that pause for 100 ms after each request: a kept connection does not spare that. Of 5
 * rounds of 180 ms one begins with a connection, and the last has no pause behind it.
 */
static void test_pauses_between(void **state)
{
        struct record_maker maker = opening;
        struct record record;
        struct finding finding;

        (void)state;
        maker.vary = after_pauses;
        make(&record, &maker);
        close_all(&record, TRACE_CLOSED_BY_CLIENT);
        watched_await(&record);
        watch(&record, "requests 2.31", "");
        watched_client(&record, 0);
        ADD_ROW(record.programs.bounds, record.programs.n_bounds,
                (struct program_bound){ .process = 1,
                        .kind = PROGRAM_EXECUTOR,
                        .start_ns = RECORD_MAKER_START_NS,
                        .end_ns = record.run.end_ns,
                        .value = 20,
                        .n = 100,
                        .n_waited = 80,
                        .waited_ns = 80 * 300 * MS });
        assert_true(is_conns(&record, "no-keep-alive", &finding));
        assert_in_range(finding.shown.wall_ns, 600 * MS, 720 * MS); /* of 800 ms */
        record_deinit(&record);
}

static void test_pool_keeps_few(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_opening(&record, "requests 2.31", "");
        watched_client(&record, 0);
        record.programs.clients[0].kept = 10;
        assert_true(is_conns(&record, "pool-limit", &finding));
        assert_line(&finding, 40);
        assert_string_equal(finding.title,
                "The pool keeps 10 connections, and up to 20 were in use: the others were closed after each response (fetch.py:40)");
        assert_non_null(strstr(finding.remedy, "HTTPAdapter(pool_maxsize=20)"));
        assert_predicted(&finding, 240 * MS);
        assert_false(is_conns(&record, "no-keep-alive", &finding));
        record.programs.clients[0].kept = 20;
        assert_false(is_conns(&record, "pool-limit", &finding));
        record_deinit(&record);
}

/* --- certificates ---------------------------------------------------------------------------- */

static void test_contexts_again(void **state)
{
        struct record_maker maker = { .n = 100, .slots = 20, .each.server_ns = 20 * MS };
        struct record record;
        struct finding finding;
        uint32_t site;

        (void)state;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        site = watched_site(&record, 5, "trust");
        for (uint64_t i = 0; i < 30; i++)
                ADD_ROW(record.programs.contexts, record.programs.n_contexts,
                        (struct program_chore){ .process = 1,
                                .site = site,
                                .start_ns = 1 + i * 2 * MS,
                                .took_ns = 2 * MS });
        assert_true(is_conns(&record, "contexts-again", &finding));
        assert_line(&finding, 5);
        assert_predicted(&finding, 42 * MS);
        assert_non_null(strstr(finding.remedy, "TCPConnector(ssl=context)"));
        /* Once is no habit. */
        record.programs.n_contexts = 1;
        assert_false(is_conns(&record, "contexts-again", &finding));
        record_deinit(&record);
}

/* requests loads them for each connection of its one session: what there is to change is the pool. */
static void test_contexts_of_connections(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_opening(&record, "requests 2.34", "");
        watched_client(&record, 0);
        for (uint64_t i = 0; i < 100; i++)
                ADD_ROW(record.programs.contexts, record.programs.n_contexts,
                        (struct program_chore){ .process = 1,
                                .site = 1,
                                .start_ns = 1 + i * 2 * MS,
                                .took_ns = 2 * MS });
        assert_true(is_conns(&record, "contexts-again", &finding));
        record.programs.clients[0].kept = 10;
        assert_true(is_conns(&record, "pool-limit", &finding));
        assert_false(is_conns(&record, "contexts-again", &finding));
        record_deinit(&record);
}

/* A line of its own loads them, and would do so with connections that are kept as well. */
static void test_contexts_beside_connections(void **state)
{
        struct record record;
        struct finding finding;
        uint64_t kept_ns;

        (void)state;
        make_opening(&record, "http.client 3.11", "");
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].asks_close = true;
        for (uint64_t i = 0; i < 100; i++)
                ADD_ROW(record.programs.contexts, record.programs.n_contexts,
                        (struct program_chore){ .process = 1,
                                .site = 1,
                                .start_ns = 1 + i * 2 * MS,
                                .took_ns = 2 * MS });
        assert_true(is_conns(&record, "no-keep-alive", &finding));
        kept_ns = finding.shown.wall_ns;
        record.programs.contexts[0].site = watched_site(&record, 5, "trust");
        for (size_t i = 1; i < 100; i++)
                record.programs.contexts[i].site = record.programs.contexts[0].site;
        assert_true(is_conns(&record, "contexts-again", &finding));
        assert_line(&finding, 5);
        assert_true(is_conns(&record, "no-keep-alive", &finding));
        assert_in_range(finding.shown.wall_ns, kept_ns + 150 * MS, kept_ns + 200 * MS);
        record_deinit(&record);
}

/*
 * Each request loads its own before it begins, on the loop: the last one begins after all of them,
 * and none is connected before.
 */
static void after_loading(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i * 50 * MS;
        request->tcp_ns = (maker->n - i) * 50 * MS;
}

static void test_contexts_on_the_loop(void **state)
{
        struct record_maker maker = { .n = 60,
                .loop_ns = 51 * MS,
                .no_reuse = true,
                .each.server_ns = 20 * MS,
                .vary = after_loading };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        for (uint64_t i = 0; i < 60; i++)
                ADD_ROW(record.programs.contexts, record.programs.n_contexts,
                        (struct program_chore){ .process = 1,
                                .site = 1,
                                .start_ns = RECORD_MAKER_START_NS + i * 50 * MS,
                                .took_ns = 50 * MS });
        assert_true(is_conns(&record, "contexts-again", &finding));
        /* All come at once then, are connected in 50 ms, and are 1 ms of work each. */
        assert_in_range(finding.shown.wall_ns, 100 * MS, 240 * MS);
        record_deinit(&record);
}

/* --- names ------------------------------------------------------------------------------------ */

/* A loop that has woken up for each look-up has less to do when the answers come together. */
static void test_names_again(void **state)
{
        struct record_maker maker = { .n = 240,
                .slots = 40,
                .loop_ns = 1 * MS,
                .no_reuse = true,
                .each = { .dns_ns = 400 * MS, .tcp_ns = 1 * MS, .server_ns = 5 * MS } };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        for (uint64_t i = 0; i < 240; i++)
                assert_int_equal(record_make_lookup(&record,
                                         &(struct trace_lookup){ .start_ns = 1 * MS + i * 10 * MS,
                                                 .end_ns = 61 * MS + i * 10 * MS,
                                                 .n_addresses = 1,
                                                 .name = str_of("shop.test") }),
                        0);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 100);
        watched_await(&record);
        assert_true(watched_is_found(&record, causes_names, "names-again", &finding));
        /* 240 ms of work, a third of it; six rounds of 6 ms; one look-up of 60 ms. */
        assert_in_range(finding.shown.wall_ns, 120 * MS, 220 * MS);
        assert_in_range(finding.shown.wall_high_ns, 280 * MS, 400 * MS);
        record_deinit(&record);
}

/* --- on the wire ----------------------------------------------------------------------------- */

static void held_back(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 46 * MS;
        request->server_ns = i ? 44 * MS : 2 * MS;
}

static void test_nagle_own(void **state)
{
        struct record_maker maker = { .n = 60, .slots = 1, .vary = held_back };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "", "");
        assert_false(is_conns(&record, "nagle-own", &finding));
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].is_split = true;
        assert_true(is_conns(&record, "nagle-own", &finding));
        assert_line(&finding, 12);
        assert_non_null(strstr(finding.remedy, "TCP_NODELAY"));
        assert_in_range(finding.shown.wall_ns, 200 * MS, 500 * MS);
        record_deinit(&record);
}

/* The first, which have few others, are answered in 4 ms; the rest is held back. */
static void held_back_beside_others(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = i < 4 ? 4 * MS : 44 * MS;
}

/* That it takes longer with more at once is no queue at the server. */
static void test_nagle_of_many(void **state)
{
        struct record_maker maker = { .n = 400, .slots = 16, .vary = held_back_beside_others };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "", "");
        assert_true(watched_is_found(&record, causes_server, "server-saturated", &finding));
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].is_split = true;
        assert_false(watched_is_found(&record, causes_server, "server-saturated", &finding));
        record_deinit(&record);
}

static void all_alike(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 46 * MS;
        request->server_ns = 44 * MS;
}

/* A server that takes as long for the first one as well. */
static void test_not_nagle_own(void **state)
{
        struct record_maker maker = { .n = 60, .slots = 1, .vary = all_alike };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "", "");
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].is_split = true;
        assert_false(is_conns(&record, "nagle-own", &finding));
        record_deinit(&record);
}

static void test_proxy_unknown(void **state)
{
        struct record_maker maker = {
                .n = 100, .slots = 20, .n_hosts = 2, .each.server_ns = 150 * MS
        };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "requests 2.31", "");
        assert_false(is_conns(&record, "proxy-unknown", &finding));
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].proxy = 2;
        assert_true(is_conns(&record, "proxy-unknown", &finding));
        assert_string_equal(finding.title,
                "The requests went through a proxy, http://host2.example:80");
        assert_non_null(strstr(finding.remedy, "session.trust_env = False"));
        assert_false(finding.shown.has_prediction);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_keep_alive),
                cmocka_unit_test(test_unread_bodies),
                cmocka_unit_test(test_unread_bodies_are_read),
                cmocka_unit_test(test_turns_taken_before_results),
                cmocka_unit_test(test_pauses_between),
                cmocka_unit_test(test_pool_keeps_few),
                cmocka_unit_test(test_contexts_again),
                cmocka_unit_test(test_contexts_of_connections),
                cmocka_unit_test(test_contexts_beside_connections),
                cmocka_unit_test(test_contexts_on_the_loop),
                cmocka_unit_test(test_names_again),
                cmocka_unit_test(test_nagle_own),
                cmocka_unit_test(test_nagle_of_many),
                cmocka_unit_test(test_not_nagle_own),
                cmocka_unit_test(test_proxy_unknown),
                cmocka_unit_test(test_client_each_request),
                cmocka_unit_test(test_not_client_each_request),
                cmocka_unit_test(test_process_each_request),
                cmocka_unit_test(test_contexts_of_clients),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
