/* SPDX-License-Identifier: MIT */
/*
 * What is said of a run: how the requests ended, and by which statuses
 */
#include "unit.h"

#include "report/report.h"
#include <core/request.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static char told[8192];

/* The summary of what was added, into `told`. */
static void tell(const struct report *report)
{
        struct muster_client_stats stats = { .n_conns_opened = 53, .n_conns_reused = 250 };
        char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);
        struct page page = { .to = to, .width = UINT_MAX };

        summary_print(report, &stats, "", &page);
        fclose(to);
        snprintf(told, sizeof(told), "%s", text);
        free(text);
}

static void expect_line(const char *line)
{
        if (!strstr(told, line))
                fail_msg("\"%s\" is not in:\n%s", line, told);
}

/* `n` requests for `url` that ended with this status, and this error; MUSTER_OK: none. */
static void add(struct report *report, unsigned n, const char *url, int status,
        enum muster_code code)
{
        struct muster_error error = { .code = code, .text = "why" };
        struct muster_request request = { .result.status = status };

        assert_int_equal(buf_add_text(&request.asked_url, url), 0);
        assert_int_equal(buf_terminate(&request.asked_url), 0);
        while (n--)
                report_add(report, &request.result, code ? &error : NULL);
        buf_deinit(&request.asked_url);
}

/* A server that lets one in five in; nobody asked for statuses to be failures. */
static void test_refusals_are_no_successes(void **state)
{
        struct report report;

        (void)state;
        report_init(&report);
        add(&report, 386, "http://h/a", 200, MUSTER_OK);
        add(&report, 1613, "http://h/b?q", 429, MUSTER_OK);
        add(&report, 1, "http://h/c", 429, MUSTER_OK);
        tell(&report);
        expect_line("; 386 succeeded, 1614 answered 4xx or 5xx, 0 failed\n");
        expect_line("responses    2xx: 386, 4xx: 1614\n");
        expect_line("4xx          429: 1614, first: http://h/b?q\n");
        assert_int_equal(report.n_failed, 0); /* so the exit status is 0 */
        report_deinit(&report);
}

static void test_every_kind_of_answer(void **state)
{
        struct report report;

        (void)state;
        report_init(&report);
        add(&report, 5, "http://h/", 200, MUSTER_OK);
        add(&report, 4, "http://h/", 302, MUSTER_OK);
        add(&report, 3, "http://h/", 304, MUSTER_OK);
        add(&report, 2, "http://h/", 404, MUSTER_E_STATUS); /* with -f */
        add(&report, 1, "http://h/", 999, MUSTER_OK);
        add(&report, 6, "http://h/", 0, MUSTER_E_TIMEOUT);
        add(&report, 7, "http://h/", 200, MUSTER_E_CLOSED); /* its body broke off */
        report_add(&report, NULL, &(struct muster_error){ .code = MUSTER_E_INPUT });
        add(&report, 8, "http://h/", 0, MUSTER_E_CANCELLED);
        tell(&report);
        expect_line("requests     29 in ");
        expect_line("; 12 succeeded, 1 answered 4xx or 5xx, 16 failed; 8 others cancelled\n");
        expect_line("responses    2xx: 12, not modified: 3, redirects not followed: 4, 4xx: 2, "
                    "5xx: 1, no response: 7\n");
        expect_line("4xx          404: 2, first: http://h/\n");
        expect_line("5xx          999: 1, first: http://h/\n");
        report_deinit(&report);
}

/* None is forgotten when there is a new one. */
static void test_every_code(void **state)
{
        struct report report;
        char line[60];

        (void)state;
        report_init(&report);
        for (int code = -1; code >= MUSTER_E_LOWEST; code--)
                if (code != MUSTER_E_STATUS && code != MUSTER_E_CANCELLED)
                        add(&report, 1, "http://h/", 0, (enum muster_code)code);
        tell(&report);
        for (int code = -1; code >= MUSTER_E_LOWEST; code--) {
                snprintf(line, sizeof(line), "failed       %s: 1, first: http://h/",
                        muster_code_name((enum muster_code)code));
                if (code != MUSTER_E_STATUS && code != MUSTER_E_CANCELLED)
                        expect_line(line);
        }
        report_deinit(&report);
}

/* However many kinds there are, the lines are few, and the most frequent come first. */
static void test_many_statuses(void **state)
{
        struct report report;

        (void)state;
        report_init(&report);
        for (int i = 0; i < 30; i++)
                add(&report, i == 17 ? 100 : (unsigned)i + 1, "http://h/", 400 + i, MUSTER_OK);
        tell(&report);
        expect_line("4xx          417: 100, first: http://h/\n"
                    "4xx          429: 30, first: http://h/\n"
                    "4xx          428: 29, first: http://h/\n"
                    "4xx          27 other statuses: 388\n");
        report_deinit(&report);
}

static void test_words_for_connections_and_time(void **state)
{
        struct report report;

        (void)state;
        report_init(&report);
        report.phase_ns[MUSTER_PHASE_TCP] = 3;
        report.phase_ns[MUSTER_PHASE_WAIT] = 996;
        report.phase_ns[MUSTER_PHASE_LAG] = 1;
        report.phase_ns[MUSTER_PHASE_QUEUE] = 100000; /* no slot is held meanwhile */
        tell(&report);
        expect_line("connections  53 opened, 250 requests reused one; no DNS lookups\n");
        expect_line(
                "where the time went: waiting for the server 99.6 %, opening connections 0.3 %, "
                "muster's own delay 0.1 %\n");
        report_deinit(&report);
}

static void add_one(void)
{
        struct report report;

        report_init(&report);
        report_add(&report, NULL, &(struct muster_error){ .code = MUSTER_E_INPUT });
        answers_add(&report.answers, 404, "http://h/");
        assert_int_equal(answers_n(&report.answers, 404), 1);
        report_deinit(&report);
}

static void test_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(add_one);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refusals_are_no_successes),
                cmocka_unit_test(test_every_kind_of_answer),
                cmocka_unit_test(test_every_code),
                cmocka_unit_test(test_many_statuses),
                cmocka_unit_test(test_words_for_connections_and_time),
                cmocka_unit_test(test_without_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
