/* SPDX-License-Identifier: MIT */
/*
 * The time line of a host: what of a run is not steady, and what only looks so
 */
#include "facts_case.h"
#include "standstill.h"
#include <base/minmax.h>
#include <explain/facts/timeline.h>

static void scattered(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = 5 * MS + i * 7 % 8 * MS;
}

static const struct record_maker steady = {
        .n = 800,
        .slots = 8,
        .vary = scattered,
        .each = { .tcp_ns = 50 * NS_PER_US, .network_ns = 50 * NS_PER_US },
};

static const struct timeline *first_of(const struct case_of *it)
{
        assert_true(it->facts.timelines->n > 0);
        return &it->facts.timelines->hosts[0];
}

static void test_steady(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &steady);
        assert_int_equal(it.facts.timelines->n, 1);
        assert_int_equal(first_of(&it)->n, 800);
        assert_in_range(first_of(&it)->p50_ns, 8 * MS, 9 * MS);
        assert_int_equal(first_of(&it)->n_pauses, 0);
        assert_int_equal(first_of(&it)->cold.n, 0);
        end(&it);
}

/* Where, how long, who waited; and for how much of whose wait. */
static void test_pause(void **state)
{
        const uint64_t at_ns = RECORD_MAKER_START_NS + 400 * MS;
        const struct timeline_pause *pause;
        uint64_t paused_ns = 0;
        struct case_of it;

        (void)state;
        begin(&it, &steady);
        stop_server(&it.record, at_ns, 300 * MS);
        look_again(&it);
        assert_int_equal(first_of(&it)->n_pauses, 1);
        pause = &first_of(&it)->pauses[0];
        assert_in_range(pause->begin_ns, at_ns - 5 * MS, at_ns);
        assert_in_range(pause->end_ns, at_ns + 300 * MS, at_ns + 305 * MS);
        assert_int_equal(pause->n_waiting, 8);
        assert_int_equal(first_of(&it)->n_waited, 8);
        assert_int_equal(first_of(&it)->paused_ns, pause->end_ns - pause->begin_ns);
        assert_int_equal(first_of(&it)->every_ns, 0);
        for (size_t i = 0; i < it.record.n_attempts; i++)
                paused_ns += timeline_paused_ns(&it.facts, &it.record.attempts[i]);
        assert_int_equal(paused_ns, 8 * first_of(&it)->paused_ns);
        end(&it);
}

/* Every 150 ms; then one of them comes much later. */
static void test_period(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &steady);
        for (uint64_t i = 0; i < 5; i++)
                stop_server(&it.record, RECORD_MAKER_START_NS + (100 + i * 150) * MS, 70 * MS);
        look_again(&it);
        assert_int_equal(first_of(&it)->n_pauses, 5);
        assert_in_range(first_of(&it)->every_ns, 145 * MS, 155 * MS);
        stop_server(&it.record, RECORD_MAKER_START_NS + 1000 * MS, 70 * MS);
        look_again(&it);
        assert_int_equal(first_of(&it)->n_pauses, 6);
        assert_int_equal(first_of(&it)->every_ns, 0);
        end(&it);
}

/* Of many the longest are kept, in their order. */
static void test_many_pauses(void **state)
{
        struct record_maker maker = steady;
        struct case_of it;
        uint64_t before_ns = 0;

        (void)state;
        maker.n = 20000;
        begin(&it, &maker);
        for (uint64_t i = 0; i < TIMELINE_PAUSES_MAX + 10; i++)
                stop_server(&it.record, RECORD_MAKER_START_NS + (100 + i * 260) * MS,
                        (i < 10 ? 60 : 80) * MS);
        look_again(&it);
        assert_int_equal(first_of(&it)->n_pauses, TIMELINE_PAUSES_MAX);
        for (size_t i = 0; i < TIMELINE_PAUSES_MAX; i++) {
                const struct timeline_pause *pause = &first_of(&it)->pauses[i];

                assert_true(pause->begin_ns > before_ns);
                assert_true(pause->end_ns - pause->begin_ns >= 80 * MS);
                before_ns = pause->begin_ns;
        }
        end(&it);
}

/* One alone that waits is slow by itself. */
static void test_one_at_a_time(void **state)
{
        struct record_maker maker = steady;
        struct case_of it;

        (void)state;
        maker.slots = 1;
        begin(&it, &maker);
        stop_server(&it.record, RECORD_MAKER_START_NS + 400 * MS, 300 * MS);
        look_again(&it);
        assert_int_equal(first_of(&it)->n_pauses, 0);
        end(&it);
}

