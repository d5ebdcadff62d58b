/* SPDX-License-Identifier: MIT */
/*
 * Findings about responses that came in pieces: each against a run that has it, and those that look like it
 */
#include "causes.h"

#define MS  NS_PER_MS
#define KIB 1024

/* --- nagle ----------------------------------------------------------------------------------- */

static void stop_later(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i; /* the first ones first */
        request->receive_ns = i < maker->slots ? 0 : 43 * MS;
}

static const struct record_maker stopping = {
        .n = 52,
        .slots = 4,
        .vary = stop_later,
        .each = { .tcp_ns = 50 * NS_PER_US, .network_ns = 50 * NS_PER_US, .wire_bytes = 500 },
};

static void in_pieces(struct record *record)
{
        for (size_t i = 0; i < record->n_attempts; i++)
                record->attempts[i].n_receives = 3;
}

static void test_nagle(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &stopping);
        /* In one piece: there is nothing that it could have stopped between. */
        assert_false(is_found(&record, causes_pieces, "nagle"));
        in_pieces(&record);
        assert_int_equal(record_make_counter(&record, "tcp.delayed_acks", 5, 53), 0);
        assert_true(cause_is_found(&record, causes_pieces, "nagle", &finding));
        assert_non_null(strstr(finding.evidence[0], "48 of 48"));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_B);
        assert_true(finding.shown.wall_ns < 10 * MS);
        record_deinit(&record);
}

/*
 * Over some distance, with pieces as large as packets: they are acknowledged at once, a round trip
 * later.
 */
static void test_nagle_far(void **state)
{
        struct record_maker maker = stopping;
        struct record record;
        struct finding finding;

        (void)state;
        maker.vary = NULL;
        maker.rtt_ns = 20 * MS;
        maker.each = (struct record_maker_request){ .tcp_ns = 20 * MS,
                .network_ns = 20 * MS,
                .receive_ns = 20 * MS + 300 * NS_PER_US,
                .wire_bytes = 5 * KIB };
        make(&record, &maker);
        assert_false(is_found(&record, causes_pieces, "nagle"));
        in_pieces(&record);
        assert_true(cause_is_found(&record, &causes_pieces[1], "nagle", &finding));
        assert_predicted(&finding, 20 * MS + 13 * 20 * MS);
        /* What is larger than the first window takes a round trip in any case. */
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].wire_bytes = 20 * KIB;
        assert_false(cause_is_found(&record, &causes_pieces[1], "nagle", &finding));
        record_deinit(&record);
}

/*
 * The handshake was use enough: new connections stop as well. Some stop before the head, behind
 * what ends the handshake.
 */
static void stop_always(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->receive_ns = 43 * MS;
        if (i < maker->slots)
                request->server_ns = 44 * MS;
}

static void test_nagle_with_tls(void **state)
{
        struct record_maker maker = stopping;
        struct record record;
        struct finding finding;

        (void)state;
        maker.vary = stop_always;
        maker.each.tls_ns = MS;
        make(&record, &maker);
        in_pieces(&record);
        assert_true(cause_is_found(&record, causes_pieces, "nagle", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_C);
        assert_true(finding.shown.wall_ns < 10 * MS);
        record_deinit(&record);
}

/*
 * Large bodies that come bit by bit for as long: with TLS there is no new connection to compare
 * with, and the size says enough.
 */
static void test_no_nagle_in_large_bodies(void **state)
{
        struct record_maker maker = stopping;
        struct record record;

        (void)state;
        maker.vary = NULL;
        maker.rtt_ns = MS;
        maker.each = (struct record_maker_request){ .tcp_ns = MS,
                .tls_ns = MS,
                .network_ns = MS,
                .receive_ns = 41 * MS,
                .wire_bytes = 100 * 1000 };
        make(&record, &maker);
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].n_receives = 60;
        assert_false(is_found(&record, causes_pieces, "nagle"));
        in_pieces(&record);
        assert_true(is_found(&record, causes_pieces, "nagle"));
        record_deinit(&record);
}

/*
 * An acknowledgement that came at once takes a round trip, one that was held back 40 ms more: it is
 * told as one of the two.
 */
