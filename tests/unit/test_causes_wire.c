/* SPDX-License-Identifier: MIT */
/*
 * Findings about losses, redirects and 100 (Continue): each against a run that has it, and those that look
 * like it
 */
#include "causes.h"
#include "links.h"

#define MS  NS_PER_MS
#define KIB 1024

/* --- loss ------------------------------------------------------------------------------------ */

static void stall_some(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        if (i % 5 == 0)
                request->receive_ns += 220 * MS;
}

static void test_loss(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &(struct record_maker){ .n = 60,
                              .slots = 10,
                              .vary = stall_some,
                              .rtt_ns = 40 * MS,
                              .each = { .tcp_ns = 40 * MS,
                                      .network_ns = 40 * MS,
                                      .receive_ns = MS,
                                      .wire_bytes = 20 * KIB } });
        /* Slow ones, but nothing was lost. */
        assert_false(is_found(&record, causes_wire, "loss"));
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].n_out_of_order = 2;
        assert_false(is_found(&record, causes_wire, "loss"));
        move_away(&record);
        assert_true(cause_is_found(&record, causes_wire, "loss", &finding));
        assert_non_null(strstr(finding.evidence[0], "20 of the server's"));
        assert_predicted(&finding, 40 * MS + 6 * 41 * MS);
        record_deinit(&record);
}

/*
 * Now one, now another stands still for a long time: together they get much more at times than
 * else.
 */
static void stand_still_by_chance(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        static const unsigned lasts[] = { 1, 9, 2, 1, 7, 1, 1, 12, 3, 1, 1, 8, 1 };

        (void)maker;
        request->submit_after_ns = i;
        request->receive_ns *= lasts[i % LENGTH(lasts)];
}

/*
 * The queue before the link fills, and what does not fit is dropped: transfers differ, but all
 * together have the same.
 */
static void share_a_queue(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        stand_still_by_chance(request, i, maker);
        request->receive_ns = request->receive_ns / 5 + 150 * MS;
        if (i >= maker->slots)
                request->network_ns += 15 * MS;
}

static const struct record_maker crowded = {
        .n = 60,
        .slots = 6,
        .rtt_ns = 30 * MS,
        .each = { .tcp_ns = 30 * MS,
                .network_ns = 30 * MS,
                .receive_ns = 150 * MS,
                .wire_bytes = 500 * 1000 },
};

static void test_loss_or_full(void **state)
{
        struct record_maker maker = crowded;
        struct record record;
        struct finding finding;

        (void)state;
        maker.vary = stand_still_by_chance;
        make_lossy(&record, &maker);
        assert_true(is_found(&record, causes_wire, "loss"));
        assert_false(is_found(&record, causes_bodies, "bandwidth"));
        record_deinit(&record);
        maker.vary = share_a_queue;
        make_lossy(&record, &maker);
        assert_true(cause_is_found(&record, causes_bodies, "bandwidth", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_A);
        assert_false(is_found(&record, causes_wire, "loss"));
        record_deinit(&record);
}

/*
 * One of ten gets a lot at any time, the others little: all of them together could never have had
 * so much. The last one stands still for a long time.
 */
static void one_is_quick(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->receive_ns = i % maker->slots == i / maker->slots ? 100 * MS : 1000 * MS;
        if (i == maker->n - 1)
                request->receive_ns = 8 * NS_PER_S;
}

static void test_loss_promises_no_more_than_came(void **state)
{
        struct record_maker maker = crowded;
        struct record record;
        struct finding finding;

        (void)state;
        maker.slots = 10;
        maker.n = 50;
        maker.vary = one_is_quick;
        make_lossy(&record, &maker);
        assert_true(cause_is_found(&record, causes_wire, "loss", &finding));
        /* 25 MB, and at most 5 + 9 x 0.5 MB/s came. */
        assert_true(finding.shown.wall_ns >= 25 * NS_PER_S * 10 / 95);
        record_deinit(&record);
}

/* --- redirects ------------------------------------------------------------------------------- */

static const struct record_maker leading = {
        .n = 100,
        .slots = 20,
        .each = { .tcp_ns = 40 * MS, .network_ns = 40 * MS, .n_retries = 1 },
};

static void test_redirects(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &leading);
        assert_false(is_found(&record, causes_wire, "redirects"));
        for (size_t i = 0; i < record.n_attempts; i++)
                if (!record.attempts[i].is_last) {
                        record.attempts[i].outcome = TRACE_REDIRECTED;
                        record.attempts[i].status = 301;
                }
        assert_true(cause_is_found(&record, causes_wire, "redirects", &finding));
        assert_predicted(&finding, 40 * MS + 5 * 40 * MS);
        assert_non_null(strstr(finding.evidence[1], "48 ms"));
        /* Moments that cannot be: then they took nothing, and not nearly for ever. */
        for (size_t i = 0; i < record.n_attempts; i++)
                if (record.attempts[i].outcome == TRACE_REDIRECTED)
                        record.attempts[i].stamps.end_ns = record.attempts[i].stamps.slot_ns - 1;
        assert_false(is_found(&record, causes_wire, "redirects"));
        record_deinit(&record);
}

/* --- expect ---------------------------------------------------------------------------------- */

static const struct record_maker uploading = {
        .n = 40,
        .slots = 4,
        .each = { .tcp_ns = MS, .send_ns = 1000 * MS, .network_ns = MS, .server_ns = 20 * MS },
};

static void test_expect(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &uploading);
        assert_false(is_found(&record, causes_wire, "expect"));
        for (size_t i = 0; i < record.n_attempts; i++) {
                struct trace_attempt *attempt = &record.attempts[i];

                attempt->stamps.expect_start_ns = attempt->stamps.send_start_ns;
                attempt->stamps.expect_end_ns = attempt->stamps.send_end_ns;
                attempt->is_unheard = true;
        }
        assert_true(cause_is_found(&record, causes_wire, "expect", &finding));
        assert_non_null(strstr(finding.title, "which the server does not send"));
        assert_non_null(strstr(finding.evidence[0], "40 of them in vain"));
        assert_true(finding.shown.wall_ns < 500 * MS);
        /* A short wait is not worth a line. */
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].stamps.expect_end_ns =
                        record.attempts[i].stamps.expect_start_ns + MS;
        assert_false(is_found(&record, causes_wire, "expect"));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_loss),
                cmocka_unit_test(test_loss_or_full),
                cmocka_unit_test(test_loss_promises_no_more_than_came),
                cmocka_unit_test(test_redirects),
                cmocka_unit_test(test_expect),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
