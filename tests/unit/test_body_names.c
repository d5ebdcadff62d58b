/* SPDX-License-Identifier: MIT */
/*
 * Names of bodies' files: different stays different, and all of it stays where it belongs. What
 * URLs and servers call them.
 */
#include "unit.h"

#include "output/body_name.h"
#include "output/name_set.h"
#include "output/remote_name.h"
#include <muster/error.h>
#include <stdio.h>

/* The name by this template. */
static void expect_name(const char *template, const struct body_name *name, const char *expected)
{
        struct buf to = { 0 };

        assert_int_equal(body_name_add(&to, template, name), 0);
        assert_string_equal(to.at, expected);
        buf_deinit(&to);
}

static void expect_id(struct muster_str id, const char *expected)
{
        expect_name("{id}", &(struct body_name){ .n = 17, .id = id }, expected);
}

static void test_what_is_kept(void **state)
{
        (void)state;
        expect_id((struct muster_str)BYTES("a B-c_d:e?*\\'\"~"), "a B-c_d:e?*\\'\"~");
        expect_id((struct muster_str)BYTES("\xe6\x9d\xb1\xe4\xba\xac"), "\xe6\x9d\xb1\xe4\xba\xac");
        expect_id((struct muster_str)BYTES("a.b"), "a.b");
        expect_id((struct muster_str)BYTES(""), "17");
}

static void test_what_is_escaped(void **state)
{
        (void)state;
        expect_id((struct muster_str)BYTES("a/b"), "a%2Fb");
        expect_id((struct muster_str)BYTES("a%2Fb"), "a%252Fb");
        expect_id((struct muster_str)BYTES("."), "%2E");
        expect_id((struct muster_str)BYTES("../.."), "%2E.%2F..");
        expect_id((struct muster_str)BYTES("a\0b\n\x7f"), "a%00b%0A%7F");
        expect_id((struct muster_str)BYTES("\xc2\x85\xc2\xa0"), "%C2%85\xc2\xa0");
        /* What is no UTF-8 is not half kept. */
        expect_id((struct muster_str)BYTES("\xc3\xa4\xff"), "%C3%A4%FF");
}

static void test_words_of_a_template(void **state)
{
        const struct body_name name = {
                .n = 7, .pads_n = true, .host = BYTES("[::1]:8080"), .sha256 = BYTES("abc")
        };
        struct muster_error error = { 0 };
        unsigned words;

        (void)state;
        expect_name("out/{n}-{host}/{sha256}.html", &name, "out/000007-[::1]:8080/abc.html");
        assert_int_equal(body_name_check("{n}/{id}{id}", &words, &error), 0);
        assert_int_equal(words, BODY_NAME_N | BODY_NAME_ID);
        assert_int_equal(body_name_check("{id", &words, &error), MUSTER_E_INVALID);
        assert_int_equal(body_name_check("{}", &words, &error), MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, BODY_NAME_WORDS));
}

/* --- what the server calls it ---------------------------------------------------------------- */

static void expect_of_url(const char *url, const char *expected)
{
        struct muster_str name = remote_name_of_url(url);

        assert_int_equal(name.len, strlen(expected));
        assert_memory_equal(name.len ? name.at : "", expected, name.len);
}

static void test_end_of_a_url(void **state)
{
        (void)state;
        expect_of_url("http://h/a/b.pdf?x=/y#/z", "b.pdf");
        expect_of_url("http://h/a#/b", "a");
        expect_of_url("h/b", "b");
        expect_of_url("http://u:p@h:80/b?http://x/y", "b");
        expect_of_url("http://h/a%2Fb", "a%2Fb");
        expect_of_url("http://h/\xe6\x9d\xb1", "\xe6\x9d\xb1");
        expect_of_url("http://h/...", "...");
        for (size_t i = 0; i < 9; i++)
                expect_of_url((const char *const[]){ "http://h", "http://h/", "http://h?a/b",
                                      "http://h#/b", "http://h/a/", "http://h/a/?b", "http://h/.",
                                      "http://h/a/..", "" }[i],
                        "");
}

static void expect_of_disposition(const char *value, const char *expected)
{
        struct buf to = { 0 };

        assert_int_equal(buf_add_text(&to, "out/"), 0);
        assert_int_equal(remote_name_of_disposition(&to, str_of(value)), 0);
        assert_int_equal(buf_terminate(&to), 0);
        assert_string_equal(to.at + 4, expected);
        buf_deinit(&to);
}

