/* SPDX-License-Identifier: MIT */
/*
 * Findings about what holds the loop of a watched program: each against a run that has it, and those
 * that look like it
 */
#include "watched.h"

#define MS NS_PER_MS

static bool is_loop(const struct record *record, const char *name, struct finding *finding)
{
        return watched_is_found(record, causes_program_loop, name, finding);
}

/* Answers come after 20 ms, and for each the loop is at work for 21 ms. */
static void lie_there(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->lag_ns = i * 21 * MS + 1;
}

static const struct record_maker lying = {
        .n = 100,
        .slots = 100,
        .loop_ns = 21 * MS,
        .vary = lie_there,
        .each = { .network_ns = 100 * NS_PER_US, .server_ns = 20 * MS },
};

/* Line 30 has the loop for `ns` of each of these. */
static void hold_it(struct record *record, uint64_t ns, enum program_hold_kind kind,
        const char *name)
{
        uint32_t site = watched_site(record, 30, "handle");

        for (uint64_t i = 0; i < record->n_attempts; i++) {
                watched_hold(record, RECORD_MAKER_START_NS + (20 + 21 * i) * MS, ns, kind, name,
                        site);
                record->programs.calls[i].held_ns = ns;
        }
}

static void test_loop_blocked(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &lying);
        watch(&record, "aiohttp 3.9", "asyncio");
        hold_it(&record, 20 * MS, PROGRAM_HOLD_BLOCKED, "time.sleep");
        assert_true(is_loop(&record, "loop-held", &finding));
        assert_line(&finding, 30);
        assert_string_equal(finding.title,
                "The event loop was blocked by time.sleep() (fetch.py:30)");
        assert_string_equal(finding.remedy,
                "Use await asyncio.sleep() in the place of time.sleep().");
        assert_true(finding.shown.is_client);
        /* 100 ms of work for the loop are left, of 2.1 s. */
        assert_in_range(finding.shown.wall_ns, 80 * MS, 160 * MS);
        assert_true(finding.shown.wall_high_ns >= 100 * MS);
        record_deinit(&record);
}

static void test_loop_computes(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &lying);
        assert_int_equal(record_make_counter(&record, "machine.processors", 4, 4), 0);
        watch(&record, "aiohttp 3.9", "asyncio");
        hold_it(&record, 20 * MS, PROGRAM_HOLD_COMPUTES, "json.loads");
        assert_true(is_loop(&record, "loop-held", &finding));
        assert_string_equal(finding.title,
                "The event loop was kept busy by json.loads() (fetch.py:30)");
        assert_non_null(strstr(finding.remedy, "ProcessPoolExecutor()"));
        /* On four processors. */
        assert_in_range(finding.shown.wall_ns, 450 * MS, 650 * MS);
        assert_true(finding.shown.wall_high_ns >= 2 * NS_PER_S);
        record_deinit(&record);
}

static void test_words_for_blocking(void **state)
{
        static const struct {
                const char *library, *call, *words;
        } cases[] = {
                { "aiohttp 3.9", "requests.sessions.Session.request", "asynchronous client" },
                { "aiohttp 3.9", "subprocess.run", "create_subprocess_exec" },
                { "aiohttp 3.9", "something", "asyncio.to_thread()" },
                { "undici 6.0", "fs.readFileSync", "node:fs/promises" },
                { "undici 6.0", "child_process.execSync", "execFile()" },
                { "undici 6.0", "something", "Worker()" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct record record;
                struct finding finding;

                make(&record, &lying);
                watch(&record, cases[i].library, "asyncio");
                hold_it(&record, 20 * MS, PROGRAM_HOLD_BLOCKED, cases[i].call);
                assert_true(is_loop(&record, "loop-held", &finding));
                assert_non_null(strstr(finding.remedy, cases[i].words));
                record_deinit(&record);
        }
}

static void test_loop_not_held(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &lying);
        watch(&record, "aiohttp 3.9", "asyncio");
        assert_false(is_loop(&record, "loop-held", &finding));
        /* A little for each answer: its own work. */
        hold_it(&record, 2 * MS, PROGRAM_HOLD_COMPUTES, "json.loads");
        assert_false(is_loop(&record, "loop-held", &finding));
        record_deinit(&record);
        /* Once, and hardly a part of it. */
        make(&record, &lying);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_hold(&record, 30 * MS, 50 * MS, PROGRAM_HOLD_BLOCKED, "time.sleep", 1);
        assert_false(is_loop(&record, "loop-held", &finding));
        record_deinit(&record);
        /* The loop of another process, which makes no request. */
        make(&record, &lying);
        watch(&record, "aiohttp 3.9", "asyncio");
        hold_it(&record, 90 * MS, PROGRAM_HOLD_BLOCKED, "time.sleep");
        assert_true(is_loop(&record, "loop-held", &finding));
        ADD_ROW(record.programs.processes, record.programs.n_processes,
                (struct program_process){ .pid = 101, .loop = str_of("asyncio") });
        for (size_t i = 0; i < record.programs.n_holds; i++)
                record.programs.holds[i].process = 2;
        assert_false(is_loop(&record, "loop-held", &finding));
        record_deinit(&record);
}

