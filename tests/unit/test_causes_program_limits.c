/* SPDX-License-Identifier: MIT */
/*
 * Findings about limits of a watched program, its library's pool and semaphores and workers of its
 * own: each against a run that has it, and those that look like it
 */
#include "watched.h"

#define MS NS_PER_MS

static bool is_flow(const struct record *record, const char *name, struct finding *finding)
{
        return watched_is_found(record, causes_program_flow, name, finding);
}

static const struct record_maker limited = {
        .n = 200,
        .slots = 5,
        .each = { .network_ns = 100 * NS_PER_US, .server_ns = 20 * MS },
};

static void test_pool_limit(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &limited);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 5);
        assert_true(is_flow(&record, "pool-limit", &finding));
        assert_string_equal(finding.title,
                "The limit of 5 connections of aiohttp held the program back (fetch.py:40)");
        assert_non_null(strstr(finding.remedy, "aiohttp.TCPConnector(limit=80)"));
        assert_line(&finding, 40);
        assert_true(finding.shown.wall_ns < 100 * MS);
        assert_true(finding.shown.wall_high_ns > finding.shown.wall_ns);
        record_deinit(&record);
}

/* Of each host: words of its own, and a limit for each of them. */
/* What each of so many threads did from begin to end, as the shim tells it. */
static void add_threads(struct record *record, unsigned n, uint64_t own_ns, uint64_t cpu_ns)
{
        record->n_samples = 0;
        for (unsigned i = 0; i < 2 * n; i++) {
                bool is_last = i >= n;

                ADD_ROW(record->samples, record->n_samples,
                        (struct trace_sample){
                                .at_ns = is_last ? record->run.end_ns : RECORD_MAKER_START_NS,
                                .engine = (uint8_t)(i % n + 1),
                                .work_ns[TRACE_WORK_CALLER] = is_last ? own_ns : 0,
                                .thread_cpu_ns = is_last ? cpu_ns : 0,
                                .process_cpu_ns = is_last ? n * cpu_ns : 0,
                        });
        }
        record->programs.processes[0].n_threads = n;
}

/*
 * It loaded for 500 ms, with all of a processor, and then made 200 requests with 40 ms. Raised, these
 * take what they take, and not what loading took.
 */
static void test_pool_limit_after_loading(void **state)
{
        struct record_maker maker = limited;
        struct record record;
        struct finding finding;
        struct trace_sample *last;

        (void)state;
        maker.each.submit_after_ns = 500 * MS;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 5);
        record.programs.processes[0].start_ns = RECORD_MAKER_START_NS;
        record.programs.processes[0].end_ns = record.run.end_ns;
        record.programs.processes[0].cpu_ns = 540 * MS;
        last = &record.samples[record.n_samples - 1];
        last->work_ns[TRACE_WORK_CALLER] = last->thread_cpu_ns = 40 * MS;
        last->process_cpu_ns = 540 * MS;
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].remote = str_of("127.0.0.1:80");
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&record, "machine.busy_us", 0, 600000), 0);
        assert_int_equal(record_make_counter(&record, "machine.idle_us", 0, 2000000), 0);
        assert_true(is_flow(&record, "pool-limit", &finding));
        assert_non_null(strstr(finding.remedy, "limit=80)"));
        assert_in_range(finding.shown.wall_ns, 60 * MS, 100 * MS);
        record_deinit(&record);
}

/*
 * What a library does for a request is no measure of what it does for a connection: with 1 ms for
 * each request 80 connections do not take 400 ms.
 */
static void test_pool_limit_and_work(void **state)
{
        struct record_maker maker = limited;
        struct record record;
        struct finding finding;

        (void)state;
        maker.loop_ns = 1 * MS;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 5);
        assert_true(is_flow(&record, "pool-limit", &finding));
        assert_in_range(finding.shown.wall_ns, 200 * MS, 260 * MS);
        /* The work of handshakes is counted, and more of them is more of it. */
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].tls_work_ns = 2 * MS;
        assert_true(is_flow(&record, "pool-limit", &finding));
        assert_in_range(finding.shown.wall_ns, 220 * MS, 340 * MS);
        record_deinit(&record);
}

