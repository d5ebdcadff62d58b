/* SPDX-License-Identifier: MIT */
/*
 * What the record is made of: rows as integers and back, rings, names, counters, batches
 */
#include "record_fixture.h"

#include <base/arena.h>
#include <base/error.h>
#include <fcntl.h>
#include <record/batch.h>
#include <record/counters.h>
#include <record/names.h>
#include <record/options.h>
#include <record/ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- rows ------------------------------------------------------------------------------------ */

static void test_rows_come_back(void **state)
{
        (void)state;
        for (int i = 0; i < ROW_N_KINDS; i++) {
                enum row_kind kind = (enum row_kind)i;
                union any_row row = full_row(kind), back;
                int64_t values[ROW_VALUES_MAX];

                assert_true(row_types[kind]->n_columns <= ROW_VALUES_MAX);
                for (int n = 0; n < ROW_VALUES_MAX; n++)
                        values[n] = -12345;
                row_types[kind]->put(&row, values);
                for (size_t n = 0; n < row_types[kind]->n_columns; n++) {
                        assert_non_null(row_types[kind]->columns[n]);
                        assert_int_not_equal(values[n], -12345);
                        assert_true(values[n] != ROW_NULL);
                }
                memset(&back, 0, sizeof(back));
                assert_true(row_types[kind]->get(values, &back));
                assert_rows_equal(kind, &row, &back);
        }
}

static void test_what_did_not_happen_stays_so(void **state)
{
        struct trace_attempt attempt = { .number = 1,
                .stamps = { .start_ns = 5, .end_ns = 5 },
                .submitted_ns = 5 },
                             back;
        int64_t values[ROW_VALUES_MAX];

        (void)state;
        row_types[ROW_ATTEMPT]->put(&attempt, values);
        memset(&back, 0, sizeof(back));
        assert_true(row_types[ROW_ATTEMPT]->get(values, &back));
        assert_rows_equal(ROW_ATTEMPT, &attempt, &back);
        attempt.stamps.slot_ns = 5; /* at the very beginning is not the same as never */
        row_types[ROW_ATTEMPT]->put(&attempt, values);
        memset(&back, 0, sizeof(back));
        assert_true(row_types[ROW_ATTEMPT]->get(values, &back));
        assert_int_equal(back.stamps.slot_ns, 5);
}

static void check_round_trip(const struct trace_attempt *attempt, bool is_usual)
{
        const struct row_type *type = row_types[ROW_ATTEMPT];
        int64_t values[ROW_VALUES_MAX];
        struct trace_attempt back;
        size_t n_rare = 0;

        type->put(attempt, values);
        for (size_t i = type->n_usual; i < type->n_columns; i++)
                n_rare += values[i] != ROW_NULL;
        assert_int_equal(n_rare == 0, is_usual);
        memset(&back, 0, sizeof(back));
        assert_true(type->get(values, &back));
        assert_rows_equal(ROW_ATTEMPT, attempt, &back);
}

/* Each departure from the usual makes a row rare, and comes back. */
static void test_usual_attempts_are_short(void **state)
{
        struct trace_attempt attempt = usual_attempt(3);
        const uint64_t at = attempt.stamps.start_ns;
        struct {
                uint64_t *member;
                uint64_t value;
        } changes[] = {
                { &attempt.submitted_ns, at - 1 },
                { &attempt.planned_ns, at - 1 },
                { &attempt.stamps.dns_end_ns, at },
                { &attempt.stamps.tcp_end_ns, at },
                { &attempt.stamps.tunnel_end_ns, at + 1 },
                { &attempt.stamps.tls_end_ns, at + 1 },
                { &attempt.stamps.expect_start_ns, at + 1 },
                { &attempt.stamps.expect_end_ns, at + 1 },
                { &attempt.stamps.acked_ns, at + 1 },
                { &attempt.stamps.decode_ns, 1 },
                { &attempt.stamps.last_byte_kernel_ns, at },
                { &attempt.stamps.last_byte_read_ns, at + 3 },
                { &attempt.process_end_ns, at + 1 },
                { &attempt.worker_decode_ns, 1 },
                { &attempt.finished_ns, at + 1 },
                { &attempt.retry_after_ns, 1 },
                { &attempt.gap_ns, 1 },
                { &attempt.gap_bytes, 1 },
                { &attempt.body_bytes, 1 },
        };

        (void)state;
        check_round_trip(&attempt, true);
        for (size_t i = 0; i < LENGTH(changes); i++) {
                uint64_t before = *changes[i].member;

                *changes[i].member = changes[i].value;
                check_round_trip(&attempt, false);
                *changes[i].member = before;
        }
        /* An answer that broke off has a beginning and no end. */
        attempt.stamps.last_byte_kernel_ns = attempt.stamps.last_byte_read_ns = 0;
        check_round_trip(&attempt, true);
        attempt = usual_attempt(3);
        attempt.is_last = false; /* nothing was finished or taken */
        attempt.finished_ns = attempt.taken_ns = 0;
        check_round_trip(&attempt, true);
}

