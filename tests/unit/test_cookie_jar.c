/* SPDX-License-Identifier: MIT */
/* How many cookies a jar has, which of them go first, and its public face. */
#include "cookie_case.h"

#include <muster/cookie.h>
#include <pthread.h>
#include <stdio.h>

static void set_many(struct cookie_jar *jar, const char *from, const char *name, int first, int n,
        const char *rest)
{
        struct url url = url_of(from);

        for (int i = first; i < first + n; i++) {
                char field[80];

                snprintf(field, sizeof(field), "%s%d=1%s", name, i, rest);
                assert_int_equal(cookie_jar_set(jar, &url, str_of(field), NOW_S), 0);
        }
        url_deinit(&url);
}

static bool has(struct cookie_jar *jar, const char *host, const char *name)
{
        const struct set_cookie like = { .name = str_of(name), .path = str_of("/") };

        return cookie_jar_find_same(jar, str_of(host), &like, true);
}

/* --- a domain that has too many -------------------------------------------------------------- */

/* The one that was not used for the longest time goes first. */
static void test_domain_is_full(void **state)
{
        /* [6265bis 6.1 limits] */
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        set_many(&jar, "http://h.example/", "a", 0, COOKIES_OF_DOMAIN_MAX, "; path=/");
        set_many(&jar, "http://h.example/", "a", 0, 1, "; path=/"); /* used again */
        assert_int_equal(jar.n, COOKIES_OF_DOMAIN_MAX);
        set_many(&jar, "http://h.example/", "a", COOKIES_OF_DOMAIN_MAX, 1, "; path=/");
        assert_int_equal(jar.n, COOKIES_OF_DOMAIN_MAX + 1 - 30);
        assert_true(has(&jar, "h.example", "a0"));
        assert_false(has(&jar, "h.example", "a1"));
        assert_false(has(&jar, "h.example", "a30"));
        assert_true(has(&jar, "h.example", "a31"));
        assert_true(has(&jar, "h.example", "a180"));
        cookie_jar_deinit(&jar);
}

/* First what is out of date, then what has no Secure, then the rest. */
static void test_ranks(void **state)
{
        /* [6265bis 5.7 eviction] */
        struct url url = url_of("https://h.example/");
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        set_many(&jar, "https://h.example/", "s", 0, 160, "; path=/; Secure");
        set_many(&jar, "https://h.example/", "p", 0, 15, "; path=/");
        set_many(&jar, "https://h.example/", "o", 0, 5, "; path=/; Secure; Max-Age=1");
        assert_int_equal(cookie_jar_set(&jar, &url, str_of("last=1; Secure; path=/"), NOW_S + 2),
                0);
        assert_int_equal(jar.n, 151);
        assert_false(has(&jar, "h.example", "o0"));
        assert_false(has(&jar, "h.example", "p14"));
        assert_false(has(&jar, "h.example", "s9"));
        assert_true(has(&jar, "h.example", "s10"));
        assert_true(has(&jar, "h.example", "last"));
        url_deinit(&url);
        cookie_jar_deinit(&jar);
}

/* --- a jar that has too many ----------------------------------------------------------------- */

/* Who has many gives first; others keep theirs, however old. */
static void test_jar_is_full(void **state)
{
        /* [6265bis 5.7 eviction] [6265bis 6.1 limits] */
        struct cookie_jar jar;
        char host[64];
        int n = 0;

        (void)state;
        cookie_jar_init(&jar);
        set_many(&jar, "http://old.example/", "a", 0, COOKIES_OF_DOMAIN_FAIR, "; path=/");
        for (int i = 0; jar.n + 300 <= COOKIES_MAX; i++) {
                snprintf(host, sizeof(host), "http://many%d.example/", i);
                set_many(&jar, host, "a", 0, 150, "; path=/");
        }
        for (; jar.n < COOKIES_MAX; n++) {
                snprintf(host, sizeof(host), "http://few%d.example/", n);
                set_many(&jar, host, "a", 0, 1, "; path=/");
        }
        set_many(&jar, "http://last.example/", "a", 0, 1, "; path=/");
        assert_int_equal(jar.n, COOKIES_MAX + 1 - 1000);
        assert_true(has(&jar, "old.example", "a0"));
        assert_false(has(&jar, "many0.example", "a0"));
        assert_true(has(&jar, "many20.example", "a0"));
        assert_true(has(&jar, "few0.example", "a0"));
        assert_true(has(&jar, "last.example", "a0"));
        assert_null(cookie_jar_find(&jar, str_of("many0.other")));
        cookie_jar_deinit(&jar);
        assert_int_equal(jar.n, 0);
}

/* A domain goes with its last cookie, and those above it that were there for it alone. */
static void test_domains_go(void **state)
{
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        set(&jar, "http://a.b.c.d.example/", "x=1; Max-Age=10");
        set(&jar, "http://d.example/", "y=1");
        assert_int_equal(jar.domains.n, 5);
        expect_at(&jar, "http://a.b.c.d.example/", NOW_S + 11, "");
        assert_int_equal(jar.domains.n, 2);
        set(&jar, "http://192.0.2.1/", "y=1");
        assert_int_equal(jar.domains.n, 3); /* an address has nothing above it */
        cookie_jar_clear_session(&jar);
        assert_int_equal(jar.domains.n, 0);
        cookie_jar_deinit(&jar);
}

