/* SPDX-License-Identifier: MIT */
/*
 * Findings about streams of HTTP/2: each against a run that has it, and those that look like it;
 * and rules about one connection's window, which say nothing where requests share it
 */
#include "links.h"

#include <base/mem.h>

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

/* --- stream-limit ---------------------------------------------------------------------------- */

/* 64 slots, and room for 10 of them. */
static const struct record_maker ten_streams = {
        .n = 200,
        .slots = 64,
        .per_host = 10,
        .each = { .network_ns = MS, .server_ns = 49 * MS },
};

static void wait_for_streams(struct record *record)
{
        record->run.options.per_host = 0;
        for (size_t i = 0; i < record->n_attempts; i++)
                if (record->attempts[i].wait == TRACE_WAIT_HOST)
                        record->attempts[i].wait = TRACE_WAIT_STREAM;
}

static void test_stream_limit(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &ten_streams);
        share_conn(&record);
        assert_false(is_found(&record, causes_streams, "stream-limit"));
        assert_true(is_found(&record, causes_slots, "per-host-limit"));
        wait_for_streams(&record);
        assert_true(cause_is_found(&record, causes_streams, "stream-limit", &finding));
        assert_string_equal(finding.shown.title,
                "The server's limit of 10 requests at a time on HTTP/2 connections held the run back");
        assert_non_null(strstr(finding.remedy, "Allow 7 HTTP/2 connections"));
        assert_string_equal(finding.shown.option, "--h2-conns 7");
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_A);
        assert_predicted(&finding, 4 * 50 * MS);
        assert_false(is_found(&record, causes_slots, "per-host-limit"));
        assert_false(is_found(&record, causes_slots, "concurrency-too-low"));
        record_deinit(&record);
}

/*
 * The first ones were begun before the server had told how many it allows, and were sent back: they
 * were never under way there, and each is one request all the same.
 */
static void send_back(struct record *record, size_t n_slots, size_t n_streams, uint64_t opening_ns)
{
        size_t n = n_slots - n_streams, n_all = record->n_attempts + n;
        struct trace_attempt *attempts = mem_array(n_all, sizeof(*attempts));

        assert_non_null(attempts);
        memcpy(&attempts[n], record->attempts, record->n_attempts * sizeof(*attempts));
        for (size_t i = n; i < n_all; i++) {
                attempts[i].number += n;
                attempts[i].slot_from += attempts[i].slot_from ? n : 0;
        }
        for (size_t i = 0; i < n; i++) {
                struct trace_attempt *again = &attempts[n + n_streams + i], *first = &attempts[i];
                struct attempt *stamps = &first->stamps;

                *first = *again;
                first->number = i + 1;
                first->slot_from = 0;
                first->wait = TRACE_WAIT_NONE;
                first->outcome = TRACE_REPEATED;
                first->code = MUSTER_E_CLOSED;
                first->status = 0;
                first->is_last = false;
                first->in_flight = first->host_in_flight = (uint32_t)(n_streams + i + 1);
                first->finished_ns = first->taken_ns = 0;
                *stamps = (struct attempt){ .start_ns = again->stamps.start_ns,
                        .slot_ns = again->stamps.start_ns + 1 };
                stamps->dns_end_ns = stamps->tcp_end_ns = stamps->slot_ns;
                stamps->tls_end_ns = stamps->send_start_ns = stamps->slot_ns + opening_ns;
                stamps->send_end_ns = stamps->end_ns = stamps->send_start_ns;
                again->n = 2;
                again->stamps.start_ns = stamps->end_ns;
        }
        mem_free(record->attempts);
        record->attempts = attempts;
        record->n_attempts = n_all;
}

static void test_sent_back(void **state)
{
        struct record_maker maker = ten_streams;
        struct record record;
        struct finding finding;

        (void)state;
        maker.n = 70;
        make(&record, &maker);
        share_conn(&record);
        wait_for_streams(&record);
        send_back(&record, 64, 10, 40 * MS);
        assert_true(cause_is_found(&record, causes_streams, "stream-limit", &finding));
        assert_string_equal(finding.shown.title,
                "The server's limit of 10 requests at a time on HTTP/2 connections held the run back");
        assert_non_null(strstr(finding.evidence[0], "60 of 70 requests waited"));
        /* Two rounds of 50 ms with room for 64. */
        assert_predicted(&finding, 2 * 50 * MS);
        assert_false(is_found(&record, causes_server, "server-saturated"));
        record_deinit(&record);
}

