/* SPDX-License-Identifier: MIT */
/*
 * The lab's DNS server: its messages, its zone, and itself over loopback on a manual clock
 */
#include "unit.h"

#include <arpa/inet.h>
#include <base/error.h>
#include <base/rand.h>
#include <errno.h>
#include <fcntl.h>
#include <lab/dns_server.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define START_NS (50 * NS_PER_S)

/* --- a client's messages --------------------------------------------------------------------- */

struct message {
        unsigned char at[65536];
        size_t len;
};

static void add_bytes(struct message *m, const void *at, size_t len)
{
        assert_true(m->len + len <= sizeof(m->at));
        memcpy(m->at + m->len, at, len);
        m->len += len;
}

static void add_name(struct message *m, const char *name)
{
        struct muster_str rest = str_of(name), label;

        while (*name && str_split(&rest, '.', &label)) {
                unsigned char len = (unsigned char)label.len;

                add_bytes(m, &len, 1);
                add_bytes(m, label.at, label.len);
        }
        add_bytes(m, "", 1);
}

/* `edns_bytes` 0: without EDNS. */
static struct message *query_of(unsigned id, const char *name, unsigned type, unsigned edns_bytes)
{
        static struct message m;
        const unsigned char head[12] = { (unsigned char)(id >> 8), (unsigned char)id, 1, 0, 0, 1, 0,
                0, 0, 0, 0, edns_bytes > 0 };
        const unsigned char tail[4] = { 0, (unsigned char)type, 0, 1 };
        const unsigned char opt[11] = { 0, 0, 41, (unsigned char)(edns_bytes >> 8),
                (unsigned char)edns_bytes };

        m.len = 0;
        add_bytes(&m, head, sizeof(head));
        add_name(&m, name);
        add_bytes(&m, tail, sizeof(tail));
        if (edns_bytes)
                add_bytes(&m, opt, sizeof(opt));
        return &m;
}

static struct muster_str str_of_message(const struct message *m)
{
        return (struct muster_str){ (const char *)m->at, m->len };
}

static bool parse(const struct message *m, struct dns_query *ret_query)
{
        /* In memory of its very size, so that the sanitizer sees a read past the end. */
        char *copy = malloc(m->len ? m->len : 1);
        bool is_good;

        memcpy(copy, m->at, m->len);
        is_good = dns_query_parse((struct muster_str){ copy, m->len }, ret_query);
        free(copy);
        return is_good;
}

static void expect_name(const struct dns_query *query, const char *name)
{
        assert_int_equal(query->name_len, strlen(name));
        assert_memory_equal(query->name, name, query->name_len);
}

static unsigned id_of(const struct message *m)
{
        return (unsigned)m->at[0] << 8 | m->at[1];
}

static unsigned rcode_of(const struct message *m)
{
        return m->at[3] & 15u;
}

static unsigned n_records_of(const struct message *m)
{
        return (unsigned)m->at[6] << 8 | m->at[7];
}

static bool is_truncated(const struct message *m)
{
        return m->at[2] & 2;
}

/* --- messages -------------------------------------------------------------------------------- */

static void test_query_is_read(void **state)
{
        struct dns_query query;
        struct message *m = query_of(0x1234, "wWw.Some_Name.TEST", DNS_TYPE_AAAA, 1232);

        (void)state;
        assert_true(parse(m, &query));
        assert_int_equal(query.id, 0x1234);
        assert_int_equal(query.type, DNS_TYPE_AAAA);
        assert_int_equal(query.class, DNS_CLASS_IN);
        assert_true(query.has_edns);
        assert_int_equal(query.udp_bytes, 1232);
        expect_name(&query, "www.some_name.test");
        assert_int_equal(query.question_len, 20 + 4);
        assert_memory_equal(query.question, m->at + 12, 24); /* as it was asked */

        assert_true(parse(query_of(1, "a", DNS_TYPE_A, 0), &query));
        assert_false(query.has_edns);
        assert_int_equal(query.udp_bytes, 512);
        assert_true(parse(query_of(1, "a", DNS_TYPE_A, 100), &query));
        assert_int_equal(query.udp_bytes, 512);
        assert_true(parse(query_of(1, "", 2, 0), &query)); /* NS of the root */
        assert_int_equal(query.name_len, 0);
}

static void test_odd_bytes_in_a_name(void **state)
{
        struct dns_query query;
        struct message *m = query_of(1, "axb.test", DNS_TYPE_A, 0);

        (void)state;
        m->at[14] = '.'; /* one label "a.b" is not the name a.b */
        assert_true(parse(m, &query));
        expect_name(&query, "a?b.test");
        m->at[14] = '*';
        assert_true(parse(m, &query));
        expect_name(&query, "a?b.test");
        m->at[14] = 0;
        assert_true(parse(m, &query));
        expect_name(&query, "a?b.test");
}

static void fill_label(struct message *m, unsigned char len)
{
        add_bytes(m, &len, 1);
        while (len--)
                add_bytes(m, "x", 1);
}

/* A name of `n` labels of 63 and one of `last`. */
static struct message *long_query(int n, unsigned char last)
{
        struct message *m = query_of(1, "", DNS_TYPE_A, 0);

        m->len = 12;
        while (n--)
                fill_label(m, 63);
        fill_label(m, last);
        add_bytes(m, "\0\0\1\0\1", 5);
        return m;
}

