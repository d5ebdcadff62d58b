/* SPDX-License-Identifier: MIT */
/*
 * Files that are no records, are damaged, or may not be replaced
 */
#include "record_fixture.h"

#include <base/rand.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- files that are no records --------------------------------------------------------------- */

static void test_what_is_no_record_is_told(void **state)
{
        (void)state;
        expect_refusal(file_of("missing.db"), "does not exist");
        expect_refusal(file_of("."), "cannot be read: Is a directory");
        write_file(file_of("empty.db"), "", 0);
        expect_refusal(file_of("empty.db"), "is empty");
        write_file(file_of("text.db"), "http://h/\n", 10);
        expect_refusal(file_of("text.db"), "is not a muster record");
        expect_refusal("/dev/null", "is not a muster record");
        execute(file_of("other.db"), "CREATE TABLE attempt(x)");
        expect_refusal(file_of("other.db"), "is an SQLite database but not a muster record");
        make_record(10);
        execute(file_of("run.db"), "PRAGMA user_version = 3");
        expect_refusal(file_of("run.db"), "newer version of muster (format 3)");
}

static void test_cut_off_file_is_told(void **state)
{
        char *bytes;
        size_t len;

        (void)state;
        make_record(2000);
        len = read_whole(file_of("run.db"), &bytes);
        write_file(file_of("cut.db"), bytes, len - 1);
        expect_refusal(file_of("cut.db"), "is cut off");
        write_file(file_of("cut.db"), bytes, 20000);
        expect_refusal(file_of("cut.db"), "is cut off: it has 20000 of");
        write_file(file_of("cut.db"), bytes, 99);
        expect_refusal(file_of("cut.db"), "is not a muster record");
        free(bytes);
}

static void test_damaged_tables_are_told(void **state)
{
        static const char *const damages[] = {
                "DROP TABLE attempt",
                "DROP TABLE run",
                "DELETE FROM run",
                "ALTER TABLE conn RENAME COLUMN rtt_us TO x",
                "UPDATE attempt SET flags = 15 << 12 WHERE number = 7",
                "UPDATE attempt SET end_ns = 'never' WHERE number = 7",
                "UPDATE attempt SET start_ns = -5 WHERE number = 7",
                "UPDATE attempt SET origin = 1.5e300 WHERE number = 7",
                "UPDATE conn SET closer = 99",
                "UPDATE run SET end_ns = -1",
                "UPDATE run SET start_ns = 'x'",
                "UPDATE origin SET key = 'http://h' || char(27) || '[31m:80'",
                "UPDATE conn SET remote = '127.0.0.1:80' || char(10)",
                "UPDATE lookup SET name = 'h' || char(7)",
                "UPDATE attempt SET url = 'http://h/' || char(27) WHERE number = 7",
                "UPDATE option SET value = 1025 WHERE name = 'workers'",
                "UPDATE option SET value = -1 WHERE name = 'concurrency'",
                "UPDATE option SET value = 1 << 40 WHERE name = 'concurrency'",
                "UPDATE option SET value = 9223372036854775807 WHERE name = 'total_timeout_ns'",
                "UPDATE option SET value = 9e999 WHERE name = 'rate_per_s'",
                "UPDATE option SET value = 1e-300 WHERE name = 'rate_per_host_per_s'",
                "UPDATE option SET value = 2 WHERE name = 'no_reuse'",
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(damages); i++) {
                make_record(10);
                execute(file_of("run.db"), damages[i]);
                expect_refusal(file_of("run.db"), "is damaged");
        }
        make_record(10);
        execute(file_of("run.db"), "INSERT INTO option VALUES('of_tomorrow', 'x');"
                                   "INSERT INTO counter VALUES('of.tomorrow', 1, 3)");
        {
                struct record record;

                read_ok(&record, file_of("run.db"));
                assert_int_equal(record_counter_growth(&record, "of.tomorrow"), 2);
                record_deinit(&record);
        }
}

/*
 * What a file asks SQLite to do when its tables are read could go on for ever: a record's tables
 * are tables.
 */
static void test_tables_that_are_none(void **state)
{
#define FOR_EVER "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
        static const char *const tricks[] = {
                "ALTER TABLE attempt RENAME TO a;"
                "CREATE VIEW attempt AS " FOR_EVER " SELECT a.* FROM c, a",
                "ALTER TABLE conn RENAME TO a;"
                "CREATE VIEW conn AS " FOR_EVER " SELECT a.* FROM c, a WHERE x < 0",
                "ALTER TABLE option RENAME TO a;"
                "CREATE VIEW option AS " FOR_EVER " SELECT x AS name, x AS value FROM c",
                "ALTER TABLE run RENAME TO a;"
                "CREATE VIEW run AS SELECT * FROM a WHERE EXISTS (" FOR_EVER
                " SELECT x FROM c WHERE x < 0)",
        };

        (void)state;
        alarm(60); /* for ever is too long */
        for (size_t i = 0; i < LENGTH(tricks); i++) {
                make_record(10);
                execute(file_of("run.db"),
                        "PRAGMA legacy_alter_table = 1; DROP VIEW errors;"
                        "DROP VIEW slowest; DROP VIEW timeline; DROP VIEW tries");
                execute(file_of("run.db"), tricks[i]);
                expect_refusal(file_of("run.db"), "is damaged");
        }
        alarm(0);
}

