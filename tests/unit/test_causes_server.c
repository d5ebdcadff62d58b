/* SPDX-License-Identifier: MIT */
/*
 * Findings about servers: each against a run that has it, and one that looks like it
 */
#include "causes.h"

#include <base/rand.h>
#include <base/str.h>
#include <explain/facts_measure.h>
#include <explain/measure/load.h>
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
 * 8 workers, each of which is slowed down by all that are there: what a request takes that finds
 * `slots` others, by a simulation of its own. Each request begins when another ends.
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

/* --- load ------------------------------------------------------------------------------------ */

static struct load load_of(const struct record_maker *maker)
{
        struct record record;
        struct facts facts;
        struct load load;

        assert_int_equal(record_make(&record, maker), 0);
        assert_int_equal(facts_measure(&facts, &record), 0);
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
        grown.growth = 1e10; /* the server is full: in proportion */
        assert_true(load_factor_when_raised(&grown, 16) == 16);
}

/* --- slow, full ------------------------------------------------------------------------------ */

static void test_slow(void **state)
{
        struct record_maker far = flat, enough = flat;
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&flat, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 320");
        assert_string_equal(finding.shown.title, "A typical answer took the server 200 ms");
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

/* The head comes at once, what is behind it when the work is done. */
static void test_slow_in_pieces(void **state)
{
        struct record_maker maker = flat;
        struct finding finding;

        (void)state;
        maker.n = 100;
        maker.slots = 8;
        maker.each = (struct record_maker_request){ .network_ns = 50 * NS_PER_US,
                .server_ns = MS,
                .receive_ns = 200 * MS,
                .wire_bytes = 1000 };
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.title, "A typical answer took the server 201 ms");
        assert_non_null(strstr(finding.evidence[2], "complete 200 ms later"));
        assert_string_equal(finding.shown.option, "--concurrency 100");
        assert_predicted(&finding, 201 * MS);
        assert_true(finding.shown.wall_high_ns > 350 * MS); /* as the server may take longer */
}

static void second_twice(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        if (i % 2 == 1)
                request->server_ns *= 2;
}

static void third_long(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t every = *(const size_t *)maker->argument;

        request->submit_after_ns = i;
        if (i % every == every - 1)
                request->server_ns = NS_PER_S;
}

/* What is typical is not all. */
static void test_slow_for_some(void **state)
{
        size_t every = 3;
        struct record_maker two = { .n = 2, .each.server_ns = 300 * MS, .vary = second_twice };
        struct record_maker third = {
                .n = 90, .each.server_ns = 25 * MS, .vary = third_long, .argument = &every
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&two, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.title,
                "A typical answer took the server 300 ms, the longest 600 ms");
        assert_true(cause_is_made(&third, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.title,
                "30 of 90 answers took the server up to 1 s, and a typical one 25 ms");
        every = 45; /* two stragglers */
        assert_false(cause_is_made(&third, causes_server, "server-slow", &finding));
}

/*
 * The server closes after each answer; but that costs next to nothing beside what it takes to
 * answer.
 */
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
        receiving.each.wire_bytes = 500000; /* large: it may be the link */
        assert_false(cause_is_made(&limited, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&connecting, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&receiving, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&full, causes_server, "server-slow", &finding));
}

/*
 * It is said of the server or of the limit, and never of neither: few turns or many, a loop with
 * time left or with less.
 */
