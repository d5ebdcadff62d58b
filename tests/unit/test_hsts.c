/* SPDX-License-Identifier: MIT */
/*
 * Hosts that want https only: the field, which hosts it covers, and the file
 */
#include "unit.h"

#include <http/hsts.h>
#include <stdio.h>

#define NOW_S INT64_C(1800000000) /* 2027-01-15 08:00:00 */

static bool has(const struct hsts *hsts, const char *host, int64_t now_s)
{
        return hsts_has(hsts, str_of(host), now_s);
}

/* RFC 6797 section 6.1, and its examples. */
static void test_field(void **state)
{
        static const struct {
                const char *value;
                bool is_good, has_subdomains;
        } cases[] = {
                { "max-age=100", true, false },
                { "max-age=\"100\"", true, false },
                { " Max-Age = 100 ; includeSubDomains", true, true },
                { "includesubdomains;max-age=100", true, true },
                { ";max-age=100;;", true, false },
                { "max-age=100; preload", true, false },
                { "max-age=100; later=\"a;includeSubDomains\\\";b\"", true, false },
                { "max-age=99999999999999999999999; includeSubDomains", true, true },
                { "", false, false },
                { "includeSubDomains", false, false },
                { "max-age", false, false },
                { "max-age=", false, false },
                { "max-age=\"\"", false, false },
                { "max-age=-1", false, false },
                { "max-age=1.5", false, false },
                { "max-age=100 200", false, false },
                { "max-age=100; max-age=100", false, false },
                { "max-age=100; includeSubDomains; includeSubDomains", false, false },
                { "max-age=100; includeSubDomains=yes", false, false },
                { "max-age=100, includeSubDomains", false, false },
                { "max-age=100; a b", false, false },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct hsts hsts;
                int r;

                hsts_init(&hsts);
                r = hsts_note(&hsts, str_of("h.test"), str_of(cases[i].value), NOW_S);
                if ((r == 0) != cases[i].is_good ||
                        has(&hsts, "h.test", NOW_S + 99) != cases[i].is_good ||
                        has(&hsts, "a.h.test", NOW_S) != cases[i].has_subdomains)
                        fail_msg("\"%s\": %d", cases[i].value, r);
                assert_int_equal(hsts.has_changed, cases[i].is_good);
                hsts_deinit(&hsts);
        }
}

static void test_hosts(void **state)
{
        struct hsts hsts;

        (void)state;
        hsts_init(&hsts);
        assert_false(has(&hsts, "h.test", NOW_S));
        hsts_note(&hsts, str_of("h.test."), str_of("max-age=100"), NOW_S);
        hsts_note(&hsts, str_of("wide.test"), str_of("max-age=100;includeSubDomains"), NOW_S);
        hsts_note(&hsts, str_of("narrow.wide.test"), str_of("max-age=100"), NOW_S);
        assert_true(has(&hsts, "h.test", NOW_S) && has(&hsts, "h.test.", NOW_S));
        assert_true(has(&hsts, "h.test", NOW_S + 99) && !has(&hsts, "h.test", NOW_S + 100));
        assert_false(has(&hsts, "ah.test", NOW_S) || has(&hsts, "a.h.test", NOW_S));
        assert_false(has(&hsts, "test", NOW_S) || has(&hsts, "", NOW_S) || has(&hsts, ".", NOW_S));
        assert_true(has(&hsts, "wide.test", NOW_S) && has(&hsts, "a.b.wide.test", NOW_S));
        assert_true(has(&hsts, "b.narrow.wide.test", NOW_S)); /* by the one above it */
        assert_false(has(&hsts, "awide.test", NOW_S));
        /* 0 takes back what this host said, not what one above it says. */
        hsts_note(&hsts, str_of("narrow.wide.test"), str_of("max-age=0"), NOW_S);
        hsts_note(&hsts, str_of("h.test"), str_of("max-age=0; includeSubDomains"), NOW_S);
        assert_false(has(&hsts, "h.test", NOW_S));
        assert_true(has(&hsts, "narrow.wide.test", NOW_S));
        /* What it says last counts. */
        hsts_note(&hsts, str_of("wide.test"), str_of("max-age=5"), NOW_S);
        assert_false(has(&hsts, "a.wide.test", NOW_S) || has(&hsts, "wide.test", NOW_S + 5));
        hsts_deinit(&hsts);
}

