/* SPDX-License-Identifier: MIT */
/*
 * What people write to the lab: quantities, spreads, settings, scenarios; and the counts kept under
 * a name
 */
#include "unit.h"

#include <base/clock.h>
#include <errno.h>
#include <lab/quantity.h>
#include <lab/scenario.h>
#include <lab/tally.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- quantities ------------------------------------------------------------------------------ */

#define UNTOUCHED 4711

static const char *const nonsense[] = {
        "",
        " ",
        "x",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1x",
        "0x1",
        "0X1",
        "nan",
        "inf",
        ".",
        "1..2",
        "1e999",
        "1,5",
        "1\xb5",
        "\xff",
        "1ms1s",
        "ms",
        "--1",
        "1.5.5ms",
        "1e",
        "e1",
        "1q/s",
        "%",
        "1%%",
};

struct quantity_case {
        const char *text;
        double value; /* negative: refused */
};

static void test_duration(void **state)
{
        static const struct quantity_case cases[] = {
                { "0", 0 },
                { "1", 1e9 },
                { "1.5", 1.5e9 },
                { "1ns", 1 },
                { "250us", 250e3 },
                { "80ms", 80e6 },
                { "0.1ms", 100e3 },
                { "2s", 2e9 },
                { "2m", 120e9 },
                { "1h", 3600e9 },
                { "1H", 3600e9 },
                { "1MS", 1e6 },
                { ".5s", 5e8 },
                { "1e3ms", 1e9 },
                { "0.4ns", 0 },
                { "0.6ns", 1 },
                { "720h", 2592e12 },
                { "720.001h", -1 },
                { "2592001", -1 },
                { "1d", -1 },
                { "1min", -1 },
                { "1msx", -1 },
                { "1k", -1 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                uint64_t ns = UNTOUCHED;
                bool is_good = quantity_duration(str_of(cases[i].text), &ns);

                if (is_good != (cases[i].value >= 0))
                        fail_msg("duration \"%s\"", cases[i].text);
                assert_int_equal(ns, is_good ? (uint64_t)cases[i].value : UNTOUCHED);
        }
}

static void test_size(void **state)
{
        static const struct quantity_case cases[] = {
                { "0", 0 },
                { "10", 10 },
                { "10k", 10240 },
                { "10K", 10240 },
                { "1M", 1048576 },
                { "1g", 1073741824 },
                { "1T", 0x1p40 },
                { "1.5k", 1536 },
                { "0.5", -1 },
                { "0.3k", -1 },
                { "1e15", 1e15 },
                { "1000T", -1 },
                { "10kb", -1 },
                { "10 k", -1 },
                { "1s", -1 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                uint64_t bytes = UNTOUCHED;
                bool is_good = quantity_size(str_of(cases[i].text), &bytes);

                if (is_good != (cases[i].value >= 0))
                        fail_msg("size \"%s\"", cases[i].text);
                assert_int_equal(bytes, is_good ? (uint64_t)cases[i].value : UNTOUCHED);
        }
}

static void test_rates(void **state)
{
        static const struct quantity_case bits[] = {
                { "1bit", 1 },
                { "64kbit", 64e3 },
                { "20mbit", 20e6 },
                { "1gbit", 1e9 },
                { "1.5MBIT", 15e5 },
                { "1000gbit", 1e12 },
                { "1001gbit", -1 },
                { "0bit", -1 },
                { "0.5bit", -1 },
                { "64", -1 },
                { "64k", -1 },
        };
        static const struct quantity_case rates[] = {
                { "100", 100 },
                { "100/s", 100 },
                { "30/m", 0.5 },
                { "36/h", 0.01 },
                { "0.5", 0.5 },
                { "0", -1 },
                { "0/s", -1 },
                { "1e10", -1 },
                { "1/d", -1 },
                { "/s", -1 },
                { "1/", -1 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(bits); i++) {
                uint64_t value = UNTOUCHED;
                bool is_good = quantity_bit_rate(str_of(bits[i].text), &value);

                if (is_good != (bits[i].value >= 0))
                        fail_msg("bit rate \"%s\"", bits[i].text);
                assert_int_equal(value, is_good ? (uint64_t)bits[i].value : UNTOUCHED);
        }
        for (size_t i = 0; i < LENGTH(rates); i++) {
                double value = UNTOUCHED;
                bool is_good = quantity_rate(str_of(rates[i].text), &value);

                if (is_good != (rates[i].value >= 0))
                        fail_msg("rate \"%s\"", rates[i].text);
                assert_true(fabs(value - (is_good ? rates[i].value : UNTOUCHED)) < 1e-9);
        }
}

static void test_shares_and_numbers(void **state)
{
        static const struct quantity_case shares[] = {
                { "0", 0 },
                { "5%", 0.05 },
                { "0.5%", 0.005 },
                { "0.05", 0.05 },
                { "1", 1 },
                { "100%", 1 },
                { "101%", -1 },
                { "1.01", -1 },
                { "5 %", -1 },
                { "5k", -1 },
        };
        double number = UNTOUCHED, share;
        uint64_t count = UNTOUCHED;

        (void)state;
        for (size_t i = 0; i < LENGTH(shares); i++) {
                bool is_good;

                share = UNTOUCHED;
                is_good = quantity_share(str_of(shares[i].text), &share);
                if (is_good != (shares[i].value >= 0))
                        fail_msg("share \"%s\"", shares[i].text);
                assert_true(fabs(share - (is_good ? shares[i].value : UNTOUCHED)) < 1e-9);
        }
        assert_false(quantity_number(str_of("1k"), &number));
        assert_true(quantity_number(str_of("2.5"), &number) && number == 2.5);
        assert_false(quantity_count(str_of("2"), 3, 5, &count));
        assert_false(quantity_count(str_of("6"), 3, 5, &count));
        assert_false(quantity_count(str_of("3.0"), 3, 5, &count));
        assert_int_equal(count, UNTOUCHED);
        assert_true(quantity_count(str_of("3"), 3, 5, &count) && count == 3);
        assert_true(quantity_count(str_of("5"), 3, 5, &count) && count == 5);
}

static void test_no_quantity(void **state)
{
        double number = UNTOUCHED;
        uint64_t count = UNTOUCHED;
        struct spread spread = { .a_ns = UNTOUCHED };

        (void)state;
        for (size_t i = 0; i < LENGTH(nonsense); i++) {
                struct muster_str text = str_of(nonsense[i]);

                if (quantity_duration(text, &count) || quantity_size(text, &count) ||
                        quantity_bit_rate(text, &count) || quantity_rate(text, &number) ||
                        quantity_share(text, &number) || quantity_number(text, &number) ||
                        quantity_count(text, 0, UINT64_MAX, &count) || spread_parse(text, &spread))
                        fail_msg("\"%s\" is taken for a quantity", nonsense[i]);
        }
        assert_true(count == UNTOUCHED && number == UNTOUCHED && spread.a_ns == UNTOUCHED);
        /* What is not terminated, and what has a zero inside. */
        assert_true(quantity_size((struct muster_str){ "123", 2 }, &count) && count == 12);
        assert_false(quantity_size((struct muster_str)BYTES("1\0k"), &count));
        assert_false(quantity_size((struct muster_str){ NULL, 0 }, &count));
}

/* --- spreads --------------------------------------------------------------------------------- */

#define N_DRAWS 200000

struct moments {
        double mean, deviation, least, most, below_a;
};

static struct moments draw_many(const char *text, uint64_t seed)
{
        struct moments m = { .least = INFINITY };
        double sum = 0, squares = 0;
        struct spread spread = { 0 };
        struct rand rand;

        assert_true(spread_parse(str_of(text), &spread));
        rand_init(&rand, seed);
        for (int i = 0; i < N_DRAWS; i++) {
                double x = (double)spread_draw(&spread, &rand) / 1e6;

                sum += x;
                squares += x * x;
                m.least = fmin(m.least, x);
                m.most = fmax(m.most, x);
                m.below_a += (x < (double)spread.a_ns / 1e6) / (double)N_DRAWS;
        }
        m.mean = sum / N_DRAWS;
        m.deviation = sqrt(squares / N_DRAWS - m.mean * m.mean);
        assert_true(fabs(m.mean - (double)spread_mean_ns(&spread) / 1e6) < 0.01 * m.mean);
        return m;
}

static bool is_near(double value, double expected)
{
        return fabs(value - expected) < 0.01 * expected;
}

static void test_spread_moments(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 3; seed++) {
                struct moments m = draw_many("20ms", seed);

                assert_true(m.mean == 20 && m.least == 20 && m.most == 20);
                m = draw_many("uniform:10ms:50ms", seed);
                assert_true(is_near(m.mean, 30) && is_near(m.deviation, 40 / sqrt(12)));
                assert_true(m.least >= 10 && m.least < 10.01 && m.most <= 50 && m.most > 49.99);
                m = draw_many("exp:20ms", seed);
                assert_true(is_near(m.mean, 20) && is_near(m.deviation, 20));
                assert_true(is_near(m.below_a, 1 - exp(-1)) && m.most > 150);
                m = draw_many("lognormal:20ms:0.5", seed);
                assert_true(is_near(m.mean, 20 * exp(0.125)));
                assert_true(is_near(m.deviation, 20 * exp(0.125) * sqrt(exp(0.25) - 1)));
                assert_true(is_near(m.below_a, 0.5)); /* it is the median */
        }
}

static void test_spread_is_repeatable_and_bounded(void **state)
{
        struct spread spread = { 0 };
        struct rand a, b, c;
        int n_other = 0;

        (void)state;
        rand_init(&a, 7);
        rand_init(&b, 7);
        rand_init(&c, 8);
        assert_true(spread_is_zero(&spread));
        assert_int_equal(spread_draw(&spread, &a), 0);
        assert_true(spread_parse(str_of("lognormal:720h:5"), &spread));
        assert_false(spread_is_zero(&spread));
        for (int i = 0; i < 1000; i++) {
                uint64_t ns = spread_draw(&spread, &a);

                assert_true(ns <= 3600 * NS_PER_S);
                assert_int_equal(ns, spread_draw(&spread, &b));
                n_other += ns != spread_draw(&spread, &c);
        }
        assert_true(n_other > 0);
        assert_int_equal(spread_mean_ns(&spread), 3600 * NS_PER_S);
        assert_true(spread_parse(str_of("uniform:5ms:5ms"), &spread));
        assert_int_equal(spread_draw(&spread, &a), 5 * NS_PER_MS);
}

static void test_spread_refuses(void **state)
{
        static const char *const texts[] = { "uniform", "uniform:1ms", "uniform:2ms:1ms",
                "uniform:1ms:2ms:3ms", "uniform::1ms", "exp", "exp:", "exp:x", "exp:1ms:2ms",
                "lognormal:1ms", "lognormal:1ms:", "lognormal:1ms:-1", "lognormal:1ms:5.1",
                "lognormal:1ms:0.5:", "normal:1ms:1ms", "EXP:1ms", "20ms:", ":20ms" };
        struct spread spread = { .a_ns = UNTOUCHED };

        (void)state;
        for (size_t i = 0; i < LENGTH(texts); i++)
                if (spread_parse(str_of(texts[i]), &spread))
                        fail_msg("\"%s\" is taken for a spread", texts[i]);
        assert_int_equal(spread.a_ns, UNTOUCHED);
}

/* --- tallies --------------------------------------------------------------------------------- */

static void test_tally_rate(void **state)
{
        struct tally tally = { 0 };
        uint64_t now = 5 * NS_PER_S, n_taken = 0;

        (void)state;
        /* A burst of 3 at 10 a second, then one each 100 ms. */
        for (int i = 0; i < 3; i++)
                assert_int_equal(tally_take(&tally, 10, 3, now), 0);
        assert_int_equal(tally_take(&tally, 10, 3, now), 100 * NS_PER_MS);
        assert_int_equal(tally_take(&tally, 10, 3, now + 99 * NS_PER_MS), NS_PER_MS);
        assert_int_equal(tally.n, 3);
        assert_int_equal(tally_take(&tally, 10, 3, now + 100 * NS_PER_MS), 0);
        assert_int_equal(tally_take(&tally, 10, 3, now + 100 * NS_PER_MS), 100 * NS_PER_MS);
        /* Whoever asks always gets just the rate. */
        now = 100 * NS_PER_S;
        for (int i = 0; i < 10000; i++)
                n_taken += tally_take(&tally, 10, 1, now + (uint64_t)i * NS_PER_MS) == 0;
        assert_int_equal(n_taken, 100);
        /* After a long pause there is a burst again, and no more than that. */
        now = 1000 * NS_PER_S;
        n_taken = 0;
        for (int i = 0; i < 10; i++)
                n_taken += tally_take(&tally, 10, 4, now) == 0;
        assert_int_equal(n_taken, 4);
}

/* /limited/1e-300?burst=1e300 */
static void test_tally_of_hardly_anything(void **state)
{
        struct tally slow = { 0 }, eager = { 0 };

        (void)state;
        assert_int_equal(tally_take(&slow, 1e-300, 1, 5), 0);
        assert_true(tally_take(&slow, 1e-300, 1, 5) >= 365 * 24 * 3600 * NS_PER_S);
        for (int i = 0; i < 10; i++)
                assert_int_equal(tally_take(&eager, 100, 1e300, 5), 0);
}

static void test_tallies(void **state)
{
        struct tallies tallies;
        struct tally *a;
        char key[32];

        (void)state;
        tallies_init(&tallies);
        a = tallies_get(&tallies, str_of("a"));
        assert_ptr_equal(tallies_get(&tallies, str_of("a")), a);
        assert_ptr_not_equal(tallies_get(&tallies, str_of("b")), a);
        assert_non_null(tallies_get(&tallies, str_of("")));
        for (int i = 3; i < TALLIES_MAX; i++) {
                snprintf(key, sizeof(key), "key %d", i);
                assert_non_null(tallies_get(&tallies, str_of(key)));
        }
        assert_null(tallies_get(&tallies, str_of("one too many")));
        assert_ptr_equal(tallies_get(&tallies, str_of("a")), a);
        tallies_deinit(&tallies);
}

static void count_without_memory(void)
{
        struct tallies tallies;

        tallies_init(&tallies);
        if (tallies_get(&tallies, str_of("a")))
                assert_non_null(tallies_get(&tallies, str_of("a")));
        tallies_deinit(&tallies);
}

static void test_tallies_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(count_without_memory);
}

/* --- settings -------------------------------------------------------------------------------- */

static struct lab_config config;

static const struct listener_config *last_listener(void)
{
        return &config.listeners[config.n_listeners - 1];
}

static int apply(const char *name, const char *value, struct muster_error *error)
{
        const struct config_setting *setting = config_find(str_of(name));

        assert_non_null(setting);
        return config_set(&config, setting, str_of(value), error);
}

static void set(const char *name, const char *value)
{
        struct muster_error error = { 0 };

        if (apply(name, value, &error) != 0)
                fail_msg("%s %s: %s", name, value, error.text);
}

static void refused(const char *name, const char *value, const char *text)
{
        struct muster_error error = { 0 };

        assert_int_equal(apply(name, value, &error), MUSTER_E_INVALID);
        assert_int_equal(error.code, MUSTER_E_INVALID);
        if (!strstr(error.text, text))
                fail_msg("%s %s: \"%s\" is not in \"%s\"", name, value, text, error.text);
}

static void test_settings_of_a_connection(void **state)
{
        const struct listener_config *first = &config.listeners[0];

        (void)state;
        assert_int_equal(config_init(&config), 0);
        assert_true(config.n_listeners == 1 && config.seed == 1 && first->port == 0);
        assert_string_equal(first->name, "lab");
        assert_int_equal(first->address.family, AF_INET);
        set("listen", "8080");
        assert_int_equal(first->port, 8080);
        set("listen", "[::1]:81");
        assert_true(first->port == 81 && first->address.family == AF_INET6);
        set("listen", "127.0.0.2:0");
        assert_true(first->port == 0 && first->address.family == AF_INET);
        set("tls", "");
        assert_true(first->has_tls && first->tls_fault == TLS_GOOD);
        for (enum tls_fault fault = 0; fault < N_TLS_FAULTS; fault++) {
                set("tls", tls_fault_name(fault));
                assert_int_equal(first->tls_fault, fault);
                assert_non_null(strstr(TLS_FAULT_NAMES, tls_fault_name(fault)));
        }
        set("tls-max", "1.2");
        assert_int_equal(first->tls_max_minor, 2);
        set("tls-max", "1.3");
        assert_int_equal(first->tls_max_minor, 3);
        set("tls-no-resumption", "");
        set("tls-handshake-cost", "2ms");
        set("backlog", "2");
        set("accept-interval", "50ms");
        set("no-keep-alive", "");
        set("max-requests", "100");
        set("idle-timeout", "5s");
        set("no-nodelay", "");
        set("write-size", "4k");
        assert_true(first->tls_no_resumption && first->no_keep_alive && first->no_nodelay);
        assert_int_equal(first->tls_handshake_cost_ns, 2 * NS_PER_MS);
        assert_int_equal(first->accept_interval_ns, 50 * NS_PER_MS);
        assert_int_equal(first->idle_timeout_ns, 5 * NS_PER_S);
        assert_true(first->backlog == 2 && first->max_requests == 100);
        assert_int_equal(first->write_bytes, 4096);
        config_deinit(&config);
        config_deinit(&config);
}

static void test_settings_of_requests(void **state)
{
        const struct listener_config *first = &config.listeners[0];

        (void)state;
        assert_int_equal(config_init(&config), 0);
        set("delay", "exp:20ms");
        assert_int_equal(first->delay.kind, SPREAD_EXPONENTIAL);
        set("error-share", "5%");
        assert_true(fabs(first->error_share - 0.05) < 1e-9);
        set("rate-limit", "100/s,20");
        assert_true(first->rate_per_s == 100 && first->burst == 20);
        set("rate-limit", "30/m");
        assert_true(first->rate_per_s == 0.5 && first->burst == 1);
        set("route", "/api=/bytes/10k?delay=5ms");
        set("route", "/b*  /status/404");
        assert_int_equal(first->n_aliases, 2);
        assert_string_equal(first->aliases[0].path, "/api");
        assert_string_equal(first->aliases[0].target, "/bytes/10k?delay=5ms");
        assert_string_equal(first->aliases[1].path, "/b*");
        assert_string_equal(first->aliases[1].target, "/status/404");
        set("workers", "4");
        set("service-time", "exp:20ms");
        set("service-dist", "uniform");
        assert_true(first->service.kind == SPREAD_UNIFORM && first->service.a_ns == 0);
        assert_int_equal(first->service.b_ns, 40 * NS_PER_MS);
        set("service-dist", "fixed");
        assert_true(first->service.kind == SPREAD_FIXED && first->service.a_ns == 20 * NS_PER_MS);
        set("service-dist", "exp");
        assert_true(first->service.kind == SPREAD_EXPONENTIAL &&
                    first->service.a_ns == 20 * NS_PER_MS);
        set("contention", "0.02");
        set("coherency", "0.01");
        set("queue", "0");
        set("refuse", "close");
        assert_true(first->workers == 4 && first->contention == 0.02 && first->coherency == 0.01);
        assert_true(first->has_queue && first->queue == 0 && first->refusal == REFUSE_CLOSE);
        set("refuse", "503");
        assert_int_equal(first->refusal, REFUSE_503);
        config_deinit(&config);
}

static void test_settings_of_all(void **state)
{
        (void)state;
        assert_int_equal(config_init(&config), 0);
        set("listener", "main");
        assert_int_equal(config.n_listeners, 1);
        assert_string_equal(config.listeners[0].name, "main");
        set("listen", "127.0.0.3:0");
        set("delay", "1ms");
        set("listener", "slow");
        assert_int_equal(config.n_listeners, 2);
        assert_string_equal(last_listener()->name, "slow");
        assert_memory_equal(&last_listener()->address, &config.listeners[0].address,
                sizeof(config.listeners[0].address));
        set("delay", "2ms");
        assert_int_equal(config.listeners[0].delay.a_ns, NS_PER_MS);
        assert_int_equal(config.listeners[1].delay.a_ns, 2 * NS_PER_MS);
        assert_false(config.has_names || config.has_link);
        set("name", "a.test 192.0.2.1 ttl=30s");
        assert_true(config.has_names);
        assert_non_null(zone_find(&config.zone, str_of("a.test")));
        set("name", " b.test,192.0.2.2");
        set("name", "*.test 192.0.2.3"); /* no client would take a certificate for it */
        assert_string_equal(config.certificate_names.at, "DNS:a.test,DNS:b.test");
        set("dns", "127.0.0.1:5353");
        assert_int_equal(config.dns_port, 5353);
        set("link", "rtt=80ms,rate=20mbit");
        assert_true(config.has_link);
        set("seed", "18446744073709551615");
        assert_true(config.seed == UINT64_MAX);
        set("about", "something");
        set("about", "something else");
        set("run", "true {lab}/plain");
        set("cause", "accept-queue");
        assert_string_equal(config.about, "something else");
        assert_string_equal(config.run, "true {lab}/plain");
        assert_string_equal(config.cause, "accept-queue");
        for (int i = 2; i < LISTENERS_MAX; i++)
                set("listener", (char[]){ 'm', (char)('a' + i % 26), (char)('a' + i / 26), '\0' });
        refused("listener", "one-too-many", "there are 32 listeners already");
        refused("listener", "slow", "is not a name of letters, digits");
        for (int i = 0; i < ALIASES_MAX; i++)
                set("route", "/a=/plain");
        refused("route", "/a=/plain", "there are 64 routes already");
        config_deinit(&config);
}

static void test_settings_refuse(void **state)
{
        static const struct {
                const char *name, *value, *text;
        } cases[] = {
                { "listener", "a b", "is not a name of letters, digits, - and _" },
                { "listener", "dns", "(dns and ca are taken)" },
                { "listen", "x", "\"x\" is not PORT, ADDRESS:PORT or [ADDRESS]:PORT" },
                { "listen", "65536", "is not PORT" },
                { "listen", "-1", "is not PORT" },
                { "listen", "127.0.0.1:", "is not PORT" },
                { "listen", "localhost:80", "is not PORT" },
                { "listen", ":80", "is not PORT" },
                { "tls", "bad", "\"bad\" is not one of these: good, expired" },
                { "tls", "Good", "is not one of these" },
                { "tls-max", "1.1", "is not 1.2 or 1.3" },
                { "tls-no-resumption", "1", "takes no value, but \"1\" is there" },
                { "tls-handshake-cost", "2", NULL },
                { "tls-handshake-cost", "x", "is not a duration: 250us" },
                { "backlog", "0", "is not a number from 1 to 1000000" },
                { "backlog", "1000001", "is not a number from 1 to 1000000" },
                { "accept-interval", "50 ms", "is not a duration" },
                { "no-keep-alive", "yes", "takes no value" },
                { "max-requests", "0", "is not a number from 1" },
                { "idle-timeout", "5q", "is not a duration" },
                { "no-nodelay", "yes", "takes no value" },
                { "write-size", "0", "is not a size above 0" },
                { "write-size", "x", "is not a size above 0" },
                { "delay", "normal:1ms", "is not one of these: 20ms, uniform:10ms:50ms" },
                { "error-share", "200%", "is not a share: 5% or 0.05" },
                { "rate-limit", "0", "is not a rate, perhaps with a burst" },
                { "rate-limit", "100,0.5", "is not a rate, perhaps with a burst" },
                { "rate-limit", "100,x", "is not a rate, perhaps with a burst" },
                { "route", "api=/plain", "is not PATH=TARGET" },
                { "route", "/api", "is not PATH=TARGET" },
                { "route", "/api=plain", "is not PATH=TARGET" },
                { "route", "/api=/nowhere", "there is no behaviour /nowhere" },
                { "workers", "0", "is not a number from 1" },
                { "workers", "-1", "is not a number from 1" },
                { "service-time", "x", "is not one of these: 20ms" },
                { "service-dist", "normal", "is not one of these: fixed, exp, uniform" },
                { "contention", "x", "is not a number from 0 on" },
                { "coherency", "-0.1", "is not a number from 0 on" },
                { "queue", "x", "is not a number from 0 to 1000000" },
                { "refuse", "404", "is not 503 or close" },
                { "name", "a.test nonsense", "nonsense" },
                { "dns", "x", "is not PORT" },
                { "link", "rtt=x", "rtt" },
                { "seed", "-1", "is not a number" },
                { "seed", "18446744073709551616", "is not a number" },
        };

        (void)state;
        assert_int_equal(config_init(&config), 0);
        refused("service-dist", "exp", "service-time must stand before it");
        set("service-time", "1ms");
        for (size_t i = 0; i < LENGTH(cases); i++) {
                if (cases[i].text)
                        refused(cases[i].name, cases[i].value, cases[i].text);
                else
                        set(cases[i].name, cases[i].value);
        }
        /* All that want a value say which one. */
        for (const struct config_setting *s = config_settings; s->name; s++)
                if (s->argument && !str_is(str_of(s->name), "tls")) {
                        refused(s->name, "", "needs a value");
                        refused(s->name, "", s->argument);
                }
        assert_null(config_find(str_of("")));
        assert_null(config_find(str_of("listene")));
        assert_null(config_find(str_of("listeners")));
        assert_int_equal(config.n_listeners, 1);
        config_deinit(&config);
}

static void checked(const char *const *settings, const char *text)
{
        struct muster_error error = { 0 };
        int r;

        assert_int_equal(config_init(&config), 0);
        for (; settings[0]; settings += 2)
                set(settings[0], settings[1]);
        r = config_check(&config, &error);
        assert_int_equal(r, text ? MUSTER_E_INVALID : 0);
        if (text && !strstr(error.text, text))
                fail_msg("\"%s\" is not in \"%s\"", text, error.text);
        config_deinit(&config);
}

static void test_settings_that_do_not_go_together(void **state)
{
        (void)state;
        checked((const char *const[]){ NULL }, NULL);
        checked((const char *const[]){ "workers", "1", "service-time", "1ms", "queue", "3", NULL },
                NULL);
        checked((const char *const[]){ "tls", "", "tls-max", "1.2", NULL }, NULL);
        checked((const char *const[]){ "workers", "1", NULL },
                "listener lab: workers need a service-time");
        checked((const char *const[]){ "service-time", "1ms", NULL },
                "listener lab: service-time and queue need workers");
        checked((const char *const[]){ "queue", "3", NULL }, "queue need workers");
        checked((const char *const[]){ "coherency", "0.1", NULL },
                "listener lab: contention, coherency and refuse need workers");
        checked((const char *const[]){ "tls-max", "1.2", NULL },
                "listener lab: the other tls settings need tls");
        checked((const char *const[]){ "tls-no-resumption", "", NULL }, "need tls");
        checked((const char *const[]){ "listener", "a", "tls", "", "listener", "b",
                        "tls-handshake-cost", "1ms", NULL },
                "listener b: the other tls settings need tls");
}

/* --- scenarios ------------------------------------------------------------------------------- */

static const char scenario[] = "# A small accept queue\r\n"
                               "\n"
                               "about   SYNs are dropped  while the queue is full  \r\n"
                               "\tbacklog\t2\n"
                               "no-keep-alive\n"
                               "   # a comment\n"
                               "listener  one\n"
                               "tls\n"
                               "name  a.test 192.0.2.1\n"
                               "run     muster fetch -c 50 {lab}/plain";

static void test_scenario(void **state)
{
        struct muster_error error = { 0 };

        (void)state;
        assert_int_equal(config_init(&config), 0);
        assert_int_equal(scenario_parse("s", str_of(scenario), &config, &error), 0);
        assert_string_equal(config.about, "SYNs are dropped  while the queue is full");
        assert_string_equal(config.run, "muster fetch -c 50 {lab}/plain");
        assert_true(config.listeners[0].backlog == 2 && config.listeners[0].no_keep_alive);
        assert_true(config.listeners[0].has_tls && config.has_names);
        assert_string_equal(config.listeners[0].name, "one");
        assert_int_equal(scenario_parse("s", str_of(""), &config, &error), 0);
        assert_int_equal(scenario_parse("s", str_of("\n\n#"), &config, &error), 0);
        config_deinit(&config);
}

static void test_scenario_errors_have_a_place(void **state)
{
        static const struct {
                const char *text, *error;
        } cases[] = {
                { "nonsense", "a/b.lab:1: nonsense: there is no setting of this name" },
                { "--backlog 2", "a/b.lab:1: --backlog: there is no setting" },
                { "# x\n\nbacklog 2\nbacklog x\n",
                        "a/b.lab:4: backlog: \"x\" is not a number from 1 to 1000000" },
                { "backlog\n", "a/b.lab:1: backlog: needs a value: N" },
                { "no-keep-alive\r\n\r\nno-nodelay yes",
                        "a/b.lab:3: no-nodelay: takes no value, but \"yes\" is there" },
                { "route /a=/nowhere", "a/b.lab:1: route: there is no behaviour /nowhere" },
                { "Backlog 2", "a/b.lab:1: Backlog: there is no setting" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct muster_error error = { 0 };

                assert_int_equal(config_init(&config), 0);
                assert_int_equal(scenario_parse("a/b.lab", str_of(cases[i].text), &config, &error),
                        MUSTER_E_INVALID);
                if (!str_starts(str_of(error.text), cases[i].error))
                        fail_msg("\"%s\" is not \"%s\"", error.text, cases[i].error);
                config_deinit(&config);
        }
}

static void write_file(int fd, const char *text, size_t len, int times)
{
        for (int i = 0; i < times; i++)
                assert_int_equal(write(fd, text, len), len);
}

static void test_scenario_from_a_file(void **state)
{
        char name[] = "/tmp/test_lab_text.XXXXXX";
        struct muster_error error = { 0 };
        int fd = mkstemp(name);

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(config_init(&config), 0);
        write_file(fd, scenario, sizeof(scenario) - 1, 1);
        assert_int_equal(scenario_read(name, &config, &error), 0);
        assert_int_equal(config.listeners[0].backlog, 2);
        write_file(fd, "\n# a long comment that goes on and on\n", 38, 28000);
        assert_int_equal(scenario_read(name, &config, &error), MUSTER_E_INPUT);
        assert_non_null(strstr(error.text, "cannot read the scenario /tmp/test_lab_text."));
        close(fd);
        unlink(name);
        error = (struct muster_error){ 0 };
        assert_int_equal(scenario_read(name, &config, &error), MUSTER_E_INPUT);
        assert_int_equal(error.sys, ENOENT);
        error = (struct muster_error){ 0 };
        assert_int_equal(scenario_read("/", &config, &error), MUSTER_E_INPUT);
        assert_int_equal(error.sys, EISDIR);
        config_deinit(&config);
}

static void test_scenario_of_random_bytes(void **state)
{
        static const char letters[] = "tls backlog route/=\t\n\r#\"\0\xff:1ms,exp";
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (int i = 0; i < 2000; i++) {
                struct muster_error error = { 0 };
                char text[64];
                size_t len = rand_up_to(&rand, sizeof(text));
                char *copy;
                int r;

                for (size_t k = 0; k < len; k++)
                        text[k] = letters[rand_up_to(&rand, sizeof(letters) - 1)];
                copy = mem_strndup(text, len);
                assert_int_equal(config_init(&config), 0);
                r = scenario_parse("s", (struct muster_str){ copy, len }, &config, &error);
                assert_true(r == 0 ||
                            (r == MUSTER_E_INVALID && str_starts(str_of(error.text), "s:")));
                config_deinit(&config);
                mem_free(copy);
        }
}

static void parse_without_memory(void)
{
        static const char text[] = "about a\nlistener b\nroute /a=/plain\nlistener c\n"
                                   "name a.test 192.0.2.1\nrun x\nroute /x=/bytes/1k";
        struct muster_error error = { 0 };
        int r = config_init(&config);

        if (r == 0)
                r = scenario_parse("s", str_of(text), &config, &error);
        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        assert_true((r == MUSTER_E_RESOURCE) == (mem_has_failed() != 0));
        config_deinit(&config);
}

static void test_scenario_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(parse_without_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_duration),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_rates),
                cmocka_unit_test(test_shares_and_numbers),
                cmocka_unit_test(test_no_quantity),
                cmocka_unit_test(test_spread_moments),
                cmocka_unit_test(test_spread_is_repeatable_and_bounded),
                cmocka_unit_test(test_spread_refuses),
                cmocka_unit_test(test_tally_rate),
                cmocka_unit_test(test_tally_of_hardly_anything),
                cmocka_unit_test(test_tallies),
                cmocka_unit_test(test_tallies_without_memory),
                cmocka_unit_test(test_settings_of_a_connection),
                cmocka_unit_test(test_settings_of_requests),
                cmocka_unit_test(test_settings_of_all),
                cmocka_unit_test(test_settings_refuse),
                cmocka_unit_test(test_settings_that_do_not_go_together),
                cmocka_unit_test(test_scenario),
                cmocka_unit_test(test_scenario_errors_have_a_place),
                cmocka_unit_test(test_scenario_from_a_file),
                cmocka_unit_test(test_scenario_of_random_bytes),
                cmocka_unit_test(test_scenario_without_memory),
        };

        return cmocka_run_group_tests_name("lab_text", tests, NULL, NULL);
}
