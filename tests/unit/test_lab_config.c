/* SPDX-License-Identifier: MIT */
/*
 * What people write to the lab: settings and scenarios
 */
#include "unit.h"

#include <base/clock.h>
#include <errno.h>
#include <lab/scenario.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

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
        set("max-connections", "8,503");
        assert_true(first->max_connections == 8 && first->beyond == BEYOND_503);
        set("max-connections", "2,close");
        assert_true(first->max_connections == 2 && first->beyond == BEYOND_CLOSED);
        set("max-connections", "3");
        assert_true(first->max_connections == 3 && first->beyond == BEYOND_WAITS);
        set("no-keep-alive", "");
        set("max-requests", "100");
        set("idle-timeout", "5s");
        set("no-nodelay", "");
        set("write-size", "4k");
        set("connection-rate", "400k");
        assert_int_equal(first->bytes_per_s, 400 * 1024);
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
        set("body-delay", "uniform:20ms:40ms");
        assert_int_equal(first->body_delay.kind, SPREAD_UNIFORM);
        set("cold-start", "16,exp:500ms");
        assert_true(first->n_cold == 16 && first->cold.kind == SPREAD_EXPONENTIAL);
        set("pauses", "2s,300ms");
        assert_int_equal(first->pauses.every_ns, 2 * NS_PER_S);
        assert_int_equal(first->pauses.for_ns, 300 * NS_PER_MS);
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
        refused("listener", "slow", "is not an unused name of letters, digits");
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
                { "listener", "a b", "is not an unused name of letters, digits, - and _" },
                { "listener", "dns", "(dns and ca are reserved)" },
                { "listen", "x", "\"x\" is not PORT, ADDRESS:PORT or [ADDRESS]:PORT" },
                { "listen", "65536", "is not PORT" },
                { "listen", "-1", "is not PORT" },
                { "listen", "127.0.0.1:", "is not PORT" },
                { "listen", "localhost:80", "is not PORT" },
                { "listen", ":80", "is not PORT" },
                { "tls", "bad", "\"bad\" is not one of these: good, expired" },
                { "tls", "Good", "is not one of these" },
                { "tls-max", "1.1", "is not 1.2 or 1.3" },
                { "tls-no-resumption", "1", "takes no value, but got \"1\"" },
                { "tls-handshake-cost", "2", NULL },
                { "tls-handshake-cost", "x", "is not a duration: 250us" },
                { "backlog", "0", "is not a number from 1 to 1000000" },
                { "backlog", "1000001", "is not a number from 1 to 1000000" },
                { "accept-interval", "50 ms", "is not a duration" },
                { "max-connections", "0", "is not a number from 1 to 1000000" },
                { "max-connections", "8,404", "optionally with wait, 503 or close" },
                { "max-connections", "8,wait", NULL },
                { "no-keep-alive", "yes", "takes no value" },
                { "max-requests", "0", "is not a number from 1" },
                { "idle-timeout", "5q", "is not a duration" },
                { "no-nodelay", "yes", "takes no value" },
                { "write-size", "0", "is not a size above 0" },
                { "write-size", "x", "is not a size above 0" },
                { "connection-rate", "0", "is not a size above 0" },
                { "connection-rate", "1/s", "is not a size above 0, of each second" },
                { "delay", "normal:1ms", "is not one of these: 20ms, uniform:10ms:50ms" },
                { "body-delay", "soon", "is not one of these: 20ms, uniform:10ms:50ms" },
                { "cold-start", "16", "is not a number of requests, and how much longer" },
                { "cold-start", "0,1s", "is not a number of requests" },
                { "cold-start", "5,x", "how much longer each of them waits" },
                { "pauses", "2s", "is not how often, and a shorter time for how long" },
                { "pauses", "2s,2s", "a shorter time" },
                { "pauses", "2s,0", "a shorter time" },
                { "error-share", "200%", "is not a share: 5% or 0.05" },
                { "rate-limit", "0", "is not a rate, with an optional burst" },
                { "rate-limit", "100,0.5", "is not a rate, with an optional burst" },
                { "rate-limit", "100,x", "is not a rate, with an optional burst" },
                { "route", "api=/plain", "is not PATH=TARGET" },
                { "route", "/api", "is not PATH=TARGET" },
                { "route", "/api=plain", "is not PATH=TARGET" },
                { "route", "/api=/nowhere", "unknown path /nowhere" },
                { "workers", "0", "is not a number from 1" },
                { "workers", "-1", "is not a number from 1" },
                { "service-time", "x", "is not one of these: 20ms" },
                { "service-dist", "normal", "is not one of these: fixed, exp, uniform" },
                { "contention", "x", "is not a number of 0 or more" },
                { "coherency", "-0.1", "is not a number of 0 or more" },
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
        refused("service-dist", "exp", "give service-time before it");
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
                "listener lab: the tls-* settings need tls");
        checked((const char *const[]){ "tls-no-resumption", "", NULL }, "need tls");
        checked((const char *const[]){ "listener", "a", "tls", "", "listener", "b",
                        "tls-handshake-cost", "1ms", NULL },
                "listener b: the tls-* settings need tls");
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
                { "nonsense", "a/b.lab:1: nonsense: unknown setting" },
                { "--backlog 2", "a/b.lab:1: --backlog: unknown setting" },
                { "# x\n\nbacklog 2\nbacklog x\n",
                        "a/b.lab:4: backlog: \"x\" is not a number from 1 to 1000000" },
                { "backlog\n", "a/b.lab:1: backlog: needs a value: N" },
                { "no-keep-alive\r\n\r\nno-nodelay yes",
                        "a/b.lab:3: no-nodelay: takes no value, but got \"yes\"" },
                { "route /a=/nowhere", "a/b.lab:1: route: unknown path /nowhere" },
                { "Backlog 2", "a/b.lab:1: Backlog: unknown setting" },
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

        return cmocka_run_group_tests_name("lab_config", tests, NULL, NULL);
}