/* Nobody knows where: a few may be the library's own work, one for each response is not. */
static void test_loop_held_somewhere(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &lying);
        watch(&record, "undici 6.0", "libuv");
        for (uint64_t i = 0; i < 20; i++)
                watched_hold(&record, RECORD_MAKER_START_NS + (20 + 21 * i) * MS, 20 * MS,
                        PROGRAM_HOLD_COMPUTES, "", 0);
        assert_false(is_loop(&record, "loop-held", &finding));
        for (uint64_t i = 20; i < 100; i++)
                watched_hold(&record, RECORD_MAKER_START_NS + (20 + 21 * i) * MS, 20 * MS,
                        PROGRAM_HOLD_COMPUTES, "", 0);
        assert_true(is_loop(&record, "loop-held", &finding));
        assert_null(finding.shown.file);
        assert_string_equal(finding.title, "The event loop was kept busy by a call");
        record_deinit(&record);
}

/* A client that blocks, in a coroutine: its requests are made one by one, as each holds the loop. */
static void one_by_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 201 * MS / 10;
}

static void test_blocking_client(void **state)
{
        const struct record_maker maker = {
                .n = 200, .loop_ns = 1 * MS, .vary = one_by_one, .each.server_ns = 20 * MS
        };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "requests 2.31", "asyncio");
        for (size_t i = 0; i < 200; i++) {
                watched_hold(&record, RECORD_MAKER_START_NS + i * 201 * MS / 10, 20 * MS,
                        PROGRAM_HOLD_BLOCKED, "socket.recv", 1);
                record.programs.calls[i].held_ns = 20 * MS;
        }
        assert_true(is_loop(&record, "loop-held", &finding));
        assert_line(&finding, 12);
        assert_non_null(strstr(finding.remedy, "an asynchronous client"));
        /* In threads, of which asyncio has four more than there are processors: 200 by 6, 20 ms each. */
        assert_predicted(&finding, 690 * MS);
        assert_true(finding.shown.wall_low_ns < 100 * MS);
        record_deinit(&record);
}

/* --- time-outs ------------------------------------------------------------------------------- */

static void test_timeout_by_loop(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &lying);
        watch(&record, "aiohttp 3.9", "asyncio");
        hold_it(&record, 20 * MS, PROGRAM_HOLD_COMPUTES, "hashlib.md5");
        assert_false(is_loop(&record, "timeout-by-loop", &finding));
        for (size_t i = 0; i < 100; i++) {
                struct trace_attempt *attempt = &record.attempts[i];

                if (attempt->stamps.end_ns < 91 * 21 * MS)
                        continue;
                attempt->code = MUSTER_E_TIMEOUT;
                record.programs.calls[i].is_timeout = true;
                record.programs.calls[i].held_ns =
                        attempt->stamps.end_ns - attempt->stamps.start_ns - 100 * MS;
        }
        assert_true(is_loop(&record, "timeout-by-loop", &finding));
        assert_line(&finding, 30);
        assert_int_equal(finding.n_failed_by_it, 10);
        assert_non_null(strstr(finding.title,
                "10 requests timed out because the event loop was held"));
        /* The server kept them waiting. */
        for (size_t i = 0; i < 100; i++)
                record.programs.calls[i].held_ns = 20 * MS;
        assert_false(is_loop(&record, "timeout-by-loop", &finding));
        record_deinit(&record);
}

/* --- the processor --------------------------------------------------------------------------- */

/* 8 ms of processor time for each of 200, in two seconds. */
static const struct record_maker computing = {
        .n = 200,
        .slots = 8,
        .loop_ns = 8 * MS,
        .each = { .network_ns = 100 * NS_PER_US, .server_ns = 70 * MS },
};

