/* SPDX-License-Identifier: MIT */
/*
 * The link's description, and one direction of it with time passed in
 */
#include "unit.h"

#include <base/clock.h>
#include <base/error.h>
#include <lab/link_spec.h>
#include <lab/pipe.h>
#include <stdlib.h>

#define MS NS_PER_MS

/* --- descriptions ---------------------------------------------------------------------------- */

static struct link_spec spec;

static void parse(const char *text)
{
        struct muster_error error = { 0 };

        assert_int_equal(link_spec_parse(&spec, str_of(text), &error), 0);
        assert_int_equal(error.code, MUSTER_OK);
}

/* What holds at a moment. */
static struct link_conditions at(uint64_t ns)
{
        struct link_conditions conditions = link_conditions_default();

        for (size_t i = 0; i < spec.n_changes && spec.changes[i].at_ns <= ns; i++)
                link_change_apply(&spec.changes[i], &conditions);
        return conditions;
}

static void test_spec_of_nothing(void **state)
{
        struct link_conditions now;

        (void)state;
        memset(&spec, 0, sizeof(spec));
        now = at(0);
        assert_int_equal(now.up.queue, 1000);
        assert_int_equal(now.down.queue, 1000);
        assert_int_equal(now.up.delay_ns + now.down.delay_ns, 0);
        assert_int_equal(now.up.bits_per_s, 0);
        assert_int_equal(link_spec_mtu(&spec), 1500);
}

static void test_spec_of_all(void **state)
{
        struct link_conditions now;

        (void)state;
        memset(&spec, 0, sizeof(spec));
        parse("rtt=81ms,jitter=5ms,rate=20mbit,up=1mbit, loss=1%,loss-down=0.5,queue=100,mtu=1400,"
              "seed=7");
        now = at(0);
        assert_int_equal(now.up.delay_ns, 40500000);
        assert_int_equal(now.down.delay_ns, 40500000);
        assert_int_equal(now.up.jitter_ns, 5 * MS);
        assert_int_equal(now.down.jitter_ns, 5 * MS);
        assert_int_equal(now.up.bits_per_s, 1000000);
        assert_int_equal(now.down.bits_per_s, 20000000);
        assert_true(now.up.loss == 0.01 && now.down.loss == 0.5);
        assert_int_equal(now.up.queue, 100);
        assert_int_equal(now.down.queue, 100);
        assert_int_equal(link_spec_mtu(&spec), 1400);
        assert_int_equal(spec.seed, 7);
}

static void test_spec_odd_rtt_adds_up(void **state)
{
        struct link_conditions now;

        (void)state;
        memset(&spec, 0, sizeof(spec));
        parse("rtt=5ns");
        now = at(0);
        assert_int_equal(now.up.delay_ns + now.down.delay_ns, 5);
}

static void test_spec_schedule_is_in_order(void **state)
{
        (void)state;
        memset(&spec, 0, sizeof(spec));
        parse("at=10s,rate=unlimited,loss=0");
        parse("rtt=80ms,rate=20mbit");
        parse("at=5s,loss=100%");
        parse("at=0,down=10mbit");
        assert_int_equal(spec.n_changes, 4);
        for (size_t i = 1; i < spec.n_changes; i++)
                assert_true(spec.changes[i - 1].at_ns <= spec.changes[i].at_ns);
        assert_int_equal(at(0).up.bits_per_s, 20000000);
        assert_int_equal(at(0).down.bits_per_s,
                10000000); /* of one moment, the later text counts */
        assert_true(at(5 * NS_PER_S - 1).up.loss == 0);
        assert_true(at(5 * NS_PER_S).up.loss == 1);
        assert_int_equal(at(5 * NS_PER_S).up.delay_ns, 40 * MS);
        assert_true(at(10 * NS_PER_S).down.loss == 0);
        assert_int_equal(at(10 * NS_PER_S).down.bits_per_s, 0);
        assert_int_equal(at(10 * NS_PER_S).up.delay_ns, 40 * MS);
}

