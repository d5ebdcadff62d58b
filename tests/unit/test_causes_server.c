/* SPDX-License-Identifier: MIT */
/*
 * Findings about servers: each against a run that has it, and one that looks like it
 */
#include "causes.h"

#include <base/rand.h>
#include <base/str.h>
#include <explain/load.h>
#include <math.h>
#include <stdlib.h>

#define MS NS_PER_MS

/* 4 workers: as many as are there wait for each other. */
static void queue_in_server(struct record_maker_request *request, size_t i,
                            const struct record_maker *maker)
{
        size_t n = i < maker->slots ? i + 1 : maker->slots;

        request->submit_after_ns = i; /* in this order */
        request->server_ns = (n + 3) / 4 * 20 * MS;
}

/*
 * 8 workers, each of which is slowed down by all that are there: what a request takes that finds `slots` others, by a simulation of its own.
 * Each request begins when another ends.
 */
struct crowd {
        uint64_t server_ns[400];
};

#define CROWD_WORKERS 8

static uint64_t crowd_service_ns(size_t n_there)
{
        return 5 * MS + (n_there - 1) * MS / 4;
}

static void crowd_simulate(struct crowd *crowd, size_t slots)
{
        uint64_t free_ns[CROWD_WORKERS] = { 0 };
        uint64_t entered_ns[LENGTH(crowd->server_ns)] = { 0 };
        size_t n = LENGTH(crowd->server_ns);

        for (size_t i = 0; i < n; i++) {
                size_t n_there = n - i < slots ? n - i : slots;
                size_t first = 0;

                for (size_t k = 1; k < CROWD_WORKERS; k++)
                        if (free_ns[k] < free_ns[first])
                                first = k;
                free_ns[first] += crowd_service_ns(n_there) + i;
                crowd->server_ns[i] = free_ns[first] - entered_ns[i];
                if (i + slots < n)
                        entered_ns[i + slots] = free_ns[first];
        }
}

static void as_in_crowd(struct record_maker_request *request, size_t i,
                        const struct record_maker *maker)
{
        const struct crowd *crowd = maker->argument;

        request->submit_after_ns = i;
        request->server_ns = crowd->server_ns[i];
}

static const struct record_maker flat = {
        .n = 320,
        .each = { .network_ns = 50 * NS_PER_US, .server_ns = 200 * MS },
};

static const struct record_maker full = {
        .n = 400,
        .slots = 64,
        .each.network_ns = 50 * NS_PER_US,
        .vary = queue_in_server,
};

/* --- load --------------------------------------------------------------------------------------------------------- */

static struct load load_of(const struct record_maker *maker)
{
        struct record record;
        struct facts facts;
        struct load load;

        assert_int_equal(record_make(&record, maker), 0);
        assert_int_equal(facts_init(&facts, &record), 0);
        load_measure(&load, &facts);
        facts_deinit(&facts);
        record_deinit(&record);
        return load;
}

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

static void test_load_when_raised(void **state)
{
        struct load flat_load = { .growth = 1 }, grown = { .growth = 1.25 };

        (void)state;
        assert_true(load_factor_when_raised(&flat_load, 1) == 1);
        assert_true(load_factor_when_raised(&flat_load, 11) == 2);
        assert_true(load_factor_when_raised(&grown, 5) == 2);
}

/* --- slow, full --------------------------------------------------------------------------------------------------- */

static void test_slow(void **state)
{
        struct record_maker far = flat, enough = flat;
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&flat, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 320");
        assert_string_equal(finding.shown.title, "Each answer took the server 200 ms");
        assert_predicted(&finding, 200 * MS);
        assert_false(cause_is_made(&flat, causes_server, "server-saturated", &finding));

        far.each = (struct record_maker_request){ .network_ns = 300 * MS, .tcp_ns = 300 * MS };
        assert_true(cause_is_made(&far, causes_server, "server-slow", &finding));
        assert_non_null(strstr(finding.shown.title, "far"));

        enough.slots = 400;
        assert_true(cause_is_made(&enough, causes_server, "server-slow", &finding));
        assert_null(finding.shown.option);
        assert_true(finding.explained_ns > 190 * MS);
}