static void test_longest_name(void **state)
{
        struct dns_query query;
        struct message out;
        struct dns_answer answer;

        (void)state;
        assert_true(parse(long_query(3, 61), &query)); /* 255 bytes */
        assert_int_equal(query.name_len, 253);
        dns_answer_begin(&answer, &query, out.at, 512);
        assert_int_equal(dns_answer_end(&answer, DNS_NOERROR), 12 + 255 + 4);
        assert_false(parse(long_query(3, 62), &query));
        assert_false(parse(long_query(4, 1), &query));
        assert_false(parse(long_query(0, 64), &query));
}

static void test_malformed_queries(void **state)
{
        struct dns_query query = { .id = 77 };
        struct message *m;
        size_t whole = query_of(1, "www.a.test", DNS_TYPE_A, 1232)->len;

        (void)state;
        for (size_t len = 0; len < whole; len++) {
                m = query_of(1, "www.a.test", DNS_TYPE_A, 1232);
                m->len = len;
                assert_false(parse(m, &query));
        }
        m = query_of(1, "www.a.test", DNS_TYPE_A, 1232);
        add_bytes(m, "", 1); /* something behind the end */
        assert_false(parse(m, &query));
        m = query_of(1, "www.a.test", DNS_TYPE_A, 0);
        m->at[16] = 0xc0; /* compressed */
        assert_false(parse(m, &query));
        m = query_of(1, "www.a.test", DNS_TYPE_A, 0);
        m->at[5] = 2; /* two questions */
        assert_false(parse(m, &query));
        m = query_of(1, "www.a.test", DNS_TYPE_A, 0);
        m->at[5] = 0;
        assert_false(parse(m, &query));
        m = query_of(1, "www.a.test", DNS_TYPE_A, 0);
        m->at[2] |= 0x80; /* a response */
        assert_false(parse(m, &query));
        m = query_of(1, "www.a.test", DNS_TYPE_A, 0);
        m->at[2] |= 5 << 3; /* an UPDATE */
        assert_false(parse(m, &query));
        assert_int_equal(query.id, 77); /* left alone */
}

static void test_records_behind_the_question(void **state)
{
        static const char opt[] = "\0\0\51\4\320\0\0\0\0\0"; /* and the high byte of its length */
        struct dns_query query;
        struct message *m = query_of(1, "a.test", DNS_TYPE_A, 0);

        (void)state;
        m->at[11] = 2; /* some record whose name is compressed, and EDNS with an option */
        add_bytes(m, "\300\14\0\20\0\1\0\0\0\0\0\3\2hi", 15);
        add_bytes(m, opt, 10);
        add_bytes(m, "\6\0\12\0\2xy", 7);
        assert_true(parse(m, &query));
        assert_int_equal(query.udp_bytes, 1232);

        m = query_of(1, "a.test", DNS_TYPE_A, 1232);
        m->at[11] = 2; /* two of EDNS */
        add_bytes(m, opt, 11);
        assert_false(parse(m, &query));
        m = query_of(1, "a.test", DNS_TYPE_A, 1232);
        m->at[11] = 0;
        m->at[7] = 1; /* EDNS where an answer stands */
        assert_false(parse(m, &query));
        m = query_of(1, "a.test", DNS_TYPE_A, 0);
        m->at[11] = 1; /* EDNS of a name */
        add_bytes(m, "\1x", 2);
        add_bytes(m, opt, 11);
        assert_false(parse(m, &query));
        m = query_of(1, "a.test", DNS_TYPE_A, 1232);
        m->at[10] = 0xff; /* far more are announced than there are */
        assert_false(parse(m, &query));
}

/* Whatever is taken can be answered. */
static void answer_if_good(const struct message *m)
{
        static struct message out;
        struct dns_query query;
        struct dns_answer answer;

        if (!parse(m, &query)) {
                out.len = dns_refusal_write(str_of_message(m), out.at);
                assert_true(out.len == 0 || out.len == 12);
                return;
        }
        assert_true(query.udp_bytes >= 512);
        dns_answer_begin(&answer, &query, out.at, 512);
        dns_answer_add_cname(&answer, str_of("b.test"), 1);
        assert_true(dns_answer_end(&answer, DNS_NOERROR) <= 512);
}

static void test_random_bytes(void **state)
{
        static struct message m;
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (int i = 0; i < 20000; i++) {
                m.len = rand_up_to(&rand, 80);
                for (size_t k = 0; k < m.len; k++)
                        m.at[k] = (unsigned char)rand_next(&rand);
                answer_if_good(&m);
        }
        for (int i = 0; i < 20000; i++) {
                struct message *good = query_of(1, "www.a.test", DNS_TYPE_A, 1232);

                for (uint64_t n = rand_up_to(&rand, 3); n; n--)
                        good->at[rand_up_to(&rand, good->len - 1)] =
                                (unsigned char)rand_next(&rand);
                answer_if_good(good);
        }
}