/*
 * Handshakes that are computed, 60 ms each: one for a connection, and not for each request that is
 * in flight. Three more are worth it, six are not.
 */
static void test_stream_limit_with_handshakes(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &ten_streams);
        share_conn(&record);
        wait_for_streams(&record);
        record.conns[0].tcp_end_ns = record.conns[0].opened_ns + 1;
        record.conns[0].tls_end_ns = record.conns[0].tcp_end_ns + 60 * MS;
        record.conns[0].tls_work_ns = 60 * MS;
        record.conns[0].is_tls = true;
        record.samples[record.n_samples - 1].work_ns[TRACE_WORK_TLS] = 60 * MS;
        assert_true(cause_is_found(&record, causes_streams, "stream-limit", &finding));
        assert_string_equal(finding.shown.option, "--h2-conns 4");
        record_deinit(&record);
}

/* A server that has 10 workers is not made faster by more streams. */
static void queue_in_server(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t n = i < maker->per_host ? i + 1 : maker->per_host;

        request->submit_after_ns = i;
        request->server_ns = (n + 1) / 2 * 20 * MS;
}

static void test_stream_limit_does_not_matter(void **state)
{
        struct record_maker full = ten_streams, few = ten_streams;
        struct record record;

        (void)state;
        full.vary = queue_in_server;
        full.n = 1000;
        make(&record, &full);
        share_conn(&record);
        wait_for_streams(&record);
        assert_false(is_found(&record, causes_streams, "stream-limit"));
        record_deinit(&record);
        few.n = 12; /* two of them waited */
        make(&record, &few);
        share_conn(&record);
        wait_for_streams(&record);
        assert_false(is_found(&record, causes_streams, "stream-limit"));
        record_deinit(&record);
}

/* --- protocol-unknown ------------------------------------------------------------------------ */

static void make_waiting(struct record *record, uint64_t waited_ns)
{
        make(record,
                &(struct record_maker){ .n = 10,
                        .slots = 10,
                        .each = {
                                .tcp_ns = 100 * MS, .tls_ns = 200 * MS, .network_ns = 100 * MS } });
        for (size_t i = 1; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                attempt->wait = TRACE_WAIT_PROTOCOL;
                attempt->submitted_ns += NS_PER_S - waited_ns;
                attempt->stamps.start_ns = attempt->submitted_ns;
                attempt->stamps.slot_ns += NS_PER_S;
                attempt->stamps.tcp_end_ns += NS_PER_S;
                attempt->stamps.tls_end_ns += NS_PER_S;
                attempt->stamps.send_start_ns += NS_PER_S;
                attempt->stamps.send_end_ns += NS_PER_S;
                attempt->stamps.first_byte_kernel_ns += NS_PER_S;
                attempt->stamps.first_byte_read_ns += NS_PER_S;
                attempt->stamps.last_byte_kernel_ns += NS_PER_S;
                attempt->stamps.last_byte_read_ns += NS_PER_S;
                attempt->stamps.end_ns += NS_PER_S;
                attempt->finished_ns += NS_PER_S;
                attempt->taken_ns += NS_PER_S;
        }
        record->attempts[0] = record->attempts[1];
        record->attempts[0].number = record->attempts[0].request = 1;
        record->attempts[0].wait = TRACE_WAIT_NONE;
}

static void test_protocol_unknown(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_waiting(&record, 300 * MS);
        assert_true(cause_is_found(&record, causes_streams, "protocol-unknown", &finding));
        assert_string_equal(finding.shown.option, "--http1.1");
        assert_predicted(&finding, 400 * MS);
        /* It spoke HTTP/2: then they share the connection that they waited for. */
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].http_version = 20;
        assert_false(is_found(&record, causes_streams, "protocol-unknown"));
        record_deinit(&record);
        make_waiting(&record, 20 * MS);
        assert_false(is_found(&record, causes_streams, "protocol-unknown"));
        record_deinit(&record);
}

