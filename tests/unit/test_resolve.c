/* SPDX-License-Identifier: MIT */
/*
 * Names against a scripted DNS server on a free UDP port, in the same loop
 */
#include "unit.h"

#include <arpa/inet.h>
#include <net/resolv_conf.h>
#include <net/resolve.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TYPE_A    1
#define TYPE_AAAA 28

/* --- the server ------------------------------------------------------------------------------ */

struct dns_server {
        struct loop *loop;
        struct loop_watch watch;
        int fd;
        char address[32];
        unsigned n_questions;
        bool is_mute;
        struct loop_timer timer; /* for one answer that comes late */
        unsigned char late[512];
        size_t late_len;
        struct sockaddr_in late_to;
};

static size_t add_record(unsigned char *at, int type, unsigned ttl, const void *data,
        unsigned char len)
{
        const unsigned char head[12] = { 0xc0, 12, 0, (unsigned char)type, 0, 1, 0, 0,
                (unsigned char)(ttl >> 8), (unsigned char)ttl, 0, len };

        memcpy(at, head, 12);
        memcpy(at + 12, data, len);
        return 12u + len;
}

/*
 * "two.test" has two of each; "v4.test" and "v6.test" one kind; "slow6.test" answers AAAA late;
 * "fails.test" is SERVFAIL; else NXDOMAIN.
 */
static size_t answer(struct dns_server *server, const unsigned char *question, size_t len,
        unsigned char *out, bool *is_late)
{
        char name[256] = "";
        size_t at = 12, n = 0;
        int type, rcode = 3;
        unsigned char count = 0;
        struct in6_addr six;

        (void)server;
        while (question[at]) {
                n += (size_t)snprintf(name + n, sizeof(name) - n, "%s%.*s", n ? "." : "",
                        question[at], (const char *)question + at + 1);
                at += question[at] + 1u;
        }
        type = question[at + 2];
        at += 5;
        memcpy(out, question, at);
        if (strcmp(name, "fails.test") == 0)
                rcode = 2;
        if (strcmp(name, "unknown.test") == 0)
                rcode = 4;
        if (strcmp(name, "refuses.test") == 0)
                rcode = 5;
        if (strcmp(name, "two.test") == 0 || strcmp(name, "slow6.test") == 0 ||
                strcmp(name, type == TYPE_A ? "in.corp.test" : "") == 0 ||
                strcmp(name, type == TYPE_A ? "v4.test" : "v6.test") == 0) {
                rcode = 0;
                for (unsigned char i = 1; i <= (strcmp(name, "two.test") ? 1 : 2); i++, count++) {
                        const unsigned char four[4] = { 127, 0, 0, i };

                        inet_pton(AF_INET6, "2001:db8::1", &six);
                        six.s6_addr[15] = i;
                        at += type == TYPE_A ? add_record(out + at, TYPE_A, 60, four, 4)
                                             : add_record(out + at, TYPE_AAAA, 60, &six, 16);
                }
        } else if (strcmp(name, "v4.test") == 0 || strcmp(name, "v6.test") == 0 ||
                   strcmp(name, "empty.test") == 0) {
                rcode = 0;
        }
        *is_late = type == TYPE_AAAA && strcmp(name, "slow6.test") == 0;
        out[2] = 0x81;
        out[3] = (unsigned char)(0x80 | rcode);
        memset(out + 6, 0, 6);
        out[7] = count;
        (void)len;
        return at;
}

static void send_late(struct loop_timer *timer, uint64_t late_ns)
{
        struct dns_server *server = LIST_OWNER(timer, struct dns_server, timer);

        (void)late_ns;
        sendto(server->fd, server->late, server->late_len, 0, (struct sockaddr *)&server->late_to,
                sizeof(server->late_to));
}

static void question_came(struct loop_watch *watch, bool readable, bool writable)
{
        struct dns_server *server = LIST_OWNER(watch, struct dns_server, watch);
        unsigned char in[512], out[512];
        struct sockaddr_in from;
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(server->fd, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);
        bool is_late;
        size_t len;

        (void)readable;
        (void)writable;
        if (n < 17)
                return;
        server->n_questions++;
        if (server->is_mute)
                return;
        len = answer(server, in, (size_t)n, out, &is_late);
        if (!is_late) {
                sendto(server->fd, out, len, 0, (struct sockaddr *)&from, from_len);
                return;
        }
        memcpy(server->late, out, len);
        server->late_len = len;
        server->late_to = from;
        loop_timer_set(server->loop, &server->timer,
                clock_now(server->loop->clock) + 150 * NS_PER_MS);
}

