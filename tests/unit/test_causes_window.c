/* SPDX-License-Identifier: MIT */
/*
 * Findings about windows and the link: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"
#include "links.h"

#include <explain/measure/transfers.h>

#define MS  NS_PER_MS
#define KIB 1024

/* --- the window ------------------------------------------------------------------------------ */

static void test_rounds(void **state)
{
        (void)state;
        assert_int_equal(transfer_n_rounds(0, 14480), 0);
        assert_int_equal(transfer_n_rounds(14480, 14480), 0);
        assert_int_equal(transfer_n_rounds(14481, 14480), 1);
        assert_int_equal(transfer_n_rounds(300 * KIB, 14480), 4);
        assert_int_equal(transfer_n_rounds(UINT64_MAX, 14480), 40);
}

static const struct record_maker beginning = {
        .n = 20,
        .slots = 10,
        .no_reuse = true,
        .rtt_ns = 80 * MS,
        .each = { .tcp_ns = 80 * MS,
                .network_ns = 80 * MS,
                .receive_ns = 330 * MS,
                .wire_bytes = 300 * KIB },
};

static void test_slow_start(void **state)
{
        struct record_maker kept = beginning, slower = beginning, small = beginning;
        struct finding finding;

        (void)state;
        assert_false(cause_is_made(&beginning, causes_bodies, "slow-body", &finding));
        assert_true(cause_is_made(&beginning, causes_window, "slow-start", &finding));
        assert_predicted(&finding, 490 * MS + 80 * MS + 80 * MS);
        /* As slow on connections that were just used: something else. */
        kept.no_reuse = false;
        assert_false(cause_is_made(&kept, causes_window, "slow-start", &finding));
        /* Far slower than that. */
        slower.each.receive_ns = 3000 * MS;
        assert_false(cause_is_made(&slower, causes_window, "slow-start", &finding));
        small.each.wire_bytes = 10 * KIB;
        assert_false(cause_is_made(&small, causes_window, "slow-start", &finding));
}

/* As many connections as requests: nothing can be kept, but the server may begin with more. */
static void test_slow_start_once(void **state)
{
        struct record_maker once = beginning;
        struct finding finding;

        (void)state;
        once.n = 10;
        assert_true(cause_is_made(&once, causes_window, "slow-start", &finding));
        assert_non_null(strstr(finding.remedy, "initcwnd"));
        assert_predicted(&finding, 160 * MS + 165 * MS);
}

static void after_a_pause(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i * *(const uint64_t *)maker->argument;
}

static void test_cwnd_after_idle(void **state)
{
        uint64_t pause_ns = 4 * NS_PER_S;
        struct record_maker maker = beginning;
        struct finding finding;

        (void)state;
        maker.n = 4;
        maker.slots = 1;
        maker.no_reuse = false;
        maker.vary = after_a_pause;
        maker.argument = &pause_ns;
        assert_true(cause_is_made(&maker, causes_window, "cwnd-after-idle", &finding));
        assert_true(finding.shown.has_prediction);
        /* No pause: then it is not that. */
        pause_ns = 500 * MS;
        assert_false(cause_is_made(&maker, causes_window, "cwnd-after-idle", &finding));
}

/* --- the link -------------------------------------------------------------------------------- */

/* 10 at once, each with a tenth of 2.5 MB/s. */
static const struct record_maker filling = {
        .n = 40,
        .slots = 10,
        .rtt_ns = 20 * MS,
        .each = { .tcp_ns = 20 * MS,
                .network_ns = 20 * MS,
                .receive_ns = 1000 * MS,
                .wire_bytes = 250 * 1000 },
};

static void test_bandwidth(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &filling);
        move_away(&record);
        /* Without a queue, and always as many at once: it is the server that is slow to send. */
        assert_false(is_found(&record, causes_bodies, "bandwidth"));
        assert_true(is_found(&record, causes_bodies, "slow-body"));
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].max_rtt_us = 35000; /* it was empty again at their ends */
        assert_true(cause_is_found(&record, causes_bodies, "bandwidth", &finding));
        assert_false(is_found(&record, causes_bodies, "slow-body"));
        assert_false(is_found(&record, causes_window, "slow-start"));
        assert_predicted(&finding, 20 * MS + 4 * 520 * MS);
        /* An early record has only how it ended. */
        for (size_t i = 0; i < record.n_conns; i++) {
                record.conns[i].max_rtt_us = 0;
                record.conns[i].rtt_us = 35000;
        }
        assert_true(is_found(&record, causes_bodies, "bandwidth"));
        /* A full link loses packets as well. */
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].n_out_of_order = 5;
        assert_false(is_found(&record, causes_wire, "loss"));
        record_deinit(&record);
}

/* 8 at once, and each makes a pause of 200 ms in its middle. */
static const struct record_maker pausing = {
        .n = 100,
        .slots = 8,
        .rtt_ns = 20 * NS_PER_US,
        .each = { .tcp_ns = 20 * NS_PER_US,
                .network_ns = 20 * NS_PER_US,
                .receive_ns = 200 * MS,
                .wire_bytes = 100 * 1000 },
};

