/* SPDX-License-Identifier: MIT */
/*
 * Records in trouble: programs that are killed, disks that are full or slow, memory that runs out
 */
#include "record_fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child records for ever and is killed in the middle of it. */
static void test_killed_program_leaves_a_record(void **state)
{
        struct record record;
        uint64_t first_number;
        int ready[2], status;
        char byte;
        pid_t child;

        (void)state;
        fresh_file();
        assert_int_equal(pipe(ready), 0);
        child = fork();
        if (child == 0) {
                struct record_fixture f;

                if (fixture_try_start(&f, file_of("run.db"), false, 0) < 0)
                        _exit(2);
                for (uint64_t n = 1;; n++) {
                        fixture_tell_attempt(&f, full_attempt(n % 1000000 + 1));
                        if (n == 300000 && write(ready[1], "x", 1) < 0)
                                _exit(1);
                        if (n % 1024 == 0)
                                usleep(500);
                }
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        read_ok(&record, file_of("run.db"));
        assert_true(record.run.is_going_on);
        record_deinit(&record);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        read_ok(&record, file_of("run.db"));
        assert_true(record.n_attempts > 1000);
        assert_false(record.run.is_complete);
        assert_false(record.run.is_going_on);
        first_number = record.attempts[0].number;
        for (size_t i = 0; i < record.n_attempts; i++)
                assert_int_equal(record.attempts[i].number, first_number + i);
        assert_int_equal(record.run.end_ns, record.attempts[record.n_attempts - 1].taken_ns);
        assert_int_equal(record_counter_after(&record, "machine.processors"), -1);
        record_deinit(&record);
        assert_true(query(file_of("run.db"),
                            "SELECT integrity_check = 'ok' FROM pragma_integrity_check") == 1);
        close(ready[0]);
        close(ready[1]);
}

/*
 * A record begins in one transaction, the first one: killed in the midst of it a program leaves
 * none.
 */
static void test_killed_before_it_began(void **state)
{
        static const unsigned char journal[512] = {
                0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7, /* magic */
                0, 0, 0, 0,                                     /* pages in it */
                1, 2, 3, 4,                                     /* for checksums */
                0, 0, 0, 0,                                     /* pages of the database before */
                0, 0, 2, 0,                                     /* bytes of a sector */
                0, 0, 0x40, 0,                                  /* ... and a page */
        };
        struct record_fixture f;
        char *bytes;

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        assert_true(read_whole(file_of("run.db"), &bytes) > 100);
        assert_memory_equal(bytes + 24, "\0\0\0\1", 4); /* transactions so far */
        free(bytes);
        (void)fixture_end(&f);
        fixture_stop(&f);
        write_file(file_of("run.db-journal"), journal, sizeof(journal));
        expect_refusal(file_of("run.db"), "is empty: the run ended before it began");
}

/* What was told stands in the file soon, even when nothing follows and nobody ends it. */
static void test_few_rows_do_not_wait_for_more(void **state)
{
        struct record_fixture f;
        struct record record;
        size_t n = 0;

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        fixture_tell_all(&f, 5, 5);
        for (int i = 0; i < 1000 && n < 5; i++) {
                usleep(10000);
                read_ok(&record, file_of("run.db"));
                n = record.n_attempts;
                assert_true(record.run.is_going_on);
                record_deinit(&record);
        }
        assert_int_equal(n, 5);
        fixture_tell_attempt(&f, full_attempt(6)); /* into the batch that was written in part */
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
        read_ok(&record, file_of("run.db"));
        assert_int_equal(record.n_attempts, 6);
        assert_false(record.run.is_going_on);
        record_deinit(&record);
}

/* The disk is full: in a process of its own, as the limit is one of processes. */
static void test_full_disk_is_told(void **state)
{
        struct rlimit limit = { 1000000, 1000000 };
        pid_t child;
        int status;

        (void)state;
        fresh_file();
        child = fork();
        if (child == 0) {
                struct record_fixture f;
                struct record record;

                signal(SIGXFSZ, SIG_IGN);
                setrlimit(RLIMIT_FSIZE, &limit);
                if (fixture_try_start(&f, file_of("run.db"), false, 0) < 0)
                        _exit(4);
                fixture_tell_all(&f, 20000, 7);
                if (fixture_end(&f) != MUSTER_E_RESOURCE ||
                        !strstr(f.error.text, "cannot be written"))
                        _exit(1);
                /* What is in memory is still good. */
                if (recorder_copy(f.tracer, &record) < 0 || record.n_attempts != 20000)
                        _exit(2);
                record_deinit(&record);
                fixture_stop(&f);
                /* And so is what fitted. */
                if (record_read(&record, file_of("run.db"), NULL) < 0 || record.run.is_complete)
                        _exit(3);
                _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* Another run's record is there meanwhile: it stays what it is. */
static void test_replaced_file_is_told(void **state)
{
        struct record_fixture f, other;
        struct record record;

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        fixture_tell_all(&f, 10, 7);
        assert_int_equal(fixture_try_start(&other, file_of("run.db"), true, 0), 0);
        fixture_tell_all(&other, 20, 7);
        fixture_tell_attempt(&f, full_attempt(11));
        assert_int_equal(fixture_end(&f), MUSTER_E_RESOURCE);
        assert_non_null(strstr(f.error.text, "removed or replaced"));
        assert_int_equal(fixture_end(&other), 0);
        fixture_stop(&other);
        fixture_stop(&f);
        read_ok(&record, file_of("run.db"));
        assert_int_equal(record.n_attempts, 20);
        record_deinit(&record);
}

/*
 * What is missing so far stands in the file with what came behind it: the program may be killed at
 * any moment.
 */
static uint64_t wait_for_dropped(void)
{
        uint64_t n_dropped = 0;

        for (int i = 0; i < 40 && !n_dropped; i++) {
                struct record record;

                usleep(100000);
                read_ok(&record, file_of("run.db"));
                n_dropped = record.run.n_dropped;
                assert_false(record.run.is_complete);
                record_deinit(&record);
        }
        return n_dropped;
}

/*
 * Somebody reads for long: rows pile up to a bound, then they are dropped and counted, and nobody
 * waits.
 */
static void test_slow_disk_drops_rows(void **state)
{
        struct record_fixture f;
        struct record record;
        sqlite3 *db;
        size_t n_in_file;

        (void)state;
        fixture_start(&f, fresh_file(), 10);
        assert_int_equal(sqlite3_open(file_of("run.db"), &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM attempt", NULL, NULL, NULL),
                SQLITE_OK);
        for (uint64_t n = 1; n <= 200000; n++)
                fixture_tell_attempt(&f, full_attempt(n));
        assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        assert_in_range(wait_for_dropped(), 1, 150000);
        fixture_tell_attempt(&f, full_attempt(200001));
        assert_int_equal(fixture_end(&f), MUSTER_E_RESOURCE);
        assert_non_null(strstr(f.error.text, "lacks"));
        fixture_stop(&f);
        read_ok(&record, file_of("run.db"));
        n_in_file = record.n_attempts;
        assert_in_range(n_in_file, 50000, 200000);
        assert_int_equal(record.run.n_dropped, 200001 - n_in_file);
        assert_int_equal(record.run.n_holes, record.run.n_dropped);
        record_deinit(&record);
}

/*
 * Numbers are also missing where a run ended before their attempts did, and at the end there is
 * nobody who comes behind them.
 */
static void test_holes_are_what_was_dropped(void **state)
{
        static const struct {
                const char *sql;
                uint64_t n_holes;
        } cases[] = {
                { "DELETE FROM attempt WHERE number BETWEEN 50 AND 59", 0 },
                { "UPDATE run SET dropped = 7", 7 },
                { "UPDATE run SET dropped = 30", 10 },
                { "DELETE FROM attempt WHERE number > 90", 10 },
                { "DELETE FROM attempt WHERE number < 80", 0 },
                { "DELETE FROM attempt", 0 },
        };

        (void)state;
        make_record(100);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct record record;

                execute(file_of("run.db"), cases[i].sql);
                read_ok(&record, file_of("run.db"));
                assert_int_equal(record.run.n_holes, cases[i].n_holes);
                record_deinit(&record);
        }
}

static void record_with_little_memory(void)
{
        struct record_fixture f;
        struct record record;

        fresh_file();
        if (fixture_try_start(&f, file_of("run.db"), false, 0) < 0) {
                assert_int_equal(f.error.code, MUSTER_E_RESOURCE);
                return;
        }
        fixture_tell_all(&f, 1500, 7);
        /* What there was no memory for is missing, and counted. */
        if (recorder_copy(f.tracer, &record) == 0)
                assert_int_equal(record.n_attempts + record.run.n_dropped, 1500);
        else
                assert_null(record.attempts);
        record_deinit(&record);
        (void)fixture_end(&f);
        fixture_stop(&f);
}

static void test_memory_out_while_recording(void **state)
{
        (void)state;
        for_each_failing_allocation(record_with_little_memory);
}

static void read_with_little_memory(void)
{
        struct record record;
        struct muster_error error = { 0 };
        int r = record_read(&record, file_of("run.db"), &error);

        if (r < 0) {
                assert_int_equal(r, MUSTER_E_RESOURCE);
                assert_int_equal(error.code, MUSTER_E_RESOURCE);
                assert_null(record.attempts);
        } else {
                assert_int_equal(record.n_attempts, 100);
        }
        record_deinit(&record);
}

static void test_memory_out_while_reading(void **state)
{
        (void)state;
        make_record(100);
        for_each_failing_allocation(read_with_little_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_killed_program_leaves_a_record),
                cmocka_unit_test(test_killed_before_it_began),
                cmocka_unit_test(test_few_rows_do_not_wait_for_more),
                cmocka_unit_test(test_full_disk_is_told),
                cmocka_unit_test(test_replaced_file_is_told),
                cmocka_unit_test(test_slow_disk_drops_rows),
                cmocka_unit_test(test_holes_are_what_was_dropped),
                cmocka_unit_test(test_memory_out_while_recording),
                cmocka_unit_test(test_memory_out_while_reading),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