/* Threads that wait for a connection of the pool are at no call, and yet not at work. */
static void test_pool_limit_of_threads(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &limited);
        watch(&record, "requests 2.31, urllib3 2.0", "");
        watched_client(&record, 5);
        add_threads(&record, 40, 790 * MS, 4 * MS);
        assert_true(is_flow(&record, "pool-limit", &finding));
        assert_in_range(finding.shown.wall_ns, 160 * MS, 300 * MS);
        /* What they compute, one after the other, no limit holds back. */
        add_threads(&record, 40, 790 * MS, 18 * MS);
        assert_false(is_flow(&record, "pool-limit", &finding));
        record_deinit(&record);
}

static void test_pool_limit_of_hosts(void **state)
{
        struct record_maker maker = limited;
        struct record record;
        struct finding finding;

        (void)state;
        maker.n_hosts = 2;
        maker.slots = 64;
        maker.per_host = 3;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 100);
        record.programs.clients[0].per_host = 3;
        assert_true(is_flow(&record, "pool-limit", &finding));
        assert_non_null(strstr(finding.title, "6 connections to each host"));
        record_deinit(&record);
}

static void slower_the_more(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t n = i + 1 < maker->slots ? i + 1 : maker->slots;

        request->server_ns = n * 4 * MS;
        request->submit_after_ns = i;
}

static void test_not_pool_limit(void **state)
{
        struct record_maker full = limited;
        struct record record;
        struct finding finding;

        (void)state;
        /* The limit is there, and nobody waited for it. */
        full.n = 5;
        make(&record, &full);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 5);
        assert_false(is_flow(&record, "pool-limit", &finding));
        record_deinit(&record);
        /* The server makes them wait for each other: more at once would only wait longer. */
        full = (struct record_maker){ .n = 400, .slots = 20, .vary = slower_the_more };
        make(&record, &full);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 20);
        assert_false(is_flow(&record, "pool-limit", &finding));
        record_deinit(&record);
}

static void bound_by(struct record *record, enum program_bound_kind kind, uint64_t value)
{
        ADD_ROW(record->programs.bounds, record->programs.n_bounds,
                (struct program_bound){ .process = 1,
                        .site = watched_site(record, 21, "main"),
                        .kind = (uint8_t)kind,
                        .value = value,
                        .n = record->n_attempts,
                        .n_waited = record->n_attempts - value,
                        .waited_ns = 80 * NS_PER_S,
                        .most_waiting = record->n_attempts - value });
}

static void test_semaphore_small(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &limited);
        watched_await(&record);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 100);
        bound_by(&record, PROGRAM_SEMAPHORE, 5);
        assert_true(is_flow(&record, "semaphore-small", &finding));
        assert_line(&finding, 21);
        assert_string_equal(finding.title,
                "A semaphore let 5 requests through at a time (fetch.py:21)");
        assert_non_null(strstr(finding.remedy, "asyncio.Semaphore(80)"));
        assert_true(finding.shown.wall_ns < 100 * MS);
        assert_false(is_flow(&record, "pool-limit", &finding));
        /* Nobody waited for it: something else keeps them from being more. */
        record.programs.bounds[0].n_waited = 0;
        assert_true(is_flow(&record, "semaphore-small", &finding));
        assert_string_equal(finding.title,
                "The program had 5 requests under way, and never more (fetch.py:12)");
        assert_non_null(strstr(finding.remedy, "Let 80 tasks or threads make requests"));
        /* A pool of so many is made at line 21; who waited for it is not known. */
        record.programs.bounds[0].kind = PROGRAM_EXECUTOR;
        record.programs.bounds[0].n = record.programs.bounds[0].waited_ns = 0;
        assert_true(is_flow(&record, "semaphore-small", &finding));
        assert_line(&finding, 21);
        assert_non_null(strstr(finding.evidence[1], "a limit of 5 is made"));
        record.programs.bounds[0].n = record.n_attempts;
        record.programs.bounds[0].waited_ns = 80 * NS_PER_S;
        record.programs.bounds[0].n_waited = 195;
        assert_true(is_flow(&record, "semaphore-small", &finding));
        assert_non_null(strstr(finding.remedy, "ThreadPoolExecutor(80)"));
        record_deinit(&record);
}