static void test_refusals(void **state)
{
        unsigned char out[12];
        struct message *m = query_of(0x1234, "a.test", DNS_TYPE_A, 0);

        (void)state;
        m->len = 12;
        assert_int_equal(dns_refusal_write(str_of_message(m), out), 12);
        assert_memory_equal(out, "\x12\x34\x81\x81\0\0\0\0\0\0\0\0", 12);
        m->at[2] = 2 << 3;
        assert_int_equal(dns_refusal_write(str_of_message(m), out), 12);
        assert_memory_equal(out, "\x12\x34\x90\x84\0\0\0\0\0\0\0\0", 12);
        m->at[2] = 0x80;
        assert_int_equal(dns_refusal_write(str_of_message(m), out), 0);
        m->at[2] = 0;
        m->len = 11;
        assert_int_equal(dns_refusal_write(str_of_message(m), out), 0);
        assert_int_equal(dns_refusal_write((struct muster_str){ 0 }, out), 0);
}

static void test_answer_bytes(void **state)
{
        static const char expected[] = "\0\7\x85\x80\0\1\0\2\0\0\0\1"
                                       "\1a\4TEST\0\0\1\0\1"
                                       "\300\14\0\5\0\1\0\0\0\36\0\10\1b\4test\0"
                                       "\300\44\0\1\0\1\0\1\21\160\0\4\300\0\2\1"
                                       "\0\0\51\20\0\0\0\0\0\0";
        struct net_address address;
        struct dns_query query;
        struct dns_answer answer;
        struct message out;

        (void)state;
        assert_true(address_parse(str_of("192.0.2.1"), &address));
        assert_true(parse(query_of(7, "a.TEST", DNS_TYPE_A, 512), &query));
        dns_answer_begin(&answer, &query, out.at, 512);
        dns_answer_add_cname(&answer, str_of("b.test"), 30);
        dns_answer_add_address(&answer, &address, 70000);
        assert_int_equal(dns_answer_end(&answer, DNS_NOERROR), sizeof(expected));
        assert_memory_equal(out.at, expected, sizeof(expected));
}

/* 17 addresses fit into 512 bytes, 24 + 17 * 28 = 500; one more is one too many. */
static void test_answer_that_does_not_fit(void **state)
{
        struct net_address address;
        struct dns_query query;
        struct dns_answer answer;
        struct message out;

        (void)state;
        assert_true(address_parse(str_of("2001:db8::1"), &address));
        for (size_t n = 17; n <= 19; n++) {
                assert_true(parse(query_of(7, "a.test", DNS_TYPE_AAAA, 0), &query));
                dns_answer_begin(&answer, &query, out.at, 512);
                for (size_t i = 0; i < n; i++)
                        dns_answer_add_address(&answer, &address, 60);
                out.len = dns_answer_end(&answer, DNS_NOERROR);
                assert_int_equal(answer.is_truncated, n > 17);
                assert_int_equal(out.len, n > 17 ? 24 : 500);
                assert_int_equal(is_truncated(&out), n > 17);
                assert_int_equal(n_records_of(&out), n > 17 ? 0 : n);
        }
        /* With EDNS its own record has to fit, too: 24 + 11 + 16 * 28 = 483. */
        assert_true(parse(query_of(7, "a.test", DNS_TYPE_AAAA, 512), &query));
        dns_answer_begin(&answer, &query, out.at, 512);
        for (size_t i = 0; i < 18; i++)
                dns_answer_add_address(&answer, &address, 60);
        assert_int_equal(dns_answer_end(&answer, DNS_NOERROR), 24 + 11);
}

/* --- zone ------------------------------------------------------------------------------------ */

static int add(struct zone *zone, const char *spec, struct muster_error *error)
{
        *error = (struct muster_error){ 0 };
        return zone_add(zone, str_of(spec), error);
}

static void add_good(struct zone *zone, const char *spec)
{
        struct muster_error error;

        if (add(zone, spec, &error) < 0)
                fail_msg("\"%s\": %s", spec, error.text);
}

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
                { "", "name \"\" is no host name; write NAME WORD..." },
                { " , ", "name \"\" is no host name" },
                { "a..test 10.0.0.1", "name \"a..test\" is no host name" },
                { ".", "is no host name" },
                { "a.test..", "is no host name" },
                { "a/b", "is no host name" },
                { "a.*.test", "is no host name" },
                { "*x.test", "is no host name" },
                { "here.test", "name here.test was given before" },
                { "HERE.test. 10.0.0.1", "name here.test was given before" },
                { "a.test 10.0.0.256", "name a.test: \"10.0.0.256\": is no address and none of" },
                { "a.test nonsense", "\"nonsense\": is no address and none of cname= ttl= delay= "
                                     "delay-aaaa= loss= loss-first= servfail nxdomain refused "
                                     "silent silent-aaaa broken-aaaa truncate" },
                { "a.test silent=1", "\"silent=1\": is no address" },
                { "a.test ttl", "\"ttl\": is no address" },
                { "a.test =", "\"=\": is no address" },
                { "a.test ttl=", "\"ttl=\": must be a duration" },
                { "a.test ttl=x", "\"ttl=x\": must be a duration: 30s" },
                { "a.test delay=fast", "\"delay=fast\": must be one of 20ms, uniform:" },
                { "a.test delay-aaaa=exp:", "\"delay-aaaa=exp:\": must be one of 20ms" },
                { "a.test loss=101%", "\"loss=101%\": must be a share" },
                { "a.test loss-first=-1", "\"loss-first=-1\": must be a number" },
                { "a.test cname=", "\"cname=\": must be one host name" },
                { "a.test cname=*.test", "must be one host name" },
                { "a.test cname=b cname=c", "\"cname=c\": must be one host name" },
                { "a.test cname=b 10.0.0.1", "a name with cname= has no address of its own" },
                { "a.test servfail refused", "\"refused\": only one of servfail, nxdomain and" },
                { "a.test 10.0.0.1 x\033y", "\"x?y\": is no address" },
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

