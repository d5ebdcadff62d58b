/* SPDX-License-Identifier: MIT */
/*
 * Logging in: what is asked and answered, and how often
 */
#include "login_world.h"

/* --- how often it is asked ------------------------------------------------------------------- */

static void test_one_challenge_for_all(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_DIGEST, MUSTER_AUTH_DIGEST);
        get(&f, "/", 200, 2);
        for (int i = 0; i < 5; i++)
                get(&f, "/", 200, 1);
        assert_int_equal(world.n_401, 1);
        assert_int_equal(f.server.n_conns, 1);
        fixture_stop(&f);
}

/* Many at once: the first one asks, and the others wait for what it is told. */
static void test_the_first_goes_ahead(void **state)
{
        struct fixture f;
        unsigned n_twice = 0;

        (void)state;
        start(&f, SCRIPT_DIGEST, MUSTER_AUTH_ANY);
        for (int i = 0; i < 20; i++)
                submit(&f, "/", "GET", NULL);
        for (int i = 0; i < 20; i++) {
                struct muster_result *result = next_result(&f);

                assert_int_equal(muster_result_status(result), 200);
                n_twice += muster_result_n_attempts(result) == 2;
                muster_result_free(result);
        }
        assert_int_equal(world.n_401, 1);
        assert_int_equal(n_twice, 1);
        assert_true(f.server.n_open_max > 1);
        fixture_stop(&f);
}

/* If it is never answered, the others wait for its end, and then go on by themselves. */
static void test_the_first_fails(void **state)
{
        const struct muster_client_options options = { .size = sizeof(options),
                .auth = MUSTER_AUTH_DIGEST,
                .concurrency = 8,
                .total_timeout_ms = 1000 };
        struct fixture f;

        (void)state;
        fixture_start(&f, &options, script_hangs);
        for (int i = 0; i < 8; i++)
                submit(&f, "/", "GET", NULL);
        for (int i = 0; i < 8; i++)
                expect_result(&f, MUSTER_E_TIMEOUT, 0);
        assert_int_equal(fixture_now_ns(&f) - START_NS, 2000 * NS_PER_MS);
        assert_int_equal(f.server.n_busy_max, 7);
        fixture_stop(&f);
}

/* --- what ends a nonce ----------------------------------------------------------------------- */

static void test_stale(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_STALE, MUSTER_AUTH_DIGEST);
        get(&f, "/", 200, 2);
        get(&f, "/", 200, 1);
        get(&f, "/", 200, 2);
        get(&f, "/", 200, 1);
        assert_int_equal(world.n_401, 2);
        fixture_stop(&f);
}

/* A server that forgot the nonce and does not call it stale: what was right before may be again. */
static void test_forgotten(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_SILENT, MUSTER_AUTH_DIGEST);
        get(&f, "/", 200, 2);
        get(&f, "/", 200, 1);
        get(&f, "/", 200, 2);
        assert_int_equal(world.n_401, 2);
        fixture_stop(&f);
}

static void test_next_nonce(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_NEXT, MUSTER_AUTH_DIGEST);
        get(&f, "/", 200, 2);
        for (int i = 0; i < 3; i++)
                get(&f, "/", 200, 1);
        assert_int_equal(world.n_401, 1);
        fixture_stop(&f);
}

static void test_realms(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_REALMS, MUSTER_AUTH_DIGEST);
        get(&f, "/a", 200, 2);
        get(&f, "/b", 200, 2);
        get(&f, "/b", 200, 1);
        get(&f, "/a", 200, 2);
        fixture_stop(&f);
}

/* --- a wrong password ------------------------------------------------------------------------ */

static void test_wrong_password(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_REFUSES, MUSTER_AUTH_DIGEST);
        get(&f, "/", 401, 2);
        get(&f, "/", 401, 1); /* no second try with a password that was refused */
        fixture_stop(&f);
}

static void test_always_stale(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_ALWAYS_STALE, MUSTER_AUTH_DIGEST);
        get(&f, "/", 401, 4);
        fixture_stop(&f);
}

static void test_basic(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_BASIC, 0);
        get(&f, "/", 200, 1);
        fixture_stop(&f);
        start(&f, SCRIPT_BASIC, MUSTER_AUTH_ANY);
        get(&f, "/", 200, 2);
        get(&f, "/", 200, 1);
        fixture_stop(&f);
}

/* A scheme that may not be used: the result says what could be done. */
static void test_not_allowed(void **state)
{
        static const struct {
                enum script script;
                unsigned auth;
                const char *words;
        } cases[] = {
                { SCRIPT_BASIC, MUSTER_AUTH_DIGEST, "the server asks for Basic" },
                { SCRIPT_REFUSES, 0, NULL }, /* it offers Basic, too: the password is wrong */
        };
        struct fixture f;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct muster_result *result;
                const char *warning;

                start(&f, cases[i].script, cases[i].auth);
                submit(&f, "/", "GET", NULL);
                result = next_result(&f);
                assert_int_equal(muster_result_status(result), 401);
                assert_int_equal(muster_result_n_attempts(result), 1);
                assert_string_equal(muster_result_body(result), "no");
                warning = muster_result_warning(result);
                assert_true(cases[i].words ? strstr(warning, cases[i].words) != NULL : !*warning);
                muster_result_free(result);
                fixture_stop(&f);
        }
}

/* --- many users ------------------------------------------------------------------------------ */

/* More users than an origin remembers, all at once: each is asked once and answered. */
static void test_many_users(void **state)
{
        struct fixture f;
        char user[20];

        (void)state;
        start(&f, SCRIPT_REALMS, MUSTER_AUTH_DIGEST);
        for (int i = 0; i < 200; i++) {
                struct muster_request *request =
                        muster_request_new("GET", script_url(&f.server, "/a"));

                snprintf(user, sizeof(user), "user%d", i);
                muster_request_set_credentials(request, user, "pw", MUSTER_AUTH_DIGEST);
                muster_submit(f.client, request, NULL);
        }
        for (int i = 0; i < 200; i++) {
                struct muster_result *result = next_result(&f);

                assert_true(muster_result_n_attempts(result) <= 4);
                muster_result_free(result);
        }
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_challenge_for_all),
                cmocka_unit_test(test_the_first_goes_ahead),
                cmocka_unit_test(test_the_first_fails),
                cmocka_unit_test(test_stale),
                cmocka_unit_test(test_forgotten),
                cmocka_unit_test(test_next_nonce),
                cmocka_unit_test(test_realms),
                cmocka_unit_test(test_wrong_password),
                cmocka_unit_test(test_always_stale),
                cmocka_unit_test(test_basic),
                cmocka_unit_test(test_not_allowed),
                cmocka_unit_test(test_many_users),
        };

        return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
