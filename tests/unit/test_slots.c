/* SPDX-License-Identifier: MIT */
/*
 * What engines share: slots and planned moments never exceed what there is, nobody starves, and an
 * inbox wakes its owner when it must
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/clock.h>
#include <base/rand.h>
#include <core/inbox.h>
#include <core/moments.h>
#include <core/processors.h>
#include <core/slots.h>
#include <core/split.h>
#include <string.h>

#define N_MOST 6

static atomic_uint n_woken[N_MOST];
static struct lease leases[N_MOST];
static struct slots slots;

static void wake(struct lease *lease)
{
        n_woken[lease - leases]++;
}

static void begin(unsigned n_slots, unsigned n_leases)
{
        memset(n_woken, 0, sizeof(n_woken));
        slots_init(&slots, n_slots);
        for (unsigned i = 0; i < n_leases; i++)
                slots_add(&slots, &leases[i], wake);
}

static unsigned n_leased(void)
{
        unsigned n = 0;

        for (unsigned i = 0; i < slots.n_leases; i++)
                n += leases[i].n;
        return n;
}

/* --- slots ----------------------------------------------------------------------------------- */

static void test_alone_it_may_have_all(void **state)
{
        (void)state;
        begin(8, 2);
        lease_take(&leases[0], 0, 100, 1);
        assert_int_equal(leases[0].n, 8);
        lease_settle(&leases[0], 5);
        assert_int_equal(leases[0].n, 5);
        assert_int_equal(lease_taken_elsewhere(&leases[1]), 5);
        assert_int_equal(lease_active_elsewhere(&leases[1]), 1);
}

static void test_starved_one_gets_its_part(void **state)
{
        (void)state;
        begin(8, 2);
        lease_take(&leases[0], 0, 100, 1);
        lease_settle(&leases[0], 8);
        lease_take(&leases[1], 0, 100, 1);
        assert_int_equal(leases[1].n, 0);
        lease_settle(&leases[1], 0);

        /* One of its requests ends, and more wait: the slot goes to the other all the same. */
        lease_take(&leases[0], 7, 100, 1);
        assert_int_equal(leases[0].n, 7);
        assert_int_equal(n_woken[1], 1);
        lease_take(&leases[1], 0, 100, 1);
        assert_int_equal(leases[1].n, 1);
        for (unsigned n = 6; n >= 4; n--) {
                lease_take(&leases[0], n, 100, 1);
                lease_take(&leases[1], leases[1].n, 100, 1);
        }
        assert_int_equal(leases[0].n, 4);
        assert_int_equal(leases[1].n, 4); /* two origins: half of it each */
        lease_take(&leases[0], 3, 100, 1);
        assert_int_equal(leases[0].n, 4); /* what is its part it keeps */
}

static void test_part_follows_the_origins(void **state)
{
        (void)state;
        begin(18, 2);
        lease_take(&leases[0], 0, 100, 7);
        lease_settle(&leases[0], 18);
        lease_take(&leases[1], 0, 100, 1);
        for (unsigned n = 17; leases[1].n < 3; n--) {
                lease_take(&leases[0], n, 100, 7);
                lease_take(&leases[1], leases[1].n, 100, 1);
        }
        /* One each, and of the other 16 an eighth. */
        assert_int_equal(leases[0].n, 15);
        assert_int_equal(leases[1].n, 3);
}

static void test_sleeper_is_woken_when_slots_are_given_back(void **state)
{
        (void)state;
        begin(4, 2);
        lease_take(&leases[0], 0, 2, 1);
        lease_take(&leases[1], 0, 9, 1);
        assert_int_equal(leases[1].n, 2);
        lease_settle(&leases[1], 2); /* it wants more, and sleeps */
        lease_take(&leases[0], 1, 0, 1);
        lease_settle(&leases[0], 1);
        assert_int_equal(n_woken[1], 1);
        lease_take(&leases[1], 2, 7, 1);
        assert_int_equal(leases[1].n, 3);
}

