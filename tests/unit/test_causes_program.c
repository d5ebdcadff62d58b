/* SPDX-License-Identifier: MIT */
/*
 * Findings about the order in which a watched program makes its requests, one by one or in batches:
 * each against a run that has it, and those that look like it
 */
#include "watched.h"

#define MS NS_PER_MS

static bool is_flow(const struct record *record, const char *name, struct finding *finding)
{
        return watched_is_found(record, causes_program_flow, name, finding);
}

/* --- one by one ------------------------------------------------------------------------------ */

static void one_by_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 201 * MS / 10;
}

static const struct record_maker awaited = {
        .n = 200,
        .each.server_ns = 20 * MS,
        .vary = one_by_one,
};

static void two_for_each(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i / 2 * 51 * MS + i % 2 * 205 * MS / 10;
}

/* A service: each request is made because another program asked for it. */
static void test_one_by_one_as_asked(void **state)
{
        struct record_maker maker = awaited;
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &awaited);
        watch(&record, "aiohttp 3.9.1", "asyncio");
        record.programs.processes[0].n_served = (uint32_t)record.n_attempts;
        assert_false(is_flow(&record, "awaited-one-by-one", &finding));
        record.programs.processes[0].n_served = (uint32_t)record.n_attempts / 3;
        assert_true(is_flow(&record, "awaited-one-by-one", &finding)); /* three for each */
        record_deinit(&record);
        /* Two for each, and a while until the next is asked: these two may be made together. */
        maker.vary = two_for_each;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9.1", "asyncio");
        record.programs.processes[0].n_served = (uint32_t)record.n_attempts / 2;
        assert_true(is_flow(&record, "awaited-one-by-one", &finding));
        assert_predicted(&finding, 100 * 30 * MS);
        assert_non_null(strstr(finding.evidence[2], "asked itself 100 times, and made 2.0"));
        record_deinit(&record);
}

static void test_one_by_one(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &awaited);
        watch(&record, "aiohttp 3.9.1, uvloop 0.19.0", "uvloop");
        assert_true(is_flow(&record, "awaited-one-by-one", &finding));
        /* aiohttp lets 100 through; and between two of them the program does something. */
        assert_predicted(&finding, 50 * MS);
        assert_true(finding.shown.wall_high_ns > 200 * MS);
        assert_line(&finding, 12);
        assert_string_equal(finding.shown.function, "fetch");
        assert_string_equal(finding.title,
                "The program made one request after another (fetch.py:12)");
        assert_non_null(strstr(finding.remedy, "asyncio.gather("));
        assert_null(finding.shown.option);
        /* Its own limit holds then, too. */
        watched_client(&record, 5);
        record.programs.clients[0].library = str_of("aiohttp");
        assert_true(is_flow(&record, "awaited-one-by-one", &finding));
        assert_predicted(&finding, 800 * MS);
        record_deinit(&record);
}

/*
 * A function that makes one request is called again and again: the line to change is the one that
 * calls it. Where most calls of it came from elsewhere, nobody knows.
 */
static void test_one_by_one_by_a_function(void **state)
{
        struct record record;
        struct finding finding;
        uint32_t loop, other;

        (void)state;
        make(&record, &awaited);
        watch(&record, "aiohttp 3.9.1", "asyncio");
        loop = watched_site(&record, 33, "main");
        other = watched_site(&record, 55, "login");
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].caller = i % 3 ? loop : other;
        assert_true(is_flow(&record, "awaited-one-by-one", &finding));
        assert_line(&finding, 33);
        assert_string_equal(finding.title,
                "The program made one request after another (fetch.py:33)");
        assert_non_null(strstr(finding.evidence[2],
                "each was made by fetch() (fetch.py:12), which that line calls"));
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].caller = i % 2 ? loop : other;
        assert_true(is_flow(&record, "awaited-one-by-one", &finding));
        assert_line(&finding, 12);
        record_deinit(&record);
}