/* The server closes after each answer; but that costs next to nothing beside what it takes to answer. */
static void test_slow_and_closes(void **state)
{
        struct record_maker maker = flat;
        struct finding finding;

        (void)state;
        maker.no_reuse = true;
        maker.each.tcp_ns = 5 * MS;
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
}

static void test_not_slow(void **state)
{
        struct record_maker limited = flat, connecting = flat, receiving = flat;
        struct finding finding;

        (void)state;
        limited.slots = 4; /* 80 turns: it is the limit */
        connecting.no_reuse = true;
        connecting.each.tcp_ns = 100 * MS;
        receiving.each.server_ns = 0;
        receiving.each.receive_ns = 200 * MS;
        assert_false(cause_is_made(&limited, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&connecting, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&receiving, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&full, causes_server, "server-slow", &finding));
}

static void test_full(void **state)
{
        struct crowd crowd;
        struct record_maker knee = {
                .n = LENGTH(crowd.server_ns), .slots = 128, .vary = as_in_crowd, .argument = &crowd
        };
        struct finding finding;

        (void)state;
        crowd_simulate(&crowd, knee.slots);
        assert_true(cause_is_made(&full, causes_server, "server-saturated", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 7");
        assert_predicted(&finding, 2000 * MS); /* as before */
        assert_true(cause_is_made(&knee, causes_server, "server-saturated", &finding));
        assert_true(finding.shown.has_prediction);
        assert_non_null(strstr(finding.shown.title, "too many"));
}

/*
 * Some workers, first come, first served: what each of many answers takes when so many are under way. The work for the n-th is the same whatever
 * the limit is.
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

/* --- uneven ------------------------------------------------------------------------------------------------------- */

static void second_host_slow(struct record_maker_request *request, size_t i,
                             const struct record_maker *maker)
{
        (void)i;
        (void)maker;
        if (request->host == 1)
                request->server_ns = 400 * MS;
}

static void second_host_silent(struct record_maker_request *request, size_t i,
                               const struct record_maker *maker)
{
        (void)i;
        (void)maker;
        if (request->host != 1)
                return;
        request->server_ns = NS_PER_S;
        request->code = MUSTER_E_TIMEOUT;
}

static void test_slow_host(void **state)
{
        struct record_maker maker = { .n = 200,
                                      .slots = 32,
                                      .n_hosts = 2,
                                      .each.server_ns = 5 * MS,
                                      .vary = second_host_slow };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        assert_string_equal(finding.shown.title, "The host http://host2.example:80 is slow");
        assert_non_null(finding.shown.option);
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        maker.vary = NULL;
        assert_false(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        maker.n_hosts = 1;
        assert_false(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
}

static void second_host_slow_and_a_straggler(struct record_maker_request *request, size_t i,
                                             const struct record_maker *maker)
{
        if (request->host == 1)
                request->server_ns = 60 * MS;
        else if (i + 2 >= maker->n)
                request->server_ns = 2 * NS_PER_S;
}

/* It is slow; but what the run waited for was somebody else. */
static void test_slow_host_beside_a_straggler(void **state)
{
        struct record_maker maker = { .n = 200,
                                      .slots = 32,
                                      .n_hosts = 2,
                                      .each.server_ns = 10 * MS,
                                      .vary = second_host_slow_and_a_straggler };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        assert_true(finding.explained_ns < NS_PER_S / 2);
}

static void second_host_refuses(struct record_maker_request *request, size_t i,
                                const struct record_maker *maker)
{
        (void)i;
        (void)maker;
        if (request->host != 1)
                return;
        request->server_ns = MS;
        request->code = MUSTER_E_CONNECT;
}

/* Nobody was answered: it is not known what an answer takes. */
static void test_never_answers(void **state)
{
        struct record_maker maker = { .n = 20,
                                      .slots = 10,
                                      .each = { .server_ns = NS_PER_S, .code = MUSTER_E_TIMEOUT } };
        struct finding finding;

        (void)state;
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
}

/* That one host refuses at once does not make the other slow. */
static void test_refusing_host(void **state)
{
        struct record_maker maker = { .n = 100,
                                      .slots = 10,
                                      .n_hosts = 2,
                                      .each.server_ns = 20 * MS,
                                      .vary = second_host_refuses };
        struct finding finding;

        (void)state;
        assert_false(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
}

static void test_hanging_host(void **state)
{
        struct record_maker maker = { .n = 40,
                                      .slots = 16,
                                      .n_hosts = 2,
                                      .each.server_ns = 20 * MS,
                                      .vary = second_host_silent };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        assert_string_equal(finding.shown.title,
                            "The host http://host2.example:80 does not answer");
        assert_string_equal(finding.shown.option, "--max-time 100ms");
}

static void make_paths(struct record *record, struct muster_str paths[2])
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                attempt->path = attempt->request % 3 == 0 ? 2 : 1;
                if (attempt->path == 2)
                        continue;
                attempt->stamps.end_ns -= 190 * MS;
                attempt->stamps.first_byte_kernel_ns -= 190 * MS;
                attempt->stamps.first_byte_read_ns -= 190 * MS;
                attempt->stamps.last_byte_read_ns -= 190 * MS;
        }
        record->paths = paths;
        record->n_paths = 2;
}

static void test_slow_path(void **state)
{
        struct muster_str paths[] = { BYTES("http://host1.example:80/quick"),
                                      BYTES("http://host1.example:80/slow") };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &flat), 0);
        make_paths(&record, paths);
        assert_true(cause_is_found(&record, causes_uneven, "slow-path", &finding));
        assert_string_equal(finding.shown.title, "The path http://host1.example:80/slow is slow");
        assert_false(cause_is_found(&record, causes_uneven, "slow-host", &finding));
        assert_false(cause_is_found(&record, causes_server, "server-slow", &finding));
        record.paths = NULL;
        record.n_paths = 0;
        record_deinit(&record);
}

/* --- refused ------------------------------------------------------------------------------------------------------ */

static void some_retried(struct record_maker_request *request, size_t i,
                         const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        if (i % 10 == 9)
                request->n_retries = 1;
}

/* What the record maker calls 503. */
static void make_refusals(struct record *record, int16_t status, uint64_t retry_after_ns)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                if (attempt->outcome != TRACE_RETRIED)
                        continue;
                attempt->status = status;
                attempt->retry_after_ns = retry_after_ns;
        }
}