/* What rows had in version 1. */
static const struct {
        enum row_kind kind;
        const char *columns;
} early[] = {
        { ROW_ATTEMPT, " number request n origin conn slot_from start_ns slot_ns send_start_ns "
                       "send_ns first_kernel_ns first_read_ns end_ns taken_ns conn_idle_ns "
                       "sent_bytes wire_bytes receives in_flight status code flags submit_ago_ns "
                       "planned_ns dns_ns tcp_ns tunnel_ns tls_ns expect_ns expect_end_ns "
                       "expect_unheard acked_ns last_kernel_ns last_read_ns decode_ns "
                       "process_end_ns worker_decode_ns finished_ns retry_after_ns body_bytes "
                       "host_in_flight sys engine stream sharing " },
        { ROW_CONN, " id origin opened_ns dns_ns tcp_ns tunnel_ns tls_ns closed_ns attempts "
                    "addresses family closer is_tls is_resumed had_ticket tls_work_ns rtt_us "
                    "min_rtt_us retransmits out_of_order cwnd delivery_rate rwnd_limited_us "
                    "sndbuf_limited_us busy_us bytes_received engine proxy " },
        { ROW_TURN, " start_ns took_ns thread_cpu_ns culprit engine io_ns tls_ns decode_ns "
                    "process_ns caller_ns " },
        { ROW_SAMPLE, " at_ns in_flight queued processing held is_full submitted attempts "
                      "conns_opened lookups open_conns turns wait_ns thread_cpu_ns "
                      "process_cpu_ns engine io_ns tls_ns decode_ns process_ns caller_ns " },
};

static void drop_later_columns(void)
{
        char word[64], sql[128];

        for (size_t i = 0; i < LENGTH(early); i++) {
                const struct row_type *type = row_types[early[i].kind];

                for (size_t c = 0; c < type->n_columns; c++) {
                        snprintf(word, sizeof(word), " %.*s ", (int)strcspn(type->columns[c], " "),
                                type->columns[c]);
                        snprintf(sql, sizeof(sql), "ALTER TABLE %s DROP COLUMN%s", type->table,
                                word);
                        if (!strstr(early[i].columns, word))
                                execute(file_of("run.db"), sql);
                }
        }
}

/* A record of before some rows and columns were there: what is missing is not known. */
static void test_early_record(void **state)
{
        struct record record;

        (void)state;
        make_record(10);
        read_ok(&record, file_of("run.db"));
        assert_true(record.has_tries);
        assert_int_equal(record.n_tries, 1);
        assert_int_equal(record.turns[0].run_delay_ns, full_turn().run_delay_ns);
        assert_int_equal(record.conns[0].max_rtt_us, full_conn(1).max_rtt_us);
        record_deinit(&record);
        execute(file_of("run.db"), "DROP VIEW slowest; DROP VIEW requests; DROP VIEW phases;"
                                   "DROP VIEW errors; DROP VIEW timeline; DROP VIEW connections;"
                                   "DROP VIEW tries; DROP TABLE try; PRAGMA user_version = 1");
        drop_later_columns();
        read_ok(&record, file_of("run.db"));
        assert_false(record.has_tries);
        assert_int_equal(record.n_attempts, 10);
        assert_int_equal(record.n_tries, 0);
        assert_int_equal(record.turns[0].run_delay_ns, -1);
        assert_int_equal(record.turns[0].late_ns, 0);
        assert_int_equal(record.samples[0].run_delay_ns, -1);
        assert_int_equal(record.conns[0].max_rtt_us, 0);
        record_deinit(&record);
}

#define WIDE_PAGE   512
#define WIDE_LEVELS 15 /* SQLite goes no deeper than 20 */

static bool is_interior(const unsigned char *page)
{
        return page[0] == 5;
}

static void set_number(unsigned char *at, size_t number)
{
        for (int i = 0; i < 4; i++)
                at[i] = (unsigned char)(number >> (24 - 8 * i));
}

