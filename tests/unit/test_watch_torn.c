/* SPDX-License-Identifier: MIT */
/*
 * Logs that ended anywhere, that were scribbled into, and memory that is out
 */
#include "log_maker.h"
#include "unit.h"

#include <base/rand.h>
#include <watch/read.h>

#define HOOK                                                                                       \
        "muster-hook\t1\tpython\t3.11.2\t7\nsite\t1\t/x/my.py\t20\tone\n"                          \
        "client\t1000005000000\t9\taiohttp\t1\t1\t0\t0\n"                                          \
        "held\t1000020000000\t1000030000000\t-1\t1\t90\tjson.loads\n"                              \
        "held-at\t1000020000000\t1\t90\tjson.dumps\n"                                              \
        "runtime\tcpython\t1\t5000000\n"                                                           \
        "interpreter\t1000020000000\t1000030000000\t9000000\t40\t30\t1\t90\tre.split\n"            \
        "request\t1000009000000\t1000054000000\t23000000\t0\t200\t1\t9\t1\t7\tGET\thttp://example.test:8080/b\t\n"

/* One of each kind. */
static void make(struct log_maker *log)
{
        maker_begin(log, 7, 1);
        maker_add(log, WATCH_LOOKUP, -1, 5000, 0, "example.test", 12);
        maker_connect(log, 3, 10, 8080);
        maker_exchange(log, 3, 11, 31, "/a");
        maker_add(log, WATCH_DUP, 3, 32000, 5, NULL, 0);
        log->next.took_ns = 5 * NS_PER_MS;
        maker_add(log, WATCH_AWAY, -1, 32500, 1000000, NULL, 0);
        maker_add(log, WATCH_WAIT, -1, 38000, 1, NULL, 0);
        log->next.extra = 0x1000;
        maker_add(log, WATCH_TLS_HANDSHAKE, 3, 39000, 0, NULL, 0);
        log->next.extra = 0x1000;
        log->next.flags = WATCH_FLAG_TEXT;
        maker_add(log, WATCH_TLS_SEND, 3, 39500, 18, "GET / HTTP/1.1\r\n\r\n", 18);
        log->next.extra = 0x1000;
        maker_add(log, WATCH_TLS_FREE, -1, 39600, 0, NULL, 0);
        maker_add(log, WATCH_TLS_TRUST, -1, 39700, 0, NULL, 0);
        maker_add(log, WATCH_FORK, -1, 39800, 8, NULL, 0);
        maker_exchange(log, 3, 40, 60, "/b");
        maker_close(log, 3, 70);
        maker_end(log, 900);
}

static void read_log(const struct log_maker *log, size_t len)
{
        const struct watch_text texts[] = {
                { .bytes = { log->bytes.at, len }, .start_ns = LOG_START_NS },
                { .bytes = BYTES(HOOK), .is_hook = true, .start_ns = LOG_START_NS + 1 },
        };
        struct record record;
        int r = watch_read_texts(&record, texts, 2);

        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        if (r == 0)
                assert_true(record.n_attempts >= 1); /* the hook's at least */
        record_deinit(&record);
}

static void test_cut_anywhere(void **state)
{
        struct log_maker log;

        (void)state;
        make(&log);
        for (size_t len = 0; len <= log.bytes.len; len++)
                read_log(&log, len);
        maker_deinit(&log);
}

/* Each event as one that was not finished: the others count all the same. */
static void test_unfinished(void **state)
{
        struct log_maker log;
        struct record record;
        struct watch_event *event;
        size_t n = 0;

        (void)state;
        make(&log);
        for (size_t at = sizeof(struct watch_log); at < log.bytes.len; at += event->size) {
                uint16_t kind;

                event = (struct watch_event *)(void *)(log.bytes.at + at);
                kind = event->kind;
                event->kind = WATCH_NONE;
                maker_read(&record, &log, NULL, NULL);
                assert_true(record.n_attempts >= 1);
                assert_int_equal(record.programs.processes[0].unseen & PROGRAM_UNSEEN_DROPPED, 0);
                record_deinit(&record);
                event->kind = kind;
                n++;
        }
        assert_true(n > 10);
        maker_deinit(&log);
}

static void test_torn_says_so(void **state)
{
        struct log_maker log;
        struct record record;

        (void)state;
        make(&log);
        maker_head(&log)->used += 64; /* room that was taken, and nothing stored in it */
        maker_read(&record, &log, NULL, NULL);
        assert_int_equal(record.programs.processes[0].unseen & PROGRAM_UNSEEN_DROPPED,
                PROGRAM_UNSEEN_DROPPED);
        record_deinit(&record);
        maker_head(&log)->used -= 64;
        maker_head(&log)->n_dropped = 1;
        maker_read(&record, &log, NULL, NULL);
        assert_int_equal(record.programs.processes[0].unseen & PROGRAM_UNSEEN_DROPPED,
                PROGRAM_UNSEEN_DROPPED);
        record_deinit(&record);
        maker_deinit(&log);
}

static void test_scribbled(void **state)
{
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (size_t i = 0; i < 3000; i++) {
                struct log_maker log;

                make(&log);
                for (size_t k = 0; k < 1 + i % 8; k++)
                        log.bytes.at[rand_up_to(&rand, log.bytes.len - 1)] =
                                (char)rand_up_to(&rand, 255);
                read_log(&log, log.bytes.len);
                maker_deinit(&log);
        }
}

static void read_all(void)
{
        static struct log_maker log;

        if (!log.bytes.at) { /* only reading is to run out of memory */
                long n = -1;

                mem_fail_after(n);
                make(&log);
        }
        read_log(&log, log.bytes.len);
}

static void read_with_failing_memory(void)
{
        static struct log_maker log;
        static bool is_made;

        if (!is_made) {
                mem_fail_after(-1);
                make(&log);
                is_made = true;
                mem_fail_after(0);
        }
        read_log(&log, log.bytes.len);
}

static void test_no_memory(void **state)
{
        (void)state;
        read_all();
        for_each_failing_allocation(read_with_failing_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cut_anywhere),
                cmocka_unit_test(test_unfinished),
                cmocka_unit_test(test_torn_says_so),
                cmocka_unit_test(test_scribbled),
                cmocka_unit_test(test_no_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