static void test_refused(void **state)
{
        struct record_maker maker = { .n = 200,
                                      .slots = 16,
                                      .each = { .server_ns = 10 * MS, .backoff_ns = NS_PER_S },
                                      .vary = some_retried };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        make_refusals(&record, 500, 0);
        assert_true(cause_is_found(&record, causes_refused, "retries", &finding));
        assert_predicted(&finding, 130 * MS);
        assert_false(cause_is_found(&record, causes_refused, "throttled", &finding));
        make_refusals(&record, 429, NS_PER_S);
        assert_true(cause_is_found(&record, causes_refused, "throttled", &finding));
        assert_int_equal(strncmp(finding.shown.option, "--rate ", 7), 0);
        assert_false(cause_is_found(&record, causes_refused, "retries", &finding));
        make_refusals(&record, 503, NS_PER_S);
        assert_true(cause_is_found(&record, causes_refused, "throttled", &finding));
        assert_int_equal(strncmp(finding.shown.option, "--concurrency ", 14), 0);
        record_deinit(&record);
        maker.vary = NULL;
        assert_false(cause_is_made(&maker, causes_refused, "throttled", &finding));
        assert_false(cause_is_made(&maker, causes_refused, "retries", &finding));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_load),
                cmocka_unit_test(test_load_when_raised),
                cmocka_unit_test(test_slow),
                cmocka_unit_test(test_not_slow),
                cmocka_unit_test(test_slow_and_closes),
                cmocka_unit_test(test_refusing_host),
                cmocka_unit_test(test_never_answers),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_full_limit),
                cmocka_unit_test(test_full_hosts),
                cmocka_unit_test(test_slow_host),
                cmocka_unit_test(test_slow_host_beside_a_straggler),
                cmocka_unit_test(test_hanging_host),
                cmocka_unit_test(test_slow_path),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