/* Of two hosts one stops, and the other goes on. */
static void test_hosts(void **state)
{
        struct record_maker maker = steady;
        struct case_of it;

        (void)state;
        maker.n_hosts = 2;
        maker.slots = 16;
        begin(&it, &maker);
        stop_host(&it.record, 1, RECORD_MAKER_START_NS + 200 * MS, 300 * MS);
        look_again(&it);
        assert_int_equal(it.facts.timelines->n, 2);
        for (size_t i = 0; i < 2; i++) {
                const struct timeline *timeline = &it.facts.timelines->hosts[i];

                assert_int_equal(timeline->n_pauses, timeline->origin == 1);
        }
        end(&it);
}

static void first_ones(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->server_ns = i < maker->slots ? 600 * MS + i * MS : 10 * MS;
}

static void test_cold(void **state)
{
        struct record_maker maker = steady;
        const struct timeline_cold *cold;
        struct case_of it;
        size_t n = 0;

        (void)state;
        maker.vary = first_ones;
        begin(&it, &maker);
        cold = &first_of(&it)->cold;
        assert_int_equal(cold->n, 8);
        assert_int_equal(cold->n_rest, 792);
        assert_in_range(cold->p50_ns, 603 * MS, 605 * MS);
        assert_in_range(cold->rest_p50_ns, 10 * MS, 11 * MS);
        assert_int_equal(cold->n_new_later, 0);
        assert_in_range(cold->until_ns, RECORD_MAKER_START_NS + 606 * MS,
                RECORD_MAKER_START_NS + 609 * MS);
        for (size_t i = 0; i < it.record.n_attempts; i++)
                n += timeline_is_cold(&it.facts, &it.record.attempts[i]);
        assert_int_equal(n, 8);
        assert_int_equal(first_of(&it)->n_pauses, 0);
        end(&it);
}

/* The first ones came late by what a scheduler does. */
static void first_ones_in_a_brief_run(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->server_ns = i < maker->slots ? 30 * MS : 300 * NS_PER_US;
}

static void first_ones_of_many(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = min_u64(i, maker->slots) * 800 * NS_PER_US + i;
        request->server_ns = i < maker->slots ? 28 * MS : 7 * MS;
}

static void test_late_by_the_scheduler(void **state)
{
        struct record_maker maker = steady;
        struct case_of it;

        (void)state;
        maker.n = 400;
        maker.vary = first_ones_in_a_brief_run;
        begin(&it, &maker);
        assert_int_equal(first_of(&it)->cold.n, 0);
        end(&it);
        maker.slots = 64; /* by less than a scheduler makes it, one after the other */
        maker.vary = first_ones_of_many;
        begin(&it, &maker);
        assert_int_equal(first_of(&it)->cold.n, 0);
        end(&it);
}

/* The rest gets slow: that is no cold start. */
static void last_ones(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->server_ns = i + maker->slots >= maker->n ? 600 * MS : 10 * MS;
}

static void gets_faster(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->server_ns = (maker->n - i) * MS / 4;
}

static void test_not_cold(void **state)
{
        struct record_maker maker = steady;
        struct case_of it;

        (void)state;
        maker.vary = last_ones;
        begin(&it, &maker);
        assert_int_equal(first_of(&it)->cold.n, 0);
        end(&it);
        maker.vary = gets_faster;
        begin(&it, &maker);
        assert_int_equal(first_of(&it)->cold.n, 0);
        end(&it);
}

/* The first one alone is slow, and all others go on beside it. */
static void one_first(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        scattered(request, i, maker);
        if (i == 0)
                request->server_ns = 500 * MS;
}

static void test_straggler_is_not_cold(void **state)
{
        struct record_maker maker = steady;
        struct case_of it;

        (void)state;
        maker.vary = one_first;
        begin(&it, &maker);
        assert_int_equal(first_of(&it)->cold.n, 0);
        end(&it);
}

static void test_hardly_any(void **state)
{
        struct record_maker maker = steady;
        struct case_of it;

        (void)state;
        for (maker.n = 1; maker.n < 12; maker.n++) {
                maker.vary = maker.n % 2 ? first_ones : scattered;
                begin(&it, &maker);
                assert_int_equal(first_of(&it)->n_pauses, 0);
                assert_int_equal(first_of(&it)->cold.n, 0);
                end(&it);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_steady),
                cmocka_unit_test(test_pause),
                cmocka_unit_test(test_period),
                cmocka_unit_test(test_many_pauses),
                cmocka_unit_test(test_one_at_a_time),
                cmocka_unit_test(test_hosts),
                cmocka_unit_test(test_cold),
                cmocka_unit_test(test_late_by_the_scheduler),
                cmocka_unit_test(test_not_cold),
                cmocka_unit_test(test_straggler_is_not_cold),
                cmocka_unit_test(test_hardly_any),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
