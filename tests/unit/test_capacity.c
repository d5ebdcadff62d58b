/* SPDX-License-Identifier: MIT */
/*
 * How many at a time a full server needs, of queues that are simulated
 */
/*
 * Findings about servers: each against a run that has it, and those that look
 * like it
 */
/*
 * Findings about servers: each against a run that has it, and one that looks like it
 */
#include "causes.h"
#include "servers.h"

#include <base/rand.h>
#include <math.h>
#include <stdlib.h>

#define MS NS_PER_MS

/* --- slow, full ------------------------------------------------------------------------------ */

/*
 * Some workers, first come, first served: what each of many answers takes when so many are under
 * way. The work for the n-th is the same whatever the limit is.
 */
struct workers {
        size_t n_workers;
        uint64_t seed;
        uint64_t (*work_ns)(struct rand *rand);
        uint64_t server_ns[600];
};

static uint64_t constant_work(struct rand *rand)
{
        (void)rand;
        return 30 * MS;
}

static uint64_t exponential_work(struct rand *rand)
{
        return (uint64_t)(-log((double)(rand_up_to(rand, 999999) + 1) / 1e6) * 30 * (double)MS);
}

static uint64_t work_of_two_kinds(struct rand *rand)
{
        return rand_up_to(rand, 9) ? 10 * MS : 200 * MS;
}

static size_t first_of(const uint64_t *values, size_t n)
{
        size_t first = 0;

        for (size_t i = 1; i < n; i++)
                if (values[i] < values[first])
                        first = i;
        return first;
}

/* The wall time. */
static uint64_t work_off(struct workers *workers, size_t slots)
{
        uint64_t free_ns[16] = { 0 }, slot_ns[64] = { 0 }, end_ns = 0;
        struct rand rand;

        rand_init(&rand, workers->seed);
        for (size_t i = 0; i < LENGTH(workers->server_ns); i++) {
                size_t slot = first_of(slot_ns, slots);
                size_t worker = first_of(free_ns, workers->n_workers);
                uint64_t from_ns = slot_ns[slot];

                if (free_ns[worker] < from_ns)
                        free_ns[worker] = from_ns;
                free_ns[worker] += workers->work_ns(&rand) + 1;
                workers->server_ns[i] = free_ns[worker] - from_ns;
                slot_ns[slot] = free_ns[worker];
                if (slot_ns[slot] > end_ns)
                        end_ns = slot_ns[slot];
        }
        return end_ns;
}

static void as_worked_off(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const struct workers *workers = maker->argument;

        request->submit_after_ns = i;
        request->server_ns = workers->server_ns[i];
}

static void assert_limit_keeps_it_busy(struct workers *workers)
{
        struct record_maker maker = { .n = LENGTH(workers->server_ns),
                .slots = 64,
                .vary = as_worked_off,
                .argument = workers };
        uint64_t wall_ns = work_off(workers, maker.slots);
        struct finding finding;
        unsigned long limit;

        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_non_null(finding.shown.option);
        assert_int_equal(strncmp(finding.shown.option, "--concurrency ", 14), 0);
        /* That a few come quickly at the end does not make it faster with fewer. */
        assert_null(strstr(finding.shown.title, "too many"));
        limit = strtoul(finding.shown.option + 14, NULL, 10);
        assert_in_range(limit, workers->n_workers, 3 * workers->n_workers + 4);
        assert_true(work_off(workers, limit) <= wall_ns + wall_ns / 20);
}

static void test_full_limit(void **state)
{
        static uint64_t (*const kinds[])(struct rand *) = { constant_work, exponential_work,
                work_of_two_kinds };
        struct workers workers = { 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(kinds); i++) {
                workers.work_ns = kinds[i];
                for (workers.n_workers = 2; workers.n_workers <= 16; workers.n_workers *= 2)
                        for (workers.seed = 1; workers.seed <= 5; workers.seed++)
                                assert_limit_keeps_it_busy(&workers);
        }
}

/* Where several are full each is to have what it needs, and not all of them together. */
static void test_full_hosts(void **state)
{
        struct workers workers = { .n_workers = 4, .work_ns = constant_work };
        struct record_maker maker = { .n = LENGTH(workers.server_ns),
                .slots = 64,
                .n_hosts = 2,
                .vary = as_worked_off,
                .argument = &workers };
        struct finding finding;

        (void)state;
        work_off(&workers, maker.slots);
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_int_equal(strncmp(finding.shown.option, "--per-host ", 11), 0);
}

/*
 * One of six goes to the second host, which answers one by one, 50 ms each; the first one takes 20
 * ms.
 */
static void second_host_locked(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const size_t *n_locked = maker->argument;
        size_t n = i / 6 < 13 ? i / 6 + 1 : 14;

        request->submit_after_ns = i;
        request->host = i % 6 == 5;
        if (request->host < *n_locked - 1)
                n = i < 14 ? i + 1 : 14;
        if (request->host || *n_locked > 1)
                request->server_ns = n * 50 * MS;
}

/* It is that host which is full, and its figures are told; why it is slow is not told twice. */
static void test_full_host_of_several(void **state)
{
        size_t n_locked = 1;
        struct record_maker maker = { .n = 360,
                .slots = 16,
                .n_hosts = 2,
                .each.server_ns = 20 * MS,
                .vary = second_host_locked,
                .argument = &n_locked };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_int_equal(strncmp(finding.shown.title,
                                 "The host http://host2.example:80 was at its limit ", 50),
                0);
        assert_non_null(strstr(finding.evidence[0], "60 of 360 requests went there"));
        assert_int_equal(strncmp(finding.shown.option, "--per-host ", 11), 0);
        assert_false(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        n_locked = 2; /* both */
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_int_equal(strncmp(finding.shown.title, "The server was at its limit ", 28), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_full_limit),
                cmocka_unit_test(test_full_hosts),
                cmocka_unit_test(test_full_host_of_several),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