static void test_slow_or_limited(void **state)
{
        struct record_maker maker = flat;
        struct finding finding;

        (void)state;
        maker.slots = 10;
        for (maker.n = 140; maker.n <= 180; maker.n += 5) {
                bool is_limited = maker.n >= 160;

                assert_int_equal(cause_is_made(&maker, causes_slots, "concurrency-too-low",
                                         &finding),
                        is_limited);
                assert_int_equal(cause_is_made(&maker, causes_server, "server-slow", &finding),
                        !is_limited);
        }
        maker.loop_ns = 15 * MS; /* 50 a second: busy for three quarters of the time */
        assert_false(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_null(finding.shown.option);
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
 * 50 a second are let through, one by one; `debt_ns` of others wait already. With 16 at once each
 * waits for 16, or for the debt and those that began before.
 */
static void one_by_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        uint64_t debt_ns = *(const uint64_t *)maker->argument;
        size_t n = i < maker->slots ? i + 1 : maker->slots;

        request->submit_after_ns = i;
        request->server_ns = n * 20 * MS + (i < maker->slots ? debt_ns : 0);
        if (i >= maker->slots) /* its way is part of the wait, as the others go on meanwhile */
                request->server_ns -= request->network_ns;
}

/* As long for the first ones as for the last: it is the pace that tells. */
static void test_paced(void **state)
{
        uint64_t debt_ns = 0;
        struct record_maker maker = { .n = 200,
                .slots = 16,
                .each.network_ns = 50 * NS_PER_US,
                .vary = one_by_one,
                .argument = &debt_ns };
        struct finding finding;
        struct load load;

        (void)state;
        for (; debt_ns <= 600 * MS; debt_ns += 100 * MS) {
                load = load_of(&maker);
                assert_int_equal(load.answer, LOAD_GROWS);
                assert_true(load.is_paced);
                assert_true(load_factor_when_raised(&load, 4) == 4);
                assert_in_range(load.alone_ns, 19 * MS, 21 * MS);
                assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
                assert_non_null(strstr(finding.evidence[0], "one by one, 20 ms apart"));
                assert_string_equal(finding.shown.option, "--concurrency 5");
                assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
                assert_false(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
        }
        debt_ns = 0;
        maker.slots = 32;
        maker.each.network_ns = 200 * MS; /* ten more are on their way meanwhile */
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 13");
}

static void every_20_ms(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 20 * MS;
}

/* Asked for one by one, it answers one by one; what is asked for at once it answers at once. */
static void test_paced_not(void **state)
{
        struct record_maker maker = flat;

        (void)state;
        assert_false(load_of(&maker).is_paced);
        maker.slots = 10; /* begun 20 ms apart, they are answered as far apart for ever */
        maker.vary = every_20_ms;
        assert_false(load_of(&maker).is_paced);
        assert_int_not_equal(load_of(&maker).answer, LOAD_GROWS);
}

static void later_and_later(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = 40 * MS + i * 7 * MS;
}

/* 30 a second are asked for, 25 are given: each waits 7 ms longer than the one before. */
static void test_full_despite_rate(void **state)
{
        struct record_maker maker = { .n = 100, .rate_per_s = 30, .vary = later_and_later };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        maker.rate_per_s = 1;
        maker.n = 20;
        assert_false(cause_is_made(&maker, causes_server, "server-saturated", &finding));
}

/* Without the memory to tell how many are enough, no number is told. */
static void full_without_memory(void)
{
        const struct cause *cause = cause_named(causes_server, "server-saturated");
        static struct record record;
        static struct facts facts;
        struct finding finding = { 0 };

        if (record_make(&record, &full) < 0)
                return;
        if (facts_measure(&facts, &record) == 0) {
                if (cause->rule(&facts, &finding) && finding.shown.option)
                        assert_string_equal(finding.shown.option, "--concurrency 7");
                facts_deinit(&facts);
        }
        record_deinit(&record);
}

static void test_full_no_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(full_without_memory);
}

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
        assert_int_equal(strncmp(finding.shown.title, "The host http://host2.example:80 was full, ",
                                 43),
                0);
        assert_non_null(strstr(finding.evidence[0], "60 of 360 requests went there"));
        assert_int_equal(strncmp(finding.shown.option, "--per-host ", 11), 0);
        assert_false(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        n_locked = 2; /* both */
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_int_equal(strncmp(finding.shown.title, "The server was full, ", 21), 0);
}

/* --- uneven ---------------------------------------------------------------------------------- */

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

static void every_eleventh_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->host = i % 11 == 10;
        if (request->host)
                request->server_ns = 800 * MS;
}

static void second_host_slower(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        if (request->host == 1)
                request->server_ns = 60 * MS;
}

/*
 * It is told first where it costs more than the limit does; else the limit is. The remedy is told
 * once.
 */
