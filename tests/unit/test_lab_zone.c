/* SPDX-License-Identifier: MIT */
/*
 * The zone of the lab's DNS server: what names have, and what words say so
 */
#include "dns_world.h"

#include <arpa/inet.h>
#include <base/clock.h>
#include <lab/zone.h>
#include <unistd.h>

static const struct zone_name *find(const struct zone *zone, const char *name)
{
        return zone_find(zone, str_of(name));
}

static void test_zone_words(void **state)
{
        struct zone zone = { 0 };
        const struct zone_name *name;

        (void)state;
        add_good(&zone, "  WWW.Test. 192.0.2.1,2001:db8::1\t[::1], , 10.0.0.1 ttl=30s delay=100ms "
                        "delay-aaaa=uniform:1ms:2ms loss=50% loss-first=2 ");
        name = find(&zone, "www.test");
        assert_non_null(name);
        assert_int_equal(name->n_addresses, 4);
        assert_int_equal(name->addresses[2].family, AF_INET6);
        assert_int_equal(name->addresses[3].u.v4.s_addr, htonl(0x0a000001));
        assert_int_equal(name->ttl_s, 30);
        assert_int_equal(name->delay.a_ns, 100 * NS_PER_MS);
        assert_true(name->has_delay_aaaa);
        assert_int_equal(name->delay_aaaa.kind, SPREAD_UNIFORM);
        assert_true(name->loss > 0.49 && name->loss < 0.51);
        assert_int_equal(name->n_loss_first, 2);
        add_good(&zone, "all.test silent silent-aaaa broken-aaaa truncate servfail");
        name = find(&zone, "all.test");
        assert_true(name->is_silent && name->is_silent_aaaa && name->has_broken_aaaa);
        assert_true(name->is_truncated);
        assert_int_equal(name->rcode, DNS_SERVFAIL);
        assert_int_equal(name->ttl_s, ZONE_TTL_S);
        add_good(&zone, "other.test cname=WWW.test.");
        assert_string_equal(find(&zone, "other.test")->cname, "www.test");
        add_good(&zone, "n.test nxdomain");
        add_good(&zone, "r.test refused");
        add_good(&zone, "nothing");
        assert_int_equal(find(&zone, "n.test")->rcode, DNS_NXDOMAIN);
        assert_int_equal(find(&zone, "r.test")->rcode, DNS_REFUSED);
        assert_int_equal(find(&zone, "nothing")->n_addresses, 0);
        zone_deinit(&zone);
        zone_deinit(&zone);
        assert_null(find(&zone, "www.test"));
}

static void test_zone_patterns(void **state)
{
        struct zone zone = { 0 };

        (void)state;
        assert_null(find(&zone, "a.test"));
        add_good(&zone, "*.test 10.0.0.1");
        add_good(&zone, "*.b.test 10.0.0.2");
        add_good(&zone, "a.test 10.0.0.3");
        assert_string_equal(find(&zone, "a.test")->name, "a.test");
        assert_string_equal(find(&zone, "x.test")->name, "*.test");
        assert_string_equal(find(&zone, "y.x.test")->name, "*.test");
        assert_string_equal(find(&zone, "b.test")->name, "*.test");
        assert_string_equal(find(&zone, "x.b.test")->name, "*.b.test");
        assert_null(find(&zone, "test"));
        assert_null(find(&zone, "xtest"));
        assert_null(find(&zone, ""));
        add_good(&zone, "*");
        assert_string_equal(find(&zone, "test")->name, "*");
        assert_string_equal(find(&zone, "")->name, "*");
        assert_string_equal(find(&zone, "x.test")->name, "*.test");
        zone_deinit(&zone);
}