static void test_one_nagle_at_a_time(void **state)
{
        static const struct {
                uint64_t rtt_ms, receive_ms;
                bool is_held_back, is_round_trip;
        } cases[] = {
                { 42, 42, false, true },
                { 42, 83, true, false },
                { 150, 155, false, true },
                { 150, 192, true, false },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct record_maker maker = stopping;
                struct record record;
                struct finding finding;

                maker.vary = NULL;
                maker.rtt_ns = cases[i].rtt_ms * MS;
                maker.each = (struct record_maker_request){ .tcp_ns = maker.rtt_ns,
                        .tls_ns = maker.rtt_ns,
                        .network_ns = maker.rtt_ns,
                        .receive_ns = cases[i].receive_ms * MS,
                        .wire_bytes = 5 * KIB };
                make(&record, &maker);
                in_pieces(&record);
                assert_int_equal(cause_is_found(&record, causes_pieces, "nagle", &finding),
                        cases[i].is_held_back);
                assert_int_equal(cause_is_found(&record, &causes_pieces[1], "nagle", &finding),
                        cases[i].is_round_trip);
                record_deinit(&record);
        }
}

/* The server makes a pause of 43 ms, on new connections as well. */
static void test_pause(void **state)
{
        struct record_maker maker = stopping;
        struct record record;

        (void)state;
        maker.vary = NULL;
        maker.each.receive_ns = 43 * MS;
        make(&record, &maker);
        in_pieces(&record);
        assert_false(is_found(&record, causes_pieces, "nagle"));
        record_deinit(&record);
}

/* --- tried: acknowledged at once ------------------------------------------------------------- */

/* One of four was, and if it stops for an acknowledgement it goes on then. */
static void acknowledge_some(struct record *record, bool goes_on)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];
                struct attempt *stamps = &attempt->stamps;

                if (i % 4 != 3)
                        continue;
                attempt->is_acked_at_once = true;
                if (goes_on)
                        stamps->last_byte_kernel_ns = stamps->first_byte_kernel_ns + 50 * NS_PER_US;
        }
}

static void test_nagle_that_was_tried(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &stopping);
        in_pieces(&record);
        acknowledge_some(&record, true);
        assert_true(cause_is_found(&record, causes_pieces, "nagle", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_A);
        assert_non_null(strstr(finding.evidence[0], "36 of 36"));
        assert_non_null(strstr(finding.evidence[1], "of 12 whose first piece"));
        assert_non_null(strstr(finding.evidence[1], "none did"));
        assert_false(is_found(&record, causes_pieces, "pause-in-body"));
        record_deinit(&record);
}

/* A server that pauses for as long, and nothing but the trial tells. */
static void test_pause_that_was_tried(void **state)
{
        struct record_maker maker = stopping;
        struct record record;
        struct finding finding;

        (void)state;
        maker.vary = NULL;
        maker.each.receive_ns = 43 * MS;
        maker.each.tls_ns = MS;
        make(&record, &maker);
        in_pieces(&record);
        /* With TLS new connections say nothing. */
        assert_true(is_found(&record, causes_pieces, "nagle"));
        acknowledge_some(&record, false);
        assert_false(is_found(&record, causes_pieces, "nagle"));
        assert_true(cause_is_found(&record, causes_pieces, "pause-in-body", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_A);
        assert_non_null(strstr(finding.evidence[1],
                "12 were acknowledged at once, and 12 of these"));
        record_deinit(&record);
}

/* --- pause-in-body --------------------------------------------------------------------------- */

static const uint64_t grid_ms[] = { 5, 10, 20, 25, 28, 32, 36, 40, 44, 48, 60, 80, 120, 250 };

/* Head first, then the body: fixed, or by up to a fifth shorter or longer. */
static void pause_first(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const uint64_t *scatter = maker->argument;

        request->submit_after_ns = i;
        request->receive_ns = request->receive_ns * (100 - *scatter) / 100 +
                              request->receive_ns * 2 * *scatter / 100 * (i * 37 % 100) / 100;
}

static void with_gaps(struct record *record)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                attempt->n_receives = 2;
                attempt->gap_ns =
                        attempt->stamps.last_byte_kernel_ns - attempt->stamps.first_byte_kernel_ns;
        }
}

static void test_pauses_of_any_length(void **state)
{
        static uint64_t scatters[] = { 0, 20 };

        (void)state;
        for (size_t i = 0; i < LENGTH(grid_ms) * 2; i++) {
                struct record_maker maker = stopping;
                struct record record;
                struct finding finding;

                maker.vary = pause_first;
                maker.argument = &scatters[i % 2];
                maker.each.receive_ns = grid_ms[i / 2] * MS;
                make(&record, &maker);
                with_gaps(&record);
                acknowledge_some(&record, false);
                if (!cause_is_found(&record, causes_pieces, "pause-in-body", &finding))
                        fail_msg("%zu", i);
                assert_non_null(strstr(finding.title, "between head and body"));
                assert_false(is_found(&record, causes_pieces, "nagle"));
                assert_false(is_found(&record, causes_server, "server-slow"));
                record_deinit(&record);
        }
}

