/* SPDX-License-Identifier: MIT */
/*
 * The record's views in SQL, and requests that come out of it again
 */
#include "record_fixture.h"

#include <base/error.h>
#include <base/rand.h>
#include <fcntl.h>
#include <record/schema.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- the views ------------------------------------------------------------------------------- */

static uint64_t some_stamp(struct rand *rand, uint64_t at)
{
        return below(rand, 3) ? at + below(rand, 1000) : 0;
}

/* Stamps in any order, some of them missing: whatever the core may tell. */
static struct trace_attempt random_attempt(struct rand *rand, uint64_t number)
{
        uint64_t at = 5000;
        struct trace_attempt attempt = {
                .number = number, .request = number, .n = 1, .is_last = true, .submitted_ns = at
        };

        attempt.stamps = (struct attempt){ .start_ns = at,
                .slot_ns = some_stamp(rand, at),
                .dns_end_ns = some_stamp(rand, at),
                .tcp_end_ns = some_stamp(rand, at),
                .tunnel_end_ns = some_stamp(rand, at),
                .tls_end_ns = some_stamp(rand, at),
                .expect_start_ns = some_stamp(rand, at),
                .expect_end_ns = some_stamp(rand, at),
                .send_end_ns = some_stamp(rand, at),
                .first_byte_kernel_ns = some_stamp(rand, at),
                .first_byte_read_ns = some_stamp(rand, at),
                .end_ns = at + below(rand, 1000),
                .decode_ns = below(rand, 300),
                .stage = (enum muster_phase)below(rand, MUSTER_PHASE_DECODE) };
        if (!below(rand, 9))
                attempt.stamps.stage = MUSTER_PHASE_TUNNEL;
        attempt.stage = (uint8_t)attempt.stamps.stage;
        attempt.finished_ns = attempt.taken_ns = attempt.stamps.end_ns;
        return attempt;
}

static void test_phases_are_those_of_the_core(void **state)
{
        struct rand rand;
        struct record_fixture f;
        uint64_t phase_ns[2000][MUSTER_N_PHASES] = { { 0 } };

        (void)state;
        rand_init(&rand, 7);
        fixture_start(&f, fresh_file(), 0);
        for (unsigned i = 0; i < 2000; i++) {
                struct trace_attempt attempt = random_attempt(&rand, i + 1);

                attempt_add_phases(&attempt.stamps, phase_ns[i]);
                fixture_tell_attempt(&f, attempt);
        }
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
        for (int phase = 0; phase < MUSTER_N_PHASES; phase++) {
                char sql[128];
                double sum = 0;

                snprintf(sql, sizeof(sql), "SELECT sum(round(%s_us * 1000) * number) FROM phases",
                        muster_phase_name((enum muster_phase)phase));
                for (unsigned i = 0; i < 2000; i++)
                        sum += (double)(phase_ns[i][phase] * (i + 1));
                assert_true(query(file_of("run.db"), sql) == sum);
        }
}

/* Two attempts with a back-off between them, and work on the body. */
static void tell_request(struct record_fixture *f)
{
        struct trace_attempt first = full_attempt(1), second = full_attempt(2);

        first.request = second.request = 1;
        first.is_last = false;
        first.outcome = TRACE_RETRIED;
        first.code = 0;
        first.process_end_ns = first.finished_ns = first.taken_ns = first.worker_decode_ns = 0;
        second.n = 2;
        second.url = str_of("http://h/2");
        second.submitted_ns = first.submitted_ns;
        second.finished_ns = second.process_end_ns;
        fixture_tell_attempt(f, first);
        fixture_tell_attempt(f, second);
}