/* Any order of what engines do: the bound holds, and whoever wants gets its part in the end. */
/* Whose origins have their share is woken as soon as that grows, and once. */
static void test_share_grows(void **state)
{
        (void)state;
        begin(8, 2);
        lease_take(&leases[0], 0, 4, 1);
        lease_take(&leases[1], 0, 3, 3);
        assert_true(lease_await_share(&leases[0], 3));
        lease_take(&leases[1], 3, 0, 4); /* 8 / 4 to 8 / 5 */
        assert_int_equal(n_woken[0], 0);
        lease_take(&leases[1], 3, 0, 3);
        assert_int_equal(n_woken[0], 1);
        lease_take(&leases[1], 2, 0, 2);
        assert_int_equal(n_woken[0], 1);
        assert_false(lease_await_share(&leases[0], 3));
        assert_true(lease_await_share(&leases[0], 2));
        lease_take(&leases[1], 0, 0, 0);
        assert_int_equal(n_woken[0], 2);
        lease_settle(&leases[1], 0);
        assert_int_equal(n_woken[1], 0);
}

static void test_any_interleaving(void **state)
{
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (int round = 0; round < 200; round++) {
                unsigned n = 2 + (unsigned)rand_up_to(&rand, N_MOST - 2);
                unsigned running[N_MOST] = { 0 };
                unsigned n_slots = n + (unsigned)rand_up_to(&rand, 20);

                begin(n_slots, n);
                for (int step = 0; step < 500; step++) {
                        unsigned i = (unsigned)rand_up_to(&rand, n - 1);
                        unsigned wanted = (unsigned)rand_up_to(&rand, 30);

                        running[i] -= (unsigned)rand_up_to(&rand, running[i]);
                        lease_take(&leases[i], running[i], wanted, (unsigned)rand_up_to(&rand, 5));
                        assert_true(leases[i].n >= running[i]);
                        assert_true(n_leased() + atomic_load(&slots.n_free) == n_slots);
                        while (running[i] < leases[i].n && wanted--)
                                running[i]++;
                        lease_settle(&leases[i], running[i]);
                        assert_int_equal(leases[i].n, running[i]);
                        assert_true(n_leased() + atomic_load(&slots.n_free) == n_slots);
                }
                /* From now on all want all: nobody is left with nothing. */
                for (int turn = 0; turn < 100; turn++) {
                        for (unsigned i = 0; i < n; i++) {
                                running[i] -= running[i] > 0;
                                lease_take(&leases[i], running[i], 1000, 1);
                                running[i] = leases[i].n;
                                lease_settle(&leases[i], running[i]);
                        }
                }
                for (unsigned i = 0; i < n; i++)
                        assert_true(running[i] >= 1 + (n_slots - n) / n);
        }
}

static _Atomic unsigned n_in_use;

static void *use_slots(void *data)
{
        struct lease *lease = data;
        unsigned n_running = 0, n_missed = 0;

        for (int i = 0; i < 20000; i++) {
                unsigned before = n_running;

                lease_take(lease, n_running, 5, 1);
                n_running = lease->n < n_running + 5 ? lease->n : n_running + 5;
                if (atomic_fetch_add(&n_in_use, n_running - before) + n_running - before > slots.n)
                        n_missed++;
                lease_settle(lease, n_running);
                atomic_fetch_sub(&n_in_use, n_running - n_running / 2);
                n_running /= 2;
        }
        atomic_fetch_sub(&n_in_use, n_running);
        lease_take(lease, 0, 0, 0);
        lease_settle(lease, 0);
        return (void *)(uintptr_t)n_missed;
}

static void test_threads(void **state)
{
        pthread_t threads[3];

        (void)state;
        begin(7, 3);
        for (int i = 0; i < 3; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, use_slots, &leases[i]), 0);
        for (int i = 0; i < 3; i++) {
                void *n_missed;

                pthread_join(threads[i], &n_missed);
                assert_null(n_missed);
        }
        assert_int_equal(atomic_load(&slots.n_free), 7);
        assert_int_equal(atomic_load(&slots.n_active), 0);
        assert_int_equal(atomic_load(&slots.n_starved), 0);
}

/* --- moments --------------------------------------------------------------------------------- */

