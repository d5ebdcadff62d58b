/* SPDX-License-Identifier: MIT */
/*
 * The record: what is told is what is there, in memory and in the file
 */
#include "record_fixture.h"

#include <base/rand.h>
#include <fcntl.h>
#include <record/batch.h>
#include <record/counters.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static void check_all(const struct record *record, unsigned n, unsigned n_paths)
{
        union any_row row;

        assert_int_equal(record->n_attempts, n);
        assert_int_equal(record->n_paths, n_paths);
        for (unsigned i = 1; i <= n; i++) {
                const struct trace_attempt *attempt = record_attempt(record, i);
                char path[64];

                row.attempt = full_attempt(i);
                row.attempt.request = i;
                assert_rows_equal(ROW_ATTEMPT, attempt, &row);
                assert_in_range(attempt->path, 1, n_paths);
                snprintf(path, sizeof(path), "http://h/%u", i % n_paths);
                assert_true(str_is(record->paths[attempt->path - 1], path));
        }
        row = full_row(ROW_CONN);
        assert_int_equal(record->n_conns, 1);
        assert_rows_equal(ROW_CONN, record_conn(record, 3), &row);
        assert_null(record_conn(record, 2));
        assert_string_equal(record->conns[0].remote.at, "[::1]:443");
        row = full_row(ROW_TRY);
        assert_true(record->has_tries);
        assert_int_equal(record->n_tries, 1);
        assert_rows_equal(ROW_TRY, &record->tries[0], &row);
        assert_string_equal(record->tries[0].address.at, "192.0.2.1:80");
        row = full_row(ROW_LOOKUP);
        assert_int_equal(record->n_lookups, 1);
        assert_rows_equal(ROW_LOOKUP, &record->lookups[0], &row);
        assert_string_equal(record->lookups[0].name.at, "h.test");
        row = full_row(ROW_TURN);
        assert_int_equal(record->n_turns, 1);
        assert_rows_equal(ROW_TURN, &record->turns[0], &row);
        row = full_row(ROW_SAMPLE);
        assert_int_equal(record->n_samples, 1);
        assert_rows_equal(ROW_SAMPLE, &record->samples[0], &row);
        assert_int_equal(record->n_origins, 1);
        assert_string_equal(record->origins[0].key.at, "http://h:80");
}

static void check_run(const struct record_run *run)
{
        assert_string_equal(run->version, "0.1.0");
        assert_string_equal(run->command, "[\"muster\"]");
        assert_int_equal(run->start_ns, T0);
        assert_int_equal(run->end_ns, 100 * NS_PER_S);
        assert_true(run->is_complete);
        assert_int_equal(run->n_dropped, 0);
        assert_true(run->wall_clock_ns > 1600000000 * NS_PER_S);
        assert_int_equal(run->options.concurrency, 4);
        assert_true(run->options.rate_per_s == 2.5);
        assert_int_equal(run->options.read_timeout_ns, 30 * NS_PER_S);
        assert_int_equal(run->options.total_timeout_ns, 0);
        assert_true(run->options.no_redirects);
        assert_false(run->options.http_1_0);
}

/* Those that this process may use: taskset(1) and containers allow some of the machine's. */
static int n_processors(void)
{
        cpu_set_t set;

        assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
        return CPU_COUNT(&set);
}