/* --- the server ------------------------------------------------------------------------------ */

struct world {
        struct clock clock;
        struct loop loop;
        struct zone zone;
        struct rand rand;
        struct dns_server server;
        struct sockaddr_in address;
        int udp;
};

static struct world world;
static struct message reply;

static void open_world(void)
{
        struct world *w = &world;
        struct muster_error error = { 0 };
        int sys;

        *w = (struct world){ .clock = { .is_manual = true, .manual_ns = START_NS },
                .address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
        rand_init(&w->rand, 1);
        assert_int_equal(loop_init(&w->loop, &w->clock, &sys), 0);
        assert_int_equal(dns_server_start(&w->server, &w->loop, &w->zone, &w->rand,
                                 (struct sockaddr *)&w->address, sizeof(w->address), &error),
                0);
        w->address.sin_port = htons(dns_server_port(&w->server));
        assert_int_not_equal(w->address.sin_port, 0);
        w->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        assert_int_equal(connect(w->udp, (struct sockaddr *)&w->address, sizeof(w->address)), 0);
}

static void close_world(void)
{
        dns_server_stop(&world.server);
        dns_server_stop(&world.server);
        assert_int_equal(dns_server_port(&world.server), 0);
        assert_int_equal(world.server.n_conns, 0);
        assert_int_equal(world.server.n_delayed, 0);
        close(world.udp);
        zone_deinit(&world.zone);
        loop_deinit(&world.loop);
}

static void turn(void)
{
        assert_int_equal(loop_turn(&world.loop, clock_now(&world.clock) + NS_PER_S), 0);
}

static void send_udp(const struct message *m)
{
        assert_int_equal(send(world.udp, m->at, m->len, 0), m->len);
}

static bool receive_udp(void)
{
        ssize_t n = recv(world.udp, reply.at, sizeof(reply.at), 0);

        reply.len = n > 0 ? (size_t)n : 0;
        return n > 0;
}

/* The answer to a question by UDP in `reply`. False: none comes. The clock tells when it came. */
static bool ask(const char *name, unsigned type, unsigned edns_bytes)
{
        static unsigned id;

        send_udp(query_of(++id & 0xffff, name, type, edns_bytes));
        for (int i = 0; i < 5; i++) {
                turn();
                if (receive_udp()) {
                        assert_int_equal(id_of(&reply), id & 0xffff);
                        return true;
                }
        }
        return false;
}

static void expect_answer(const char *name, unsigned type, unsigned rcode, unsigned n_records)
{
        assert_true(ask(name, type, 0));
        assert_int_equal(rcode_of(&reply), rcode);
        assert_int_equal(n_records_of(&reply), n_records);
        assert_int_equal(reply.at[2], 0x85); /* response, authoritative, recursion desired */
        assert_int_equal(reply.at[3] & 0xf0, 0x80);
}

static void test_server_answers(void **state)
{
        (void)state;
        open_world();
        add_good(&world.zone, "two.test 10.0.0.1 10.0.0.2 2001:db8::1 ttl=5s");
        add_good(&world.zone, "*.wild.test 10.0.0.3");
        add_good(&world.zone, "empty.test");
        add_good(&world.zone, "fails.test 10.0.0.1 servfail");
        add_good(&world.zone, "refused.test refused");
        add_good(&world.zone, "no.test nxdomain");
        add_good(&world.zone, "half.test 10.0.0.1 ::1 broken-aaaa");
        expect_answer("TWO.test", DNS_TYPE_A, DNS_NOERROR, 2);
        assert_memory_equal(reply.at + 12, "\3TWO\4test\0\0\1\0\1", 14);
        assert_memory_equal(reply.at + 26, "\300\14\0\1\0\1\0\0\0\5\0\4\12\0\0\1", 16);
        assert_memory_equal(reply.at + 42, "\300\14\0\1\0\1\0\0\0\5\0\4\12\0\0\2", 16);
        assert_int_equal(reply.len, 58);
        expect_answer("two.test", DNS_TYPE_AAAA, DNS_NOERROR, 1);
        expect_answer("two.test", 15, DNS_NOERROR, 0);
        expect_answer("x.y.wild.test", DNS_TYPE_A, DNS_NOERROR, 1);
        expect_answer("wild.test", DNS_TYPE_A, DNS_NXDOMAIN, 0);
        expect_answer("empty.test", DNS_TYPE_A, DNS_NOERROR, 0);
        expect_answer("fails.test", DNS_TYPE_A, DNS_SERVFAIL, 0);
        expect_answer("refused.test", DNS_TYPE_A, DNS_REFUSED, 0);
        expect_answer("no.test", DNS_TYPE_A, DNS_NXDOMAIN, 0);
        expect_answer("none.test", DNS_TYPE_A, DNS_NXDOMAIN, 0);
        expect_answer("half.test", DNS_TYPE_A, DNS_NOERROR, 1);
        expect_answer("half.test", DNS_TYPE_AAAA, DNS_SERVFAIL, 0);
        assert_int_equal(world.server.stats.n_queries_udp, 12);
        assert_int_equal(world.server.stats.n_answered, 12);
        close_world();
}

static void test_server_follows_cnames(void **state)
{
        (void)state;
        open_world();
        add_good(&world.zone, "a.test cname=b.test");
        add_good(&world.zone, "b.test cname=c.test");
        add_good(&world.zone, "c.test 10.0.0.1");
        add_good(&world.zone, "lost.test cname=none.test");
        add_good(&world.zone, "round.test cname=round.test");
        expect_answer("a.test", DNS_TYPE_A, DNS_NOERROR, 3);
        expect_answer("a.test", DNS_TYPE_AAAA, DNS_NOERROR, 2);
        expect_answer("a.test", DNS_TYPE_CNAME, DNS_NOERROR, 1);
        expect_answer("lost.test", DNS_TYPE_A, DNS_NXDOMAIN, 1);
        expect_answer("round.test", DNS_TYPE_A, DNS_SERVFAIL, 8);
        close_world();
}

static void test_server_loses(void **state)
{
        unsigned n_lost = 0;

        (void)state;
        open_world();
        add_good(&world.zone, "silent.test 10.0.0.1 silent");
        add_good(&world.zone, "half.test 10.0.0.1 silent-aaaa");
        add_good(&world.zone, "first.test 10.0.0.1 loss-first=2");
        add_good(&world.zone, "never.test 10.0.0.1 loss=100%");
        add_good(&world.zone, "some.test 10.0.0.1 loss=25%");
        assert_false(ask("silent.test", DNS_TYPE_A, 0));
        assert_false(ask("half.test", DNS_TYPE_AAAA, 0));
        expect_answer("half.test", DNS_TYPE_A, DNS_NOERROR, 1);
        assert_false(ask("first.test", DNS_TYPE_A, 0));
        assert_false(ask("first.test", DNS_TYPE_AAAA, 0));
        expect_answer("first.test", DNS_TYPE_A, DNS_NOERROR, 1);
        assert_false(ask("never.test", DNS_TYPE_A, 0));
        assert_int_equal(world.server.stats.n_lost, 5);
        for (int i = 0; i < 200; i++)
                n_lost += !ask("some.test", DNS_TYPE_A, 0);
        assert_true(n_lost > 30 && n_lost < 70);
        assert_int_equal(world.server.stats.n_lost, 5 + n_lost);
        close_world();
}

static void test_server_delays(void **state)
{
        uint64_t start;

        (void)state;
        open_world();
        add_good(&world.zone, "slow.test 10.0.0.1 ::1 delay=100ms delay-aaaa=900ms");
        add_good(&world.zone, "slow6.test 10.0.0.1 ::1 delay-aaaa=30m");
        start = clock_now(&world.clock);
        expect_answer("slow.test", DNS_TYPE_A, DNS_NOERROR, 1);
        assert_int_equal(clock_now(&world.clock) - start, 100 * NS_PER_MS);
        start = clock_now(&world.clock);
        expect_answer("slow.test", DNS_TYPE_AAAA, DNS_NOERROR, 1);
        assert_int_equal(clock_now(&world.clock) - start, 900 * NS_PER_MS);
        start = clock_now(&world.clock);
        expect_answer("slow6.test", DNS_TYPE_A, DNS_NOERROR, 1);
        assert_int_equal(clock_now(&world.clock), start);
        /* The later question is answered first, and one is still open when the server stops. */
        send_udp(query_of(1001, "slow.test", DNS_TYPE_AAAA, 0));
        send_udp(query_of(1002, "slow.test", DNS_TYPE_A, 0));
        send_udp(query_of(1003, "slow6.test", DNS_TYPE_AAAA, 0));
        for (int i = 0; i < 10 && !receive_udp(); i++)
                turn();
        assert_int_equal(id_of(&reply), 1002);
        for (int i = 0; i < 10 && !receive_udp(); i++)
                turn();
        assert_int_equal(id_of(&reply), 1001);
        assert_int_equal(world.server.n_delayed, 1);
        close_world();
}

static void test_server_refuses_malformed(void **state)
{
        struct message *m;

        (void)state;
        open_world();
        m = query_of(9, "a.test", DNS_TYPE_A, 0);
        m->len -= 3;
        send_udp(m);
        turn();
        assert_true(receive_udp());
        assert_int_equal(reply.len, 12);
        assert_int_equal(rcode_of(&reply), DNS_FORMERR);
        m->len = 11;
        send_udp(m);
        turn();
        assert_false(receive_udp());
        m->len = 0;
        send_udp(m);
        turn();
        assert_false(receive_udp());
        assert_int_equal(world.server.stats.n_malformed, 3);
        assert_int_equal(world.server.stats.n_queries_udp, 3);
        m = query_of(9, "a.test", DNS_TYPE_A, 0);
        m->at[m->len - 1] = 3; /* class CHAOS */
        send_udp(m);
        turn();
        assert_true(receive_udp());
        assert_int_equal(rcode_of(&reply), DNS_REFUSED);
        close_world();
}

/* --- the server by TCP ----------------------------------------------------------------------- */

static int connect_tcp(void)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&world.address, sizeof(world.address)), 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        return fd;
}

