/* SPDX-License-Identifier: MIT */
/*
 * Requests that a hook tells as numbers: whole, torn, and with numbers that cannot be
 */
#include "log_maker.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <watch/hook_log.h>
#include <watch/read.h>

#define N_NUMBERS (WATCH_HOOK_PACKED_BYTES / 8)

static const char rows[] =
        "muster-hook\t1\tnode\t20.0.0\t7\nsite\t1\t/x/my.js\t20\tone\n"
        "client\t1000005000000\t9\tundici\t1\t0\t4\t4\n"
        "word\t1\tGET\nword\t2\thttp://example.test:8080\nword\t4\tout of turn\nword\t3\tE%25\n";

/* Of a request 5 ms long; `number` of its numbers is `value` instead. */
static void put_request(struct buf *log, uint64_t at_ms, const char *path, size_t number,
        double value)
{
        double start = (double)(LOG_START_NS + at_ms * NS_PER_MS);
        double numbers[N_NUMBERS] = { start, start + 5e6, 1e6, 2e6, 200, 2, 9, 1, 7, 1, 2, 3,
                (double)strlen(path) };

        if (number < N_NUMBERS)
                numbers[number] = value;
        assert_int_equal(buf_add(log, numbers, sizeof numbers), 0);
        assert_int_equal(buf_add_text(log, path), 0);
        for (size_t n = strlen(path); n % 8; n++)
                assert_int_equal(buf_add_char(log, '\0'), 0);
}

struct logs {
        struct log_maker wire;
        struct buf hook;
};

/* The hook's has `rows`, the block, and what comes behind it. */
static void make(struct logs *logs, const struct buf *block)
{
        char row[40];

        *logs = (struct logs){ 0 };
        snprintf(row, sizeof row, "requests\t%zu\n", block->len);
        assert_int_equal(buf_add_text(&logs->hook, rows), 0);
        assert_int_equal(buf_add_text(&logs->hook, row), 0);
        assert_int_equal(buf_add_str(&logs->hook, buf_str(block)), 0);
        assert_int_equal(buf_add_text(&logs->hook, "lost\t3\n"), 0);
        maker_begin(&logs->wire, 7, 1);
        maker_end(&logs->wire, 900);
}

static void deinit(struct logs *logs)
{
        buf_deinit(&logs->hook);
        maker_deinit(&logs->wire);
}

/* The hook's log cut off at `len`. */
static int read_logs(struct record *record, const struct logs *logs, size_t len)
{
        const struct watch_text texts[] = {
                { .bytes = buf_str(&logs->wire.bytes), .start_ns = LOG_START_NS },
                { .bytes = { logs->hook.at, len < logs->hook.len ? len : logs->hook.len },
                        .is_hook = true,
                        .start_ns = LOG_START_NS + 1 },
        };

        return watch_read_texts(record, texts, 2);
}

static void read_block(struct record *record, const struct buf *block, size_t len)
{
        struct logs logs;

        make(&logs, block);
        assert_int_equal(read_logs(record, &logs, len), 0);
        deinit(&logs);
}

static void test_whole(void **state)
{
        struct record record;
        struct buf block = { 0 };

        (void)state;
        put_request(&block, 10, "/a", N_NUMBERS, 0);
        put_request(&block, 20, "/b?c=12345", N_NUMBERS, 0);
        put_request(&block, 30, "", 9, 77);
        read_block(&record, &block, SIZE_MAX);
        assert_int_equal(record.n_attempts, 3);
        assert_true(str_is(record.attempts[0].url, "http://example.test:8080/a"));
        assert_true(str_is(record.attempts[1].url, "http://example.test:8080/b?c=12345"));
        assert_int_equal(record.attempts[0].status, 200);
        assert_int_equal(record.programs.calls[0].queued_ns, NS_PER_MS);
        assert_int_equal(record.programs.calls[0].site, 1);
        assert_true(record.programs.calls[0].is_unread);
        assert_int_equal(record.programs.clients[0].n_requests, 3);
        record_deinit(&record);
        buf_deinit(&block);
}

static void test_torn(void **state)
{
        size_t whole = WATCH_HOOK_PACKED_BYTES + 8, head = strlen(rows) + strlen("requests\t224\n");
        struct buf block = { 0 };

        (void)state;
        put_request(&block, 10, "/a", N_NUMBERS, 0);
        put_request(&block, 20, "/b", N_NUMBERS, 0);
        for (size_t n = 0; n <= 2 * whole; n++) {
                struct record record;

                read_block(&record, &block, head + n);
                assert_int_equal(record.n_attempts, n / whole);
                record_deinit(&record);
        }
        buf_deinit(&block);
}

/* A request with such a number is none; a path that would reach beyond the block ends it. */
static void test_odd_numbers(void **state)
{
        const double odd[] = { -1, NAN, INFINITY, 1e300 };

        (void)state;
        for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
                for (size_t k = 0; k < N_NUMBERS; k++) {
                        struct buf block = { 0 };
                        struct record record;

                        put_request(&block, 10, "/a", k, odd[i]);
                        put_request(&block, 20, "/b", N_NUMBERS, 0);
                        read_block(&record, &block, SIZE_MAX);
                        assert_int_equal(record.n_attempts, k == N_NUMBERS - 1 ? 0 : 1);
                        record_deinit(&record);
                        buf_deinit(&block);
                }
}

static struct logs whole_logs;

static void read_with_failing_memory(void)
{
        struct record record;
        int r = read_logs(&record, &whole_logs, SIZE_MAX);

        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        if (r == 0)
                assert_int_equal(record.n_attempts, 2);
        record_deinit(&record);
}

static void test_no_memory(void **state)
{
        struct buf block = { 0 };

        (void)state;
        put_request(&block, 10, "/a", N_NUMBERS, 0);
        put_request(&block, 20, "/b", N_NUMBERS, 0);
        make(&whole_logs, &block);
        for_each_failing_allocation(read_with_failing_memory);
        deinit(&whole_logs);
        buf_deinit(&block);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole),
                cmocka_unit_test(test_torn),
                cmocka_unit_test(test_odd_numbers),
                cmocka_unit_test(test_no_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