/* Hosts with labels that are empty, which URLs may have. */
static void test_odd_names(void **state)
{
        static const char *const hosts[] = { "http://.b/", "http://.b.c/", "http://a..b/",
                "http://a.b./", "http://...b./", "http://b/" };
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        for (size_t i = 0; i < LENGTH(hosts); i++) {
                struct url url = { 0 };

                if (url_parse(&url, str_of(hosts[i]), NULL, NULL) == 0) {
                        assert_int_equal(cookie_jar_set(&jar, &url, str_of("n=v"), NOW_S), 0);
                        expect(&jar, hosts[i], "n=v");
                }
                url_deinit(&url);
        }
        assert_true(jar.n > 0);
        cookie_jar_clear(&jar);
        assert_int_equal(jar.domains.n, 0);
        cookie_jar_deinit(&jar);
}

/* --- the public face ------------------------------------------------------------------------- */

static void test_public(void **state)
{
        struct muster_jar *jar = muster_jar_new(), *copy;
        struct muster_cookies *cookies;
        const struct muster_cookie *cookie;

        (void)state;
        assert_non_null(jar);
        assert_int_equal(muster_jar_set(jar, "https://www.example.com/a/b",
                                 "n=v; Secure; Max-Age=100"),
                0);
        assert_int_equal(muster_jar_set(jar, "https://www.example.com/",
                                 "m=w; domain=example.com; HttpOnly; SameSite=Strict"),
                0);
        assert_int_equal(muster_jar_set(jar, "https://www.example.com/", "m=w; domain=com"),
                MUSTER_COOKIE_IGNORED);
        assert_int_equal(muster_jar_set(jar, "no url", "m=w"), MUSTER_E_URL);
        assert_int_equal(muster_jar_set(jar, NULL, "m=w"), MUSTER_E_INVALID);
        copy = muster_jar_copy(jar);
        muster_jar_clear(jar);
        cookies = muster_cookies_new(jar);
        assert_int_equal(muster_cookies_count(cookies), 0);
        assert_null(muster_cookies_at(cookies, 0));
        muster_cookies_free(cookies);
        muster_jar_free(jar);

        cookies = muster_cookies_new(copy);
        assert_int_equal(muster_cookies_count(cookies), 2);
        cookie = muster_cookies_at(cookies, 0);
        assert_string_equal(cookie->name, "n");
        assert_string_equal(cookie->value, "v");
        assert_string_equal(cookie->domain, "www.example.com");
        assert_string_equal(cookie->path, "/a");
        assert_true(cookie->is_host_only && cookie->is_secure && !cookie->is_http_only);
        assert_true(cookie->expires_s > 1700000000);
        cookie = muster_cookies_at(cookies, 1);
        assert_string_equal(cookie->domain, "example.com");
        assert_true(!cookie->is_host_only && !cookie->is_secure && cookie->is_http_only);
        assert_int_equal(cookie->same_site, MUSTER_SAME_SITE_STRICT);
        assert_int_equal(cookie->expires_s, 0);
        muster_jar_clear_session(copy);
        assert_int_equal(muster_cookies_count(cookies), 2); /* a copy does not change */
        muster_cookies_free(cookies);
        cookies = muster_cookies_new(copy);
        assert_int_equal(muster_cookies_count(cookies), 1);
        muster_cookies_free(cookies);
        muster_jar_free(copy);
}

static void test_nothing(void **state)
{
        struct muster_error error;

        (void)state;
        assert_null(muster_jar_free(NULL));
        assert_null(muster_jar_ref(NULL));
        assert_null(muster_jar_copy(NULL));
        assert_null(muster_cookies_new(NULL));
        assert_null(muster_cookies_free(NULL));
        assert_int_equal(muster_cookies_count(NULL), 0);
        assert_int_equal(muster_cookies_text(NULL).len, 0);
        muster_jar_clear(NULL);
        muster_jar_clear_session(NULL);
        assert_int_equal(muster_jar_load(NULL, "x", &error), MUSTER_E_INVALID);
        assert_int_equal(muster_jar_save(NULL, "x", NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_jar_read(NULL, "", 0, NULL), MUSTER_E_INVALID);
}

/* --- several threads ------------------------------------------------------------------------- */

#define N_THREADS 4
#define N_TURNS   400

static void *use_in_thread(void *argument)
{
        struct muster_jar *jar = argument;

        for (int i = 0; i < N_TURNS; i++) {
                char url[64];
                struct muster_cookies *cookies;

                snprintf(url, sizeof(url), "http://h%d.example/", i % 50);
                if (muster_jar_set(jar, url, "a=1") != 0)
                        return jar;
                if (i % 20 == 0) {
                        cookies = muster_cookies_new(jar);
                        if (!muster_cookies_count(cookies))
                                return jar;
                        muster_cookies_free(cookies);
                }
        }
        muster_jar_free(jar);
        return NULL;
}

static void test_threads(void **state)
{
        struct muster_jar *jar = muster_jar_new();
        struct muster_cookies *cookies;
        pthread_t threads[N_THREADS];

        (void)state;
        for (size_t i = 0; i < N_THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, use_in_thread,
                                         muster_jar_ref(jar)),
                        0);
        for (size_t i = 0; i < N_THREADS; i++) {
                void *failed;

                pthread_join(threads[i], &failed);
                assert_null(failed);
        }
        cookies = muster_cookies_new(jar);
        assert_int_equal(muster_cookies_count(cookies), 50);
        muster_cookies_free(cookies);
        muster_jar_free(jar);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_domain_is_full),
                cmocka_unit_test(test_ranks), cmocka_unit_test(test_jar_is_full),
                cmocka_unit_test(test_domains_go), cmocka_unit_test(test_odd_names),
                cmocka_unit_test(test_public), cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_threads) };

        return cmocka_run_group_tests_name("cookie_jar", tests, NULL, NULL);
}
