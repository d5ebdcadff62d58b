/* SPDX-License-Identifier: MIT */
/*
 * Messages of the lab's DNS server: queries read, answers and refusals written
 */
#include "dns_world.h"

#include <base/rand.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

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
        };

        return cmocka_run_group_tests_name("lab_dns_message", tests, NULL, NULL);
}
