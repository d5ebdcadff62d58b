/* SPDX-License-Identifier: MIT */
/*
 * Findings about refusals and retries: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"

#include <stdio.h>

#define MS NS_PER_MS

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
                ", so the run slowed down to the rate it accepts"));
        assert_null(finding.shown.option);
        assert_false(finding.shown.has_prediction);
        assert_false(cause_is_found(&record, causes_refused, "retries", &finding));
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
        assert_string_equal(finding.shown.title, "152 of 200 requests were finally refused (503)");
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
        assert_true(cause_is_made(&maker, causes_refused, "connection-limit", &finding));
        assert_string_equal(finding.shown.title,
                "The server takes only 4 requests at once: 160 of 200 were finally refused (503)");
        assert_string_equal(finding.shown.option, "--concurrency 3");
        assert_predicted(&finding, 3000 * MS); /* 200 of 45 ms, by three */
        assert_false(cause_is_made(&maker, causes_refused, "throttled", &finding));
        assert_false(cause_is_made(&maker, causes_refused, "retries", &finding));
        some = 44;
        maker.n = 176;
        assert_true(cause_is_made(&maker, causes_refused, "connection-limit", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 3");
        assert_false(finding.shown.has_prediction); /* by what 16 of 176 took */
        some = 20;
        maker.n = 200;
        maker.n_hosts = 2;
        assert_true(cause_is_made(&maker, causes_refused, "connection-limit", &finding));
        assert_string_equal(finding.shown.title,
                "The host http://host1.example:80 takes only 4 requests at once: 80 of 100 were finally refused (503)");
        assert_int_equal(finding.n_failed_by_it, 160);
        assert_string_equal(finding.shown.option, "--per-host 3");
}

/*
 * Every 300 ms some come: four are let in, the others are refused, and four more come one after the
 * other, as long waits lie between tries. Each takes the same, or the longer the more are there.
 */
static void one_after_another(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        bool is_full = *(const bool *)maker->argument;
        size_t k = i % 20;

        request->submit_after_ns = i / 20 * 300 * MS + (k >= 16 ? (k - 15) * 50 * MS : k * MS);
        request->server_ns = is_full && k < 4 ? (45 + 15 * k) * MS : 45 * MS;
        if (k >= 4 && k < 16) {
                request->server_ns = NS_PER_US;
                request->status = 503;
        }
}

/* What it gave while few asked is no limit of the server. */
static void test_refused_with_room(void **state)
{
        bool is_full = false;
        struct record_maker maker = {
                .n = 200, .slots = 16, .vary = one_after_another, .argument = &is_full
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_refused, "connection-limit", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 3");
        assert_predicted(&finding, 3000 * MS);               /* 200 of 45 ms, by three */
        assert_true(finding.shown.wall_high_ns > 5000 * MS); /* 80 were let in within 2.3 s */
        is_full = true;
        assert_true(cause_is_made(&maker, causes_refused, "connection-limit", &finding));
        assert_true(finding.shown.wall_ns > 5000 * MS);
        assert_in_range(finding.shown.wall_low_ns, 2900 * MS, 3300 * MS);
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
                                                 "125 attempts as too many");
        assert_string_equal(finding.shown.option, "--rate-per-host 69/s");
        assert_predicted(&finding, 100 * NS_PER_S / 69);
        record_deinit(&record);

        every = 10; /* the others have three times as many */
        assert_int_equal(record_make(&record, &maker), 0);
        make_refusals(&record, 429, NS_PER_S);
        assert_true(cause_is_found(&record, causes_refused, "throttled", &finding));
        assert_null(finding.shown.option);
        assert_non_null(strstr(finding.shown.remedy, "in a separate run"));
        record_deinit(&record);
}

/*
 * A bucket of ten tokens that gets 40 a second. Whoever is refused stays away for a second, and then
 * asks each 20 ms until it is refused again.
 */
struct bucket {
        double n;
        uint64_t at_ns, next_ns;
};

static void from_a_bucket(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        struct bucket *bucket = maker->argument;

        if (i == 0)
                *bucket = (struct bucket){ .n = 10 };
        bucket->n += (double)(bucket->next_ns - bucket->at_ns) * 40 / (double)NS_PER_S;
        bucket->n = bucket->n < 10 ? bucket->n : 10;
        bucket->at_ns = bucket->next_ns;
        request->submit_after_ns = bucket->next_ns;
        request->server_ns = MS;
        request->status = bucket->n >= 1 ? 200 : 429;
        if (bucket->n >= 1)
                bucket->n -= 1;
        bucket->next_ns += request->status == 429 ? NS_PER_S : i < 16 ? MS : 20 * MS;
}

/* The waits let the bucket overflow: a mean with them says far less than the server allows. */
static void test_rate_of_a_bucket(void **state)
{
        struct bucket bucket;
        struct record_maker maker = {
                .n = 600, .slots = 16, .vary = from_a_bucket, .argument = &bucket
        };
        struct finding finding;
        double per_s;

        (void)state;
        assert_true(cause_is_made(&maker, causes_refused, "throttled", &finding));
        assert_int_equal(sscanf(finding.shown.option, "--rate %lf/s", &per_s), 1);
        assert_in_range((int)per_s, 36, 40);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_slowed_down),
                cmocka_unit_test(test_refused_in_the_end),
                cmocka_unit_test(test_refused_when_full),
                cmocka_unit_test(test_refused_with_room),
                cmocka_unit_test(test_one_host_refuses),
                cmocka_unit_test(test_rate_of_a_bucket),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