static void test_zone_refuses(void **state)
{
        static const char *const cases[][2] = {
                { "", "name \"\" is not a host name; write NAME WORD..." },
                { " , ", "name \"\" is not a host name" },
                { "a..test 10.0.0.1", "name \"a..test\" is not a host name" },
                { ".", "is not a host name" },
                { "a.test..", "is not a host name" },
                { "a/b", "is not a host name" },
                { "a.*.test", "is not a host name" },
                { "*x.test", "is not a host name" },
                { "here.test", "name here.test was given before" },
                { "HERE.test. 10.0.0.1", "name here.test was given before" },
                { "a.test 10.0.0.256",
                        "name a.test: \"10.0.0.256\": is neither an address nor one of" },
                { "a.test nonsense",
                        "\"nonsense\": is neither an address nor one of cname= ttl= delay= "
                        "delay-aaaa= loss= loss-first= servfail nxdomain refused "
                        "silent silent-aaaa broken-aaaa truncate" },
                { "a.test silent=1", "\"silent=1\": is neither an address" },
                { "a.test ttl", "\"ttl\": is neither an address" },
                { "a.test =", "\"=\": is neither an address" },
                { "a.test ttl=", "\"ttl=\": must be a duration" },
                { "a.test ttl=x", "\"ttl=x\": must be a duration: 30s" },
                { "a.test delay=fast", "\"delay=fast\": must be one of 20ms, uniform:" },
                { "a.test delay-aaaa=exp:", "\"delay-aaaa=exp:\": must be one of 20ms" },
                { "a.test loss=101%", "\"loss=101%\": must be a share" },
                { "a.test loss-first=-1", "\"loss-first=-1\": must be a number" },
                { "a.test cname=", "\"cname=\": must be one host name" },
                { "a.test cname=*.test", "must be one host name" },
                { "a.test cname=b cname=c", "\"cname=c\": must be one host name" },
                { "a.test cname=b 10.0.0.1", "a name with cname= cannot have an address" },
                { "a.test servfail refused", "\"refused\": only one of servfail, nxdomain and" },
                { "a.test 10.0.0.1 x\033y", "\"x?y\": is neither an address" },
        };
        struct zone zone = { 0 };
        struct muster_error error;

        (void)state;
        add_good(&zone, "here.test");
        for (size_t i = 0; i < LENGTH(cases); i++) {
                if (add(&zone, cases[i][0], &error) != MUSTER_E_INVALID)
                        fail_msg("\"%s\" was taken", cases[i][0]);
                assert_int_equal(error.code, MUSTER_E_INVALID);
                assert_true(str_starts(str_of(error.text), "name "));
                if (!strstr(error.text, cases[i][1]))
                        fail_msg("\"%s\": %s", cases[i][0], error.text);
        }
        assert_int_equal(zone.names.n, 1);
        error = (struct muster_error){ 0 };
        assert_int_equal(zone_add(&zone, (struct muster_str){ 0 }, &error), MUSTER_E_INVALID);
        zone_deinit(&zone);
}

static void test_zone_limits(void **state)
{
        struct buf spec = { 0 };
        struct zone zone = { 0 };
        struct muster_error error = { 0 };
        char name[300];

        (void)state;
        buf_add_text(&spec, "many.test");
        for (int i = 0; i < ZONE_ADDRESSES_MAX; i++)
                buf_add_text(&spec, " ::1");
        assert_int_equal(zone_add(&zone, buf_str(&spec), &error), 0);
        assert_int_equal(find(&zone, "many.test")->n_addresses, ZONE_ADDRESSES_MAX);
        spec.at[0] = 'x';
        buf_add_text(&spec, " ::1");
        assert_int_equal(zone_add(&zone, buf_str(&spec), &error), MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "more than 1000 addresses"));
        buf_deinit(&spec);

        memset(name, 'a', sizeof(name));
        for (size_t i = 49; i < sizeof(name); i += 50)
                name[i] = '.';
        error = (struct muster_error){ 0 };
        assert_int_equal(zone_add(&zone, (struct muster_str){ name, 254 }, &error),
                MUSTER_E_INVALID);
        assert_int_equal(zone_add(&zone, (struct muster_str){ name, 253 }, NULL), 0);
        name[0] = '*';
        assert_int_equal(zone_add(&zone, (struct muster_str){ name, 253 }, NULL), MUSTER_E_INVALID);
        name[1] = '.';
        assert_int_equal(zone_add(&zone, (struct muster_str){ name, 253 }, NULL), 0);
        zone_deinit(&zone);
}

static void add_under_failure(void)
{
        struct zone zone = { 0 };
        struct muster_error error = { 0 };
        int r = zone_add(&zone, str_of("a.test 10.0.0.1 ::1 ::2 ttl=1"), &error);

        if (r == 0)
                r = zone_add(&zone, str_of("b.test cname=a.test"), &error);
        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        assert_int_equal(r, error.code);
        zone_deinit(&zone);
}

static void test_zone_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(add_under_failure);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_zone_words),
                cmocka_unit_test(test_zone_patterns),
                cmocka_unit_test(test_zone_refuses),
                cmocka_unit_test(test_zone_limits),
                cmocka_unit_test(test_zone_without_memory),
        };

        return cmocka_run_group_tests_name("lab_zone", tests, NULL, NULL);
}