/* Handshakes that our own thread computes, or has no processor for, end no sooner when all begin at once. */
static void test_protocol_unknown_by_work(void **state)
{
        struct record record;
        struct trace_turn turn = { .engine = 1 };
        struct finding finding;

        (void)state;
        make_waiting(&record, 300 * MS);
        turn.start_ns = record.attempts[1].stamps.start_ns + 10 * MS;
        turn.end_ns = turn.start_ns + 100 * MS;
        turn.work_ns[TRACE_WORK_TLS] = 100 * MS;
        assert_int_equal(record_make_turn(&record, &turn), 0);
        assert_true(cause_is_found(&record, causes_streams, "protocol-unknown", &finding));
        assert_predicted(&finding, 500 * MS);
        record.turns[0].end_ns += 170 * MS;
        record.turns[0].work_ns[TRACE_WORK_TLS] += 170 * MS;
        assert_false(is_found(&record, causes_streams, "protocol-unknown"));
        record_deinit(&record);
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

/* They share a connection, whose window is as large as that of each. */
static void share_window(struct record *record)
{
        for (size_t i = 0; i < record->n_attempts; i++)
                record->attempts[i].sent_bytes = 250 * KIB;
        share_conn(record);
}

static void test_stream_window(void **state)
{
        struct record_maker quick = uploads, slow = uploads;
        struct record record;
        struct finding finding;

        (void)state;
        make_uploads(&record, &uploads);
        assert_true(cause_is_found(&record, causes_streams, "stream-window", &finding));
        assert_non_null(strstr(finding.evidence[0], "64 KiB went out in each round trip"));
        /* What TCP needs for a megabyte: seven round trips, and one when the window is open. */
        assert_predicted(&finding, 100 * MS + 800 * MS + 2 * 200 * MS);
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].max_rtt_us = 2 * record.conns[i].rtt_us; /* the link was full */
        assert_false(is_found(&record, causes_streams, "stream-window"));
        record_deinit(&record);
        make_uploads(&record, &uploads);
        share_window(&record);
        assert_true(is_found(&record, causes_streams, "stream-window"));
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].http_version = 11;
        assert_false(is_found(&record, causes_streams, "stream-window"));
        record_deinit(&record);
        quick.each.send_ns = 800 * MS; /* a window twice as large */
        make_uploads(&record, &quick);
        assert_false(is_found(&record, causes_streams, "stream-window"));
        record_deinit(&record);
        slow.each.send_ns = 8000 * MS; /* a slow way, or a server that reads slowly */
        make_uploads(&record, &slow);
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
        assert_true(finding.shown.wall_high_ns >= finding.shown.wall_ns + NS_PER_S); /* a SYN */
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
        static const char *const names[] = { "slow-start", "cwnd-after-idle" };
        struct record_maker in_pieces = beginning;
        struct record record;

        (void)state;
        make(&record, &beginning);
        share_conn(&record);
        for (size_t i = 0; i < LENGTH(names); i++)
                assert_false(is_found(&record, causes_window, names[i]));
        assert_false(is_found(&record, causes_bodies, "slow-body"));
        assert_false(is_found(&record, causes_bodies, "connection-bandwidth"));
        record_deinit(&record);
        in_pieces.each.receive_ns = 120 * MS; /* a round trip, and an acknowledgement held back */
        in_pieces.each.wire_bytes = 2000;
        make(&record, &in_pieces);
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].n_receives = record.attempts[i].is_reused ? 2 : 1;
        assert_true(is_found(&record, causes_pieces, "nagle"));
        share_conn(&record);
        assert_false(is_found(&record, causes_pieces, "nagle"));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stream_limit),
                cmocka_unit_test(test_stream_limit_with_handshakes),
                cmocka_unit_test(test_sent_back),
                cmocka_unit_test(test_stream_limit_does_not_matter),
                cmocka_unit_test(test_protocol_unknown),
                cmocka_unit_test(test_protocol_unknown_by_work),
                cmocka_unit_test(test_stream_window),
                cmocka_unit_test(test_head_of_line),
                cmocka_unit_test(test_windows_are_not_judged),
        };

        return cmocka_run_group_tests_name("causes_streams", tests, NULL, NULL);
}