static void test_views(void **state)
{
        static const struct {
                const char *sql;
                double value;
        } cases[] = {
                { "SELECT count(*) FROM requests", 1 },
                { "SELECT attempts FROM requests", 2 },
                { "SELECT url = 'http://h/p?q' AND final_url = 'http://h/2' FROM requests", 1 },
                { "SELECT error = 'status' AND status = 503 FROM requests", 1 },
                { "SELECT total_ms FROM requests", (1e9 + 650 + 40) / 1e6 },
                { "SELECT queue_ms FROM requests", 20 / 1e6 },
                { "SELECT dns_ms FROM requests", 40 / 1e6 },
                { "SELECT wait_ms FROM requests", 140 / 1e6 },
                { "SELECT decode_ms FROM requests", 25 / 1e6 },
                { "SELECT process_ms FROM requests", 129 / 1e6 },
                { "SELECT deliver_ms FROM requests", 150 / 1e6 },
                { "SELECT backoff_ms FROM requests", (1e9 - 360 + 40) / 1e6 },
                { "SELECT abs(total_ms - queue_ms - backoff_ms - dns_ms - tcp_ms - tunnel_ms - tls_ms"
                  " - send_ms"
                  " - wait_ms - lag_ms - receive_ms - decode_ms - process_ms - deliver_ms) < 1e-6"
                  " FROM requests",
                        1 },
                { "SELECT submitted_ms FROM requests", (1e9 - 40) / 1e6 },
                { "SELECT count(*) FROM phases WHERE outcome = 'retried'", 1 },
                { "SELECT count(*) FROM phases WHERE waited_for = 'host rate'", 2 },
                { "SELECT sum(abs(total_us - queue_us - backoff_us - dns_us - tcp_us - tunnel_us - tls_us - "
                  "send_us"
                  " - wait_us - lag_us - receive_us - decode_us - process_us - deliver_us) < 1e-6)"
                  " FROM phases",
                        2 },
                { "SELECT count(*) FROM slowest", 1 },
                { "SELECT requests FROM errors WHERE error = 'status' AND phase = 'receive'", 1 },
                { "SELECT count(*) FROM timeline", 3 },
                { "SELECT failed FROM timeline WHERE second = 2", 1 },
                { "SELECT count(*) FROM connections WHERE closed_by = 'age' AND tcp_ms = 2e-6"
                  " AND tunnel_ms = 1e-6 AND tls_ms = 2e-6 AND max_rtt_ms = 15e-3"
                  " AND origin = 'http://h:80'",
                        1 },
                { "SELECT count(*) FROM tries WHERE fate = 'refused' AND took_ms = 3e-6"
                  " AND origin = 'http://h:80' AND address = '192.0.2.1:80'",
                        1 },
                { "SELECT count(*) FROM word WHERE kind = 'error'", -MUSTER_E_LOWEST },
                { "SELECT application_id FROM pragma_application_id", SCHEMA_APPLICATION_ID },
                { "SELECT user_version FROM pragma_user_version", SCHEMA_VERSION },
        };
        struct record_fixture f;

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        fixture_tell(&f, ROW_ORIGIN, full_row(ROW_ORIGIN));
        fixture_tell(&f, ROW_CONN, full_row(ROW_CONN));
        fixture_tell(&f, ROW_TRY, full_row(ROW_TRY));
        fixture_tell(&f, ROW_SAMPLE, full_row(ROW_SAMPLE));
        tell_request(&f);
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                double value = query(file_of("run.db"), cases[i].sql);

                if (value < cases[i].value - 1e-9 || value > cases[i].value + 1e-9)
                        fail_msg("%s: %.9f", cases[i].sql, value);
        }
}

static struct trace_attempt attempt_of(uint64_t number, double start_s, double slot_s, double end_s)
{
        struct trace_attempt attempt = usual_attempt(number);

        attempt.conn = number;
        attempt.code = 0;
        attempt.submitted_ns = attempt.stamps.start_ns = (uint64_t)(start_s * NS_PER_S);
        attempt.stamps.slot_ns = (uint64_t)(slot_s * NS_PER_S);
        attempt.stamps.end_ns = attempt.finished_ns = attempt.taken_ns =
                (uint64_t)(end_s * NS_PER_S);
        return attempt;
}

/*
 * Long ones, one that never got a slot and failed, and one that is tried again. Of the last one's
 * connection nothing is told.
 */