/* Answers that wait for no pause may wait for a processor of this machine: each costs 10 ms of one here. */
static void test_pauses_and_processors(void **state)
{
        struct record_maker maker = stopping;
        struct record record;
        struct finding finding;

        (void)state;
        maker.vary = NULL;
        maker.each.receive_ns = 160 * MS;
        make(&record, &maker);
        with_gaps(&record);
        assert_true(cause_is_found(&record, causes_pieces, "pause-in-body", &finding));
        assert_true(finding.shown.wall_ns < 10 * MS);
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&record, "machine.busy_us", 0, 520000), 0);
        assert_int_equal(record_make_counter(&record, "machine.idle_us", 0, 3600000), 0);
        assert_true(cause_is_found(&record, causes_pieces, "pause-in-body", &finding));
        assert_predicted(&finding, 255 * MS);
        assert_true(finding.shown.wall_low_ns < 10 * MS); /* or it was done for somebody else */
        record_deinit(&record);
}

/* Our loop, which woke up for each of them, may be woken up once for several when nothing pauses. */
static void test_pauses_and_our_work(void **state)
{
        struct record_maker maker = stopping;
        struct record record;
        struct finding finding;
        uint64_t work_ns;

        (void)state;
        maker.vary = NULL;
        maker.each.receive_ns = 160 * MS;
        maker.loop_ns = MS;
        make(&record, &maker);
        with_gaps(&record);
        work_ns = record.n_attempts * MS;
        assert_true(cause_is_found(&record, causes_pieces, "pause-in-body", &finding));
        assert_in_range(finding.shown.wall_ns, work_ns * 9 / 10, work_ns * 13 / 10);
        assert_true(finding.shown.wall_low_ns < work_ns / 2);
        record_deinit(&record);
}

/* Large bodies that begin at once; pieces that a slow link has come one after the other; losses. */
static void test_no_pause_of_the_server(void **state)
{
        struct record_maker maker = stopping;
        struct record record;

        (void)state;
        maker.vary = NULL;
        maker.each.receive_ns = 60 * MS;
        make(&record, &maker);
        with_gaps(&record);
        assert_true(is_found(&record, causes_pieces, "pause-in-body"));
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].n_out_of_order = 1;
        assert_false(is_found(&record, causes_pieces, "pause-in-body"));
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].n_out_of_order = 0;
        for (size_t i = 0; i < record.n_attempts; i++) {
                record.attempts[i].wire_bytes = 10 * 1448;
                record.attempts[i].n_receives = 11;
                record.attempts[i].gap_ns = 6 * MS;
        }
        assert_false(is_found(&record, causes_pieces, "pause-in-body"));
        /* In more pieces than a network makes of it: the server writes it so. */
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].wire_bytes = 8 * 1000;
        assert_true(is_found(&record, causes_pieces, "pause-in-body"));
        for (size_t i = 0; i < record.n_attempts; i++) {
                record.attempts[i].wire_bytes = 100000;
                record.attempts[i].gap_ns = 50 * MS;
                record.attempts[i].gap_bytes = 10 * 1448;
        }
        assert_false(is_found(&record, causes_pieces, "pause-in-body"));
        /* Of a large one, too, where nothing but the head had come. */
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].gap_bytes = 0;
        assert_true(is_found(&record, causes_pieces, "pause-in-body"));
        record_deinit(&record);
}

/* The more are under way, the longer it pauses: it is full. */
static void pause_in_turn(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->receive_ns = (i < 8 ? i + 1 : 8) * 5 * MS;
}

static void test_full_server_is_no_pause(void **state)
{
        struct record_maker maker = stopping;
        struct record record;

        (void)state;
        maker.slots = 8;
        maker.n = 200;
        maker.vary = pause_in_turn;
        make(&record, &maker);
        with_gaps(&record);
        assert_false(is_found(&record, causes_pieces, "pause-in-body"));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nagle),
                cmocka_unit_test(test_nagle_far),
                cmocka_unit_test(test_nagle_with_tls),
                cmocka_unit_test(test_no_nagle_in_large_bodies),
                cmocka_unit_test(test_one_nagle_at_a_time),
                cmocka_unit_test(test_pause),
                cmocka_unit_test(test_nagle_that_was_tried),
                cmocka_unit_test(test_pause_that_was_tried),
                cmocka_unit_test(test_pauses_of_any_length),
                cmocka_unit_test(test_pauses_and_processors),
                cmocka_unit_test(test_pauses_and_our_work),
                cmocka_unit_test(test_no_pause_of_the_server),
                cmocka_unit_test(test_full_server_is_no_pause),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
