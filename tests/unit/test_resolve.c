/* SPDX-License-Identifier: MIT */
/*
 * Names against a scripted DNS server
 */
#include "resolve_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void test_known_without_asking(void **state)
{
        static const char *const overrides[] = { "one.test:80:10.0.0.1,[::2]",
                "one.test:80:10.0.0.9", "*:8080:10.1.1.1", "[::5]:80:10.0.0.5", NULL };
        struct asker asker;
        struct world w;

        (void)state;
        open_world(&w, overrides);
        assert_int_equal(ask(&w, &asker, "192.0.2.7"), 0);
        expect_address(&asker, 0, "192.0.2.7");
        assert_int_equal(ask(&w, &asker, "2001:db8::9"), 0);
        expect_address(&asker, 0, "2001:db8::9");
        assert_int_equal(ask(&w, &asker, "LocalHost"), 0);
        assert_int_equal(asker.n, 2);
        expect_address(&asker, 0, "127.0.0.1");
        expect_address(&asker, 1, "::1");
        assert_int_equal(ask(&w, &asker, "a.localhost."), 0);
        assert_int_equal(ask(&w, &asker, "ONE.test"), 0);
        assert_int_equal(asker.n, 1); /* the last override wins */
        expect_address(&asker, 0, "10.0.0.9");
        assert_int_equal(ask(&w, &asker, "::5"), 0);
        expect_address(&asker, 0, "10.0.0.5");
        assert_int_equal(w.dns.n_questions, 0);
        assert_int_equal(resolver_n_lookups(w.resolver), 0);
        close_world(&w);
}

static void test_both_families_interleaved(void **state)
{
        struct asker asker;
        struct world w;

        (void)state;
        open_world(&w, NULL);
        assert_int_equal(ask(&w, &asker, "two.test"), RESOLVE_WAIT);
        wait_for_all(&w, &asker);
        assert_int_equal(asker.n, 4);
        assert_int_not_equal(asker.addresses[0].family, asker.addresses[1].family);
        assert_int_equal(asker.addresses[0].family, asker.addresses[2].family);
        close_world(&w);
}

static void test_one_lookup_for_many_and_then_the_cache(void **state)
{
        struct asker askers[5];
        struct world w;

        (void)state;
        open_world(&w, NULL);
        for (int i = 0; i < 5; i++)
                assert_int_equal(ask(&w, &askers[i], "v4.test"), RESOLVE_WAIT);
        resolve_waiter_cancel(&askers[4].waiter);
        resolve_waiter_cancel(&askers[4].waiter);
        for (int i = 0; i < 4; i++) {
                wait_for_all(&w, &askers[i]);
                expect_address(&askers[i], 0, "127.0.0.1");
        }
        assert_int_equal(askers[4].n_calls, 0);
        assert_int_equal(ask(&w, &askers[0], "v4.test"), 0);
        expect_address(&askers[0], 0, "127.0.0.1");
        assert_int_equal(resolver_n_lookups(w.resolver), 1);
        assert_int_equal(w.dns.n_questions, 2); /* A and AAAA */
        assert_int_equal(ask(&w, &askers[0], "v6.test"), RESOLVE_WAIT);
        wait_for_all(&w, &askers[0]);
        expect_address(&askers[0], 0, "2001:db8::1");
        close_world(&w);
}

/*
 * A is there, AAAA is late: told of the part after the resolution delay, and of the rest when it
 * comes.
 */
static void test_resolution_delay(void **state)
{
        struct asker asker, second;
        struct world w;
        uint64_t start;

        (void)state;
        open_world(&w, NULL);
        start = clock_now(&real_clock);
        assert_int_equal(ask(&w, &asker, "slow6.test"), RESOLVE_WAIT);
        wait_for(&w, &asker, 1);
        assert_true(clock_now(&real_clock) - start >= RESOLVE_DELAY_NS);
        assert_false(asker.is_final);
        assert_int_equal(asker.n, 1);
        expect_address(&asker, 0, "127.0.0.1");
        assert_int_equal(ask(&w, &second, "slow6.test"), RESOLVE_WAIT);
        wait_for(&w, &second, 1); /* need not wait for the delay once more */
        wait_for(&w, &asker, 2);
        assert_true(asker.is_final);
        assert_int_equal(asker.n, 2);
        close_world(&w);
}