static void add_framed(struct message *stream, const struct message *m)
{
        const unsigned char length[2] = { (unsigned char)(m->len >> 8), (unsigned char)m->len };

        add_bytes(stream, length, 2);
        add_bytes(stream, m->at, m->len);
}

/*
 * Exactly so many bytes of the stream, while the server's loop turns. False: its end comes first.
 */
static bool receive_exactly(int fd, unsigned char *at, size_t len)
{
        for (int i = 0; len && i < 10000; i++) {
                ssize_t n = recv(fd, at, len, 0);

                if (n == 0 || (n < 0 && errno != EAGAIN))
                        return false;
                if (n < 0) {
                        turn();
                        continue;
                }
                at += n;
                len -= (size_t)n;
        }
        assert_int_equal(len, 0);
        return true;
}

static bool receive_tcp(int fd)
{
        unsigned char length[2];

        if (!receive_exactly(fd, length, 2))
                return false;
        reply.len = (size_t)length[0] << 8 | length[1];
        return receive_exactly(fd, reply.at, reply.len);
}

static void test_tcp_split_anywhere(void **state)
{
        static struct message stream;
        int fd;

        (void)state;
        open_world();
        add_good(&world.zone, "a.test 10.0.0.1 ::1");
        stream.len = 0;
        for (unsigned id = 1; id <= 3; id++)
                add_framed(&stream, query_of(id, "a.test", id == 2 ? DNS_TYPE_AAAA : 1, 1232));
        fd = connect_tcp();
        for (size_t split = 0; split <= stream.len; split++) {
                assert_int_equal(send(fd, stream.at, split, 0), split);
                turn();
                turn();
                assert_int_equal(send(fd, stream.at + split, stream.len - split, 0),
                        stream.len - split);
                for (unsigned id = 1; id <= 3; id++) {
                        assert_true(receive_tcp(fd));
                        assert_int_equal(id_of(&reply), id);
                        assert_int_equal(n_records_of(&reply), 1);
                }
        }
        assert_int_equal(world.server.n_conns, 1);
        assert_int_equal(world.server.stats.n_queries_tcp, 3 * (stream.len + 1));
        close(fd);
        for (int i = 0; i < 10 && world.server.n_conns; i++)
                turn();
        close_world();
}