static void test_file_and_memory_say_the_same(void **state)
{
        static const unsigned ns[] = { 0, 1, BATCH_ATTEMPTS - 1, BATCH_ATTEMPTS, BATCH_ATTEMPTS + 1,
                10000 };

        (void)state;
        for (size_t i = 0; i < LENGTH(ns); i++) {
                struct record_fixture f;
                struct record record;
                unsigned n_paths = ns[i] < 7 ? ns[i] : 7;

                fixture_start(&f, fresh_file(), 0);
                fixture_tell_all(&f, ns[i], n_paths);
                assert_int_equal(fixture_end(&f), 0);
                assert_int_equal(recorder_copy(f.tracer, &record), 0);
                check_all(&record, ns[i], n_paths);
                check_run(&record.run);
                assert_int_equal(record_counter_after(&record, "machine.processors"),
                        n_processors());
                assert_true(record_counter_growth(&record, "process.user_us") >= 0);
                record_deinit(&record);
                fixture_stop(&f);
                read_ok(&record, file_of("run.db"));
                check_all(&record, ns[i], n_paths);
                check_run(&record.run);
                assert_int_equal(record.n_counters, COUNTER_N);
                assert_true(record_counter_growth(&record, "process.user_us") >= 0);
                assert_int_equal(record_counter_growth(&record, "no.such"), -1);
                assert_int_equal(record_counter_after(&record, "no.such"), -1);
                record_deinit(&record);
                record_deinit(&record);
                assert_int_equal(access(file_of("run.db-journal"), F_OK), -1);
        }
}

/* Attempts end in another order than they began. */
static void test_attempts_are_put_in_order(void **state)
{
        struct record_fixture f;
        struct record records[2];

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        for (unsigned i = 1; i <= 3000; i++) {
                struct trace_attempt attempt = full_attempt(((i - 1) ^ 5) + 1);

                if (attempt.number != 17) /* one is missing */
                        fixture_tell_attempt(&f, attempt);
        }
        assert_int_equal(fixture_end(&f), 0);
        assert_int_equal(recorder_copy(f.tracer, &records[0]), 0);
        fixture_stop(&f);
        read_ok(&records[1], file_of("run.db"));
        for (int i = 0; i < 2; i++) {
                const struct record *record = &records[i];

                for (size_t n = 1; n < record->n_attempts; n++)
                        assert_true(record->attempts[n - 1].number < record->attempts[n].number);
                assert_null(record_attempt(record, 17));
                assert_null(record_attempt(record, 0));
                assert_null(record_attempt(record, 5000));
                for (uint64_t n = 1; n <= 3000; n++)
                        assert_true(n == 17 || record_attempt(record, n)->number == n);
                record_deinit(&records[i]);
        }
}

/* Of usual and other ones in all patterns, as they are written by different statements. */
static void test_usual_and_rare_rows_mix(void **state)
{
        struct rand rand;
        struct record_fixture f;
        struct record record;

        (void)state;
        rand_init(&rand, 5);
        fixture_start(&f, fresh_file(), 0);
        fixture_tell(&f, ROW_ORIGIN, full_row(ROW_ORIGIN));
        for (unsigned i = 1; i <= 5000; i++)
                fixture_tell_attempt(&f,
                        below(&rand, 1 + i / 500) ? full_attempt(i) : usual_attempt(i));
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
        read_ok(&record, file_of("run.db"));
        assert_int_equal(record.n_attempts, 5000);
        rand_init(&rand, 5);
        for (unsigned i = 1; i <= 5000; i++) {
                struct trace_attempt attempt =
                        below(&rand, 1 + i / 500) ? full_attempt(i) : usual_attempt(i);

                assert_rows_equal(ROW_ATTEMPT, record_attempt(&record, i), &attempt);
        }
        record_deinit(&record);
}

/*
 * A request that ends while it waits for its next attempt: of its last attempt both words are told.
 */
static void test_last_word_counts(void **state)
{
        struct record_fixture f;
        struct record records[2];
        struct trace_attempt attempt = full_attempt(1);

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        attempt.is_last = false;
        attempt.outcome = TRACE_RETRIED;
        fixture_tell_attempt(&f, attempt);
        fixture_tell_attempt(&f, full_attempt(2));
        fixture_tell_attempt(&f, full_attempt(1));
        assert_int_equal(fixture_end(&f), 0);
        assert_int_equal(recorder_copy(f.tracer, &records[0]), 0);
        fixture_stop(&f);
        read_ok(&records[1], file_of("run.db"));
        for (int i = 0; i < 2; i++) {
                assert_int_equal(records[i].n_attempts, 2);
                assert_true(records[i].attempts[0].is_last);
                assert_int_equal(records[i].attempts[0].outcome, TRACE_FAILED);
                record_deinit(&records[i]);
        }
}