/* A third of them opened a connection, which took as long as an answer. */
static void test_semaphore_small_from_outside(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &limited);
        watched_await(&record);
        watch(&record, "aiohttp 3.9", "");
        for (size_t i = 0; i < record.n_attempts; i += 3)
                record.attempts[i].is_reused = false;
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].tcp_end_ns = record.conns[i].opened_ns + 20 * MS;
        assert_false(is_flow(&record, "semaphore-small", &finding));
        /* From there one that waits for its first request looks as if it were being opened. */
        record.programs.processes[0].unseen |= PROGRAM_UNSEEN_REQUESTS;
        assert_true(is_flow(&record, "semaphore-small", &finding));
        record_deinit(&record);
}

/* Of a semaphore and a pool the lower one counts. */
static void test_the_lower_limit(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &limited);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 5);
        bound_by(&record, PROGRAM_SEMAPHORE, 50);
        assert_true(is_flow(&record, "pool-limit", &finding));
        assert_false(is_flow(&record, "semaphore-small", &finding));
        record_deinit(&record);
        /* One of them waited for a connection of a pool that has many more than are ever used. */
        make(&record, &limited);
        watched_await(&record);
        watch(&record, "httpx 0.27", "");
        watched_client(&record, 100);
        record.programs.calls[7].queued_ns = 20 * MS;
        assert_true(is_flow(&record, "semaphore-small", &finding));
        record_deinit(&record);
}

/* --- look-alikes, and no limit at all -------------------------------------------------------- */

/* Four are served at a time, for 40 ms; 30 may be under way. */
static void four_at_a_time(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t row = i < maker->slots ? i / 4 + 1 : maker->slots / 4;

        request->submit_after_ns = i * NS_PER_US;
        request->server_ns = row * 40 * MS;
}

static void test_server_is_the_limit(void **state)
{
        const struct record_maker maker = { .n = 120, .slots = 28, .vary = four_at_a_time };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 28);
        assert_false(is_flow(&record, "pool-limit", &finding));
        record_deinit(&record);
        make(&record, &maker);
        watched_await(&record);
        watch(&record, "aiohttp 3.9", "asyncio");
        bound_by(&record, PROGRAM_SEMAPHORE, 28);
        assert_false(is_flow(&record, "semaphore-small", &finding));
        record_deinit(&record);
}

/* Work for a pool of threads, and none of it is a request. */
static void test_threads_of_other_work(void **state)
{
        const struct record_maker maker = { .n = 100, .slots = 100, .each.server_ns = 150 * MS };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        bound_by(&record, PROGRAM_EXECUTOR, 6);
        assert_false(is_flow(&record, "semaphore-small", &finding));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pool_limit),
                cmocka_unit_test(test_pool_limit_after_loading),
                cmocka_unit_test(test_pool_limit_and_work),
                cmocka_unit_test(test_pool_limit_of_threads),
                cmocka_unit_test(test_pool_limit_of_hosts),
                cmocka_unit_test(test_not_pool_limit),
                cmocka_unit_test(test_semaphore_small),
                cmocka_unit_test(test_semaphore_small_from_outside),
                cmocka_unit_test(test_the_lower_limit),
                cmocka_unit_test(test_server_is_the_limit),
                cmocka_unit_test(test_threads_of_other_work),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