static int column_named(enum row_kind kind, const char *name)
{
        for (size_t i = 0; i < row_types[kind]->n_columns; i++)
                if (str_is(str_of(row_types[kind]->columns[i]), name) ||
                        (strncmp(row_types[kind]->columns[i], name, strlen(name)) == 0 &&
                                row_types[kind]->columns[i][strlen(name)] == ' '))
                        return (int)i;
        fail_msg("no column %s", name);
        return -1;
}

static void test_impossible_rows_are_refused(void **state)
{
        static const struct {
                enum row_kind kind;
                const char *column;
                int64_t value;
        } cases[] = {
                { ROW_ATTEMPT, "number", 0 },
                { ROW_ATTEMPT, "number", ROW_NULL },
                { ROW_ATTEMPT, "start_ns", 0 },
                { ROW_ATTEMPT, "start_ns", ROW_NULL },
                { ROW_ATTEMPT, "start_ns", INT64_MAX },
                { ROW_ATTEMPT, "end_ns", -1 },
                { ROW_ATTEMPT, "end_ns", ROW_NULL },
                { ROW_ATTEMPT, "end_ns", INT64_MAX },
                { ROW_ATTEMPT, "end_ns", INT64_C(1) << 59 }, /* 16 of them could not be added up */
                { ROW_ATTEMPT, "slot_ns", -3 * (int64_t)NS_PER_S },
                { ROW_ATTEMPT, "submit_ago_ns", -1 },
                { ROW_ATTEMPT, "submit_ago_ns", 3 * (int64_t)NS_PER_S },
                { ROW_ATTEMPT, "n", 65536 },
                { ROW_ATTEMPT, "origin", -1 },
                { ROW_ATTEMPT, "status", 1000 },
                { ROW_ATTEMPT, "status", -1 },
                { ROW_ATTEMPT, "code", 1 },
                { ROW_ATTEMPT, "code", MUSTER_E_LOWEST - 1 },
                { ROW_ATTEMPT, "code", ROW_NULL },
                { ROW_ATTEMPT, "flags", TRACE_N_WAITS << 8 },
                { ROW_ATTEMPT, "flags", TRACE_N_OUTCOMES << 12 },
                { ROW_ATTEMPT, "flags", MUSTER_N_PHASES << 16 },
                { ROW_ATTEMPT, "flags", TRACE_N_METHODS << 20 },
                { ROW_ATTEMPT, "flags", -1 },
                { ROW_ATTEMPT, "wire_bytes", -1 },
                { ROW_CONN, "id", 0 },
                { ROW_CONN, "closer", TRACE_N_CLOSERS },
                { ROW_CONN, "closed_ns", -1 },
                { ROW_CONN, "opened_ns", 0 },
                { ROW_CONN, "is_tls", 2 },
                { ROW_CONN, "rtt_us", INT64_MAX },
                { ROW_ORIGIN, "number", 0 },
                { ROW_TRY, "conn", 0 },
                { ROW_TRY, "fate", TRACE_N_FATES },
                { ROW_TRY, "took_ns", -1 },
                { ROW_LOOKUP, "took_ns", -1 },
                { ROW_LOOKUP, "code", 1 },
                { ROW_TURN, "took_ns", ROW_NULL },
                { ROW_TURN, "caller_ns", -1 },
                { ROW_SAMPLE, "at_ns", -1 },
                { ROW_SAMPLE, "is_full", 7 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                union any_row row = full_row(cases[i].kind), back;
                int64_t values[ROW_VALUES_MAX];

                row_types[cases[i].kind]->put(&row, values);
                values[column_named(cases[i].kind, cases[i].column)] = cases[i].value;
                memset(&back, 0, sizeof(back));
                if (row_types[cases[i].kind]->get(values, &back))
                        fail_msg("case %zu", i);
        }
}

static void test_moments_count_from_the_start(void **state)
{
        struct trace_attempt attempt = full_attempt(1), none = { 0 };
        struct trace_conn conn = { .opened_ns = T0 + 9, .closed_ns = T0 + 7 };

        (void)state;
        row_rebase(ROW_ATTEMPT, &attempt, NS_PER_S - 45);
        assert_int_equal(attempt.stamps.start_ns, 45);
        assert_int_equal(attempt.stamps.end_ns, 405);
        assert_int_equal(attempt.taken_ns, 695);
        assert_int_equal(attempt.submitted_ns, 5);
        assert_int_equal(attempt.planned_ns, 1); /* would be 0, which is "did not happen" */
        assert_int_equal(attempt.conn_idle_ns, 12);
        row_rebase(ROW_ATTEMPT, &none, 100);
        assert_int_equal(none.stamps.slot_ns, 0);
        assert_int_equal(none.stamps.start_ns, 1); /* everything begins and ends */
        assert_int_equal(none.stamps.end_ns, 1);
        row_rebase(ROW_CONN, &conn, T0);
        assert_int_equal(conn.closed_ns, conn.opened_ns);
}

/* --- ring, names, counters ------------------------------------------------------------------- */

static void test_ring_keeps_the_newest(void **state)
{
        struct ring ring;

        (void)state;
        assert_int_equal(ring_init(&ring, sizeof(uint64_t), 1500), 0);
        assert_int_equal(ring_n(&ring), 0);
        for (uint64_t i = 0; i < 10000; i++) {
                uint64_t oldest = i < 1500 ? 0 : i - 1499;
                uint64_t *place = ring_add(&ring);

                *place = i;
                assert_int_equal(ring_n(&ring), i + 1 < 1500 ? i + 1 : 1500);
                assert_int_equal(*(uint64_t *)ring_at(&ring, 0), oldest);
                assert_int_equal(*(uint64_t *)ring_at(&ring, ring_n(&ring) - 1), i);
        }
        ring_deinit(&ring);
        ring_deinit(&ring);
}

static void test_ring_thins_out(void **state)
{
        struct ring ring;

        (void)state;
        assert_int_equal(ring_init(&ring, sizeof(uint64_t), 2049), 0);
        for (uint64_t i = 0; i < 2049; i++)
                *(uint64_t *)ring_add(&ring) = i;
        ring_thin(&ring);
        assert_int_equal(ring_n(&ring), 1025);
        for (uint64_t i = 0; i < 1025; i++)
                assert_int_equal(*(uint64_t *)ring_at(&ring, i), 2 * i);
        ring_deinit(&ring);
}

static void test_names_are_numbered_once(void **state)
{
        struct arena *arena = arena_new();
        struct names names;
        char text[16];

        (void)state;
        assert_int_equal(names_init(&names, arena, 100), 0);
        for (int round = 0; round < 3; round++)
                for (uint32_t i = 1; i <= 110; i++) {
                        snprintf(text, sizeof(text), "n%u", i);
                        assert_int_equal(names_number(&names, str_of(text)), i <= 100 ? i : 0);
                        assert_int_equal(names_number(&names, str_of(text)), i <= 100 ? i : 0);
                        if (i <= 100)
                                assert_string_equal(names_text(&names, i).at, text);
                }
        assert_int_equal(names_text(&names, 0).len, 0);
        assert_int_equal(names_keep(&names, str_of("n101")).len, 0);
        assert_true(str_is(names_path_of(str_of("http://h/a?b?c")), "http://h/a"));
        assert_true(str_is(names_path_of(str_of("http://h/a")), "http://h/a"));
        assert_int_equal(names_path_of(str_of("")).len, 0);
        names_deinit(&names);
        arena_free(arena);
}

static void test_counters_are_found(void **state)
{
        static const char netstat[] = "TcpExt: SyncookiesSent DelayedACKs ListenDrops\n"
                                      "TcpExt: 1 22 333\n"
                                      "IpExt: DelayedACKs InOctets\n"
                                      "IpExt: 5 6\n";

        (void)state;
        assert_int_equal(counters_find_column(netstat, "TcpExt:", "DelayedACKs"), 22);
        assert_int_equal(counters_find_column(netstat, "TcpExt:", "ListenDrops"), 333);
        assert_int_equal(counters_find_column(netstat, "IpExt:", "DelayedACKs"), 5);
        assert_int_equal(counters_find_column(netstat, "TcpExt:", "InOctets"), -1);
        assert_int_equal(counters_find_column("", "TcpExt:", "X"), -1);
        assert_int_equal(counters_find_column("TcpExt: A B\nTcpExt: 1\n", "TcpExt:", "B"), -1);
        assert_int_equal(counters_find_word("TCP: inuse 1 orphan 2 tw 37 alloc 4\n", "tw"), 37);
        assert_int_equal(counters_find_word("usage_usec 8\nnr_throttled 9\n", "nr_throttled"), 9);
        assert_int_equal(counters_find_word("usage_usec 8\n", "nr_throttled"), -1);
}

static void test_counters_of_this_process(void **state)
{
        struct counters before, after;
        int fd;

        (void)state;
        counters_read(&before);
        fd = open("/dev/null", O_RDONLY);
        for (volatile unsigned i = 0; i < 20 * 1000 * 1000; i++)
                ;
        counters_read(&after);
        close(fd);
        assert_int_equal(after.values[COUNTER_OPEN_FILES], before.values[COUNTER_OPEN_FILES] + 1);
        assert_true(after.values[COUNTER_USER] > before.values[COUNTER_USER]);
        assert_true(after.values[COUNTER_PROCESSORS] >= 1);
        assert_true(after.values[COUNTER_PEAK_MEMORY] > 100);
        assert_true(after.values[COUNTER_OPEN_FILES_LIMIT] > after.values[COUNTER_OPEN_FILES]);
        for (int i = 0; i < COUNTER_N; i++) {
                assert_non_null(counter_name((enum counter)i));
                assert_true(strlen(counter_name((enum counter)i)) <
                            sizeof(((struct record_counter *)NULL)->name));
        }
}

/* --- batch ----------------------------------------------------------------------------------- */

static struct batch *new_batch(void)
{
        struct batch *batch = calloc(1, sizeof(*batch));

        batch_reset(batch);
        return batch;
}

static void test_batch_has_its_bounds(void **state)
{
        struct batch *batch = new_batch();
        struct trace_turn turn = full_turn();

        (void)state;
        for (int i = 0; i < BATCH_OTHERS; i++)
                assert_true(batch_add(batch, ROW_TURN, &turn));
        assert_false(batch_add(batch, ROW_TURN, &turn));
        assert_true(batch_has_news(batch));
        batch->n_written[ROW_TURN] = BATCH_OTHERS;
        assert_false(batch_has_news(batch));
        free(batch);
}

/* How many attempts with URLs of that length fit, which are as they were told then. */
static size_t count_attempts(size_t url_len)
{
        struct batch *batch = new_batch();
        char *url = malloc(url_len);
        size_t n = 0;

        for (bool fits = true; fits; n += fits) {
                struct trace_attempt attempt = full_attempt(n + 1);

                memset(url, (int)('a' + n % 26), url_len);
                attempt.url = (struct muster_str){ url, url_len };
                fits = batch_add(batch, ROW_ATTEMPT, &attempt);
        }
        assert_int_equal(batch_n(batch, ROW_ATTEMPT), n);
        for (size_t i = 0; i < n; i++) {
                const struct trace_attempt *attempt = batch_row(batch, ROW_ATTEMPT, i);

                assert_int_equal(attempt->number, i + 1);
                assert_int_equal(attempt->url.len, url_len);
                memset(url, (int)('a' + i % 26), url_len);
                assert_memory_equal(attempt->url.at, url, url_len);
        }
        free(url);
        free(batch);
        return n;
}

/* Of what there is room for in all it holds so many, whatever they are like. */
static void test_batch_is_used_up(void **state)
{
        struct batch *batch = new_batch();
        char name[32];

        (void)state;
        assert_int_equal(count_attempts(60), BATCH_ATTEMPTS);
        assert_int_equal(count_attempts(2000),
                BATCH_ROOM_BYTES / (sizeof(struct trace_attempt) + 2000));
        assert_int_equal(count_attempts(BATCH_TEXT_BYTES),
                BATCH_ROOM_BYTES / (sizeof(struct trace_attempt) + BATCH_TEXT_BYTES));
        /* A crawl: hosts that nobody asked for before. */
        for (uint32_t i = 0; i < 1000; i++) {
                struct trace_origin origin = { .number = i + 1 };
                struct trace_attempt attempt = full_attempt(i + 1);
                struct trace_lookup lookup = full_lookup();
                struct trace_conn conn = full_conn(i + 1);

                snprintf(name, sizeof(name), "http://host%u.example:80", i);
                origin.key = lookup.name = attempt.url = str_of(name);
                assert_true(batch_add(batch, ROW_ORIGIN, &origin) &&
                            batch_add(batch, ROW_LOOKUP, &lookup) &&
                            batch_add(batch, ROW_CONN, &conn) &&
                            batch_add(batch, ROW_ATTEMPT, &attempt));
        }
        free(batch);
}

/* Of all processors, in ticks of the kernel's; a line that is none changes nothing. */
static void test_what_processors_did(void **state)
{
        struct counters counters;

        (void)state;
        memset(&counters, 0xff, sizeof(counters));
        counters_note_stat(&counters, "cpu  10 x 3\n", 100);
        counters_note_stat(&counters, "cpu  10 2 3\n", 100);
        counters_note_stat(&counters, "cpu0 1 1 1 1 1 1 1 1\n", 100);
        counters_note_stat(&counters, "", 100);
        assert_int_equal(counters.values[COUNTER_BUSY], -1);
        counters_note_stat(&counters, "cpu  10 2 3 400 50 6 7 8 9 10\ncpu0 1 2\n", 100);
        assert_int_equal(counters.values[COUNTER_BUSY], 280000);
        assert_int_equal(counters.values[COUNTER_IDLE], 4500000);
        assert_int_equal(counters.values[COUNTER_STEAL], 80000);
        counters_read(&counters);
        assert_true(counters.values[COUNTER_BUSY] > 0 && counters.values[COUNTER_IDLE] >= 0);
        assert_true(counters.values[COUNTER_SUSPENDED] >= 0);
        assert_int_equal(counters.values[COUNTER_STOPS], -1); /* only the program knows */
}

static void test_words_for_ends(void **state)
{
        (void)state;
        for (unsigned i = 0; i <= MUSTER_INPUT_TERMINAL; i++)
                assert_int_equal(option_input_of(str_of(option_input_word(i))), i);
        assert_int_equal(option_input_of(str_of("device")), MUSTER_INPUT_UNKNOWN);
        assert_string_equal(option_input_word((enum muster_input)99), "unknown");
        for (unsigned i = 0; i <= MUSTER_OUTPUT_DEVICE; i++)
                assert_int_equal(option_output_of(str_of(option_output_word(i))), i);
        assert_int_equal(option_output_of(str_of("hologram")), MUSTER_OUTPUT_UNKNOWN);
        assert_string_equal(option_output_word((enum muster_output)99), "unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows_come_back),
                cmocka_unit_test(test_what_did_not_happen_stays_so),
                cmocka_unit_test(test_what_processors_did),
                cmocka_unit_test(test_words_for_ends),
                cmocka_unit_test(test_usual_attempts_are_short),
                cmocka_unit_test(test_impossible_rows_are_refused),
                cmocka_unit_test(test_moments_count_from_the_start),
                cmocka_unit_test(test_ring_keeps_the_newest),
                cmocka_unit_test(test_ring_thins_out),
                cmocka_unit_test(test_names_are_numbered_once),
                cmocka_unit_test(test_counters_are_found),
                cmocka_unit_test(test_counters_of_this_process),
                cmocka_unit_test(test_batch_has_its_bounds),
                cmocka_unit_test(test_batch_is_used_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