static void test_failures_in_words(void **state)
{
        static const char *const cases[][2] = {
                { "none.test", "resolve: none.test: the name does not exist" },
                { "empty.test", "resolve: empty.test: the name has no address" },
                { "fails.test", "resolve: fails.test: " },
        };
        struct asker asker;
        struct world w;

        (void)state;
        open_world(&w, NULL);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                assert_int_equal(ask(&w, &asker, cases[i][0]), RESOLVE_WAIT);
                wait_for_all(&w, &asker);
                assert_int_equal(asker.n, 0);
                assert_int_equal(asker.error.code, MUSTER_E_RESOLVE);
                assert_int_equal(strncmp(asker.error.text, cases[i][1], strlen(cases[i][1])), 0);
                /* Kept for a moment: a herd does not ask again. */
                assert_int_equal(ask(&w, &asker, cases[i][0]), 0);
                assert_int_equal(strncmp(asker.error.text, cases[i][1], strlen(cases[i][1])), 0);
        }
        close_world(&w);
}

/*
 * Search lists as systemd, DHCP servers and typing errors make them; LOCALDOMAIN is resolv.conf's
 * "search".
 */
static void test_odd_search_lists(void **state)
{
        static const char *const lists[] = { ".", ". corp.test", "a..b .c corp.test", "corp.test.",
                "corp.test .", "" };
        char label[64], longest[260];
        struct asker asker;
        struct world w;

        (void)state;
        memset(label, 'x', 63);
        label[63] = '\0';
        snprintf(longest, sizeof(longest), "%s.%s.%s.test", label, label, label);
        for (size_t i = 0; i < LENGTH(lists); i++) {
                const char *const names[] = { "none", "none.test", "none.test.", longest };

                setenv("LOCALDOMAIN", lists[i], 1);
                open_world(&w, NULL);
                unsetenv("LOCALDOMAIN");
                for (size_t n = 0; n < LENGTH(names); n++) {
                        assert_int_equal(ask(&w, &asker, names[n]), RESOLVE_WAIT);
                        wait_for_all(&w, &asker);
                        assert_non_null(strstr(asker.error.text, "the name does not exist"));
                }
                if (strstr(lists[i], "corp.test")) {
                        assert_int_equal(ask(&w, &asker, "in"), RESOLVE_WAIT);
                        wait_for_all(&w, &asker);
                        expect_address(&asker, 0, "127.0.0.1");
                }
                close_world(&w);
        }
}

/* Together with a domain of the search list it is too long for any server to be asked. */
static void test_name_too_long_to_be_looked_for_elsewhere(void **state)
{
        char domain[200], host[200];
        struct asker asker;
        struct world w;

        (void)state;
        memset(domain, 'a', sizeof(domain));
        memset(host, 'b', sizeof(host));
        for (size_t i = 50; i < sizeof(domain); i += 50)
                domain[i] = host[i] = '.';
        strcpy(domain + sizeof(domain) - 6, ".test");
        strcpy(host + sizeof(host) - 6, ".test");
        setenv("LOCALDOMAIN", domain, 1);
        setenv("RES_OPTIONS", "ndots:9", 1);
        open_world(&w, NULL);
        unsetenv("LOCALDOMAIN");
        unsetenv("RES_OPTIONS");
        assert_int_equal(ask(&w, &asker, host), RESOLVE_WAIT);
        wait_for_all(&w, &asker);
        assert_non_null(strstr(asker.error.text, "the name does not exist"));
        assert_int_equal(ask(&w, &asker, "two.test"), RESOLVE_WAIT);
        wait_for_all(&w, &asker);
        assert_int_equal(asker.n, 4);
        close_world(&w);
}

static void expect_failure(struct world *w, const char *host, const char *what)
{
        struct asker asker;
        char expected[200];

        if (ask(w, &asker, host) == RESOLVE_WAIT)
                wait_for_all(w, &asker);
        snprintf(expected, sizeof(expected), "resolve: %s: %s: name server %s (--dns-server)", host,
                what, w->dns.address);
        assert_string_equal(asker.error.text, expected);
}