static void test_bound(void **state)
{
        struct hsts hsts;
        char name[32];

        (void)state;
        hsts_init(&hsts);
        for (int i = 0; i <= HSTS_HOSTS_MAX; i++) {
                snprintf(name, sizeof(name), "h%d.test", i);
                assert_int_equal(hsts_note(&hsts, str_of(name), str_of("max-age=9"), NOW_S), 0);
        }
        assert_int_equal(hsts.hosts.n, HSTS_HOSTS_MAX);
        assert_false(has(&hsts, "h0.test", NOW_S));
        assert_true(has(&hsts, "h1.test", NOW_S) && has(&hsts, name, NOW_S));
        memset(name, 'a', sizeof(name));
        hsts_deinit(&hsts);
}

static void test_file(void **state)
{
        static const char text[] = "# Your HSTS cache. https://curl.se/docs/hsts.html\n"
                                   "\n"
                                   ".Wide.test \"20270115 08:00:01\"\r\n"
                                   "h.test \"unlimited\"\n"
                                   "old.test \"20270115 08:00:00\"\n"
                                   "h.test \"20280101 00:00:00\"";
        struct muster_error error = { 0 };
        struct buf out = { 0 };
        struct hsts hsts;

        (void)state;
        hsts_init(&hsts);
        assert_int_equal(hsts_read(&hsts, str_of(text), "f", NOW_S, &error), 0);
        assert_false(hsts.has_changed);
        assert_int_equal(hsts.hosts.n, 2);
        assert_true(has(&hsts, "a.wide.test", NOW_S) && !has(&hsts, "a.wide.test", NOW_S + 1));
        assert_true(has(&hsts, "h.test", NOW_S + INT64_C(1000000000)));
        assert_false(has(&hsts, "a.h.test", NOW_S));
        hsts_note(&hsts, str_of("new.test"), str_of("max-age=3600"), NOW_S);
        assert_int_equal(hsts_write(&hsts, &out, NOW_S), 0);
        assert_int_equal(buf_terminate(&out), 0);
        assert_string_equal(strchr(out.at, '\n') + 1, ".wide.test \"20270115 08:00:01\"\n"
                                                      "h.test \"unlimited\"\n"
                                                      "new.test \"20270115 09:00:00\"\n");
        buf_deinit(&out);
        hsts_deinit(&hsts);
}

static void test_damaged_file(void **state)
{
        static const char *const lines[] = { "h.test", "h.test 20270115 08:00:01",
                "h.test \"20270115\"", "h.test \"2027-01-15 08:00:01\"", "\"20270115 08:00:01\"",
                ". \"20270115 08:00:01\"", "h.test \"20270115 08:00:01\" x", "h.test \"",
                "a b \"20270115 08:00:01\"" };

        (void)state;
        for (size_t i = 0; i < LENGTH(lines); i++) {
                struct muster_error error = { 0 };
                struct hsts hsts;
                char text[128];

                hsts_init(&hsts);
                snprintf(text, sizeof(text), "# x\n%s\n", lines[i]);
                if (hsts_read(&hsts, str_of(text), "a/file", NOW_S, &error) != MUSTER_E_INPUT)
                        fail_msg("%s", lines[i]);
                assert_non_null(strstr(error.text, "a/file, line 2, "));
                hsts_deinit(&hsts);
        }
}

static void learn_with_little_memory(void)
{
        struct hsts hsts;
        int r;

        hsts_init(&hsts);
        r = hsts_note(&hsts, str_of("h.test"), str_of("max-age=9"), NOW_S);
        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        hsts_deinit(&hsts);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(learn_with_little_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_field),
                cmocka_unit_test(test_hosts),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_damaged_file),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("hsts", tests, NULL, NULL);
}