/* All children of an interior page become this one. */
static void set_children(unsigned char *page, size_t number)
{
        unsigned n = (unsigned)page[3] << 8 | page[4];

        set_number(page + 8, number);
        for (unsigned i = 0; i < n; i++)
                set_number(page + ((unsigned)page[12 + 2 * i] << 8 | page[13 + 2 * i]), number);
}

/* From one interior page to the next, over each of its children: 50 to the power of 15 rows. */
static void test_more_rows_than_fit(void **state)
{
        char *bytes;
        size_t len, page, next, n = 0;

        (void)state;
        alarm(60); /* for ever is too long */
        make_record(20000);
        execute(file_of("run.db"), "PRAGMA page_size = 512; VACUUM");
        page = (size_t)query(file_of("run.db"),
                "SELECT rootpage FROM sqlite_schema WHERE name = 'attempt'");
        len = read_whole(file_of("run.db"), &bytes);
        for (next = page + 1; n < WIDE_LEVELS && next * WIDE_PAGE <= len; next++) {
                if (!is_interior((unsigned char *)bytes + (next - 1) * WIDE_PAGE))
                        continue;
                set_children((unsigned char *)bytes + (page - 1) * WIDE_PAGE, next);
                page = next;
                n++;
        }
        assert_int_equal(n, WIDE_LEVELS);
        write_file(file_of("wide.db"), bytes, len);
        expect_refusal(file_of("wide.db"), "is damaged");
        free(bytes);
        alarm(0);
}

/* Whatever the bytes are: a record, or a refusal in words. */
static void test_random_damage_is_survived(void **state)
{
        struct rand rand;
        char *bytes, *damaged;
        size_t len;
        int n_refused = 0;

        (void)state;
        rand_init(&rand, 11);
        make_record(300);
        len = read_whole(file_of("run.db"), &bytes);
        damaged = malloc(len);
        for (int i = 0; i < 300; i++) {
                struct record record;
                struct muster_error error = { 0 };
                int r;

                memcpy(damaged, bytes, len);
                for (uint64_t n = 1 + below(&rand, 20); n; n--)
                        damaged[below(&rand, i % 2 ? 20000 : len)] = (char)below(&rand, 256);
                write_file(file_of("damaged.db"), damaged, len);
                r = record_read(&record, file_of("damaged.db"), &error);
                assert_true(r == 0 || (r == MUSTER_E_INPUT && error.text[0]) ||
                            (r == MUSTER_E_RESOURCE && error.text[0]));
                n_refused += r != 0;
                record_deinit(&record);
        }
        assert_in_range(n_refused, 30, 300);
        free(damaged);
        free(bytes);
}

/* --- files to be ----------------------------------------------------------------------------- */

static void expect_no_start(const char *path, bool overwrite, const char *words)
{
        struct record_fixture f;

        assert_int_equal(fixture_try_start(&f, path, overwrite, 0), MUSTER_E_RESOURCE);
        if (!strstr(f.error.text, words) || !strstr(f.error.text, path))
                fail_msg("\"%s\" lacks \"%s\"", f.error.text, words);
}

static void test_only_records_are_replaced(void **state)
{
        struct record_fixture f;
        struct record record;

        (void)state;
        make_record(10);
        expect_no_start(file_of("run.db"), false, "already exists");
        write_file(file_of("run.db-journal"), "stale", 5);
        assert_int_equal(fixture_try_start(&f, file_of("run.db"), true, 0), 0);
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
        read_ok(&record, file_of("run.db"));
        assert_int_equal(record.n_attempts, 0);
        record_deinit(&record);
        write_file(file_of("text.db"), "http://h/\n", 10);
        expect_no_start(file_of("text.db"), true, "exists and is not a muster record");
        execute(file_of("other.db"), "CREATE TABLE IF NOT EXISTS attempt(x)");
        expect_no_start(file_of("other.db"), true, "exists and is not a muster record");
        expect_no_start(file_of("."), true, "cannot create");
        expect_no_start(file_of("no/such/folder.db"), true, "No such file");
        write_file(file_of("empty.db"), "", 0); /* as mktemp makes it */
        assert_int_equal(fixture_try_start(&f, file_of("empty.db"), false, 0), 0);
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
}

/*
 * Where nothing may be created. For root as well: its rights are those of the user whose files it
 * is to see.
 */
static void test_forbidden_folder_is_told(void **state)
{
        char folder[128];

        (void)state;
        snprintf(folder, sizeof(folder), "%s", file_of("forbidden"));
        assert_int_equal(chmod(file_of("."), 0755), 0);
        assert_int_equal(mkdir(folder, 0555), 0);
        setfsuid(65534);
        expect_no_start(file_of("forbidden/run.db"), false, "not permitted");
        setfsuid(geteuid());
        assert_int_equal(rmdir(folder), 0);
}

