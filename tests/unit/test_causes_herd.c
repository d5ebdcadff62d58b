/* SPDX-License-Identifier: MIT */
/*
 * Findings about connections opened at once: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"
#include "connecting.h"

#define MS NS_PER_MS

/* --- opening --------------------------------------------------------------------------------- */

static void in_a_row(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i; /* the first ones first */
        if (i >= maker->slots)
                return;
        request->tls_ns = (i + 1) * 5 * MS;
        request->server_ns = (maker->slots - i) * 5 * MS;
}

static const struct record_maker herd = {
        .n = 200,
        .slots = 100,
        .vary = in_a_row,
        .each = { .tcp_ns = MS, .tls_ns = 5 * MS, .network_ns = MS, .server_ns = 2 * MS },
};

static void test_handshake_herd(void **state)
{
        struct record_maker alike = herd;
        struct record record;
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&herd, causes_herd, "handshake-herd", &finding));
        assert_string_equal(finding.option, "--concurrency 16");
        assert_true(finding.shown.has_prediction);
        assert_in_range(finding.shown.wall_ns, 60 * MS, 160 * MS);
        /* All take as long: a far server. */
        alike.vary = NULL;
        alike.each.tls_ns = 300 * MS;
        assert_false(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
        /* One after the other, as there was only one slot. */
        alike = herd;
        alike.slots = 1;
        alike.no_reuse = true;
        assert_false(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
        /* Nobody came after that. */
        alike = herd;
        alike.n = alike.slots;
        assert_true(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
        assert_int_equal(finding.shown.n_evidence, 1);
        make(&record, &dropped);
        assert_false(is_found(&record, causes_herd, "handshake-herd"));
        record_deinit(&record);
}

/* What is asked on the first connections is answered when all handshakes are made. */
static void answer_after_all(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i < maker->slots)
                request->tls_ns = (i + 1) * 5 * MS;
        else if (i < 2 * maker->slots)
                request->server_ns = (2 * maker->slots - i) * 5 * MS;
}

static void test_answers_wait_for_the_herd(void **state)
{
        struct record_maker maker = herd;
        struct finding finding;

        (void)state;
        maker.n = 180;
        maker.slots = 60;
        maker.vary = answer_after_all;
        assert_true(cause_is_made(&maker, causes_herd, "handshake-herd", &finding));
        /* Those that were sent when the last was made tell what a request takes: 3 ms. */
        assert_string_equal(finding.option, "--concurrency 16");
        assert_in_range(finding.shown.wall_ns, 60 * MS, 140 * MS);
}

/* --- together --------------------------------------------------------------------------------- */

/* The first one alone; then all others, each of which takes as long as all together. */
static void end_together(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i ? 20 * MS + i : 0;
        request->tls_ns = i ? (maker->slots - 1) * 5 * MS + i % 3 * MS : 13 * MS;
}

static void end_much_later(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        end_together(request, i, maker);
        request->tls_ns *= i ? 4 : 1;
}

static void all_at_once(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        end_together(request, i, maker);
        request->submit_after_ns = i;
        request->tls_ns = (maker->slots - 1) * 5 * MS;
}

static void none_longer(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        end_together(request, i, maker);
        request->tls_ns = 300 * MS;
        request->submit_after_ns *= 20;
}

/* As nginx with RSA keys: it answers all first messages before it goes on with any. */
static const struct record_maker together = {
        .n = 180,
        .slots = 60,
        .vary = end_together,
        .rtt_ns = 100 * NS_PER_US,
        .each = { .tcp_ns = MS, .tls_ns = 5 * MS, .network_ns = MS, .server_ns = MS },
};

static void test_herd_that_ends_together(void **state)
{
        struct record_maker alike = together;
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&together, causes_herd, "handshake-herd", &finding));
        /* The root of 180 x 2 ms / 5 ms is more than 8. */
        assert_string_equal(finding.option, "--concurrency 16");
        assert_non_null(strstr(finding.evidence[0],
                "a handshake alone took 13 ms; 59 together took"));
        assert_non_null(strstr(finding.evidence[0], "about 5.03 ms for each"));
        assert_true(finding.shown.has_prediction);
        assert_in_range(finding.shown.wall_ns, 60 * MS, 160 * MS);
        /* Longer than one after the other takes: they waited for something else. */
        alike.vary = end_much_later;
        assert_false(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
        /* None was alone, so that nobody knows what a handshake takes. */
        alike.vary = all_at_once;
        assert_false(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
        /* The one alone took as long: a far server. */
        alike.vary = none_longer;
        assert_false(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
        /* Too few. */
        alike = together;
        alike.slots = 6;
        assert_false(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
}

/* --- accepting -------------------------------------------------------------------------------- */

static void take_in(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i < maker->slots)
                request->server_ns += (i + 1) * 50 * MS;
}

/* As a server that takes 50 ms to accept each connection, and 5 ms for each answer. */
static const struct record_maker accepting = {
        .n = 60,
        .slots = 16,
        .vary = take_in,
        .rtt_ns = MS,
        .each = { .tcp_ns = MS, .network_ns = MS, .server_ns = 4 * MS },
};

static void test_slow_accept(void **state)
{
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&accepting, causes_herd, "slow-accept", &finding));
        assert_string_equal(finding.option, "--concurrency 4");
        /* The fourth one comes after 200 ms; the others have answered most of all by then. */
        assert_true(finding.shown.has_prediction);
        assert_in_range(finding.shown.wall_ns, 170 * MS, 260 * MS);
        assert_non_null(strstr(finding.evidence[0], "each about 50 ms longer"));
}

