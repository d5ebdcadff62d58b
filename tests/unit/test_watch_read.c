/* SPDX-License-Identifier: MIT */
/*
 * TLS, forks, HTTP/2 and loops of watched programs; their record in a file, and explained
 */
#include "log_maker.h"
#include "unit.h"

#include <explain/facts_measure.h>
#include <nghttp2/nghttp2.h>
#include <record/save.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct record record;
static struct log_maker wire, child;

static int begin(void **state)
{
        (void)state;
        maker_begin(&wire, 7, 1);
        child = (struct log_maker){ 0 };
        return 0;
}

static int end(void **state)
{
        (void)state;
        record_deinit(&record);
        maker_deinit(&wire);
        maker_deinit(&child);
        return 0;
}

static uint64_t ms_of(uint64_t moment_ns)
{
        return (moment_ns + 10 * NS_PER_US) / NS_PER_MS;
}

/* --- TLS -------------------------------------------------------------------------------------- */

static void tls(enum watch_kind kind, uint64_t ssl, int32_t fd, uint64_t at_ms, int64_t value,
        const char *text)
{
        wire.next.extra = ssl;
        wire.next.flags = text ? WATCH_FLAG_TEXT : 0;
        maker_add(&wire, kind, fd, at_ms * 1000, value, text, text ? strlen(text) : 0);
}

/*
 * Two connections of asyncio: the descriptor that comes with the first handshake is that of the
 * other connection, from which the thread had received last.
 */
