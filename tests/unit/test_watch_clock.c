/* SPDX-License-Identifier: MIT */
/*
 * The shim's own account of the time, beside the kernel's
 */
#include "unit.h"

#include <clock.h>
#include <pthread.h>
#include <shim.h>
#include <time.h>

#define SLACK_NS 3000 /* of a note that is a millisecond old */

struct shim shim;

static uint64_t real_ns(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* For so long, without and with pauses: what is read lies between what the kernel says before and after. */
static void *read_on(void *pause)
{
        uint64_t start = real_ns(), after = start;

        for (int i = 0; after - start < 60 * NS_PER_MS; i++) {
                uint64_t before = real_ns(), now = shim_now();

                after = real_ns();
                assert_true(now + SLACK_NS >= before && now <= after + SLACK_NS);
                if (pause)
                        nanosleep(&(struct timespec){ .tv_nsec = (long)(i % 5) * 1000000 }, NULL);
        }
        assert_true(shim_since(real_ns() + NS_PER_S) == 0);
        return &this_clock.rate;
}

static void test_times(void **state)
{
        static int pause;

        (void)state;
        read_on(NULL);
        read_on(&pause);
}

static void test_threads(void **state)
{
        static int pause;
        pthread_t threads[4];

        (void)state;
        for (int i = 0; i < 4; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, read_on, i ? &pause : NULL), 0);
        for (int i = 0; i < 4; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
}

#if defined(__x86_64__)
/* A counter that the machine's sleep has moved: it is not believed any more. */
static void test_moved(void **state)
{
        uint64_t now;

        (void)state;
        if (!this_clock.rate)
                skip();
        shim_now();
        this_clock.offset_ns += NS_PER_S;
        this_clock.at_ticks -= 2 * this_clock.most;
        now = shim_now();
        assert_true(this_clock.is_off);
        assert_true(real_ns() - now < NS_PER_S);
        read_on(NULL);
}
#endif

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_threads),
#if defined(__x86_64__)
                cmocka_unit_test(test_moved),
#endif
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