/* Each library has words of its own. */
static void test_words_for_one_by_one(void **state)
{
        static const struct {
                const char *library, *loop, *words;
        } cases[] = {
                { "httpx 0.27", "asyncio", "client.get(url)" },
                { "httpx 0.27", "", "httpx.AsyncClient()" },
                { "requests 2.31", "", "ThreadPoolExecutor(16).map(session.get, urls)" },
                { "urllib3 2.0", "", "PoolManager(maxsize=16)" },
                { "http.client", "", "a connection for each thread" },
                { "", "", "in several threads" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct record record;
                struct finding finding;

                make(&record, &awaited);
                watch(&record, cases[i].library, cases[i].loop);
                assert_true(is_flow(&record, "awaited-one-by-one", &finding));
                assert_non_null(strstr(finding.remedy, cases[i].words));
                record_deinit(&record);
        }
}

static void now_and_then(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 130 * MS;
}

static void two_by_two(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i / 2 * 201 * MS / 10;
}

static void test_not_one_by_one(void **state)
{
        struct record_maker paused = awaited, doubled = awaited, few = awaited;
        struct record record;
        struct finding finding;

        (void)state;
        /* It sleeps between them. */
        paused.vary = now_and_then;
        make(&record, &paused);
        watch(&record, "aiohttp 3.9", "asyncio");
        assert_false(is_flow(&record, "awaited-one-by-one", &finding));
        record_deinit(&record);
        doubled.vary = two_by_two;
        make(&record, &doubled);
        watch(&record, "aiohttp 3.9", "asyncio");
        assert_false(is_flow(&record, "awaited-one-by-one", &finding));
        record_deinit(&record);
        few.n = 2;
        make(&record, &few);
        watch(&record, "aiohttp 3.9", "asyncio");
        assert_false(is_flow(&record, "awaited-one-by-one", &finding));
        record_deinit(&record);
        /* Each holds the loop while it goes on: a client that blocks. */
        make(&record, &awaited);
        watch(&record, "requests 2.31", "asyncio");
        for (size_t i = 0; i < record.programs.n_calls; i++)
                record.programs.calls[i].held_ns = 19 * MS;
        assert_false(is_flow(&record, "awaited-one-by-one", &finding));
        record_deinit(&record);
        /* Our own client. */
        make(&record, &awaited);
        assert_false(is_flow(&record, "awaited-one-by-one", &finding));
        record_deinit(&record);
}

/* 110 ms of 130 between two of them. */
static void test_own_pauses(void **state)
{
        struct record_maker paused = awaited;
        struct program_bound pause = { .process = 1, .kind = PROGRAM_PAUSE, .n = 199 };
        struct record record;
        struct finding finding;

        (void)state;
        paused.vary = now_and_then;
        make(&record, &paused);
        watch(&record, "requests 2.31", "");
        assert_false(watched_is_found(&record, causes_program_pauses, "own-pauses", &finding));
        pause.waited_ns = 80 * NS_PER_S; /* of a thread that has nothing to do with it */
        pause.site = watched_site(&record, 70, "beat");
        ADD_ROW(record.programs.bounds, record.programs.n_bounds, pause);
        assert_false(watched_is_found(&record, causes_program_pauses, "own-pauses", &finding));
        pause.waited_ns = 199 * 110 * MS;
        pause.site = watched_site(&record, 14, "fetch");
        ADD_ROW(record.programs.bounds, record.programs.n_bounds, pause);
        assert_true(watched_is_found(&record, causes_program_pauses, "own-pauses", &finding));
        assert_line(&finding, 14);
        assert_string_equal(finding.title, "The program slept between its requests (fetch.py:14)");
        assert_predicted(&finding, 200 * 20 * MS);
        /* Nobody asks it to serve, or to come later: else these are the reason. */
        record.programs.processes[0].n_served = 200;
        assert_false(watched_is_found(&record, causes_program_pauses, "own-pauses", &finding));
        record.programs.processes[0].n_served = 0;
        for (size_t i = 0; i < record.n_attempts; i += 10)
                record.attempts[i].status = 429;
        assert_false(watched_is_found(&record, causes_program_pauses, "own-pauses", &finding));
        record_deinit(&record);
}

/* A few at the same time first: only what is one by one is made together. */
static void a_phase_of_each(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i < 20 ? 0 : 21 * MS + (i - 20) * 201 * MS / 10;
}

static void test_partly_one_by_one(void **state)
{
        struct record_maker maker = awaited;
        struct record record;
        struct finding finding;

        (void)state;
        maker.vary = a_phase_of_each;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        for (size_t i = 0; i < 20; i++)
                record.programs.calls[i].site = watched_site(&record, 50, "other");
        assert_true(is_flow(&record, "awaited-one-by-one", &finding));
        assert_line(&finding, 12);
        assert_in_range(finding.shown.wall_ns, 40 * MS, 75 * MS);
        record_deinit(&record);
}

/* --- the program around its requests --------------------------------------------------------- */

/* What it does before and behind them takes as long with the remedy. */
static void test_time_around(void **state)
{
        struct ranking ranking, around;
        struct record record;
        struct facts facts;
        uint64_t sum_ns = 0;

        (void)state;
        make(&record, &awaited);
        watch(&record, "aiohttp 3.9.1", "asyncio");
        assert_int_equal(facts_measure(&facts, &record), 0);
        assert_int_equal(facts_told_wall_ns(&facts), facts.wall_ns);
        assert_int_equal(ranking_make(&ranking, &facts), 0);
        record.programs.processes[0].start_ns = 1;
        record.programs.processes[0].end_ns = facts.end_ns + 300 * MS;
        facts_deinit(&facts);
        assert_int_equal(facts_measure(&facts, &record), 0);
        assert_int_equal(ranking_make(&around, &facts), 0);
        assert_int_equal(facts.chain_ns[PART_STARTUP], facts.start_ns - 1);
        assert_int_equal(facts.share_ns[PART_ENDING], 300 * MS);
        for (size_t i = 0; i < PART_N; i++)
                sum_ns += facts.chain_ns[i];
        assert_int_equal(sum_ns, facts.wall_ns + facts.start_ns - 1 + 300 * MS);
        assert_int_equal(sum_ns, facts_told_wall_ns(&facts));
        assert_int_equal(around.findings[0]->shown.wall_ns - ranking.findings[0]->shown.wall_ns,
                facts.start_ns - 1 + 300 * MS);
        assert_true(around.findings[0]->shown.wall_high_ns -
                            ranking.findings[0]->shown.wall_high_ns >
                    300 * MS);
        ranking_deinit(&around);
        ranking_deinit(&ranking);
        facts_deinit(&facts);
        record_deinit(&record);
}

/* Where that is most of it, a tenth less is not what makes it slow. */
static void test_a_small_part_of_a_program(void **state)
{
        struct ranking ranking;
        struct record record;
        struct facts facts;

        (void)state;
        make(&record, &awaited);
        watch(&record, "aiohttp 3.9.1", "asyncio");
        for (uint64_t around = 0; around < 2; around++) {
                record.programs.processes[0].start_ns = 1;
                record.programs.processes[0].end_ns = record.run.end_ns + around * 50 * NS_PER_S;
                assert_int_equal(facts_measure(&facts, &record), 0);
                assert_int_equal(ranking_make(&ranking, &facts), 0);
                assert_int_equal(ranking.n > 0, around == 0);
                ranking_deinit(&ranking);
                facts_deinit(&facts);
        }
        record_deinit(&record);
}

/* --- in batches ------------------------------------------------------------------------------ */

static void in_batches(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i / 10 * 101 * MS;
        if (i % 10 == 0)
                request->server_ns = 100 * MS;
}

static void in_fours(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i / 4 * 101 * MS / 10;
}

static void test_gather_barrier(void **state)
{
        struct record_maker maker = { .n = 200, .each.server_ns = 10 * MS, .vary = in_batches };
        struct record record;
        struct finding finding;
        uint32_t site;

        (void)state;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        site = watched_site(&record, 33, "main");
        for (uint64_t i = 0; i < 20; i++)
                ADD_ROW(record.programs.bounds, record.programs.n_bounds,
                        (struct program_bound){ .process = 1,
                                .site = site,
                                .kind = PROGRAM_GATHER,
                                .start_ns = i * 101 * MS,
                                .end_ns = i * 101 * MS + 100 * MS,
                                .value = 10 });
        assert_true(is_flow(&record, "gather-barrier", &finding));
        assert_line(&finding, 33);
        assert_non_null(strstr(finding.remedy, "asyncio.Semaphore(10)"));
        assert_true(finding.shown.wall_ns < 600 * MS);
        assert_false(is_flow(&record, "awaited-one-by-one", &finding));
        record_deinit(&record);
        /* A pool of threads for each batch, made at line 44. */
        make(&record, &maker);
        watch(&record, "requests 2.31", "");
        site = watched_site(&record, 44, "main");
        for (uint64_t i = 0; i < 20; i++)
                ADD_ROW(record.programs.bounds, record.programs.n_bounds,
                        (struct program_bound){ .process = 1,
                                .site = site,
                                .kind = PROGRAM_EXECUTOR,
                                .value = 16,
                                .n = 10 });
        assert_true(is_flow(&record, "gather-barrier", &finding));
        assert_line(&finding, 44);
        record_deinit(&record);
        /* Nothing is known of what waits for them: the line of the requests. */
        make(&record, &maker);
        watch(&record, "requests 2.31", "");
        assert_true(is_flow(&record, "gather-barrier", &finding));
        assert_line(&finding, 12);
        record_deinit(&record);
        /* Four that take the same may be workers: curl lets four through, and waits for none. */
        maker.vary = in_fours;
        make(&record, &maker);
        watch(&record, "", "");
        record.programs.processes[0].language = str_of("");
        record.programs.processes[0].exe = str_of("/usr/bin/curl");
        assert_false(is_flow(&record, "gather-barrier", &finding));
        assert_true(is_flow(&record, "semaphore-small", &finding));
        assert_non_null(strstr(finding.remedy, "--parallel-max"));
        /* Unless the code says that it waits for each batch. */
        for (uint64_t i = 0; i < 50; i++)
                ADD_ROW(record.programs.bounds, record.programs.n_bounds,
                        (struct program_bound){
                                .process = 1, .site = 1, .kind = PROGRAM_GATHER, .value = 4 });
        assert_true(is_flow(&record, "gather-barrier", &finding));
        record_deinit(&record);
        /* All at once is one batch. */
        maker.vary = NULL;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        assert_false(is_flow(&record, "gather-barrier", &finding));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_by_one),
                cmocka_unit_test(test_one_by_one_as_asked),
                cmocka_unit_test(test_time_around),
                cmocka_unit_test(test_a_small_part_of_a_program),
                cmocka_unit_test(test_one_by_one_by_a_function),
                cmocka_unit_test(test_words_for_one_by_one),
                cmocka_unit_test(test_not_one_by_one),
                cmocka_unit_test(test_partly_one_by_one),
                cmocka_unit_test(test_own_pauses),
                cmocka_unit_test(test_gather_barrier),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