static void test_spec_bad(void **state)
{
        static const struct {
                const char *text, *error;
        } cases[] = {
                { "", "\"\": needs key=value, such as rtt=80ms" },
                { "at=5s", "\"at=5s\": needs at least one condition, such as rtt=80ms" },
                { "rtt", "\"rtt\": needs key=value, such as rtt=80ms" },
                { "rtt=1s,", "\"\": needs key=value, such as rtt=80ms" },
                { "rtt=", "\"rtt=\": needs a duration, such as 80ms or 1.5s" },
                { "rtt=-1s", "\"rtt=-1s\": needs a duration, such as 80ms or 1.5s" },
                { "jitter=x", "\"jitter=x\": needs a duration, such as 80ms or 1.5s" },
                { "rate=20", "\"rate=20\": needs a bit rate, such as 20mbit, 64kbit or unlimited" },
                { "rate=0mbit",
                        "\"rate=0mbit\": needs a bit rate, such as 20mbit, 64kbit or unlimited" },
                { "loss=101%", "\"loss=101%\": needs a share from 0 to 100%, such as 1% or "
                               "0.01" },
                { "queue=0", "\"queue=0\": needs a number of packets from 1 to 100000" },
                { "queue=100001", "\"queue=100001\": needs a number of packets from 1 to 100000" },
                { "mtu=575", "\"mtu=575\": needs a number of bytes from 576 to 9000" },
                { "mtu=9001", "\"mtu=9001\": needs a number of bytes from 576 to 9000" },
                { "seed=x", "\"seed=x\": needs a whole number" },
                { "rtt=1s,at=5s", "\"at=5s\": at= must come first" },
                { "at=soon,rtt=1s", "\"at=soon\": needs a duration, such as 80ms or 1.5s "
                                    "after COMMAND's start" },
                { "at=1s,mtu=1400", "\"mtu=1400\": applies to the whole run and cannot "
                                    "change with at=" },
                { "at=1s,seed=1", "\"seed=1\": applies to the whole run and cannot change "
                                  "with at=" },
                { "delay=5ms", "\"delay=5ms\": unknown \"delay\"; known are at, rtt, "
                               "jitter, rate, up, down, loss, loss-up, loss-down, queue, mtu, "
                               "seed" },
        };

        (void)state;
        memset(&spec, 0, sizeof(spec));
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct muster_error error = { 0 };

                assert_int_equal(link_spec_parse(&spec, str_of(cases[i].text), &error),
                        MUSTER_E_INVALID);
                assert_string_equal(error.text, cases[i].error);
                assert_int_equal(spec.n_changes, 0);
                assert_int_equal(spec.mtu, 0);
        }
}

static void test_spec_too_many_changes(void **state)
{
        struct muster_error error = { 0 };

        (void)state;
        memset(&spec, 0, sizeof(spec));
        for (int i = 0; i < LINK_CHANGES_MAX; i++)
                parse("at=1s,loss=0");
        assert_int_equal(link_spec_parse(&spec, str_of("mtu=1000"), &error), MUSTER_E_INVALID);
        assert_string_equal(error.text, "more than 256 changes");
        assert_int_equal(spec.mtu, 0);
}

/* --- a pipe ---------------------------------------------------------------------------------- */

static const char zeros[9000];
static struct pipe_stats stats;
static struct pipe pipe_of_test;
static struct pipe *const p = &pipe_of_test;

static void open_pipe(struct pipe_conditions conditions, uint64_t seed)
{
        if (!conditions.queue)
                conditions.queue = 1000;
        memset(&stats, 0, sizeof(stats));
        pipe_init(p, &conditions, seed, 1500, &stats);
}

static enum pipe_fate push(size_t len, uint64_t now_ns)
{
        return pipe_push(p, (struct muster_str){ zeros, len }, now_ns);
}