/* It is told once: the answers that took long are those that waited for their connection. */
static void test_slow_accept_is_no_slow_server(void **state)
{
        struct record_maker maker = accepting;
        struct finding finding;

        (void)state;
        maker.n = 200;
        assert_true(cause_is_made(&maker, causes_herd, "slow-accept", &finding));
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
}

static void take_as_long(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns += (1 + i % 16) * 50 * MS;
}

static void begin_alike(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i < maker->slots)
                request->server_ns += 400 * MS;
}

static void take_in_quickly(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i < maker->slots)
                request->server_ns += (i + 1) * 2 * MS;
}

/* What looks like it. */
static void test_slow_accept_not(void **state)
{
        struct record_maker maker = accepting;
        struct record record;

        (void)state;
        /* Answers on kept connections take as long. */
        maker.vary = take_as_long;
        assert_false(cause_is_made(&maker, causes_herd, "slow-accept", &(struct finding){ 0 }));
        /* All of them waited for no longer than a busy machine makes them. */
        maker = accepting;
        maker.vary = take_in_quickly;
        maker.each = (struct record_maker_request){ .tcp_ns = MS / 10, .server_ns = MS / 10 };
        maker.rtt_ns = MS / 20;
        maker.n = 400;
        assert_false(cause_is_made(&maker, causes_herd, "slow-accept", &(struct finding){ 0 }));
        maker = accepting;
        /* All first ones take long, but alike: a server that has to warm up. */
        maker.vary = begin_alike;
        assert_false(cause_is_made(&maker, causes_herd, "slow-accept", &(struct finding){ 0 }));
        /* Handshakes wait for each other, and the first answers for those. */
        assert_false(cause_is_made(&herd, causes_herd, "slow-accept", &(struct finding){ 0 }));
        /* Nobody came later, so that nothing is known of kept connections. */
        maker = accepting;
        maker.n = maker.slots;
        assert_false(cause_is_made(&maker, causes_herd, "slow-accept", &(struct finding){ 0 }));
        /* The server dropped some first packets: that is said already. */
        make(&record, &accepting);
        for (size_t i = 3; i < 6; i++)
                record.conns[i].tcp_end_ns += 1010 * MS;
        assert_false(is_found(&record, causes_herd, "slow-accept"));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_handshake_herd),
                cmocka_unit_test(test_answers_wait_for_the_herd),
                cmocka_unit_test(test_herd_that_ends_together),
                cmocka_unit_test(test_slow_accept),
                cmocka_unit_test(test_slow_accept_is_no_slow_server),
                cmocka_unit_test(test_slow_accept_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