static void test_memory_keeps_the_newest(void **state)
{
        struct record_fixture f;
        struct record record;

        (void)state;
        fixture_start(&f, NULL, 100);
        for (uint64_t i = 1; i <= 250; i++) {
                fixture_tell_attempt(&f, full_attempt(i));
                fixture_tell(&f, ROW_CONN, (union any_row){ .conn = full_conn(i) });
        }
        assert_int_equal(fixture_end(&f), 0);
        assert_int_equal(recorder_copy(f.tracer, &record), 0);
        assert_int_equal(record.n_attempts, 100);
        assert_int_equal(record.attempts[0].number, 151);
        assert_int_equal(record.n_conns, 100);
        assert_int_equal(record.run.n_dropped, 150);
        assert_int_equal(record.totals.n_attempts, 250); /* counts are of all */
        record_deinit(&record);
        fixture_stop(&f);
}

/* One that took long is among the newest: what is missing behind it are older ones, and no hole. */
static void test_memory_keeps_one_that_took_long(void **state)
{
        struct record_fixture f;
        struct record record;

        (void)state;
        fixture_start(&f, NULL, 100);
        for (uint64_t i = 2; i <= 250; i++)
                fixture_tell_attempt(&f, full_attempt(i));
        fixture_tell_attempt(&f, full_attempt(1));
        assert_int_equal(recorder_copy(f.tracer, &record), 0);
        assert_int_equal(record.attempts[0].number, 1);
        assert_int_equal(record.attempts[1].number, 152);
        assert_int_equal(record.run.n_dropped, 150);
        assert_int_equal(record.run.n_holes, 0);
        record_deinit(&record);
        (void)fixture_end(&f);
        fixture_stop(&f);
}

static void test_samples_cover_the_run(void **state)
{
        struct record_fixture f;
        struct record record;

        (void)state;
        fixture_start(&f, NULL, 0);
        for (uint64_t i = 1; i <= 100000; i++)
                fixture_tell(&f, ROW_SAMPLE, (union any_row){ .sample = full_sample(i) });
        assert_int_equal(fixture_end(&f), 0);
        assert_int_equal(recorder_copy(f.tracer, &record), 0);
        assert_in_range(record.n_samples, 4096, 8193);
        assert_int_equal(record.samples[0].at_ns, 1);
        for (size_t i = 2; i + 1 < record.n_samples; i++)
                assert_int_equal(record.samples[i].at_ns - record.samples[i - 1].at_ns,
                        record.samples[1].at_ns - 1);
        assert_int_equal(record.samples[record.n_samples - 1].at_ns, 100000);
        record_deinit(&record);
        fixture_stop(&f);
}

static void test_paths_have_a_bound(void **state)
{
        struct record_fixture f;
        struct record records[2];

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        fixture_tell_all(&f, 3000, 1500);
        assert_int_equal(fixture_end(&f), 0);
        assert_int_equal(recorder_copy(f.tracer, &records[0]), 0);
        fixture_stop(&f);
        read_ok(&records[1], file_of("run.db"));
        for (int i = 0; i < 2; i++) {
                assert_int_equal(records[i].n_paths, RECORD_PATHS_MAX);
                assert_int_equal(record_attempt(&records[i], 1000)->path, 1000);
                assert_int_equal(record_attempt(&records[i], 1001)->path, 0);
                assert_int_equal(record_attempt(&records[i], 2500)->path, 1000);
                record_deinit(&records[i]);
        }
}