/* Two of five are faster: no limit of each connection keeps that rate. */
static void unevenly(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        if (i % 5 < 2)
                request->receive_ns = request->receive_ns / 10 * 7;
}

/* The slots were full and the server no slower for it: more at once is worth a try. */
static void test_slow_body(void **state)
{
        struct record_maker maker = pausing;
        struct finding finding;

        (void)state;
        maker.vary = unevenly;
        assert_false(cause_is_made(&maker, causes_bodies, "connection-bandwidth", &finding));
        assert_true(cause_is_made(&maker, causes_bodies, "slow-body", &finding));
        assert_string_equal(finding.option, "--concurrency 100");
        assert_predicted(&finding, 200 * MS);
        assert_true(finding.shown.wall_high_ns >= 2200 * MS); /* as it was: no more is promised */
        assert_true(finding.shown.is_best_case);
        /* No figure that only a scientist reads. */
        assert_non_null(strstr(finding.evidence[0], ", 3,333 times"));
        maker.each.receive_ns *= 5;
        assert_true(cause_is_made(&maker, causes_bodies, "slow-body", &finding));
        assert_non_null(strstr(finding.evidence[0], "more than 10,000 times"));
        /* As many were allowed as there are. */
        maker.slots = maker.n;
        assert_true(cause_is_made(&maker, causes_bodies, "slow-body", &finding));
        assert_null(finding.shown.option);
}

/* With a rate that all share the last six, which have half the company, get twice as much. */
static void faster_in_the_end(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        if (i >= 12)
                request->receive_ns /= 2;
}

/* One limit is told, and never both. */
static void test_whose_rate_it_is(void **state)
{
        struct record_maker maker = pausing;
        struct finding finding;

        (void)state;
        maker.n = 18;
        maker.slots = 12; /* twelve at a time, then six, and each gets the same */
        assert_true(cause_is_made(&maker, causes_bodies, "connection-bandwidth", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_B);
        assert_non_null(strstr(finding.evidence[1], "with about 6 coming at a time"));
        assert_false(cause_is_made(&maker, causes_bodies, "bandwidth", &finding));
        assert_false(cause_is_made(&maker, causes_bodies, "slow-body", &finding));
        maker.vary = faster_in_the_end;
        assert_true(cause_is_made(&maker, causes_bodies, "bandwidth", &finding));
        assert_non_null(strstr(finding.shown.title, "All responses shared one rate, 5.7"));
        assert_non_null(strstr(finding.shown.remedy, "have the server's rate doubled"));
        assert_true(finding.shown.wall_low_ns < 10 * MS); /* the rate may as well be lifted */
        assert_false(cause_is_made(&maker, causes_bodies, "connection-bandwidth", &finding));
        assert_false(cause_is_made(&maker, causes_bodies, "slow-body", &finding));
        /* Always as many: evenness alone says so, and is no proof. */
        maker = pausing;
        assert_true(cause_is_made(&maker, causes_bodies, "connection-bandwidth", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_C);
        assert_string_equal(finding.option, "--concurrency 100");
        assert_predicted(&finding, 200 * MS);
        assert_true(finding.shown.wall_high_ns >= 2600 * MS); /* as it was: no more is promised */
}

/* Where it may be the link, more at once would only share it. */
static void test_slow_body_or_link(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &filling);
        move_away(&record);
        assert_true(cause_is_found(&record, causes_bodies, "slow-body", &finding));
        assert_null(finding.shown.option);
        record_deinit(&record);
}

/* First ten at once, then two: each has more, all together the same. */
static void fewer_later(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        bool is_late = i >= 10;

        (void)maker;
        request->receive_ns = is_late ? 200 * MS : 1000 * MS;
        request->submit_after_ns = is_late ? (1040 + (i - 10) / 2 * 220) * MS : 0;
}

static void test_bandwidth_shared(void **state)
{
        struct record_maker maker = filling;
        struct record record;

        (void)state;
        maker.n = 20;
        maker.vary = fewer_later;
        make(&record, &maker);
        assert_false(is_found(&record, causes_bodies, "bandwidth"));
        move_away(&record);
        assert_true(is_found(&record, causes_bodies, "bandwidth"));
        record_deinit(&record);
}

/* --- loss ------------------------------------------------------------------------------------ */

/* Each answer is sent a piece now and then, and a packet lost there is sent again in time. */
static void test_slow_body_with_losses(void **state)
{
        struct record_maker maker = filling;
        struct record record;

        (void)state;
        make_lossy(&record, &maker);
        assert_true(is_found(&record, causes_bodies, "slow-body"));
        assert_false(is_found(&record, causes_bodies, "bandwidth"));
        assert_false(is_found(&record, causes_wire, "loss"));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rounds),
                cmocka_unit_test(test_slow_start),
                cmocka_unit_test(test_slow_start_once),
                cmocka_unit_test(test_cwnd_after_idle),
                cmocka_unit_test(test_bandwidth),
                cmocka_unit_test(test_slow_body),
                cmocka_unit_test(test_whose_rate_it_is),
                cmocka_unit_test(test_slow_body_or_link),
                cmocka_unit_test(test_bandwidth_shared),
                cmocka_unit_test(test_slow_body_with_losses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