static bool is_link(const char *path)
{
        struct stat status;

        return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

/*
 * A link leads to where the record is to be: it stays one, whether or not there is something
 * already.
 */
static void test_links_are_followed(void **state)
{
        char target[128];

        (void)state;
        snprintf(target, sizeof(target), "%s", file_of("target.db"));
        assert_int_equal(symlink(target, file_of("link.db")), 0);
        for (unsigned n = 10; n <= 11; n++) {
                struct record_fixture f;

                assert_int_equal(fixture_try_start(&f, file_of("link.db"), n == 11, 0), 0);
                fixture_tell_all(&f, n, 7);
                assert_int_equal(fixture_end(&f), 0);
                fixture_stop(&f);
                assert_true(is_link(file_of("link.db")));
                assert_false(is_link(target));
                assert_true(query(target, "SELECT count(*) FROM attempt") == n);
                assert_true(query(file_of("link.db"), "SELECT count(*) FROM attempt") == n);
        }
        expect_no_start(file_of("link.db"), false, "already exists");
        assert_int_equal(unlink(file_of("link.db")), 0);
}

static void test_names_that_sqlite_takes_for_others(void **state)
{
        static const char *const names[] = { ":memory:", "file:x?mode=memory", "a b'\"%;.db" };
        char *before = getcwd(NULL, 0);

        (void)state;
        assert_int_equal(chdir(file_of(".")), 0);
        for (size_t i = 0; i < LENGTH(names); i++) {
                struct record_fixture f;
                struct record record;

                fixture_start(&f, names[i], 0);
                fixture_tell_all(&f, 10, 7);
                assert_int_equal(fixture_end(&f), 0);
                fixture_stop(&f);
                assert_int_equal(access(names[i], F_OK), 0);
                read_ok(&record, names[i]);
                assert_int_equal(record.n_attempts, 10);
                record_deinit(&record);
        }
        assert_int_equal(chdir(before), 0);
        free(before);
}

/*
 * SQLite's RESERVED byte (https://www.sqlite.org/src/file/src/os.h): does this process hold it?
 * Only another one can ask.
 */
static bool is_reserved(const char *path)
{
        struct flock lock = {
                .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000001, .l_len = 1
        };
        int status;
        pid_t child = fork();

        if (child == 0) {
                int fd = open(path, O_RDWR);

                _exit(fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 ? 2 : lock.l_type != F_UNLCK);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        return WEXITSTATUS(status);
}

/*
 * A process that closes a file lets go of all its locks on it: whoever writes to it must keep them
 * while others of its process look at it.
 */
static void test_looking_at_a_file_keeps_its_locks(void **state)
{
        struct record record;
        sqlite3 *db;

        (void)state;
        make_record(10);
        assert_int_equal(sqlite3_open(file_of("run.db"), &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        assert_true(is_reserved(file_of("run.db")));
        read_ok(&record, file_of("run.db"));
        record_deinit(&record);
        assert_true(is_reserved(file_of("run.db")));
        expect_no_start(file_of("run.db"), false, "already exists");
        assert_true(is_reserved(file_of("run.db")));
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        assert_false(is_reserved(file_of("run.db")));
}

/*
 * A child has a copy of the client, and not the thread that writes: it ends as if there was no
 * file.
 */
static void test_child_leaves_the_file_alone(void **state)
{
        struct record_fixture f;
        struct record record;
        pid_t child;
        int status;

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        fixture_tell_all(&f, 10, 7);
        usleep(200000); /* the thread has written them, and waits */
        child = fork();
        if (child == 0) {
                alarm(20); /* for ever is too long */
                for (uint64_t n = 1; n < 10000; n++)
                        fixture_tell_attempt(&f, full_attempt(100 + n));
                status = fixture_end(&f);
                fixture_stop(&f);
                _exit(status != 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_true(query(file_of("run.db"), "SELECT is_complete FROM run") == 0);
        fixture_tell_attempt(&f, full_attempt(11));
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
        read_ok(&record, file_of("run.db"));
        assert_int_equal(record.n_attempts, 11);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_no_record_is_told),
                cmocka_unit_test(test_cut_off_file_is_told),
                cmocka_unit_test(test_damaged_tables_are_told),
                cmocka_unit_test(test_tables_that_are_none),
                cmocka_unit_test(test_early_record),
                cmocka_unit_test(test_more_rows_than_fit),
                cmocka_unit_test(test_random_damage_is_survived),
                cmocka_unit_test(test_only_records_are_replaced),
                cmocka_unit_test(test_forbidden_folder_is_told),
                cmocka_unit_test(test_links_are_followed),
                cmocka_unit_test(test_names_that_sqlite_takes_for_others),
                cmocka_unit_test(test_looking_at_a_file_keeps_its_locks),
                cmocka_unit_test(test_child_leaves_the_file_alone),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