static void test_truncated_then_by_tcp(void **state)
{
        static struct message stream;
        struct buf spec = { 0 };
        int fd;

        (void)state;
        open_world();
        buf_add_text(&spec, "large.test");
        for (int i = 0; i < 100; i++)
                buf_add_text(&spec, " 10.0.0.1");
        assert_int_equal(zone_add(&world.zone, buf_str(&spec), NULL), 0);
        buf_deinit(&spec);
        add_good(&world.zone, "small.test 10.0.0.1 truncate");
        expect_answer("none.test", DNS_TYPE_A, DNS_NXDOMAIN, 0);
        assert_true(ask("large.test", DNS_TYPE_A, 0));
        assert_true(is_truncated(&reply));
        assert_int_equal(n_records_of(&reply), 0);
        assert_true(ask("large.test", DNS_TYPE_A, 1232));
        assert_true(is_truncated(&reply));
        assert_true(ask("large.test", DNS_TYPE_A, 1639)); /* 28 + 100 * 16 + 11 */
        assert_false(is_truncated(&reply));
        assert_int_equal(reply.len, 1639);
        assert_true(ask("large.test", DNS_TYPE_A, 1638));
        assert_true(is_truncated(&reply));
        assert_true(ask("small.test", DNS_TYPE_A, 4096));
        assert_true(is_truncated(&reply));
        assert_int_equal(world.server.stats.n_truncated, 4);

        fd = connect_tcp();
        stream.len = 0;
        add_framed(&stream, query_of(1, "large.test", DNS_TYPE_A, 0));
        add_framed(&stream, query_of(2, "small.test", DNS_TYPE_A, 0));
        assert_int_equal(send(fd, stream.at, stream.len, 0), stream.len);
        assert_true(receive_tcp(fd));
        assert_int_equal(n_records_of(&reply), 100);
        assert_true(receive_tcp(fd));
        assert_int_equal(n_records_of(&reply), 1);
        assert_false(is_truncated(&reply));
        assert_int_equal(world.server.stats.n_truncated, 4);
        close(fd);
        close_world();
}

/*
 * What is due first goes out first; after the client's end the rest is still answered, and then the
 * connection closed.
 */
static void test_tcp_delays_and_end(void **state)
{
        static struct message stream;
        int fd;

        (void)state;
        open_world();
        add_good(&world.zone, "slow.test 10.0.0.1 delay=100ms delay-aaaa=3s");
        add_good(&world.zone, "fast.test 10.0.0.1");
        add_good(&world.zone, "silent.test silent");
        fd = connect_tcp();
        stream.len = 0;
        add_framed(&stream, query_of(1, "slow.test", DNS_TYPE_AAAA, 0));
        add_framed(&stream, query_of(2, "slow.test", DNS_TYPE_A, 0));
        add_framed(&stream, query_of(3, "silent.test", DNS_TYPE_A, 0));
        add_framed(&stream, query_of(4, "fast.test", DNS_TYPE_A, 0));
        assert_int_equal(send(fd, stream.at, stream.len, 0), stream.len);
        shutdown(fd, SHUT_WR);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 4);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 2);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 1);
        assert_false(receive_tcp(fd));
        assert_int_equal(world.server.n_conns, 0);
        close(fd);
        close_world();
}

