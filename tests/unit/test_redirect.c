/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <http/redirect.h>

static const struct {
        int status;
        const char *method, *from, *location;
        bool may_downgrade;
        int r;
        const char *target;
        bool becomes_get, drops_credentials;
} cases[] = {
        { 301, "GET", "http://h/a", "/b", false, 0, "http://h/b", false, false },
        { 301, "POST", "http://h/a", "/b", false, 0, "http://h/b", true, false },
        { 302, "POST", "http://h/a", "b", false, 0, "http://h/b", true, false },
        { 302, "PUT", "http://h/a", "b", false, 0, "http://h/b", false, false },
        { 302, "HEAD", "http://h/a", "b", false, 0, "http://h/b", false, false },
        { 303, "POST", "http://h/a", "b", false, 0, "http://h/b", true, false },
        { 303, "PUT", "http://h/a", "b", false, 0, "http://h/b", true, false },
        { 303, "HEAD", "http://h/a", "b", false, 0, "http://h/b", false, false },
        { 307, "POST", "http://h/a", "b", false, 0, "http://h/b", false, false },
        { 308, "POST", "http://h/a", "b", false, 0, "http://h/b", false, false },
        { 302, "GET", "http://h/a", "http://other/", false, 0, "http://other/", false, true },
        { 302, "GET", "http://h/a", "http://h:81/", false, 0, "http://h:81/", false, true },
        { 302, "GET", "http://h/a", "https://h/", false, 0, "https://h/", false, true },
        { 302, "GET", "http://h/a", "http://h:80/b", false, 0, "http://h/b", false, false },
        { 302, "GET", "https://h/", "http://h/", true, 0, "http://h/", false, true },
        { 302, "GET", "https://h/", "http://h/", false, MUSTER_E_REDIRECT, NULL, false, false },
        { 302, "GET", "http://h/", "ftp://h/", false, MUSTER_E_REDIRECT, NULL, false, false },
        { 302, "GET", "http://h/", "http://", false, MUSTER_E_REDIRECT, NULL, false, false },
        { 302, "GET", "http://h/a?q", "", false, 0, "http://h/a?q", false, false },
        { 302, "GET", "http://h/a?q", "#part", false, 0, "http://h/a?q", false, false },
        { 303, "POST", "http://h/a", "", false, 0, "http://h/a", true, false },
        { 302, "GET", "http://h/", NULL, false, REDIRECT_NONE, NULL, false, false },
        { 200, "GET", "http://h/", "/b", false, REDIRECT_NONE, NULL, false, false },
        { 300, "GET", "http://h/", "/b", false, REDIRECT_NONE, NULL, false, false },
        { 304, "GET", "http://h/", "/b", false, REDIRECT_NONE, NULL, false, false },
        { 305, "GET", "http://h/", "/b", false, REDIRECT_NONE, NULL, false, false },
};

static void test_cases(void **state)
{
        /*
         * [9110 4.2.2 secured] [9110 15.4.8 same-method] [9110 15.4.9 same-method]
         * [3986 5.1 base]
         */
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct url from = { 0 }, target = { 0 };
                struct redirect redirect = { 0 };
                struct muster_error error = { 0 };

                assert_int_equal(url_parse(&from, str_of(cases[i].from), NULL, NULL), 0);
                assert_int_equal(redirect_decide(cases[i].status, str_of(cases[i].method), &from,
                                         str_of(cases[i].location), cases[i].may_downgrade, &target,
                                         &redirect, &error),
                        cases[i].r);
                if (cases[i].r == 0) {
                        assert_true(str_is(buf_str(&target.text), cases[i].target));
                        assert_int_equal(redirect.becomes_get, cases[i].becomes_get);
                        assert_int_equal(redirect.drops_credentials, cases[i].drops_credentials);
                } else if (cases[i].r < 0) {
                        assert_int_equal(strncmp(error.text, "redirect: to \"", 14), 0);
                }
                url_deinit(&from);
                url_deinit(&target);
        }
}

/* What a server sends is in no message as far as it may be a password. */
static void test_no_message_has_a_password(void **state)
{
        static const struct {
                const char *location, *shown;
        } locations[] = {
                { "ftp://grace:sesame@h/x", "\"ftp://h/x\"" },
                { "//grace:sesame@h:99999/", "\"//h:99999/\"" },
                { "http://grace:sesame@ho st/a@b", "\"http://ho st/a@b\"" },
                { "http://a@b:sesame@:1?c@d", "\"http://:1?c@d\"" },
                { "https:\\\\grace:sesame@h:x", "\"https:\\\\h:x\"" },
                { "grace:sesame@h/", "\"grace:h/\"" },
                { "http://sesame@", "\"http://\"" },
                { "ftp://h/a@b", "\"ftp://h/a@b\"" },
                { "ftp:", "\"ftp:\"" },
        };
        struct url from = { 0 }, target = { 0 };

        (void)state;
        assert_int_equal(url_parse(&from, str_of("http://from/"), NULL, NULL), 0);
        for (size_t i = 0; i < LENGTH(locations); i++) {
                struct redirect redirect = { 0 };
                struct muster_error error = { 0 };

                assert_int_equal(redirect_decide(302, str_of("GET"), &from,
                                         str_of(locations[i].location), false, &target, &redirect,
                                         &error),
                        MUSTER_E_REDIRECT);
                assert_non_null(strstr(error.text, locations[i].shown));
                assert_null(strstr(error.text, "sesame"));
        }
        url_deinit(&from);
        assert_int_equal(url_parse(&from, str_of("https://from/"), NULL, NULL), 0);
        {
                struct redirect redirect = { 0 };
                struct muster_error error = { 0 };

                assert_int_equal(redirect_decide(302, str_of("GET"), &from,
                                         str_of("http://grace:sesame@h/"), false, &target,
                                         &redirect, &error),
                        MUSTER_E_REDIRECT);
                assert_non_null(strstr(error.text, "\"http://h/\": leads from https to http"));
        }
        url_deinit(&from);
        url_deinit(&target);
}

static void test_fields(void **state)
{
        (void)state;
        assert_true(redirect_is_credential_field(str_of("authorization")));
        assert_true(redirect_is_credential_field(str_of("Cookie")));
        assert_false(redirect_is_credential_field(str_of("Accept")));
        assert_false(redirect_may_leave(str_of("Accept")));
        assert_false(redirect_may_leave(str_of("Ranges")));
        assert_true(redirect_may_leave(str_of("content-type")));
        assert_true(redirect_may_leave(str_of("RANGE")));
        assert_true(redirect_is_body_field(str_of("content-TYPE")));
        assert_false(redirect_is_body_field(str_of("Content")));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
                cmocka_unit_test(test_no_message_has_a_password), cmocka_unit_test(test_fields) };

        return cmocka_run_group_tests_name("redirect", tests, NULL, NULL);
}