static void tell_long_attempts(struct record_fixture *f)
{
        struct trace_attempt refused = attempt_of(4, 0.25, 0, 4.5), again = attempt_of(5, 2, 2, 3);

        refused.code = again.code = MUSTER_E_TIMEOUT;
        again.is_last = false;
        again.outcome = TRACE_RETRIED;
        fixture_tell_attempt(f, attempt_of(1, 0.25, 0.5, 2.25));
        fixture_tell_attempt(f, attempt_of(2, 0.25, 0.5, 4.25));
        fixture_tell_attempt(f, attempt_of(3, 0.25, 2.25, 4.25));
        fixture_tell_attempt(f, refused);
        fixture_tell_attempt(f, again);
        for (uint64_t id = 1; id <= 3; id++) {
                struct trace_conn conn = full_conn(id);

                conn.opened_ns = NS_PER_S / 2 * id;
                conn.closed_ns = 4 * NS_PER_S + (id == 1 ? 0 : NS_PER_S);
                fixture_tell(f, ROW_CONN, (union any_row){ .conn = conn });
        }
}

/*
 * Nothing happened in the seconds 1 and 3, and yet requests were under way: what was is a mean over
 * time.
 */
static void test_levels_are_means_over_time(void **state)
{
        static const char *const columns[] = { "failed", "in_flight", "queued", "open_conns" };
        static const double seconds[][LENGTH(columns)] = {
                { 0, 1, 2, 0.5 }, { 0, 2, 2, 2.5 }, { 0, 3, 1.25, 4 }, { 0, 2, 1, 4 },
                { 1, 1, 1, 3 }, /* the last one is half a second long */
        };
        struct record_fixture f;

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        tell_long_attempts(&f);
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
        assert_true(query(file_of("run.db"), "SELECT count(*) FROM timeline") == LENGTH(seconds));
        for (size_t i = 0; i < LENGTH(seconds) * LENGTH(columns); i++) {
                size_t second = i / LENGTH(columns), column = i % LENGTH(columns);
                double expected = seconds[second][column], found;
                char sql[80];

                snprintf(sql, sizeof(sql), "SELECT %s FROM timeline WHERE second = %zu",
                        columns[column], second);
                found = query(file_of("run.db"), sql);
                if (found < expected - 1e-9 || found > expected + 1e-9)
                        fail_msg("%s: %.9f, not %.9f", sql, found, expected);
        }
        assert_true(query(file_of("run.db"), "SELECT count(queued) FROM timeline") == 5);
        execute(file_of("run.db"),
                "UPDATE run SET is_complete = 0"); /* as of one that was killed */
        assert_true(query(file_of("run.db"), "SELECT count(queued) FROM timeline") == 0);
}

/* --- requests to be repeated ----------------------------------------------------------------- */

static struct trace_attempt plain(uint64_t number, const char *url)
{
        struct trace_attempt attempt = full_attempt(number);

        attempt.request = number;
        attempt.url = str_of(url);
        attempt.has_fields = false;
        attempt.method = TRACE_METHOD_GET;
        return attempt;
}

/* Returns the code; what was written is in `ret_text`. */
static int export(char *ret_text, size_t size, struct muster_error *error)
{
        int fd = open(file_of("export.txt"), O_RDWR | O_CREAT | O_TRUNC, 0600);
        int r = muster_record_export(file_of("run.db"), fd, error);
        ssize_t n = pread(fd, ret_text, size - 1, 0);

        assert_true(n >= 0);
        ret_text[n] = '\0';
        close(fd);
        return r;
}

static void test_requests_come_out_again(void **state)
{
        struct record_fixture f;
        struct trace_attempt attempt;
        struct muster_error error = { 0 };
        char text[1000];

        (void)state;
        fixture_start(&f, fresh_file(), 0);
        fixture_tell_attempt(&f, plain(3, "http://h/3"));
        fixture_tell_attempt(&f, plain(1, "http://h/1?a=\"\\"));
        attempt = plain(2, "http://h/2?a=\\");
        attempt.method = TRACE_METHOD_HEAD;
        attempt.is_plain = false;
        fixture_tell_attempt(&f, attempt);
        attempt = plain(4, "http://other/");
        attempt.n = 2; /* after a redirect */
        fixture_tell_attempt(&f, attempt);
        fixture_tell_attempt(&f, plain(5, "")); /* was no URL */
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
        assert_int_equal(export(text, sizeof(text), &error), 0);
        assert_string_equal(text, "{\"url\":\"http://h/1?a=\\\"\\\\\",\"method\":\"GET\"}\n"
                                  "{\"url\":\"http://h/2?a=\\\\\",\"method\":\"HEAD\"}\n"
                                  "{\"url\":\"http://h/3\",\"method\":\"GET\"}\n");
        execute(file_of("run.db"), "DELETE FROM attempt WHERE number = 2"); /* the HEAD */
        assert_int_equal(export(text, sizeof(text), &error), 0);
        assert_string_equal(text, "http://h/1?a=\"\\\nhttp://h/3\n");
}