static void test_tcp_malformed(void **state)
{
        static struct message stream;
        struct message *m;
        int fd;

        (void)state;
        open_world();
        fd = connect_tcp();
        stream.len = 0;
        add_bytes(&stream, "\0\0\0\1x", 5);
        m = query_of(5, "a.test", DNS_TYPE_A, 0);
        m->at[5] = 0;
        add_framed(&stream, m);
        add_framed(&stream, query_of(6, "a.test", DNS_TYPE_A, 0));
        assert_int_equal(send(fd, stream.at, stream.len, 0), stream.len);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 5);
        assert_int_equal(rcode_of(&reply), DNS_FORMERR);
        assert_true(receive_tcp(fd));
        assert_int_equal(id_of(&reply), 6);
        assert_int_equal(world.server.stats.n_malformed, 3);
        /* The longest there is, and of no sense. */
        memset(reply.at, 0, sizeof(reply.at));
        memset(stream.at, 0, sizeof(stream.at));
        stream.at[0] = stream.at[1] = 0xff;
        assert_int_equal(send(fd, stream.at, 65536, 0), 65536);
        assert_int_equal(send(fd, stream.at, 1, 0), 1);
        assert_true(receive_tcp(fd));
        assert_int_equal(rcode_of(&reply), DNS_FORMERR);
        close(fd);
        close_world();
}

/*
 * A client that asks and does not read: the server stops to read, and goes on when the client does.
 */
static void test_tcp_client_that_does_not_read(void **state)
{
        static struct message stream;
        struct buf spec = { 0 };
        uint64_t n_before = 0, n_asked = 0, n_whole;
        size_t at = 0;
        int fd, n_still = 0;

        (void)state;
        open_world();
        buf_add_text(&spec, "large.test");
        for (int i = 0; i < ZONE_ADDRESSES_MAX; i++)
                buf_add_text(&spec, " ::1");
        assert_int_equal(zone_add(&world.zone, buf_str(&spec), NULL), 0);
        buf_deinit(&spec);
        fd = connect_tcp();
        stream.len = 0;
        add_framed(&stream, query_of(1, "large.test", DNS_TYPE_AAAA, 0));
        while (n_still < 10) {
                ssize_t n = send(fd, stream.at + at, stream.len - at, 0);

                if (n > 0)
                        at += (size_t)n;
                if (at == stream.len) {
                        n_asked++;
                        at = 0;
                }
                if (n > 0 && n_asked % 1000)
                        continue;
                loop_turn(&world.loop, 0);
                n_still = n < 0 && world.server.stats.n_answered == n_before ? n_still + 1 : 0;
                n_before = world.server.stats.n_answered;
        }
        assert_true(n_asked > 2 * n_before);
        n_whole = n_asked;
        for (uint64_t i = 0; i < n_whole; i++)
                assert_true(receive_tcp(fd));
        assert_int_equal(world.server.stats.n_answered, n_whole);
        /* And now it goes away with answers outstanding. */
        at = at ? stream.len - at : 0;
        assert_int_equal(send(fd, stream.at + stream.len - at, at, 0), at);
        for (int i = 0; i < 1000; i++)
                send(fd, stream.at, stream.len, 0);
        loop_turn(&world.loop, 0);
        close(fd);
        for (int i = 0; i < 1000 && world.server.n_conns; i++)
                turn();
        assert_int_equal(world.server.n_conns, 0);
        close_world();
}

/*
 * More delayed answers than one connection may have: all are answered, and never more than that
 * many are open.
 */
static void test_tcp_many_delayed(void **state)
{
        static struct message stream;
        unsigned n = DNS_CONN_DELAYED_MAX * 3 + 5;
        bool is_answered[DNS_CONN_DELAYED_MAX * 3 + 5] = { false };
        int fd;

        (void)state;
        open_world();
        add_good(&world.zone, "slow.test 10.0.0.1 delay=100ms");
        fd = connect_tcp();
        stream.len = 0;
        for (unsigned id = 0; id < n; id++)
                add_framed(&stream, query_of(id, "slow.test", DNS_TYPE_A, 0));
        assert_int_equal(send(fd, stream.at, stream.len, 0), stream.len);
        for (unsigned i = 0; i < n; i++) {
                assert_true(world.server.n_delayed <= DNS_CONN_DELAYED_MAX);
                assert_true(receive_tcp(fd));
                assert_true(id_of(&reply) < n && !is_answered[id_of(&reply)]);
                is_answered[id_of(&reply)] = true; /* those due at one moment go in any order */
        }
        assert_int_equal(clock_now(&world.clock) - START_NS, 400 * NS_PER_MS);
        send(fd, stream.at, stream.len, 0);
        turn();
        assert_int_equal(world.server.n_delayed, DNS_CONN_DELAYED_MAX);
        close(fd); /* reset: the server has not read all */
        for (int i = 0; i < 20 && world.server.n_conns; i++)
                turn();
        assert_int_equal(world.server.n_conns, 0);
        close_world();
}