static void test_failures_name_the_server(void **state)
{
        struct world w;

        (void)state;
        open_world(&w, NULL);
        expect_failure(&w, "fails.test", "the server failed to answer (SERVFAIL)");
        expect_failure(&w, "refuses.test", "the server refused to answer (REFUSED)");
        expect_failure(&w, "unknown.test", "the server does not implement this query (NOTIMP)");
        /* What it said before is not said of a server that is gone. */
        loop_watch_set(&w.loop, &w.dns.watch, w.dns.fd, false, false);
        close(w.dns.fd);
        expect_failure(&w, "v4.test", "no answer, the server cannot be reached");
        w.dns.fd = dup(STDERR_FILENO);
        close_world(&w);
}

static void test_freed_with_questions_open(void **state)
{
        struct asker asker;
        struct world w;

        (void)state;
        open_world(&w, NULL);
        w.dns.is_mute = true;
        assert_int_equal(ask(&w, &asker, "v4.test"), RESOLVE_WAIT);
        for (int i = 0; i < 5; i++)
                loop_turn(&w.loop, clock_now(&real_clock) + NS_PER_MS);
        close_world(&w);
        assert_int_equal(asker.n_calls, 0);
}

/* None of them can be forgotten, so more are kept than would be otherwise. */
static void test_more_questions_open_than_names_are_kept(void **state)
{
        size_t n = RESOLVE_NAMES_MAX + 3;
        struct asker *askers = calloc(n, sizeof(*askers));
        struct world w;

        (void)state;
        open_world(&w, NULL);
        w.dns.is_mute = true;
        for (size_t i = 0; i < n; i++) {
                char host[32];

                snprintf(host, sizeof(host), "h%zu.test", i);
                assert_int_equal(ask(&w, &askers[i], host), RESOLVE_WAIT);
        }
        assert_int_equal(resolver_n_lookups(w.resolver), n);
        close_world(&w);
        free(askers);
}

static void test_bad_options(void **state)
{
        static const char *const bad[] = { "", "x", "h:80", "h:x:1.2.3.4", "h:80:", "h:80:nonsense",
                "h:80:1.2.3.4,", ":80:1.2.3.4", "h:65536:1.2.3.4", "[::1:80:1.2.3.4" };
        struct resolver *resolver = NULL;
        struct loop loop;
        int sys;

        (void)state;
        loop_init(&loop, &real_clock, &sys);
        for (size_t i = 0; i < LENGTH(bad); i++) {
                const char *const overrides[] = { bad[i], NULL };
                struct muster_error error = { 0 };

                if (resolver_new(&resolver, &loop,
                            &(struct resolver_options){ .overrides = overrides }, &error) == 0)
                        fail_msg("\"%s\" was taken", bad[i]);
                assert_int_equal(error.code, MUSTER_E_INVALID);
                assert_non_null(strstr(error.text, "HOST:PORT:ADDRESS"));
        }
        for (size_t i = 0; i < 2; i++) {
                struct muster_error error = { 0 };

                assert_int_equal(resolver_new(&resolver, &loop,
                                         &(struct resolver_options){
                                                 .servers = i ? "" : "nonsense" },
                                         &error),
                        MUSTER_E_INVALID);
                assert_non_null(strstr(error.text, "name server"));
        }
        loop_deinit(&loop);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known_without_asking),
                cmocka_unit_test(test_both_families_interleaved),
                cmocka_unit_test(test_one_lookup_for_many_and_then_the_cache),
                cmocka_unit_test(test_resolution_delay),
                cmocka_unit_test(test_failures_in_words),
                cmocka_unit_test(test_odd_search_lists),
                cmocka_unit_test(test_name_too_long_to_be_looked_for_elsewhere),
                cmocka_unit_test(test_failures_name_the_server),
                cmocka_unit_test(test_freed_with_questions_open),
                cmocka_unit_test(test_more_questions_open_than_names_are_kept),
                cmocka_unit_test(test_bad_options),
        };

        return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