static void test_slow_host_or_limit(void **state)
{
        struct record_maker one = {
                .n = 330, .n_hosts = 2, .slots = 16, .each.server_ns = 20 * MS
        };
        struct record_maker half = one;
        struct finding finding;

        (void)state;
        one.vary = every_eleventh_slow;
        assert_false(cause_is_made(&one, causes_slots, "concurrency-too-low", &finding));
        assert_true(cause_is_made(&one, causes_uneven, "slow-host", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 64");
        half.vary = second_host_slower;
        half.slots = 4;
        assert_true(cause_is_made(&half, causes_slots, "concurrency-too-low", &finding));
        assert_true(cause_is_made(&half, causes_uneven, "slow-host", &finding));
        assert_null(finding.shown.option);
}

static void second_host_slow_and_a_straggler(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i; /* in this order */
        if (request->host == 1)
                request->server_ns = 60 * MS;
        else if (i + 2 >= maker->n)
                request->server_ns = 2 * NS_PER_S;
}

/* It is slow; but what the run waited for was somebody else. */
static void test_slow_host_beside_a_straggler(void **state)
{
        struct record_maker maker = { .n = 1000,
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
        struct record_maker maker = {
                .n = 20, .slots = 10, .each = { .server_ns = NS_PER_S, .code = MUSTER_E_TIMEOUT }
        };
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

static void second_host_silent_but_once(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        second_host_silent(request, i, maker);
        if (i == 1) {
                request->server_ns = 900 * MS;
                request->code = 0;
        }
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
        maker.vary = second_host_silent_but_once; /* that answer is not to be lost */
        assert_true(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        assert_null(finding.shown.option);
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

/* --- refused --------------------------------------------------------------------------------- */

static void some_retried(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        if (i % 10 == 9)
                request->n_retries = 1;
}

/* What the record maker calls 503; it comes within a millisecond. */
static void make_refusals(struct record *record, int16_t status, uint64_t retry_after_ns)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                if (attempt->outcome != TRACE_RETRIED)
                        continue;
                attempt->status = status;
                attempt->retry_after_ns = retry_after_ns;
                attempt->stamps.end_ns = attempt->stamps.slot_ns + MS;
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
        make_refusals(&record, 503,
                0); /* it does not say that they are too many, and lets them in then */
        assert_false(cause_is_found(&record, causes_refused, "throttled", &finding));
        assert_true(cause_is_found(&record, causes_refused, "retries", &finding));
        record_deinit(&record);
        maker.vary = NULL;
        assert_false(cause_is_made(&maker, causes_refused, "throttled", &finding));
        assert_false(cause_is_made(&maker, causes_refused, "retries", &finding));
}

static void first_retried(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->n_retries = i < 8;
}

/*
 * A few were refused at the start, and the others kept to the pace that this taught: it is the
 * server's limit, and no option here raises it.
 */
static void test_slowed_down(void **state)
{
        struct record_maker maker = { .n = 1000,
                .slots = 16,
                .rate_per_s = 50,
                .each = { .server_ns = 10 * MS, .backoff_ns = NS_PER_S },
                .vary = first_retried };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        make_refusals(&record, 429, NS_PER_S);
        for (size_t i = 0; i < record.n_attempts; i++) {
                struct trace_attempt *attempt = &record.attempts[i];

                attempt->planned_ns = 0;
                if (attempt->wait == TRACE_WAIT_RATE)
                        attempt->wait = TRACE_WAIT_REFUSED;
        }
        assert_true(cause_is_found(&record, causes_refused, "throttled", &finding));
        assert_non_null(strstr(finding.shown.title,
                " and the run kept to the pace that was let in"));
        assert_null(finding.shown.option);
        assert_false(finding.shown.has_prediction);
        assert_false(cause_is_found(&record, causes_refused, "retries", &finding));
        record_deinit(&record);
}

static void fails(struct record_maker_request *request, size_t i, const struct record_maker *maker)
{
        (void)maker;
        request->n_retries = i % 4 == 0;
        request->status = i % 2 ? 500 : 200;
}

static void test_retries_withheld(void **state)
{
        struct record_maker maker = {
                .n = 100, .each = { .server_ns = MS, .backoff_ns = MS }, .vary = fails
        };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        assert_false(cause_is_found(&record, causes_refused, "retries-withheld", &finding));
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].is_withheld = record.attempts[i].status == 500;
        assert_true(cause_is_found(&record, causes_refused, "retries-withheld", &finding));
        assert_string_equal(finding.shown.title,
                "50 of 100 requests were not tried again, as the retry budget was used up");
        assert_string_equal(finding.shown.option, "--retry-budget none");
        assert_int_equal(finding.n_failed_by_it, 50);
        record_deinit(&record);
}

/* The first ones are let in, and then one each 20 ms, of those that come each 4 ms: 50 a second. */
static void counted_by_the_second(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 4 * MS;
        request->server_ns = MS;
        if (i >= 10 && i % 5)
                request->status = 503;
}

/* Refused for good, without a word of when to come again. */
static void test_refused_in_the_end(void **state)
{
        struct record_maker maker = { .n = 200, .slots = 16, .vary = counted_by_the_second };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_refused, "throttled", &finding));
        assert_string_equal(finding.shown.title,
                "152 of 200 requests were refused in the end (503)");
        assert_int_equal(finding.n_failed_by_it, 152);
        /* 10 at once, 38 more in 0.8 s: of 200 at 50 a second none is refused. */
        assert_string_equal(finding.shown.option, "--rate 50/s");
        assert_predicted(&finding, 4 * NS_PER_S);
        /* Of 50 hardly any were let in but the first ones. */
        maker.n = 50;
        assert_true(cause_is_made(&maker, causes_refused, "throttled", &finding));
        assert_null(finding.shown.option);
        assert_false(finding.shown.has_prediction);
}

/*
 * Every 50 ms some come: four are let in, and while these are under way the others are refused at
 * once.
 */
static void four_at_once(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t some = *(const size_t *)maker->argument;

        request->host = (uint32_t)(i / some % maker->n_hosts);
        request->submit_after_ns = i / some * 50 * MS + i % some * MS;
        request->server_ns = i % some < 4 ? 45 * MS : NS_PER_US;
        if (i % some >= 4)
                request->status = 503;
}

/* A refusal is no sample of what an answer takes. */
static void test_refused_when_full(void **state)
{
        size_t some = 20;
        struct record_maker maker = {
                .n = 200, .slots = 16, .n_hosts = 1, .vary = four_at_once, .argument = &some
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_refused, "throttled", &finding));
        assert_string_equal(finding.shown.title,
                "160 of 200 requests were refused in the end (503)");
        assert_string_equal(finding.shown.option, "--concurrency 3");
        assert_predicted(&finding, 3000 * MS); /* 200 of 45 ms, by three */
        some = 44;
        maker.n = 176;
        assert_true(cause_is_made(&maker, causes_refused, "throttled", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 3");
        assert_false(finding.shown.has_prediction); /* by what 16 of 176 took */
        some = 20;
        maker.n = 200;
        maker.n_hosts = 2;
        assert_true(cause_is_made(&maker, causes_refused, "throttled", &finding));
        assert_string_equal(finding.shown.title,
                "The host http://host1.example:80 refused 80 of 100 requests in the end (503)");
        assert_int_equal(finding.n_failed_by_it, 160);
        assert_string_equal(finding.shown.option, "--per-host 3");
}

/* The fourth host refuses some; it gets one of `every` requests, the other three get the rest. */
static void one_host_refuses(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t every = *(const size_t *)maker->argument;

        request->submit_after_ns = i * MS;
        request->host = i % every == every - 1 ? 3 : i % 3;
        if (request->host == 3)
                request->n_retries = i / every % 4 == 3;
}

/*
 * A limit for each host is one for the others, too: it is proposed only where that does not hold
 * them up.
 */
static void test_one_host_refuses(void **state)
{
        size_t every = 4;
        struct record_maker maker = { .n = 400,
                .slots = 64,
                .n_hosts = 4,
                .each = { .server_ns = 20 * MS, .backoff_ns = NS_PER_S },
                .vary = one_host_refuses,
                .argument = &every };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        make_refusals(&record, 429, NS_PER_S);
        assert_true(cause_is_found(&record, causes_refused, "throttled", &finding));
        assert_string_equal(finding.shown.title, "The host http://host4.example:80 refused 25 of "
                                                 "125 tries, as they were too many");
        assert_string_equal(finding.shown.option, "--rate-per-host 69/s");
        assert_predicted(&finding, 100 * NS_PER_S / 69);
        record_deinit(&record);

        every = 10; /* the others have three times as many */
        assert_int_equal(record_make(&record, &maker), 0);
        make_refusals(&record, 429, NS_PER_S);
        assert_true(cause_is_found(&record, causes_refused, "throttled", &finding));
        assert_null(finding.shown.option);
        assert_non_null(strstr(finding.shown.remedy, "in a run of its own"));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_load),
                cmocka_unit_test(test_load_when_raised),
                cmocka_unit_test(test_slow),
                cmocka_unit_test(test_not_slow),
                cmocka_unit_test(test_slow_in_pieces),
                cmocka_unit_test(test_slow_for_some),
                cmocka_unit_test(test_paced),
                cmocka_unit_test(test_paced_not),
                cmocka_unit_test(test_full_despite_rate),
                cmocka_unit_test(test_slow_and_closes),
                cmocka_unit_test(test_slow_or_limited),
                cmocka_unit_test(test_refusing_host),
                cmocka_unit_test(test_never_answers),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_full_no_memory),
                cmocka_unit_test(test_full_limit),
                cmocka_unit_test(test_full_hosts),
                cmocka_unit_test(test_full_host_of_several),
                cmocka_unit_test(test_slow_host),
                cmocka_unit_test(test_slow_host_or_limit),
                cmocka_unit_test(test_slow_host_beside_a_straggler),
                cmocka_unit_test(test_hanging_host),
                cmocka_unit_test(test_slow_path),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_slowed_down),
                cmocka_unit_test(test_retries_withheld),
                cmocka_unit_test(test_refused_in_the_end),
                cmocka_unit_test(test_refused_when_full),
                cmocka_unit_test(test_one_host_refuses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