static void test_tls_in_memory(void **state)
{
        static const char request[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
        static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

        (void)state;
        for (int32_t fd = 3; fd <= 4; fd++) {
                uint64_t at = fd == 3 ? 10 : 20, ssl = 0x1000 * (uint64_t)fd;

                maker_connect(&wire, fd, at, 443);
                tls(WATCH_TLS_HANDSHAKE, ssl, fd == 3 ? -1 : 3, at + 1, 0, NULL);
                maker_add(&wire, WATCH_SEND, fd, (at + 1) * 1000 + 100, 300, NULL, 0);
                maker_receive_more(&wire, fd, at + 3, 2000);
                tls(WATCH_TLS_HANDSHAKE, ssl, fd, at + 4, 1, NULL);
        }
        for (int32_t fd = 3; fd <= 4; fd++) {
                tls(WATCH_TLS_SEND, 0x1000 * (uint64_t)fd, 4, 30, sizeof(request) - 1, request);
                maker_add(&wire, WATCH_SEND, fd, 31000, 100, NULL, 0);
        }
        for (int32_t fd = 3; fd <= 4; fd++) {
                wire.next.extra = LOG_START_NS + 40 * NS_PER_MS;
                maker_receive_more(&wire, fd, 50, 120);
                tls(WATCH_TLS_RECEIVE, 0x1000 * (uint64_t)fd, fd, 51, sizeof(response) - 1,
                        response);
                tls(WATCH_TLS_FREE, 0x1000 * (uint64_t)fd, -1, 60, 0, NULL);
                maker_close(&wire, fd, 61);
        }
        maker_end(&wire, 100);
        maker_read(&record, &wire, NULL, NULL);
        assert_int_equal(record.n_conns, 2);
        assert_int_equal(record.n_attempts, 2);
        assert_int_not_equal(record.attempts[0].conn, record.attempts[1].conn);
        for (size_t i = 0; i < 2; i++) {
                assert_true(str_is(record.attempts[i].url, "https://h/a"));
                assert_true(record.conns[i].is_tls);
                assert_int_equal(record.conns[i].n_attempts, 1);
                assert_int_equal(ms_of(record.conns[i].tls_end_ns), 14 + 10 * i);
                assert_int_equal(ms_of(record.attempts[i].stamps.send_end_ns), 31);
                assert_int_equal(ms_of(record.attempts[i].stamps.first_byte_kernel_ns), 40);
                assert_int_equal(ms_of(record.attempts[i].stamps.first_byte_read_ns), 51);
        }
}

/* --- processes -------------------------------------------------------------------------------- */

static void test_fork(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        maker_exchange(&wire, 3, 11, 20, "/a");
        maker_add(&wire, WATCH_FORK, -1, 25000, 8, NULL, 0);
        maker_exchange(&wire, 3, 50, 60, "/b");
        maker_end(&wire, 100);
        maker_begin(&child, 8, 7);
        maker_exchange(&child, 3, 30, 40, "/c"); /* on the parent's connection */
        maker_close(&child, 3, 45);
        maker_end(&child, 0); /* by _exit() */
        maker_read(&record, &wire, &child, NULL);
        assert_int_equal(record.programs.n_processes, 2);
        assert_int_equal(record.programs.processes[1].ppid, 7);
        assert_int_equal(record.n_attempts, 3);
        assert_int_equal(record.programs.calls[1].process, 2);
        assert_true(record.attempts[1].is_reused);
        assert_int_equal(record.attempts[2].conn, record.attempts[0].conn);
        assert_true(str_is(record.conns[1].remote, "127.0.0.1:8080"));
        assert_true(record.run.is_complete); /* as such children leave no end */
}

static void test_killed(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        maker_exchange(&wire, 3, 11, 20, "/a");
        maker_send(&wire, 3, 30, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_end(&wire, 0);
        maker_read(&record, &wire, NULL, NULL);
        assert_false(record.run.is_complete);
        assert_int_equal(record.n_attempts, 2);
        assert_int_equal(record.attempts[1].code, MUSTER_E_CANCELLED);
        assert_int_equal(record.conns[0].closer, TRACE_CLOSED_BY_END);
}

/* A request on descriptor 3, after which one is left that makes the connection's end count. */
static void exchange_and_end(enum watch_kind first, enum watch_kind second)
{
        maker_connect(&wire, 3, 10, 8080);
        maker_exchange(&wire, 3, 11, 20, "/a");
        maker_add(&wire, first, 3, 21000, first == WATCH_SHUTDOWN ? SHUT_WR : 0, NULL, 0);
        maker_add(&wire, second, 3, 71000, second == WATCH_SHUTDOWN ? SHUT_RDWR : 0, NULL, 0);
        maker_close(&wire, 3, 72);
        maker_connect(&wire, 3, 80, 8080);
        maker_exchange(&wire, 3, 81, 90, "/b");
        maker_end(&wire, 100);
        maker_read(&record, &wire, NULL, NULL);
        assert_int_equal(record.n_conns, 2);
}

/* The server's end is its answer: it would have kept the connection. */
static void test_program_says_goodbye(void **state)
{
        (void)state;
        exchange_and_end(WATCH_SHUTDOWN, WATCH_RECEIVE);
        assert_int_equal(record.conns[0].closer, TRACE_CLOSED_BY_CLIENT);
        assert_int_equal(record.conns[1].closer, TRACE_CLOSED_BY_END);
}

static void test_server_says_goodbye(void **state)
{
        (void)state;
        exchange_and_end(WATCH_RECEIVE, WATCH_SHUTDOWN);
        assert_int_equal(record.conns[0].closer, TRACE_CLOSED_BY_SERVER);
}

/* As asyncio says it before Python 3.12 or without a time-out, one round trip before it closes. */
static void test_goodbye_under_tls(void **state)
{
        static const char request[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
        static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

        (void)state;
        for (uint64_t i = 0; i < 3; i++) {
                uint64_t at_ms = 10 + 200 * i;

                maker_connect(&wire, 3, at_ms, 443);
                tls(WATCH_TLS_HANDSHAKE, 0x100, 3, at_ms + 10, 1, NULL);
                tls(WATCH_TLS_SEND, 0x100, 3, at_ms + 20, (int64_t)strlen(request), request);
                tls(WATCH_TLS_RECEIVE, 0x100, 3, at_ms + 40, (int64_t)strlen(response), response);
                if (i == 1)
                        tls(WATCH_TLS_RECEIVE, 0x100, 3, at_ms + 41, 0, NULL);
                tls(WATCH_TLS_SHUTDOWN, 0x100, 3, at_ms + 42, 0, NULL);
                maker_add(&wire, WATCH_RECEIVE, 3, (at_ms + 92) * 1000, 0, NULL, 0);
                tls(WATCH_TLS_FREE, 0x100, 3, at_ms + 93, 0, NULL);
                maker_close(&wire, 3, at_ms + 94);
        }
        maker_end(&wire, 1000);
        maker_read(&record, &wire, NULL, NULL);
        assert_int_equal(record.n_conns, 3);
        assert_int_equal(record.conns[0].closer, TRACE_CLOSED_BY_CLIENT);
        assert_int_equal(record.conns[1].closer, TRACE_CLOSED_BY_SERVER);
}

/* A handshake on a socket that blocks: what it waited for there is not work. */
static void test_handshake_that_blocks(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 443);
        maker_add(&wire, WATCH_SEND, 3, 11000, 300, NULL, 0);
        wire.next.flags = WATCH_FLAG_BLOCKS;
        wire.next.took_ns = 50 * NS_PER_MS;
        maker_add(&wire, WATCH_RECEIVE, 3, 11500, 2000, NULL, 0);
        wire.next.took_ns = 52 * NS_PER_MS;
        tls(WATCH_TLS_HANDSHAKE, 0x100, 3, 11, 1, NULL);
        tls(WATCH_TLS_SEND, 0x100, 3, 64, 27, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_end(&wire, 100);
        maker_read(&record, &wire, NULL, NULL);
        assert_int_equal(record.n_conns, 1);
        assert_int_equal(record.conns[0].tls_work_ns, 2 * NS_PER_MS);
}

static void test_nothing(void **state)
{
        (void)state;
        maker_end(&wire, 100);
        maker_read(&record, &wire, NULL, NULL);
        assert_int_equal(record.n_attempts, 0);
        assert_int_equal(record.programs.n_processes, 1);
        assert_int_equal(record.programs.processes[0].unseen, PROGRAM_UNSEEN_HOOK);
}

/* --- HTTP/2 ----------------------------------------------------------------------------------- */

static void add_frame(struct buf *to, uint8_t type, uint8_t flags, uint32_t stream,
        const void *payload, size_t n)
{
        const unsigned char head[9] = { (unsigned char)(n >> 16), (unsigned char)(n >> 8),
                (unsigned char)n, type, flags, 0, 0, (unsigned char)(stream >> 8),
                (unsigned char)stream };

        assert_int_equal(buf_add(to, head, sizeof(head)), 0);
        assert_int_equal(buf_add(to, payload, n), 0);
}

static void add_head(struct buf *to, nghttp2_hd_deflater *deflater, uint32_t stream, bool is_end,
        const char *const *fields, size_t n)
{
        nghttp2_nv list[8];
        uint8_t block[512];
        ssize_t len;

        for (size_t i = 0; i < n; i++)
                list[i] = (nghttp2_nv){ (uint8_t *)(uintptr_t)fields[2 * i],
                        (uint8_t *)(uintptr_t)fields[2 * i + 1], strlen(fields[2 * i]),
                        strlen(fields[2 * i + 1]), 0 };
        len = nghttp2_hd_deflate_hd(deflater, block, sizeof(block), list, n);
        assert_true(len > 0);
        add_frame(to, 1, is_end ? 5 : 4, stream, block, (size_t)len);
}

static void say_h2(enum watch_kind kind, uint64_t at_ms, struct buf *bytes, size_t more)
{
        wire.next.flags = WATCH_FLAG_H2;
        maker_add(&wire, kind, 3, at_ms * 1000, (int64_t)(bytes->len + more), bytes->at,
                bytes->len < WATCH_TEXT_MAX ? bytes->len : WATCH_TEXT_MAX);
        bytes->len = 0;
}

static void test_h2(void **state)
{
        static const char *const request[] = { ":method", "GET", ":scheme", "http", ":authority",
                "h", ":path", "/a", "x-own", "1" };
        static const char *const other[] = { ":method", "GET", ":scheme", "http", ":authority", "h",
                ":path", "/b" };
        static const char *const response[] = { ":status", "200", "content-encoding", "gzip" };
        static const char *const missing[] = { ":status", "404" };
        static const char payload[3000] = { 0 };
        nghttp2_hd_deflater *out, *in;
        struct buf bytes = { 0 };

        (void)state;
        nghttp2_hd_deflate_new(&out, 4096);
        nghttp2_hd_deflate_new(&in, 4096);
        maker_connect(&wire, 3, 10, 80);
        assert_int_equal(buf_add_text(&bytes, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0);
        add_frame(&bytes, 4, 0, 0, "", 0);
        add_head(&bytes, out, 1, true, request, 5);
        say_h2(WATCH_SEND, 11, &bytes, 0);
        add_head(&bytes, out, 3, true, other, 4);
        say_h2(WATCH_SEND, 12, &bytes, 0);
        add_head(&bytes, in, 3, true, missing, 1);
        add_head(&bytes, in, 1, false, response, 2);
        say_h2(WATCH_RECEIVE, 30, &bytes, 0);
        add_frame(&bytes, 0, 0, 1, payload, sizeof(payload)); /* not all of it is kept */
        say_h2(WATCH_RECEIVE, 40, &bytes, 0);
        add_frame(&bytes, 0, 1, 1, "end", 3);
        say_h2(WATCH_RECEIVE, 50, &bytes, 0);
        /* What is between is not kept: the place is found again, and the status as well. */
        add_head(&bytes, out, 5, true, other, 4);
        say_h2(WATCH_SEND, 60, &bytes, 0);
        add_frame(&bytes, 8, 0, 0, "\0\0\1\0", 4);
        say_h2(WATCH_RECEIVE, 61, &bytes, 5000);
        add_head(&bytes, in, 5, true, missing, 1);
        say_h2(WATCH_RECEIVE, 70, &bytes, 0);
        maker_end(&wire, 100);
        maker_read(&record, &wire, NULL, NULL);
        assert_int_equal(record.n_attempts, 3);
        assert_true(str_is(record.attempts[0].url, "http://h/a"));
        assert_int_equal(record.attempts[0].http_version, 20);
        assert_int_equal(record.attempts[0].stream, 1);
        assert_int_equal(record.attempts[0].status, 200);
        assert_int_equal(record.attempts[0].wire_bytes, sizeof(payload) + 3);
        assert_int_equal(ms_of(record.attempts[0].stamps.end_ns), 50);
        assert_true(record.attempts[0].is_encoded);
        assert_true(record.attempts[0].has_fields);
        assert_int_equal(record.attempts[1].status, 404);
        assert_int_equal(record.attempts[1].n_sharing, 2);
        assert_int_equal(ms_of(record.attempts[1].stamps.end_ns), 30);
        assert_false(record.attempts[1].has_fields);
        assert_int_equal(record.attempts[2].status, 404);
        assert_int_equal(ms_of(record.attempts[2].stamps.end_ns), 70);
        nghttp2_hd_deflate_del(out);
        nghttp2_hd_deflate_del(in);
        buf_deinit(&bytes);
}

/* --- loops ------------------------------------------------------------------------------------ */

static void test_loops(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        wire.next.took_ns = 20 * NS_PER_MS;
        maker_add(&wire, WATCH_WAIT, -1, 11000, 1, NULL, 0);
        wire.next.flags = WATCH_FLAG_BLOCKS;
        wire.next.took_ns = 30 * NS_PER_MS;
        maker_add(&wire, WATCH_RECEIVE, 3, 50000, 10, NULL, 0); /* within the time away */
        wire.next.took_ns = 69 * NS_PER_MS;
        wire.next.extra = 3 * NS_PER_MS;
        maker_add(&wire, WATCH_AWAY, -1, 31000, 13 * (int64_t)NS_PER_MS, NULL, 0);
        maker_add(&wire, WATCH_WAIT, -1, 100000, 1, NULL, 0);
        maker_exchange(&wire, 3, 110, 120, "/a");
        maker_end(&wire, 200);
        maker_read(&record, &wire, NULL, NULL);
        assert_int_equal(record.n_turns, 2);
        assert_int_equal(ms_of(record.turns[0].end_ns - record.turns[0].start_ns), 19);
        assert_int_equal(ms_of(record.turns[1].end_ns - record.turns[1].start_ns), 20);
        assert_true(record.turns[0].thread_cpu_ns + record.turns[1].thread_cpu_ns <=
                    13 * NS_PER_MS);
        assert_true(record.turns[0].thread_cpu_ns > 6 * NS_PER_MS);
        assert_true(record.n_samples >= 2);
        assert_int_equal(ms_of(record.samples[record.n_samples - 1].wait_ns), 50);
        for (size_t i = 1; i < record.n_samples; i++) {
                assert_true(record.samples[i].at_ns >= record.samples[i - 1].at_ns);
                assert_true(record.samples[i].wait_ns >= record.samples[i - 1].wait_ns);
        }
}

/* --- the file --------------------------------------------------------------------------------- */

static void make_run(void)
{
        maker_connect(&wire, 3, 10, 8080);
        for (uint64_t i = 0; i < 20; i++) {
                char path[16];

                snprintf(path, sizeof(path), "/%u", (unsigned)i);
                maker_exchange(&wire, 3, 11 + 30 * i, 31 + 30 * i, path);
        }
        maker_close(&wire, 3, 800);
        maker_end(&wire, 900);
        maker_read(&record, &wire, NULL,
                "muster-hook\t1\tpython\t3.11.2\t7\nsite\t1\t/x/sk\xc3\xa4rm.py\t20\tone two\n"
                "client\t1000005000000\t9\taiohttp\t1\t1\t0\t1\n"
                "held\t1000020000000\t1000030000000\t-1\t1\t90\tjson.loads\n"
                "gather\t1000020000000\t1000030000000\t20\t1\ncontext\t1000001000000\t5\t1\n"
                "request\t1000009000000\t1000032000000\t500000\t0\t200\t0\t9\t1\t7\tGET\thttp://example.test:8080/0\t\n");
}

static void test_phases_and_sums(void **state)
{
        struct facts facts;
        uint64_t chain_ns = 0, share_ns = 0;

        (void)state;
        make_run();
        assert_int_equal(facts_measure(&facts, &record), 0);
        for (size_t i = 0; i < PART_N; i++) {
                chain_ns += facts.chain_ns[i];
                share_ns += facts.share_ns[i];
        }
        assert_int_equal(chain_ns, facts_told_wall_ns(&facts));
        assert_int_equal(share_ns, facts_told_wall_ns(&facts));
        for (size_t i = 0; i < record.n_attempts; i++) {
                uint64_t phase_ns[MUSTER_N_PHASES], sum_ns = 0;

                attempt_phases(&record.attempts[i], phase_ns);
                for (size_t k = 0; k < MUSTER_N_PHASES; k++)
                        sum_ns += phase_ns[k];
                assert_int_equal(sum_ns,
                        record.attempts[i].stamps.end_ns - record.attempts[i].stamps.start_ns);
        }
        facts_deinit(&facts);
}

/* As it was before there was such a column. */
static void forget_column(const char *path)
{
        sqlite3 *db;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, "ALTER TABLE call DROP COLUMN left_bytes", NULL, NULL,
                                 NULL),
                SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void save_and_read(struct record *saved)
{
        struct counters counters = { 0 };
        struct muster_error error;
        char folder[] = "/tmp/muster-watch-XXXXXX", path[64];

        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/run.db", folder);
        assert_int_equal(record_save(&record, &counters, &counters, path, false, &error), 0);
        assert_int_equal(record_save(&record, &counters, &counters, path, false, &error),
                MUSTER_E_RESOURCE); /* it is there already */
        assert_int_equal(record_save(&record, &counters, &counters, path, true, &error), 0);
        assert_int_equal(record_read(saved, path, &error), 0);
        record_deinit(saved);
        forget_column(path);
        assert_int_equal(record_read(saved, path, &error), 0);
        unlink(path);
        rmdir(folder);
}

static void test_saved(void **state)
{
        struct record saved;

        (void)state;
        make_run();
        save_and_read(&saved);
        assert_int_equal(saved.n_attempts, record.n_attempts);
        assert_int_equal(saved.n_conns, 1);
        assert_int_equal(saved.attempts[5].stamps.end_ns, record.attempts[5].stamps.end_ns);
        assert_true(saved.run.is_complete);
        assert_string_equal(saved.run.command, record.run.command);
        assert_int_equal(saved.programs.n_processes, 1);
        assert_true(str_is(saved.programs.processes[0].words, "python3 script.py"));
        assert_int_equal(saved.programs.processes[0].pid, 7);
        assert_int_equal(saved.programs.processes[0].cpu_ns, record.programs.processes[0].cpu_ns);
        assert_true(str_is(saved.programs.sites[0].file, "/x/sk\xc3\xa4rm.py"));
        assert_int_equal(saved.programs.sites[0].line, 20);
        assert_int_equal(saved.programs.n_calls, 20);
        assert_int_equal(saved.programs.calls[0].site, 1);
        assert_int_equal(saved.programs.calls[0].queued_ns, 500000);
        assert_int_equal(saved.programs.calls[1].site, 0);
        assert_int_equal(saved.programs.clients[0].kept, 1);
        assert_int_equal(saved.programs.n_holds, 1);
        assert_int_equal(saved.programs.holds[0].end_ns, record.programs.holds[0].end_ns);
        assert_int_equal(saved.programs.bounds[0].value, 20);
        assert_int_equal(saved.programs.contexts[0].took_ns, 5);
        assert_non_null(programs_call(&saved.programs, 20));
        assert_null(programs_call(&saved.programs, 21));
        record_deinit(&saved);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_tls_in_memory, begin, end),
                cmocka_unit_test_setup_teardown(test_fork, begin, end),
                cmocka_unit_test_setup_teardown(test_killed, begin, end),
                cmocka_unit_test_setup_teardown(test_program_says_goodbye, begin, end),
                cmocka_unit_test_setup_teardown(test_server_says_goodbye, begin, end),
                cmocka_unit_test_setup_teardown(test_goodbye_under_tls, begin, end),
                cmocka_unit_test_setup_teardown(test_handshake_that_blocks, begin, end),
                cmocka_unit_test_setup_teardown(test_nothing, begin, end),
                cmocka_unit_test_setup_teardown(test_h2, begin, end),
                cmocka_unit_test_setup_teardown(test_loops, begin, end),
                cmocka_unit_test_setup_teardown(test_phases_and_sums, begin, end),
                cmocka_unit_test_setup_teardown(test_saved, begin, end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
