/* SPDX-License-Identifier: MIT */
/*
 * Findings about one host or path: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"
#include "servers.h"

#define MS NS_PER_MS

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

/* Two and a half times as slow: by as much each time, or as it comes. */
static void second_host_apart(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->server_ns = (20 + i * 7 % 9) * MS;
        if (request->host == 1)
                request->server_ns = request->server_ns * 5 / 2;
}

static void second_host_scattered(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->server_ns = (4 + i * 7 % 37) * MS;
        if (request->host == 1)
                request->server_ns = request->server_ns * 5 / 2;
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
        maker.vary = second_host_apart; /* not three times as slow, but nearly always slower */
        assert_true(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        maker.vary = second_host_scattered;
        assert_false(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
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
                "The host http://host2.example:80 does not respond");
        assert_string_equal(finding.shown.option, "--max-time 100ms");
        maker.vary = second_host_silent_but_once; /* that answer is not to be lost */
        assert_true(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        assert_null(finding.shown.option);
}

/* One of `every` requests is to the second path; those to two others are answered sooner, by so much. */
static void make_paths(struct record *record, struct muster_str paths[3], size_t every,
        uint64_t sooner_ns)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                attempt->path = attempt->request % every == 0 ? 2 : attempt->request % 2 ? 1 : 3;
                if (attempt->path == 2)
                        continue;
                attempt->stamps.end_ns -= sooner_ns;
                attempt->stamps.first_byte_kernel_ns -= sooner_ns;
                attempt->stamps.first_byte_read_ns -= sooner_ns;
                attempt->stamps.last_byte_read_ns -= sooner_ns;
        }
        record->paths = paths;
        record->n_paths = 3;
}

static void test_slow_path(void **state)
{
        struct muster_str paths[] = { BYTES("http://host1.example:80/quick"),
                BYTES("http://host1.example:80/slow"),
                BYTES("http://host1.example:80/quick-as-well") };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &flat), 0);
        make_paths(&record, paths, 3, 190 * MS);
        assert_true(cause_is_found(&record, causes_uneven, "slow-path", &finding));
        assert_string_equal(finding.shown.title, "The path http://host1.example:80/slow is slow");
        assert_false(cause_is_found(&record, causes_uneven, "slow-host", &finding));
        assert_false(cause_is_found(&record, causes_server, "server-slow", &finding));
        record.paths = NULL;
        record.n_paths = 0;
        record_deinit(&record);
}

/* A fifth of the requests takes 45 % of the time: less than half, but nobody else is as slow. */
static void test_slow_path_of_few(void **state)
{
        struct muster_str paths[] = { BYTES("http://host1.example:80/quick"),
                BYTES("http://host1.example:80/slow"),
                BYTES("http://host1.example:80/quick-as-well") };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &flat), 0);
        make_paths(&record, paths, 5, 140 * MS);
        assert_true(cause_is_found(&record, causes_uneven, "slow-path", &finding));
        record.paths = NULL;
        record.n_paths = 0;
        record_deinit(&record);
}

static void one_in_ten_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->host = i % 10 == 9;
        if (request->host == 1)
                request->server_ns = 600 * MS;
}

/* The last ones are slow as all others are that go there: they have something in common. */
static void test_slow_host_and_no_stragglers(void **state)
{
        struct record_maker maker = { .n = 240,
                .slots = 16,
                .n_hosts = 2,
                .each.server_ns = 10 * MS,
                .vary = one_in_ten_slow };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
}

static void second_host_looked_up(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (request->host == 1 && i < maker->slots)
                request->dns_ns = 400 * MS;
}

/* All of them waited for its name: that host is not slow. */
static void test_slow_name_is_no_slow_host(void **state)
{
        struct record_maker maker = { .n = 40,
                .slots = 40,
                .n_hosts = 2,
                .each.server_ns = 2 * MS,
                .vary = second_host_looked_up };
        struct finding finding;

        (void)state;
        assert_false(cause_is_made(&maker, causes_uneven, "slow-host", &finding));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refusing_host),
                cmocka_unit_test(test_never_answers),
                cmocka_unit_test(test_slow_host),
                cmocka_unit_test(test_slow_host_or_limit),
                cmocka_unit_test(test_slow_host_beside_a_straggler),
                cmocka_unit_test(test_hanging_host),
                cmocka_unit_test(test_slow_path),
                cmocka_unit_test(test_slow_path_of_few),
                cmocka_unit_test(test_slow_host_and_no_stragglers),
                cmocka_unit_test(test_slow_name_is_no_slow_host),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
