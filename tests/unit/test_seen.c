/* SPDX-License-Identifier: MIT */
/*
 * What is told of programs that were watched
 */
#include "unit.h"

#include <base/clock.h>
#include <explain/seen.h>

#define MS NS_PER_MS
#define TEXT(text)                                                                                 \
        {                                                                                          \
                text, sizeof(text) - 1                                                             \
        }

static void test_no_program(void **state)
{
        const struct record record = { .n_conns = 0 };
        struct seen seen;

        (void)state;
        assert_int_equal(seen_init(&seen, &record), 0);
        assert_int_equal(seen.n_processes, 0);
        seen_deinit(&seen);
        seen_deinit(&seen);
}

/* The texts of a record are not terminated, and may be empty. */
static void test_processes(void **state)
{
        struct program_process processes[2] = {
                { .pid = 7,
                        .words = { "python3 sync.py and more", 15 },
                        .language = TEXT("Python 3.11.7"),
                        .libraries = TEXT("aiohttp 3.9.1"),
                        .loop = TEXT("asyncio"),
                        .cpu_ns = 5 },
                { .pid = 8, .ppid = 7, .cpu_ns = 6, .unseen = PROGRAM_UNSEEN_SHIM },
        };
        struct program_call calls[3] = { { .attempt = 1, .process = 1, .queued_ns = 4 * MS },
                { .attempt = 2, .process = 1 }, { .attempt = 3, .process = 9 } };
        const struct record record = { .programs = { .processes = processes,
                                               .n_processes = 2,
                                               .calls = calls,
                                               .n_calls = 3 } };
        struct seen seen;

        (void)state;
        assert_int_equal(seen_init(&seen, &record), 0);
        assert_int_equal(seen.n_processes, 2);
        assert_string_equal(seen.processes[0].words, "python3 sync.py");
        assert_string_equal(seen.processes[0].libraries, "aiohttp 3.9.1");
        assert_int_equal(seen.processes[0].n_requests, 2);
        assert_string_equal(seen.processes[1].words, "");
        assert_string_equal(seen.processes[1].loop, "");
        assert_int_equal(seen.processes[1].unseen, MUSTER_UNSEEN_ALL);
        assert_int_equal(seen.sums.n_queued, 1);
        assert_int_equal(seen.sums.queued_ns, 4 * MS);
        assert_int_equal(seen.sums.cpu_ns, 11);
        seen_deinit(&seen);
}

static void test_sums(void **state)
{
        struct program_process process = { .pid = 7 };
        struct program_hold holds[2] = { { .start_ns = 10 * MS, .end_ns = 30 * MS },
                { .start_ns = 40 * MS, .end_ns = 45 * MS } };
        struct program_chore context = { .took_ns = 9 * MS };
        struct trace_conn conns[3] = { { .tls_end_ns = 3, .is_resumed = true }, { .tls_end_ns = 4 },
                { .tcp_end_ns = 5 } };
        struct trace_lookup lookup = { .start_ns = 2 * MS, .end_ns = 5 * MS };
        const struct record record = { .conns = conns,
                .n_conns = 3,
                .lookups = &lookup,
                .n_lookups = 1,
                .programs = { .processes = &process,
                        .n_processes = 1,
                        .holds = holds,
                        .n_holds = 2,
                        .contexts = &context,
                        .n_contexts = 1,
                        .lock_waited_ns = 8 } };
        struct seen seen;

        (void)state;
        assert_int_equal(seen_init(&seen, &record), 0);
        assert_int_equal(seen.sums.n_held, 2);
        assert_int_equal(seen.sums.held_ns, 25 * MS);
        assert_int_equal(seen.sums.held_most_ns, 20 * MS);
        assert_int_equal(seen.sums.n_contexts, 1);
        assert_int_equal(seen.sums.contexts_ns, 9 * MS);
        assert_int_equal(seen.sums.n_handshakes, 2);
        assert_int_equal(seen.sums.n_resumed, 1);
        assert_int_equal(seen.sums.n_lookups, 1);
        assert_int_equal(seen.sums.lookups_ns, 3 * MS);
        assert_int_equal(seen.sums.lock_waited_ns, 8);
        seen_deinit(&seen);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_program),
                cmocka_unit_test(test_processes),
                cmocka_unit_test(test_sums),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