/* A packet comes out at this nanosecond and not one before. */
static void expect_at(uint64_t at_ns, size_t len)
{
        struct muster_str packet = { 0 };

        assert_int_equal(pipe_next_ns(p), at_ns);
        assert_false(at_ns > 0 && pipe_pop(p, at_ns - 1, &packet));
        assert_true(pipe_pop(p, at_ns, &packet));
        assert_int_equal(packet.len, len);
}

static void expect_empty(void)
{
        struct muster_str packet;

        assert_int_equal(pipe_next_ns(p), UINT64_MAX);
        assert_false(pipe_pop(p, UINT64_MAX, &packet));
}

static void test_pipe_bare_passes_at_once(void **state)
{
        struct muster_str packet = BYTES("abc");

        (void)state;
        open_pipe((struct pipe_conditions){ 0 }, 1);
        expect_empty();
        assert_int_equal(pipe_push(p, packet, 5), PIPE_QUEUED);
        assert_true(pipe_pop(p, 5, &packet));
        assert_true(str_is(packet, "abc"));
        assert_int_equal(stats.n_packets, 1);
        assert_int_equal(stats.n_bytes, 3);
        pipe_deinit(p);
        pipe_deinit(p);
}

static void test_pipe_delays(void **state)
{
        (void)state;
        open_pipe((struct pipe_conditions){ .delay_ns = 40 * MS }, 1);
        push(100, 1000);
        push(200, 1000);
        push(300, 5000);
        expect_at(40 * MS + 1000, 100);
        expect_at(40 * MS + 1000, 200);
        expect_at(40 * MS + 5000, 300);
        expect_empty();
        pipe_deinit(p);
}

/* 1500 bytes at 20 mbit take 600 us; one that comes to an idle link begins at once. */
static void test_pipe_paces(void **state)
{
        (void)state;
        open_pipe((struct pipe_conditions){ .bits_per_s = 20000000, .delay_ns = 10 * MS }, 1);
        for (int i = 0; i < 3; i++)
                push(1500, 0);
        push(40, 100);
        expect_at(10600000, 1500);
        expect_at(11200000, 1500);
        expect_at(11800000, 1500);
        expect_at(11816000, 40);
        push(1500, 50 * MS);
        expect_at(60600000, 1500);
        expect_empty();
        assert_int_equal(stats.most_queued, 4);
        pipe_deinit(p);
}

/*
 * A byte at 7 bit/s takes 8/7 of a second: fractions of a nanosecond are not lost, even over a
 * thousand of them.
 */
static void test_pipe_paces_without_drift(void **state)
{
        struct muster_str packet;
        uint64_t last = 0;

        (void)state;
        open_pipe((struct pipe_conditions){ .bits_per_s = 7, .queue = 700 }, 1);
        for (int i = 0; i < 700; i++)
                push(1, 0);
        for (int i = 0; i < 700; i++) {
                last = pipe_next_ns(p);
                assert_true(pipe_pop(p, last, &packet));
        }
        assert_int_equal(last, 800 * NS_PER_S);
        pipe_deinit(p);
}

/* The queue bounds what waits for the serialiser or is in it, not what flies. */
static void test_pipe_drops_the_newest(void **state)
{
        (void)state;
        open_pipe((struct pipe_conditions){ .bits_per_s = 8000,
                          .delay_ns = 100 * NS_PER_S,
                          .queue = 2 },
                1);
        assert_int_equal(push(1000, 0), PIPE_QUEUED);
        assert_int_equal(push(1000, 0), PIPE_QUEUED);
        assert_int_equal(push(1000, 0), PIPE_OVERFLOWED);
        assert_int_equal(push(1000, NS_PER_S - 1), PIPE_OVERFLOWED);
        assert_int_equal(push(500, NS_PER_S), PIPE_QUEUED);
        assert_int_equal(push(500, NS_PER_S), PIPE_OVERFLOWED);
        assert_int_equal(stats.n_overflowed, 3);
        assert_int_equal(stats.most_queued, 2);
        expect_at(101 * NS_PER_S, 1000);
        expect_at(102 * NS_PER_S, 1000);
        expect_at(102 * NS_PER_S + NS_PER_S / 2, 500);
        expect_empty();
        assert_int_equal(push(1501, 200 * NS_PER_S), PIPE_OVERFLOWED);
        pipe_deinit(p);
}