static void test_delayed_answers_are_bounded(void **state)
{
        struct message *m;

        (void)state;
        open_world();
        add_good(&world.zone, "slow.test 10.0.0.1 delay=1h");
        m = query_of(1, "slow.test", DNS_TYPE_A, 0);
        for (int i = 0; i < DNS_DELAYED_MAX + 1000; i++) {
                send_udp(m);
                if (i % 64 == 63)
                        assert_int_equal(loop_turn(&world.loop, 0), 0);
        }
        for (int i = 0; i < 20; i++)
                assert_int_equal(loop_turn(&world.loop, 0), 0);
        assert_int_equal(world.server.n_delayed, DNS_DELAYED_MAX);
        assert_int_equal(world.server.stats.n_lost, 1000);
        close_world();
}

static void test_connections_are_bounded(void **state)
{
        struct rlimit limit;
        int fds[DNS_CONNS_MAX + 3];
        char c;

        (void)state;
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < 3 * DNS_CONNS_MAX)
                skip();
        open_world();
        for (size_t i = 0; i < LENGTH(fds); i++) {
                fds[i] = connect_tcp();
                if (i % 32 == 0)
                        turn();
        }
        for (int i = 0; i < 100 && world.server.n_conns < DNS_CONNS_MAX; i++)
                turn();
        turn();
        assert_int_equal(world.server.n_conns, DNS_CONNS_MAX);
        assert_int_equal(recv(fds[LENGTH(fds) - 1], &c, 1, 0), 0);
        assert_int_equal(recv(fds[0], &c, 1, 0), -1);
        for (size_t i = 0; i < LENGTH(fds); i++)
                close(fds[i]);
        for (int i = 0; i < 100 && world.server.n_conns; i++)
                turn();
        assert_int_equal(world.server.n_conns, 0);
        close_world();
}

static void test_no_descriptors_left(void **state)
{
        struct rlimit before, none;
        int fd;

        (void)state;
        open_world();
        add_good(&world.zone, "a.test 10.0.0.1");
        fd = connect_tcp();
        getrlimit(RLIMIT_NOFILE, &before);
        none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
        setrlimit(RLIMIT_NOFILE, &none);
        turn();
        assert_int_equal(world.server.n_conns, 0);
        assert_false(world.server.tcp_watch.want_read); /* or it would be ready all the time */
        setrlimit(RLIMIT_NOFILE, &before);
        for (int i = 0; i < 10 && !world.server.n_conns; i++)
                turn();
        assert_int_equal(world.server.n_conns, 1);
        close(fd);
        close_world();
}

/* --- starting -------------------------------------------------------------------------------- */

static void test_start_in_words(void **state)
{
        struct dns_server second = { 0 };
        struct muster_error error = { 0 };
        struct sockaddr_in away = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201) };
        struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

        (void)state;
        dns_server_stop(&second); /* zeroed is not running */
        assert_int_equal(dns_server_port(&second), 0);
        open_world();
        assert_int_equal(dns_server_start(&second, &world.loop, &world.zone, &world.rand,
                                 (struct sockaddr *)&world.address, sizeof(world.address), &error),
                MUSTER_E_RESOURCE);
        assert_int_equal(error.sys, EADDRINUSE);
        assert_non_null(strstr(error.text, "DNS server: cannot take UDP queries on 127.0.0.1:"));
        error_clear(&error);
        assert_int_equal(dns_server_start(&second, &world.loop, &world.zone, &world.rand,
                                 (struct sockaddr *)&away, sizeof(away), &error),
                MUSTER_E_RESOURCE);
        assert_int_equal(error.sys, EADDRNOTAVAIL);
        if (dns_server_start(&second, &world.loop, &world.zone, &world.rand,
                    (struct sockaddr *)&six, sizeof(six), NULL) == 0)
                assert_int_not_equal(dns_server_port(&second), 0);
        dns_server_stop(&second);
        close_world();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_query_is_read),
                cmocka_unit_test(test_odd_bytes_in_a_name),
                cmocka_unit_test(test_longest_name),
                cmocka_unit_test(test_malformed_queries),
                cmocka_unit_test(test_records_behind_the_question),
                cmocka_unit_test(test_random_bytes),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_answer_bytes),
                cmocka_unit_test(test_answer_that_does_not_fit),
                cmocka_unit_test(test_zone_words),
                cmocka_unit_test(test_zone_patterns),
                cmocka_unit_test(test_zone_refuses),
                cmocka_unit_test(test_zone_limits),
                cmocka_unit_test(test_zone_without_memory),
                cmocka_unit_test(test_server_answers),
                cmocka_unit_test(test_server_follows_cnames),
                cmocka_unit_test(test_server_loses),
                cmocka_unit_test(test_server_delays),
                cmocka_unit_test(test_server_refuses_malformed),
                cmocka_unit_test(test_tcp_split_anywhere),
                cmocka_unit_test(test_truncated_then_by_tcp),
                cmocka_unit_test(test_tcp_delays_and_end),
                cmocka_unit_test(test_tcp_malformed),
                cmocka_unit_test(test_tcp_client_that_does_not_read),
                cmocka_unit_test(test_tcp_many_delayed),
                cmocka_unit_test(test_delayed_answers_are_bounded),
                cmocka_unit_test(test_connections_are_bounded),
                cmocka_unit_test(test_no_descriptors_left),
                cmocka_unit_test(test_start_in_words),
        };

        return cmocka_run_group_tests_name("lab_dns", tests, NULL, NULL);
}
