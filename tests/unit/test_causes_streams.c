/* SPDX-License-Identifier: MIT */
/*
 * Findings about streams of HTTP/2: each against a run that has it, and those that look like it;
 * and rules about one connection's window, which say nothing where requests share it
 */
#include "links.h"

/* All requests are streams of one connection, which the first of them opened. */
static void share_conn(struct record *record)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                attempt->http_version = 20;
                attempt->conn = record->conns[0].id;
                attempt->is_reused = i > 0;
        }
        record->n_conns = 1;
        record->conns[0].n_attempts = record->n_attempts;
}

/* --- stream-window --------------------------------------------------------------------------- */

/* A megabyte each, over 100 ms; a body goes out in 16 round trips. */
static const struct record_maker uploads = {
        .n = 12,
        .slots = 4,
        .rtt_ns = 100 * MS,
        .each = { .tcp_ns = 100 * MS, .send_ns = 1600 * MS, .network_ns = 100 * MS },
};

static void make_uploads(struct record *record, const struct record_maker *maker)
{
        make(record, maker);
        move_away(record);
        for (size_t i = 0; i < record->n_attempts; i++) {
                record->attempts[i].http_version = 20;
                record->attempts[i].sent_bytes = 1024 * KIB;
        }
}

static void send_unevenly(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->send_ns = (i % 4 + 1) * 800 * MS;
}

static void test_stream_window(void **state)
{
        struct record_maker quick = uploads, uneven = uploads;
        struct record record;
        struct finding finding;

        (void)state;
        make_uploads(&record, &uploads);
        assert_true(cause_is_found(&record, causes_streams, "stream-window", &finding));
        assert_non_null(strstr(finding.title, "about 64"));
        /* What TCP needs for a megabyte: seven round trips. */
        assert_predicted(&finding, 100 * MS + 3 * 800 * MS);
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].rtt_us *= 2; /* the link was full */
        assert_false(is_found(&record, causes_streams, "stream-window"));
        record_deinit(&record);
        make_uploads(&record, &uploads);
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].http_version = 11;
        assert_false(is_found(&record, causes_streams, "stream-window"));
        record_deinit(&record);
        quick.each.send_ns = 300 * MS;
        make_uploads(&record, &quick);
        assert_false(is_found(&record, causes_streams, "stream-window"));
        record_deinit(&record);
        uneven.vary = send_unevenly;
        make_uploads(&record, &uneven);
        assert_false(is_found(&record, causes_streams, "stream-window"));
        record_deinit(&record);
}

/* --- head-of-line ---------------------------------------------------------------------------- */

static void stall_some(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        if (i % 5 == 0)
                request->receive_ns += 220 * MS;
}

static void test_head_of_line(void **state)
{
        const struct record_maker stalling = { .n = 60,
                .slots = 10,
                .vary = stall_some,
                .rtt_ns = 40 * MS,
                .each = { .tcp_ns = 40 * MS,
                        .network_ns = 40 * MS,
                        .receive_ns = MS,
                        .wire_bytes = 20 * KIB } };
        struct record record;
        struct finding finding;

        (void)state;
        make_lossy(&record, &stalling);
        assert_true(is_found(&record, causes_wire, "loss"));
        assert_false(is_found(&record, causes_streams, "head-of-line"));
        share_conn(&record);
        assert_false(is_found(&record, causes_wire, "loss"));
        assert_true(cause_is_found(&record, causes_streams, "head-of-line", &finding));
        assert_non_null(strstr(finding.title, "stopped up to 10 requests"));
        assert_true(finding.shown.has_prediction && finding.shown.wall_low_ns > 0);
        record.conns[0].n_out_of_order = 0;
        assert_false(is_found(&record, causes_streams, "head-of-line"));
        record_deinit(&record);
}

/* --- what nobody can tell of one of them ----------------------------------------------------- */

static void test_windows_are_not_judged(void **state)
{
        const struct record_maker beginning = { .n = 20,
                .slots = 10,
                .rtt_ns = 80 * MS,
                .each = { .tcp_ns = 80 * MS,
                        .network_ns = 80 * MS,
                        .receive_ns = 330 * MS,
                        .wire_bytes = 300 * KIB } };
        static const char *const names[] = { "slow-start", "cwnd-after-idle", "slow-body" };
        struct record_maker in_pieces = beginning;
        struct record record;

        (void)state;
        make(&record, &beginning);
        share_conn(&record);
        for (size_t i = 0; i < LENGTH(names); i++)
                assert_false(is_found(&record, causes_window, names[i]));
        record_deinit(&record);
        in_pieces.each.receive_ns = 120 * MS; /* a round trip, and an acknowledgement held back */
        in_pieces.each.wire_bytes = 2000;
        make(&record, &in_pieces);
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].n_receives = record.attempts[i].is_reused ? 2 : 1;
        assert_true(is_found(&record, causes_wire, "nagle"));
        share_conn(&record);
        assert_false(is_found(&record, causes_wire, "nagle"));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stream_window),
                cmocka_unit_test(test_head_of_line),
                cmocka_unit_test(test_windows_are_not_judged),
        };

        return cmocka_run_group_tests_name("causes_streams", tests, NULL, NULL);
}
