/* SPDX-License-Identifier: MIT */
/*
 * How a server takes load, of runs that ask for much and for little
 */
#include "causes.h"
#include "servers.h"

#include <explain/measure/load.h>
#include <explain/measure/vantage.h>

#define MS NS_PER_MS

/* --- load ------------------------------------------------------------------------------------ */

static void test_load(void **state)
{
        struct record_maker alone = { .n = 1, .each.server_ns = MS };
        struct load load;

        (void)state;
        load = load_of(&flat);
        assert_int_equal(load.answer, LOAD_FLAT);
        assert_true(load.growth == 1);
        load = load_of(&full);
        assert_int_equal(load.answer, LOAD_GROWS);
        assert_in_range(load.alone_ns, 20 * MS, 21 * MS);
        assert_in_range(load.many_ns, 319 * MS, 321 * MS);
        assert_in_range((uint64_t)load.full_per_s, 190, 230);
        assert_true(load.best_n == 0);
        assert_int_equal(load_of(&alone).answer, LOAD_UNKNOWN);
}

/* One after another, now sooner and now later, the last of 64 that came at once first; who comes later is the last. */
static void in_a_row(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t place = i < maker->slots ? maker->slots - 1 - i : maker->slots;

        request->submit_after_ns = i;
        request->server_ns = (20 + place * 3 + place * 5 % 7) * MS;
}

/* Each takes its own time, the first ones and all others. */
static void scattered(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        in_a_row(request, i % maker->slots, maker);
        request->submit_after_ns = i;
}

static void test_row(void **state)
{
        struct record_maker maker = { .n = 256, .slots = 64, .vary = in_a_row };
        struct load load;

        (void)state;
        load = load_of(&maker);
        assert_int_equal(load.answer, LOAD_GROWS);
        assert_true(load.is_row);
        assert_int_equal(load.alone_ns, 20 * MS);
        assert_int_equal(load.row_later_ns, 217 * MS);
        maker.vary = scattered;
        load = load_of(&maker);
        assert_false(load.is_row);
        assert_int_not_equal(load.answer, LOAD_GROWS);
}

/*
 * Some sixteen at a time, 20 ms each, of 64 that were there before any was answered, the last ones
 * first; all others behind them.
 */
static void in_four_steps(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t step = i < 18 ? 4 : i < 36 ? 3 : i < 51 ? 2 : 1;

        request->submit_after_ns = i * 300 * NS_PER_US;
        request->server_ns = (i < maker->slots ? step * 21 : 81 + i * 5 % 6) * MS;
        if (i < maker->slots)
                request->send_ns = (maker->slots - i) * 300 * NS_PER_US;
}

static void test_row_of_steps(void **state)
{
        struct record_maker maker = { .n = 512, .slots = 64, .vary = in_four_steps };
        struct load load;

        (void)state;
        load = load_of(&maker);
        assert_int_equal(load.answer, LOAD_GROWS);
        assert_true(load.is_row);
}

/* One after the other, `argument` apart, whoever is there. */
static void one_by_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t n = i < maker->slots ? i + 1 : maker->slots;

        request->submit_after_ns = i;
        request->server_ns = n * *(const uint64_t *)maker->argument;
}

/* A small server that had 400 requests of 150 us is not full; one that needs 2 ms for each is, and so is one that had more. */
static void test_brisk(void **state)
{
        uint64_t each_ns = 150 * NS_PER_US;
        struct record_maker maker = {
                .n = 400, .slots = 64, .vary = one_by_one, .argument = &each_ns
        };
        struct finding finding;
        struct load load;

        (void)state;
        load = load_of(&maker);
        assert_true(load.is_brisk);
        assert_int_equal(load.answer, LOAD_UNKNOWN);
        assert_false(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
        maker.n = 8000;
        assert_int_equal(load_of(&maker).answer, LOAD_GROWS);
        maker.n = 400;
        each_ns = 2 * MS;
        assert_int_equal(load_of(&maker).answer, LOAD_GROWS);
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
}

/* All are worked on at once: what each takes is known, however fast they follow each other. */
static void test_many_at_once_are_not_brisk(void **state)
{
        struct record_maker maker = { .n = 200, .slots = 200, .each.server_ns = 60 * MS };
        struct finding finding;

        (void)state;
        assert_false(load_of(&maker).is_brisk);
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
        maker = (struct record_maker){ .n = 900, .slots = 2, .each.server_ns = 2 * MS - MS / 5 };
        assert_false(load_of(&maker).is_brisk);
        assert_true(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
}

/* Each takes the time that all of them take that are there: who is there with few others was not seen. */
static void test_burst_is_not_few(void **state)
{
        struct record_maker maker = { .n = 6400, .slots = 64, .each.server_ns = 15 * MS };
        struct record record;
        struct finding finding;
        struct facts facts;
        struct load load;

        (void)state;
        make(&record, &maker);
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&record, "machine.busy_us", 0, 2400000), 0);
        assert_int_equal(record_make_counter(&record, "machine.idle_us", 0, 600000), 0);
        record.attempts[70].stamps.first_byte_kernel_ns -= 10 * MS; /* one that was quicker */
        assert_int_equal(facts_measure(&facts, &record), 0);
        load_measure(&load, &facts);
        assert_int_equal(load.answer, LOAD_UNKNOWN);
        assert_true(load.is_quick);
        assert_true(load_may_fill_server(&load, &facts));
        facts_deinit(&facts);
        assert_false(cause_is_found(&record, causes_slots, "concurrency-too-low", &finding));
        record_deinit(&record);
        /* On a machine that has nothing to do for them they are told apart: none waited for another. */
        load = load_of(&maker);
        assert_int_equal(load.answer, LOAD_FLAT);
        assert_true(load.is_together);
}