/* --- the world ------------------------------------------------------------------------------- */

static struct clock real_clock;

struct world {
        struct loop loop;
        struct dns_server dns;
        struct resolver *resolver;
};

static void open_world(struct world *w, const char *const *overrides)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(address);
        struct muster_error error = { 0 };
        int sys;

        memset(w, 0, sizeof(*w));
        assert_int_equal(loop_init(&w->loop, &real_clock, &sys), 0);
        w->dns.loop = &w->loop;
        w->dns.fd = socket(AF_INET, SOCK_DGRAM, 0);
        assert_int_equal(bind(w->dns.fd, (struct sockaddr *)&address, len), 0);
        getsockname(w->dns.fd, (struct sockaddr *)&address, &len);
        snprintf(w->dns.address, sizeof(w->dns.address), "127.0.0.1:%u", ntohs(address.sin_port));
        w->dns.watch.ready = question_came;
        w->dns.timer.fire = send_late;
        loop_watch_set(&w->loop, &w->dns.watch, w->dns.fd, true, false);
        if (resolver_new(&w->resolver, &w->loop,
                    &(struct resolver_options){ .servers = w->dns.address, .overrides = overrides },
                    &error) < 0)
                fail_msg("%s", error.text);
}

static void close_world(struct world *w)
{
        resolver_free(w->resolver);
        loop_timer_stop(&w->loop, &w->dns.timer);
        loop_watch_set(&w->loop, &w->dns.watch, w->dns.fd, false, false);
        close(w->dns.fd);
        loop_deinit(&w->loop);
}

struct asker {
        struct resolve_waiter waiter;
        unsigned n_calls;
        bool is_final;
        size_t n;
        struct net_address addresses[RESOLVE_ADDRESSES_MAX];
        struct muster_error error;
};

static void note(struct asker *asker, const struct resolve_answer *answer)
{
        asker->is_final = answer->is_final;
        asker->n = answer->n;
        memcpy(asker->addresses, answer->addresses, answer->n * sizeof(*answer->addresses));
        if (answer->error)
                asker->error = *answer->error;
}

static void told(struct resolve_waiter *waiter, const struct resolve_answer *answer)
{
        struct asker *asker = LIST_OWNER(waiter, struct asker, waiter);

        asker->n_calls++;
        note(asker, answer);
}

static int ask(struct world *w, struct asker *asker, const char *host)
{
        struct resolve_answer answer;
        int r;

        memset(asker, 0, sizeof(*asker));
        asker->waiter.answered = told;
        r = resolver_ask(w->resolver, &asker->waiter, str_of(host), 80, &answer);
        if (r == 0)
                note(asker, &answer);
        assert_int_equal(asker->n_calls, 0);
        return r;
}

static void wait_for(struct world *w, struct asker *asker, unsigned n_calls)
{
        uint64_t patience = clock_now(&real_clock) + 20 * NS_PER_S;

        while (asker->n_calls < n_calls && clock_now(&real_clock) < patience)
                assert_int_equal(loop_turn(&w->loop, patience), 0);
        assert_true(asker->n_calls >= n_calls);
}

static void wait_for_all(struct world *w, struct asker *asker)
{
        while (!asker->is_final)
                wait_for(w, asker, asker->n_calls + 1);
}

static void expect_address(const struct asker *asker, size_t i, const char *text)
{
        struct net_address expected;

        assert_true(address_parse(str_of(text), &expected));
        assert_true(i < asker->n);
        assert_true(address_eq(&asker->addresses[i], &expected));
}

/* --- tests ----------------------------------------------------------------------------------- */

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
        expect_failure(&w, "fails.test", "the answer was a failure (SERVFAIL)");
        expect_failure(&w, "refuses.test", "the answer was a refusal (REFUSED)");
        expect_failure(&w, "unknown.test", "the answer was \"not implemented\" (NOTIMP)");
        /* What it said before is not said of a server that is gone. */
        loop_watch_set(&w.loop, &w.dns.watch, w.dns.fd, false, false);
        close(w.dns.fd);
        expect_failure(&w, "v4.test", "no answer, as it cannot be reached");
        w.dns.fd = dup(STDERR_FILENO);
        close_world(&w);
}