/* A URL of a record is to be one line of input, and no request of another kind. */
static void test_urls_that_none_recorded(void **state)
{
        static const char *const urls[] = {
                "'http://h/1' || char(10) || 'http://h/2'",
                "'{\"url\":\"http://h/\",\"method\":\"DELETE\"}'",
                "'http://h/' || char(233)",
                "'http://h/ x'",
                "'ftp://h/'",
                "x'687474703a2f2f00'",
        };
        char text[100], sql[200];

        (void)state;
        for (size_t i = 0; i < LENGTH(urls); i++) {
                /* Whatever was in it before: this call's error. */
                struct muster_error error = { .code = MUSTER_E_TLS, .text = "tls: of yesterday" };

                make_record(3);
                execute(file_of("run.db"), "UPDATE attempt SET flags = (flags | 8) & ~32");
                snprintf(sql, sizeof(sql), "UPDATE attempt SET n = 1, url = %s WHERE number = 2",
                        urls[i]);
                execute(file_of("run.db"), sql);
                assert_int_equal(export(text, sizeof(text), &error), MUSTER_E_INPUT);
                assert_non_null(strstr(error.text, "is damaged"));
                assert_string_equal(text, "");
        }
}

static void test_what_cannot_be_repeated_is_told(void **state)
{
        static const struct {
                bool is_safe, has_fields;
                uint8_t method;
                const char *words;
        } cases[] = {
                { true, true, TRACE_METHOD_GET, "request 1 (http://h/1) had header fields" },
                { true, true, TRACE_METHOD_HEAD, "header fields" },
                { false, false, TRACE_METHOD_OTHER, "request 1 (http://h/1) had a body" },
                { false, false, TRACE_METHOD_GET, "a body" },
        };
        char text[100];

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct record_fixture f;
                struct muster_error error = { 0 };
                struct trace_attempt attempt = plain(1, "http://h/1");

                attempt.is_plain = false;
                attempt.is_safe = cases[i].is_safe;
                attempt.has_fields = cases[i].has_fields;
                attempt.method = cases[i].method;
                fixture_start(&f, fresh_file(), 0);
                fixture_tell_attempt(&f, attempt);
                assert_int_equal(fixture_end(&f), 0);
                fixture_stop(&f);
                assert_int_equal(export(text, sizeof(text), &error), MUSTER_E_INPUT);
                if (!strstr(error.text, cases[i].words))
                        fail_msg("%s", error.text);
                assert_string_equal(text, "");
        }
        execute(file_of("run.db"), "UPDATE run SET dropped = 3");
        {
                struct muster_error error = { 0 };

                assert_int_equal(export(text, sizeof(text), &error), MUSTER_E_INPUT);
                assert_non_null(strstr(error.text, "lacks requests"));
        }
        assert_int_equal(muster_record_export(file_of("missing.db"), 1, NULL), MUSTER_E_INPUT);
        assert_int_equal(muster_record_export(NULL, 1, NULL), MUSTER_E_INVALID);
        make_record(3);
        execute(file_of("run.db"), "UPDATE attempt SET flags = (flags | 8) & ~32");
        {
                struct muster_error error = { 0 };
                int full = open("/dev/full", O_WRONLY);

                assert_int_equal(muster_record_export(file_of("run.db"), full, &error),
                        MUSTER_E_RESOURCE);
                assert_non_null(strstr(error.text, "No space left"));
                close(full);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_phases_are_those_of_the_core),
                cmocka_unit_test(test_views),
                cmocka_unit_test(test_levels_are_means_over_time),
                cmocka_unit_test(test_requests_come_out_again),
                cmocka_unit_test(test_urls_that_none_recorded),
                cmocka_unit_test(test_what_cannot_be_repeated_is_told),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