static void test_origins_have_no_gap(void **state)
{
        struct record_fixture f;
        struct record record;
        struct trace_attempt attempt = full_attempt(1);

        (void)state;
        fixture_start(&f, NULL, 0);
        fixture_tell(&f, ROW_ORIGIN, full_row(ROW_ORIGIN));
        fixture_tell(&f, ROW_ORIGIN,
                (union any_row){ .origin = { .number = 3, .key = BYTES("x") } });
        fixture_tell_attempt(&f, attempt);
        attempt = full_attempt(2);
        attempt.origin = 3;
        fixture_tell_attempt(&f, attempt);
        assert_int_equal(fixture_end(&f), 0);
        assert_int_equal(recorder_copy(f.tracer, &record), 0);
        assert_int_equal(record.n_origins, 1);
        assert_int_equal(record.attempts[0].origin, 1);
        assert_int_equal(record.attempts[1].origin, 0);
        record_deinit(&record);
        fixture_stop(&f);
}

/* Beyond the bound they have no names; those before keep theirs. */
static void test_origins_have_a_bound(void **state)
{
        struct record_fixture f;
        struct record record;
        struct trace_attempt attempt = full_attempt(1);

        (void)state;
        fixture_start(&f, NULL, 0);
        for (uint32_t number = 1; number <= 70000; number++) {
                char key[32];

                snprintf(key, sizeof(key), "http://h%u:80", number);
                fixture_tell(&f, ROW_ORIGIN,
                        (union any_row){ .origin = { .number = number, .key = str_of(key) } });
        }
        attempt.origin = 5;
        fixture_tell_attempt(&f, attempt);
        attempt = full_attempt(2);
        attempt.origin = 70000;
        fixture_tell_attempt(&f, attempt);
        assert_int_equal(fixture_end(&f), 0);
        assert_int_equal(recorder_copy(f.tracer, &record), 0);
        assert_int_equal(record.n_origins, 65536);
        assert_int_equal(record.attempts[0].origin, 5);
        assert_true(str_is(record.origins[4].key, "http://h5:80"));
        assert_int_equal(record.attempts[1].origin, 0);
        record_deinit(&record);
        fixture_stop(&f);
}

/*
 * The client forgets origins that nobody uses: one that is used again later has another number, but
 * is the same.
 */
static void test_forgotten_origin_is_the_same(void **state)
{
        static const char *const keys[] = { "http://a:80", "http://b:80", "http://a:80" };
        struct record_fixture f;
        struct record records[2];

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        for (uint32_t i = 0; i < 3; i++) {
                struct trace_attempt attempt = full_attempt(i + 1);
                struct trace_conn conn = full_conn(i + 1);

                fixture_tell(&f, ROW_ORIGIN,
                        (union any_row){ .origin = { .number = i + 1, .key = str_of(keys[i]) } });
                attempt.origin = conn.origin = i + 1;
                fixture_tell_attempt(&f, attempt);
                fixture_tell(&f, ROW_CONN, (union any_row){ .conn = conn });
        }
        assert_int_equal(fixture_end(&f), 0);
        assert_int_equal(recorder_copy(f.tracer, &records[0]), 0);
        read_ok(&records[1], file_of("run.db"));
        for (int i = 0; i < 2; i++) {
                assert_int_equal(records[i].attempts[0].origin, 1);
                assert_int_equal(records[i].attempts[1].origin, 2);
                assert_int_equal(records[i].attempts[2].origin, 1);
                assert_int_equal(records[i].conns[2].origin, 1);
                record_deinit(&records[i]);
        }
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_file_and_memory_say_the_same),
                cmocka_unit_test(test_attempts_are_put_in_order),
                cmocka_unit_test(test_usual_and_rare_rows_mix),
                cmocka_unit_test(test_last_word_counts),
                cmocka_unit_test(test_memory_keeps_the_newest),
                cmocka_unit_test(test_memory_keeps_one_that_took_long),
                cmocka_unit_test(test_samples_cover_the_run),
                cmocka_unit_test(test_paths_have_a_bound),
                cmocka_unit_test(test_origins_have_no_gap),
                cmocka_unit_test(test_origins_have_a_bound),
                cmocka_unit_test(test_forgotten_origin_is_the_same),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