static const struct {
        const char *text, *words; /* %s: the path */
} files[] = {
        { "nameserver 10.0.0.1\n", "10.0.0.1 (%s)" },
        { "# nameserver 10.0.0.9\nnameserver\t10.0.0.1 \r\nsearch a\nnameserver fe80::1%%eth0 # x\n"
          "nameserver 2001:db8::1;y",
                "10.0.0.1, 2001:db8::1 (%s)" },
        { "nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n",
                "10.0.0.1, 10.0.0.2, 10.0.0.3 (%s)" },
        { "", "127.0.0.1 because %s names none" },
        { "nameserver\nnameserver nonsense\nnameservers 10.0.0.1\nsearch .\n",
                "127.0.0.1 because %s names none" },
};

static void test_servers_of_the_system(void **state)
{
        char path[] = "/tmp/muster-resolv-XXXXXX", text[120], expected[160];
        int fd = mkstemp(path);

        (void)state;
        assert_true(fd >= 0);
        close(fd);
        for (size_t i = 0; i < LENGTH(files); i++) {
                FILE *file = fopen(path, "w");

                fprintf(file, "%s", files[i].text);
                fclose(file);
                resolv_conf_describe(path, text, sizeof(text));
                snprintf(expected, sizeof(expected), "%.*s%s%s",
                        (int)(strstr(files[i].words, "%s") - files[i].words), files[i].words, path,
                        strstr(files[i].words, "%s") + 2);
                assert_string_equal(text, expected);
        }
        unlink(path);
        resolv_conf_describe(path, text, sizeof(text));
        assert_non_null(strstr(text, "127.0.0.1 because "));
        assert_non_null(strstr(text, "cannot be read"));
}

static void test_search_of_a_file(void **state)
{
        static const struct {
                const char *text, *domains;
        } searches[] = {
                { "", "" },
                { "nameserver 10.0.0.1\n", "" },
                { "search .\n", "." },
                { "search a.test  b.test\n", "a.test  b.test" },
                { "search a.test # and more\n", "a.test" },
                { "search a.test\nsearch\tb.test\n", "b.test" },
                { "search a.test\ndomain b.test c.test\n", "b.test" },
                { "domain b.test\nsearch a.test\nsearching c.test\n", "a.test" },
        };
        char path[] = "/tmp/muster-resolv-XXXXXX", text[RESOLV_CONF_SEARCH_MAX];
        int fd = mkstemp(path);

        (void)state;
        assert_true(fd >= 0);
        close(fd);
        for (size_t i = 0; i < LENGTH(searches); i++) {
                FILE *file = fopen(path, "w");

                fprintf(file, "%s", searches[i].text);
                fclose(file);
                resolv_conf_search(path, text);
                assert_string_equal(text, searches[i].domains);
        }
        setenv("LOCALDOMAIN", "x.test", 1);
        resolv_conf_search(path, text);
        unsetenv("LOCALDOMAIN");
        assert_string_equal(text, "x.test");
        unlink(path);
        resolv_conf_search(path, text);
        assert_string_equal(text, "");
}

static void test_domains(void **state)
{
        static const char *const good[] = { "a", "a.", "corp.test", "_x.test.", "1.2" };
        char label_of_64[65] = { 0 };
        const char *const bad[] = { "", ".", "..", ".a", "a..b", "a..", label_of_64 };

        (void)state;
        memset(label_of_64, 'x', 64);
        for (size_t i = 0; i < LENGTH(good); i++)
                assert_true(resolv_conf_is_domain(good[i]));
        for (size_t i = 0; i < LENGTH(bad); i++)
                assert_false(resolv_conf_is_domain(bad[i]));
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
                cmocka_unit_test(test_servers_of_the_system),
                cmocka_unit_test(test_search_of_a_file),
                cmocka_unit_test(test_domains),
                cmocka_unit_test(test_freed_with_questions_open),
                cmocka_unit_test(test_bad_options),
        };

        return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