static void test_content_disposition(void **state)
{
        (void)state;
        expect_of_disposition("attachment; filename=a.pdf", "a.pdf");
        expect_of_disposition("attachment;filename = \"a b;c.pdf\" ; x=y", "a b;c.pdf");
        expect_of_disposition("inline; x=\"; filename=no\"; FileName=yes", "yes");
        expect_of_disposition("filename=\"a\\\"b\\\\\"", ""); /* ends with a backslash */
        expect_of_disposition("filename=\"a\\\"b\"", "a\"b");
        expect_of_disposition("x; filename=\"C:\\dir\\a.pdf\"", "a.pdf");
        expect_of_disposition("x; filename=../../etc/passwd", "passwd");
        expect_of_disposition("x; filename=\"open", "open");
        expect_of_disposition("x; filename*=UTF-8''no; filename=yes", "yes");
        for (size_t i = 0; i < 10; i++)
                expect_of_disposition((const char *const[]){ "", "attachment", "filename", ";;=;",
                                              "x; filename=", "x; filename=\"\"",
                                              "x; filename*=UTF-8''a", "x; filename=\"a/..\"",
                                              "x; filename=a/", "x; filename=\"" }[i],
                        "");
}

/* Escapes that it has are its own; else it is a word like others. */
static void test_remote_name_in_a_template(void **state)
{
        (void)state;
        expect_name("o/{remote_name}", &(struct body_name){ .remote_name = BYTES("a%2Fb") },
                "o/a%2Fb");
        expect_name("{n}-{remote_name}", &(struct body_name){ .n = 3, .remote_name = BYTES(".x") },
                "3-%2Ex");
        expect_name("{remote_name}", &(struct body_name){ .remote_name = BYTES("a/\n\xff") },
                "a%2F%0A%FF");
}

/* --- long ones ------------------------------------------------------------------------------- */

static void expect_length(const char *template, size_t id_len, int expected, size_t len)
{
        char id[1000];
        struct buf to = { 0 };

        memset(id, 'x', sizeof(id));
        assert_int_equal(body_name_add(&to, template, &(struct body_name){ .id = { id, id_len } }),
                expected);
        if (expected == 0)
                assert_int_equal(to.len, len);
        buf_deinit(&to);
}

static void test_long_names(void **state)
{
        char constant[300];

        (void)state;
        expect_length("{id}", 255, 0, 255);
        expect_length("{id}", 256, 0, 96);
        expect_length("out/{id}.html", 250, 0, 259);
        expect_length("out/{id}.html", 251, 0, 105);
        expect_length("{id}{id}", 1000, 0, 192);
        expect_length("{id}/{id}", 255, 0, 511); /* each part has its own length */
        memset(constant, 'c', sizeof(constant));
        snprintf(constant + 250, 50, "{id}");
        expect_length(constant, 5, 0, 255);
        expect_length(constant, 6, BODY_NAME_TOO_LONG, 0);
}

/* The beginning of long ones is the same, and still they differ; none is cut within a character. */
static void test_long_names_differ(void **state)
{
        struct buf a = { 0 }, b = { 0 };
        char text[600] = "x";

        (void)state;
        for (size_t i = 1; i + 3 < sizeof(text); i += 3)
                memcpy(text + i, "\xe6\x9d\xb1", 4);
        assert_int_equal(body_name_add(&a, "{id}", &(struct body_name){ .id = { text, 595 } }), 0);
        assert_int_equal(body_name_add(&b, "{id}", &(struct body_name){ .id = { text, 592 } }), 0);
        assert_int_equal(a.len, b.len);
        assert_string_not_equal(a.at, b.at);
        assert_memory_equal(a.at, b.at, 61);
        assert_memory_equal(a.at + 61, "%~", 2);
        buf_deinit(&a);
        buf_deinit(&b);
}

static void test_set_of_names(void **state)
{
        struct name_set set = { 0 };
        char name[32];

        (void)state;
        for (int round = 0; round < 2; round++)
                for (int i = 0; i < 20000; i++) {
                        struct muster_str str = { name, (size_t)sprintf(name, "out/%d", i) };

                        assert_int_equal(name_set_add(&set, str), round ? NAME_SET_HAS_IT : 0);
                }
        assert_int_equal(set.n, 20000);
        assert_true(set.n_slots * sizeof(*set.slots) <= 24 * 20000); /* bounded, and small */
        name_set_deinit(&set);
}

static void name_one(void)
{
        struct name_set set = { 0 };
        struct buf to = { 0 };

        if (remote_name_of_disposition(&to, (struct muster_str)BYTES("x; filename=\"a\"")) == 0)
                to.len = 0;
        if (body_name_add(&to, "out/{id}", &(struct body_name){ .id = BYTES("a/b") }) == 0)
                (void)name_set_add(&set, buf_str(&to));
        name_set_deinit(&set);
        buf_deinit(&to);
}

static void test_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(name_one);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_kept),
                cmocka_unit_test(test_what_is_escaped),
                cmocka_unit_test(test_words_of_a_template),
                cmocka_unit_test(test_end_of_a_url),
                cmocka_unit_test(test_content_disposition),
                cmocka_unit_test(test_remote_name_in_a_template),
                cmocka_unit_test(test_long_names),
                cmocka_unit_test(test_long_names_differ),
                cmocka_unit_test(test_set_of_names),
                cmocka_unit_test(test_without_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