/* The others were done soon: a few that hang say nothing of a full server. */
static void a_few_hang(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        queue_in_server(request, i, maker);
        if (i % 25 != 24)
                return;
        request->server_ns = 20 * NS_PER_S;
        request->code = MUSTER_E_TIMEOUT;
}

static void test_full_for_a_while(void **state)
{
        struct record_maker maker = full;
        struct finding finding;

        (void)state;
        maker.n = 300;
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        maker.vary = a_few_hang;
        assert_false(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
}

/* Evenly, 1.2 ms apart, but after 120 ms each: that is no queue of 40. */
static void late_one_by_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = 120 * MS + i * 1200 * NS_PER_US;
}

static void test_all_at_work(void **state)
{
        struct record_maker maker = { .n = 40, .slots = 40, .vary = late_one_by_one };
        struct finding finding;

        (void)state;
        assert_int_equal(load_of(&maker).answer, LOAD_UNKNOWN);
        assert_false(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
}

/* Two at a time, 20 ms each; and all at a time, as nobody waits for another. */
static void in_pairs(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->server_ns = ((maker->slots - 1 - i) / 2 + 1) * 20 * MS;
}

static void together(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = 20 * MS;
}

static void test_bunches(void **state)
{
        struct record_maker maker = { .n = 64, .slots = 64, .vary = in_pairs };
        struct load load;

        (void)state;
        load = load_of(&maker);
        assert_int_equal(load.answer, LOAD_GROWS);
        assert_true(load.bunch_n == 2);
        assert_in_range(load.alone_ns, 20 * MS - 10, 20 * MS);
        maker.n = 1280;
        maker.vary = together;
        load = load_of(&maker);
        assert_int_equal(load.answer, LOAD_FLAT);
        assert_true(load.bunch_n == 0);
}

/* All at once, and each is at work from then on: but where two others have the processors they end one after the other. */
static void one_processor_at_a_time(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->server_ns = (120 + (maker->slots - 1 - i) * 4) * MS;
}

/* Of a machine with two processors that were in use for all of `busy_ms`, whose servers are on it. */
static struct load load_beside_others(const struct record_maker *maker, int64_t busy_ms)
{
        struct record record;
        struct facts facts;
        struct load load;

        make(&record, maker);
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&record, "machine.busy_us", 0, busy_ms * 1000), 0);
        assert_int_equal(record_make_counter(&record, "machine.idle_us", 0, 10000), 0);
        assert_int_equal(facts_measure(&facts, &record), 0);
        load_measure(&load, &facts);
        facts_deinit(&facts);
        record_deinit(&record);
        return load;
}

/* A machine that is full makes answers late and even; a server that is full works on fewer than are there. */
static void test_full_machine(void **state)
{
        struct record_maker maker = { .n = 40, .slots = 40, .vary = one_processor_at_a_time };
        struct load load;

        (void)state;
        assert_int_equal(load_of(&maker).answer, LOAD_GROWS);
        assert_int_equal(load_beside_others(&maker, 1).answer, LOAD_GROWS);
        load = load_beside_others(&maker, 560);
        assert_int_equal(load.answer, LOAD_UNKNOWN);
        assert_true(load.growth == 1);
        assert_false(load.is_paced);
        assert_int_equal(load_beside_others(&full, 4000).answer, LOAD_GROWS);
        maker.n = 64;
        maker.slots = 64;
        maker.vary = in_pairs;
        assert_int_equal(load_beside_others(&maker, 1280).answer, LOAD_GROWS);
}

/* From where the loop is busy it sees less of others. */
static void test_vantage(void **state)
{
        struct facts facts = { .wall_ns = 1000 };

        (void)state;
        assert_int_equal(vantage_of(&facts), VANTAGE_CLEAR);
        facts.loop_busy_ns = 690;
        assert_int_equal(vantage_of(&facts), VANTAGE_CLEAR);
        facts.loop_busy_ns = 710;
        assert_int_equal(vantage_of(&facts), VANTAGE_BUSY);
        facts.loop_busy_ns = 810;
        assert_int_equal(vantage_of(&facts), VANTAGE_BLOCKED);
}

static void test_load_when_raised(void **state)
{
        struct load flat_load = { .growth = 1 }, grown = { .growth = 1.25 };

        (void)state;
        assert_true(load_factor_when_raised(&flat_load, 1) == 1);
        assert_true(load_factor_when_raised(&flat_load, 11) == 2);
        assert_true(load_factor_when_raised(&grown, 5) == 2);
        grown.growth = 1e10; /* the server is full: in proportion */
        assert_true(load_factor_when_raised(&grown, 16) == 16);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_load),
                cmocka_unit_test(test_row),
                cmocka_unit_test(test_row_of_steps),
                cmocka_unit_test(test_brisk),
                cmocka_unit_test(test_many_at_once_are_not_brisk),
                cmocka_unit_test(test_all_at_work),
                cmocka_unit_test(test_burst_is_not_few),
                cmocka_unit_test(test_full_for_a_while),
                cmocka_unit_test(test_bunches),
                cmocka_unit_test(test_full_machine),
                cmocka_unit_test(test_vantage),
                cmocka_unit_test(test_load_when_raised),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