/* Whoever takes them, and in whatever order: each is given once, and none is left out. */
static void test_moments_are_one_sequence(void **state)
{
        struct moments moments;
        struct moments_lease a, b;
        uint64_t taken[200], at_ns;
        struct rand rand;
        int n = 0;

        (void)state;
        rand_init(&rand, 1);
        moments_init(&moments, 1000);
        a = b = (struct moments_lease){ .of = &moments };
        moments_begin(&a, 5000);
        moments_begin(&b, 9 * NS_PER_S); /* a plan is there already */
        while (n < 200)
                taken[n++] = moments_use(rand_up_to(&rand, 1) ? &a : &b, 100);
        for (int i = 0; i < n; i++)
                for (int j = 0; j < i; j++)
                        assert_int_not_equal(taken[i], taken[j]);
        for (int i = 0; i < n; i++)
                assert_int_equal((taken[i] - 5000) % NS_PER_MS, 0);
        /* What neither has used yet are the next ones. */
        at_ns = moments_next_ns(&a, 1);
        assert_true(at_ns <= 5000 + 204 * NS_PER_MS);
        moments_end(&a);
        moments_end(&b);
        moments_begin(&a, 9 * NS_PER_S); /* nobody waited: it begins anew */
        assert_int_equal(moments_use(&a, 1), 9 * NS_PER_S);
        moments_end(&a);
        moments_deinit(&moments);
}

/* Close together they are leased by the dozen, but never more than somebody waits for. */
static void test_moments_in_batches(void **state)
{
        struct moments moments;
        struct moments_lease a, b;

        (void)state;
        moments_init(&moments, 1e6);
        a = b = (struct moments_lease){ .of = &moments };
        moments_begin(&a, 0);
        moments_begin(&b, 0);
        assert_int_equal(moments_use(&a, 3), 0);
        assert_int_equal(moments_use(&b, 1), 3000);
        assert_int_equal(moments_use(&a, 2), 1000);
        assert_int_equal(moments_use(&a, 1), 2000);
        assert_int_equal(moments_use(&a, 1), 4000);
        moments_end(&a);
        moments_end(&b);
        moments_deinit(&moments);
}

/* Until it is handed over, nobody has a moment; then it goes on where it was. */
static void test_moments_are_handed_over(void **state)
{
        struct moments moments;
        struct moments_lease home, other;
        struct rate rate;

        (void)state;
        rate_init(&rate, 1000);
        rate_begin(&rate, 5 * NS_PER_S);
        assert_int_equal(rate_take(&rate), 5 * NS_PER_S);
        moments_init(&moments, 1000);
        moments_close(&moments);
        home = other = (struct moments_lease){ .of = &moments };
        moments_begin(&other, 7 * NS_PER_S);
        assert_true(moments_next_ns(&other, 9) == UINT64_MAX);
        assert_false(moments_are_open(&moments));
        moments_open(&home, &rate, true, 7 * NS_PER_S);
        assert_true(moments_are_open(&moments));
        assert_int_equal(moments_use(&home, 1), 5 * NS_PER_S + NS_PER_MS);
        assert_int_equal(moments_use(&other, 1), 5 * NS_PER_S + 2 * NS_PER_MS);
        moments_end(&home);
        moments_end(&other);
        moments_deinit(&moments);
}

/* Whoever had the plan wanted nothing: moments that passed meanwhile are not for the others. */
static void test_idle_plan_is_handed_over(void **state)
{
        struct moments moments;
        struct moments_lease home, other;
        struct rate rate;

        (void)state;
        rate_init(&rate, 1000);
        rate_begin(&rate, 5 * NS_PER_S);
        moments_init(&moments, 1000);
        moments_close(&moments);
        home = other = (struct moments_lease){ .of = &moments };
        moments_begin(&other, 6 * NS_PER_S);
        moments_open(&home, &rate, false, 7 * NS_PER_S);
        assert_false(home.is_planning);
        assert_int_equal(moments_use(&other, 1), 7 * NS_PER_S);
        moments_end(&other);
        moments_deinit(&moments);
}