static int count_lost(double loss, uint64_t seed, unsigned char *fates)
{
        int n = 0;

        open_pipe((struct pipe_conditions){ .loss = loss }, seed);
        for (int i = 0; i < 10000; i++) {
                struct muster_str packet;

                fates[i] = push(100, (uint64_t)i) == PIPE_LOST;
                n += fates[i];
                assert_int_equal(pipe_pop(p, (uint64_t)i, &packet), !fates[i]);
        }
        assert_int_equal(stats.n_lost, n);
        assert_int_equal(stats.n_packets, 10000 - n);
        pipe_deinit(p);
        return n;
}

/*
 * Of 10000 at 5 % 500 are expected, with a deviation of 21.8; five of those is one run in two
 * millions.
 */
static void test_pipe_loses(void **state)
{
        static unsigned char a[10000], b[10000];

        (void)state;
        for (uint64_t seed = 0; seed < 20; seed++)
                assert_in_range(count_lost(0.05, seed, a), 500 - 109, 500 + 109);
        assert_int_equal(count_lost(0, 1, a), 0);
        assert_int_equal(count_lost(1, 1, a), 10000);
        count_lost(0.05, 1, a);
        count_lost(0.05, 1, b);
        assert_memory_equal(a, b, sizeof(a));
        count_lost(0.05, 2, b);
        assert_memory_not_equal(a, b, sizeof(a));
        /* Who is lost at 5 % is lost at 10 %: the draws are the same. */
        count_lost(0.05, 3, a);
        count_lost(0.10, 3, b);
        for (size_t i = 0; i < sizeof(a); i++)
                assert_true(b[i] >= a[i]);
}

static void test_pipe_jitter_keeps_order(void **state)
{
        uint64_t most = 0, least = UINT64_MAX, before = 0;

        (void)state;
        open_pipe((struct pipe_conditions){ .delay_ns = 40 * MS, .jitter_ns = 5 * MS }, 1);
        /* One at a time, so that none waits for the one before: the whole range is seen. */
        for (uint64_t i = 0; i < 1000; i++) {
                struct muster_str packet;
                uint64_t start = i * NS_PER_S, took;

                push(100, start);
                took = pipe_next_ns(p) - start;
                assert_true(pipe_pop(p, start + took, &packet));
                most = took > most ? took : most;
                least = took < least ? took : least;
        }
        assert_in_range(least, 40 * MS, 40 * MS + 100000);
        assert_in_range(most, 45 * MS - 100000, 45 * MS);
        /* Close together they would overtake each other. */
        for (size_t i = 1; i <= 500; i++)
                push(i, 2000 * NS_PER_S + i * 10000);
        for (size_t i = 1; i <= 500; i++) {
                uint64_t now = pipe_next_ns(p);

                assert_true(now >= before);
                assert_true(now <= 2000 * NS_PER_S + i * 10000 + 45 * MS);
                expect_at(now, i);
                before = now;
        }
        pipe_deinit(p);
}

static void test_pipe_rate_changes_in_the_middle(void **state)
{
        struct pipe_conditions c = { .bits_per_s = 8000, .queue = 100 };

        (void)state;
        open_pipe(c, 1);
        push(1000, 0);
        push(1000, 0);
        push(1000, 0);
        /* A quarter of the first one has passed; the rest takes twice as long. */
        c.bits_per_s = 4000;
        pipe_configure(p, &c, NS_PER_S / 4);
        expect_at(NS_PER_S / 4 + NS_PER_S * 3 / 2, 1000);
        c.bits_per_s = 0;
        pipe_configure(p, &c, 2 * NS_PER_S);
        expect_at(2 * NS_PER_S, 1000);
        expect_at(2 * NS_PER_S, 1000);
        expect_empty();
        pipe_deinit(p);
}

