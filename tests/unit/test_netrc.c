/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <core/netrc.h>

static int parse(struct netrc *netrc, const char *text, struct muster_error *error)
{
        *netrc = (struct netrc){ 0 };
        *error = (struct muster_error){ 0 };
        return netrc_parse(netrc, str_of(text), "/home/ada/.netrc", error);
}

/* `expected` is "login password", or NULL if there must be none. */
static void check(const char *text, const char *host, const char *user, const char *expected)
{
        struct muster_str login, password;
        struct muster_error error;
        struct buf shown = { 0 };
        struct netrc netrc;

        assert_int_equal(parse(&netrc, text, &error), 0);
        if (!netrc_find(&netrc, str_of(host), str_of(user), &login, &password)) {
                if (expected)
                        fail_msg("\"%s\": nothing for %s@%s", text, user, host);
        } else {
                assert_non_null(expected);
                buf_add_str(&shown, login);
                buf_add_char(&shown, ' ');
                buf_add_str(&shown, password);
                assert_int_equal(buf_terminate(&shown), 0);
                assert_string_equal(shown.at, expected);
        }
        buf_deinit(&shown);
        netrc_deinit(&netrc);
}

#define FILE_TEXT                                                                                  \
        "# machine a login commented password out\n"                                               \
        "machine a.example login ada password one\n"                                               \
        "machine a.example\n\tlogin bob\r\n\tpassword two # of bob\n"                              \
        "macdef init\nmachine a.example login macro password macro\n\n"                            \
        "machine b.example account x password three login carl\n"                                  \
        "machine \"q.example\" login \"two words\" password \"quote \\\" tab \\t end \\\\\"\n"     \
        "MACHINE c.example PASSWORD four\n"                                                        \
        "machine d.example port 8080 login dora password #five\n"                                  \
        "default login any password six\n"                                                         \
        "machine e.example login behind password default\n"

static void test_find(void **state)
{
        (void)state;
        check(FILE_TEXT, "a.example", "", "ada one");
        check(FILE_TEXT, "A.Example", "bob", "bob two");
        check(FILE_TEXT, "a.example", "macro", NULL);
        check(FILE_TEXT, "b.example", "", "carl three");
        check(FILE_TEXT, "q.example", "", "two words quote \" tab \t end \\");
        check(FILE_TEXT, "c.example", "", " four");
        check(FILE_TEXT, "c.example", "eve", "eve four");
        check(FILE_TEXT, "d.example", "", "dora #five");
        check(FILE_TEXT, "e.example", "", "any six");
        check(FILE_TEXT, "other", "any", "any six");
        check(FILE_TEXT, "other", "nobody", NULL);
        check("machine a login b", "a", "", "b ");
        check("machine a machine b login x password y", "a", "", NULL);
        check("", "a", "", NULL);
        check("login x password y", "a", "", NULL);
        check("macdef never\nends", "a", "", NULL);
        check("machine ::1 login six password y", "::1", "", "six y");
}

static void test_errors(void **state)
{
        static const struct {
                const char *text, *words;
        } cases[] = {
                { "machine a login", "/home/ada/.netrc, line 1: nothing follows \"login\"" },
                { "machine a\nlogin b\npassword", "line 3: nothing follows \"password\"" },
                { "\n\nmachine \n# end", "line 3: nothing follows \"machine\"" },
                { "machine a\npassword \"never\nends",
                        "line 2: a quoted word has no closing quote" },
                { "machine a password \"x\\", "line 1: a quoted word has no closing quote" },
                { "account", "line 1: nothing follows \"account\"" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct muster_error error;
                struct netrc netrc;

                assert_int_equal(parse(&netrc, cases[i].text, &error), MUSTER_E_INPUT);
                if (!strstr(error.text, cases[i].words))
                        assert_string_equal(error.text, cases[i].words);
                netrc_deinit(&netrc);
        }
}

static void test_file(void **state)
{
        struct muster_error error = { 0 };
        struct netrc netrc = { 0 };

        (void)state;
        assert_int_equal(netrc_read(&netrc, "/nonexistent/netrc", &error), MUSTER_E_INPUT);
        assert_non_null(strstr(error.text, "/nonexistent/netrc: "));
        assert_int_equal(error.sys, 2); /* ENOENT */
        netrc_deinit(&netrc);
        assert_int_equal(netrc_read(&netrc, "/dev/null", &error), 0);
        netrc_deinit(&netrc);
        error = (struct muster_error){ 0 };
        assert_int_equal(netrc_read(&netrc, "/", &error), MUSTER_E_INPUT);
        netrc_deinit(&netrc);
}

static void read_all(void)
{
        struct muster_error error;
        struct netrc netrc;
        int r = parse(&netrc, FILE_TEXT, &error);

        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        netrc_deinit(&netrc);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(read_all);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("netrc", tests, NULL, NULL);
}