/* Moments that could not be used are dropped but for one, leased ones and those to come. */
static void test_moments_catch_up(void **state)
{
        struct moments moments;
        struct moments_lease a;

        (void)state;
        moments_init(&moments, 10000);
        a = (struct moments_lease){ .of = &moments };
        moments_begin(&a, 0);
        assert_int_equal(moments_use(&a, 4), 0); /* leases three more */
        moments_catch_up(&a, 250000);
        assert_int_equal(moments_use(&a, 1), 200000);
        moments_catch_up(&a, 290000);
        assert_int_equal(moments_use(&a, 1), 300000);
        moments_catch_up(&a, 5 * NS_PER_MS + 1);
        assert_int_equal(moments_use(&a, 1), 5 * NS_PER_MS + 1);
        moments_end(&a);
        moments_deinit(&moments);
}

/* --- the split of an origin ------------------------------------------------------------------ */

static unsigned n_parts_woken;

static void wake_part(struct lease *lease)
{
        assert_ptr_equal(split_part_of_lease(lease)->owner, &n_parts_woken);
        n_parts_woken++;
}

/* The home has all slots until it takes part. */
static void test_split_begins_at_home(void **state)
{
        struct split split;
        struct split_part *home, *other;

        (void)state;
        assert_int_equal(split_init(&split, 2, 6, 0, wake_part), 0);
        home = &split.parts[1];
        other = &split.parts[0];
        home->owner = other->owner = &n_parts_woken;
        split_begin(&split, 1);
        assert_true(home->is_home && !other->is_home);
        lease_take(&other->lease, 0, 9, 1);
        assert_int_equal(other->lease.n, 0);
        lease_settle(&other->lease, 0);
        lease_take(&home->lease, 2, 1, 1); /* two are running, one more wants to */
        lease_settle(&home->lease, 3);
        assert_int_equal(n_parts_woken, 1);
        lease_take(&other->lease, 0, 9, 1);
        assert_int_equal(other->lease.n, 3);
        lease_settle(&other->lease, 3);
        split_deinit(&split);
        split_deinit(&split);
}

/* --- the inbox ------------------------------------------------------------------------------- */

static void test_inbox_wakes_once(void **state)
{
        struct inbox inbox;
        struct list got, links[3] = { 0 };

        (void)state;
        inbox_init(&inbox);
        list_init(&got);
        assert_true(inbox_add(&inbox, &links[0]));
        assert_false(inbox_add(&inbox, &links[1]));
        assert_false(inbox_nudge(&inbox));
        assert_null(inbox_take(&inbox, &got));
        assert_ptr_equal(list_pop(&got), &links[0]);
        assert_ptr_equal(list_pop(&got), &links[1]);
        assert_true(list_is_empty(&got));
        assert_true(inbox_nudge(&inbox)); /* it may have gone to sleep since */
        assert_null(inbox_take(&inbox, &got));
        inbox_deinit(&inbox);
}

static void test_quota(void **state)
{
        (void)state;
        assert_int_equal(processors_of_quota("max 100000"), 0);
        assert_int_equal(processors_of_quota("200000 100000\n"), 2);
        assert_int_equal(processors_of_quota("150000 100000"), 2);
        assert_int_equal(processors_of_quota("1 100000"), 1);
        assert_int_equal(processors_of_quota("100000 0"), 0);
        assert_int_equal(processors_of_quota(""), 0);
        assert_true(processors_usable() >= 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alone_it_may_have_all),
                cmocka_unit_test(test_starved_one_gets_its_part),
                cmocka_unit_test(test_part_follows_the_origins),
                cmocka_unit_test(test_sleeper_is_woken_when_slots_are_given_back),
                cmocka_unit_test(test_share_grows),
                cmocka_unit_test(test_any_interleaving),
                cmocka_unit_test(test_threads),
                cmocka_unit_test(test_moments_are_one_sequence),
                cmocka_unit_test(test_moments_in_batches),
                cmocka_unit_test(test_moments_are_handed_over),
                cmocka_unit_test(test_idle_plan_is_handed_over),
                cmocka_unit_test(test_moments_catch_up),
                cmocka_unit_test(test_split_begins_at_home),
                cmocka_unit_test(test_inbox_wakes_once),
                cmocka_unit_test(test_quota),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
