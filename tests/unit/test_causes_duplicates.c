/* SPDX-License-Identifier: MIT */
/*
 * Findings about lists that ask for the same again: against runs that have it, and those that look
 * like it
 */
#include "causes.h"

#define MS NS_PER_MS

/* 160 requests for so many URLs, in turn. */
static void make_list(struct record *record, size_t n_urls)
{
        make(record, &(struct record_maker){ .n = 160, .slots = 4, .each.server_ns = 20 * MS });
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                attempt->is_plain = attempt->is_safe = true;
                attempt->has_fields = false;
                attempt->method = TRACE_METHOD_GET;
                attempt->url_digest = 1 + i % n_urls;
                attempt->body_bytes = 100 + i % n_urls;
        }
}

static bool is_duplicate(const struct record *record)
{
        return is_found(record, causes_duplicates, "duplicate-requests");
}

static void test_duplicates(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        make_list(&record, 40);
        assert_true(cause_is_found(&record, causes_duplicates, "duplicate-requests", &finding));
        assert_string_equal(finding.shown.title,
                "120 of 160 requests asked again for what the list had asked before");
        assert_string_equal(finding.evidence[0],
                "40 different URLs were asked for, by GET and without header fields");
        assert_predicted(&finding, 200 * MS); /* 40 of 20 ms, by four */
        record_deinit(&record);
}

static void test_what_is_no_duplicate(void **state)
{
        static char command[] = "[\"--requests\",\"160\",\"-i\",\"urls\"]";
        struct record record;

        (void)state;
        make_list(&record, 160);
        assert_false(is_duplicate(&record));
        record_deinit(&record);
        make_list(&record, 1); /* load, made by hand */
        assert_false(is_duplicate(&record));
        record_deinit(&record);
        make_list(&record, 4);
        assert_false(is_duplicate(&record));
        record_deinit(&record);

        make_list(&record, 40);
        record.run.command = command; /* load that was asked for */
        assert_false(is_duplicate(&record));
        record.run.command = NULL;
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].body_bytes = i; /* what is there changes */
        assert_false(is_duplicate(&record));
        record_deinit(&record);

        make_list(&record, 40);
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].has_fields = true; /* which may differ */
        assert_false(is_duplicate(&record));
        record_deinit(&record);

        make_list(&record, 40);
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].is_plain = false; /* POST, or HEAD */
        assert_false(is_duplicate(&record));
        record_deinit(&record);

        make_list(&record, 40);
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].url_digest = 0; /* not known */
        assert_false(is_duplicate(&record));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_duplicates),
                cmocka_unit_test(test_what_is_no_duplicate),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