static void test_gil(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &computing);
        watch(&record, "requests 2.31", "");
        record.programs.processes[0].n_threads = 8;
        record.programs.lock_waited_ns = 5 * NS_PER_S;
        assert_true(is_loop(&record, "gil", &finding));
        assert_int_equal(finding.shown.grade, 0);
        assert_non_null(strstr(finding.remedy, "ProcessPoolExecutor"));
        assert_in_range(finding.shown.wall_ns, 800 * MS, 1400 * MS); /* two processors */
        assert_false(is_loop(&record, "processor-bound", &finding));
        /* They hardly waited for it. */
        record.programs.lock_waited_ns = 10 * MS;
        assert_false(is_loop(&record, "gil", &finding));
        /* Nobody told how long they waited: then it is a guess, and not one of handshakes. */
        record.programs.lock_waited_ns = 0;
        assert_true(is_loop(&record, "gil", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_B);
        /* Somebody asked for it, beside other programs that use the processors. */
        {
                struct program_interpreter asked = { .process = 1,
                        .has_lock = true,
                        .switch_ns = 5 * MS,
                        .n_asked = 80,
                        .n_taken = 70,
                        .waited_ns = 2 * NS_PER_S,
                        .share = 90,
                        .call_name = str_of("re.split") };

                record.programs.interpreters = &asked;
                record.programs.n_interpreters = 1;
                record.programs.lock_waited_ns = asked.waited_ns;
                assert_true(is_loop(&record, "gil", &finding));
                assert_int_equal(finding.shown.grade, 0);
                asked.waited_ns = record.programs.lock_waited_ns = 0;
                assert_false(is_loop(&record, "gil", &finding));
                asked.has_lock = false;
                asked.n_asked = 0;
                assert_false(is_loop(&record, "gil", &finding));
                record.programs.interpreters = NULL;
                record.programs.n_interpreters = 0;
        }
        /* A loop needs no threads. */
        record.programs.processes[0].loop = str_of("asyncio");
        assert_false(is_loop(&record, "gil", &finding));
        record.programs.processes[0].loop = str_of("");
        /* Connections made again and again are what they compute for, whether it is known that they waited or a guess. */
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].is_reused = false;
        assert_false(is_loop(&record, "gil", &finding));
        record.programs.lock_waited_ns = 5 * NS_PER_S;
        assert_false(is_loop(&record, "gil", &finding));
        record_deinit(&record);
}

static void test_processor_bound(void **state)
{
        struct record_maker idle = computing, brief = computing;
        struct program_process *process;
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &computing);
        watch(&record, "httpx 0.27", "asyncio");
        assert_true(is_loop(&record, "processor-bound", &finding));
        assert_string_equal(finding.title,
                "The program's own processor time is what is left, that of httpx");
        assert_non_null(strstr(finding.remedy, "Use aiohttp"));
        assert_true(finding.shown.is_client);
        /* That time went into loading certificates, again and again. */
        for (size_t i = 0; i < record.n_attempts; i++)
                ADD_ROW(record.programs.contexts, record.programs.n_contexts,
                        (struct program_chore){ .process = 1,
                                .site = 1,
                                .start_ns = record.attempts[i].stamps.start_ns,
                                .took_ns = record.run.end_ns / record.n_attempts * 3 / 4 });
        assert_false(is_loop(&record, "processor-bound", &finding));
        record_deinit(&record);
        /* Over before it got going. */
        brief.n = 60;
        make(&record, &brief);
        watch(&record, "httpx 0.27", "asyncio");
        assert_false(is_loop(&record, "processor-bound", &finding));
        record_deinit(&record);
        idle.loop_ns = MS;
        make(&record, &idle);
        watch(&record, "httpx 0.27", "asyncio");
        assert_false(is_loop(&record, "processor-bound", &finding));
        /* All answers were there before the loop got to them. */
        process = &record.programs.processes[0];
        process->start_ns = RECORD_MAKER_START_NS;
        process->end_ns = record.run.end_ns + 20 * (record.run.end_ns - process->start_ns);
        process->cpu_ns = (process->end_ns - process->start_ns) / 10 * 9;
        assert_true(is_loop(&record, "processor-bound", &finding));
        assert_non_null(strstr(finding.title, "after its last response"));
        process->cpu_ns /= 2; /* it waited for something */
        assert_false(is_loop(&record, "processor-bound", &finding));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_timeout_by_loop),
                cmocka_unit_test(test_gil),
                cmocka_unit_test(test_processor_bound),
                cmocka_unit_test(test_loop_blocked),
                cmocka_unit_test(test_loop_computes),
                cmocka_unit_test(test_words_for_blocking),
                cmocka_unit_test(test_loop_not_held),
                cmocka_unit_test(test_loop_held_somewhere),
                cmocka_unit_test(test_blocking_client),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