static void test_pipe_delay_changes_in_the_middle(void **state)
{
        struct pipe_conditions c = { .delay_ns = 100 * MS, .queue = 1 };

        (void)state;
        open_pipe(c, 1);
        push(1, 0);
        c.delay_ns = 10 * MS;
        pipe_configure(p, &c, 50 * MS);
        push(2, 50 * MS); /* may not overtake */
        push(3, 95 * MS);
        expect_at(100 * MS, 1);
        expect_at(100 * MS, 2);
        expect_at(105 * MS, 3);
        c.loss = 1;
        push(4, 106 * MS);
        pipe_configure(p, &c, 106 * MS);
        assert_int_equal(push(5, 106 * MS), PIPE_LOST);
        expect_at(116 * MS, 4); /* was under way */
        expect_empty();
        pipe_deinit(p);
}

static void test_pipe_shorter_queue_keeps_who_waits(void **state)
{
        struct pipe_conditions c = { .bits_per_s = 8000, .queue = 3 };

        (void)state;
        open_pipe(c, 1);
        for (int i = 0; i < 3; i++)
                push(1000, 0);
        c.queue = 1;
        pipe_configure(p, &c, 1);
        assert_int_equal(push(1000, 1), PIPE_OVERFLOWED);
        for (uint64_t i = 1; i <= 3; i++)
                expect_at(i * NS_PER_S, 1000);
        pipe_deinit(p);
}

static void test_pipe_memory_is_used_again(void **state)
{
        (void)state;
        open_pipe((struct pipe_conditions){ .delay_ns = 10 }, 1);
        for (uint64_t i = 0; i < 1000; i++) {
                push(1500, i * 10);
                push(1500, i * 10);
                expect_at(i * 10 + 10, 1500);
                expect_at(i * 10 + 10, 1500);
        }
        assert_int_equal(p->n_allocated, 2);
        pipe_deinit(p);
}

static void test_pipe_memory_is_bounded(void **state)
{
        size_t n = 0;

        (void)state;
        open_pipe((struct pipe_conditions){ .delay_ns = NS_PER_S }, 1);
        p->n_allocated_max = 100;
        while (n < 200 && push(1500, 0) == PIPE_QUEUED)
                n++;
        assert_int_equal(n, 100);
        assert_int_equal(stats.n_overflowed, 1);
        pipe_deinit(p);
        open_pipe((struct pipe_conditions){ 0 }, 1);
        mem_fail_after(0);
        assert_int_equal(push(1500, 0), PIPE_OVERFLOWED);
        mem_fail_after(-1);
        assert_int_equal(push(1500, 0), PIPE_QUEUED);
        pipe_deinit(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_spec_of_nothing),
                cmocka_unit_test(test_spec_of_all),
                cmocka_unit_test(test_spec_odd_rtt_adds_up),
                cmocka_unit_test(test_spec_schedule_is_in_order),
                cmocka_unit_test(test_spec_bad),
                cmocka_unit_test(test_spec_too_many_changes),
                cmocka_unit_test(test_pipe_bare_passes_at_once),
                cmocka_unit_test(test_pipe_delays),
                cmocka_unit_test(test_pipe_paces),
                cmocka_unit_test(test_pipe_paces_without_drift),
                cmocka_unit_test(test_pipe_drops_the_newest),
                cmocka_unit_test(test_pipe_loses),
                cmocka_unit_test(test_pipe_jitter_keeps_order),
                cmocka_unit_test(test_pipe_rate_changes_in_the_middle),
                cmocka_unit_test(test_pipe_delay_changes_in_the_middle),
                cmocka_unit_test(test_pipe_shorter_queue_keeps_who_waits),
                cmocka_unit_test(test_pipe_memory_is_used_again),
                cmocka_unit_test(test_pipe_memory_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
