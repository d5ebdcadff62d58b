/* SPDX-License-Identifier: MIT */
/*
 * Requests from rows: CSV and TSV
 */
#include "reading.h"

#include <unistd.h>

static void expect_row(struct reading *reading, uint64_t line, const char *text)
{
        int r = next(reading);

        if (r != 0 || reading->item.error.code)
                fail_msg("%s%s", reading->error.text, reading->item.error.text);
        if (!str_is(reading->item.text, text))
                fail_msg("%.*s instead of %s", STR_ARGS(reading->item.text), text);
        assert_int_equal(reading->item.line, line);
        assert_non_null(reading->item.request);
}

static void test_csv(void **state)
{
        static const char text[] = "\xef\xbb\xbf\"id\",URL,note,Method\r\n"
                                   "1.10, http://a/ ,\"say \"\"a, b\"\"\",\r\n"
                                   "\r\n"
                                   "2,http://b/?x,\"two\r\nlines\",PUT\r\n"
                                   "3,\"http://c/,d\", 5\" disk ,HEAD";
        struct reading r;

        (void)state;
        open_with(&r, text, sizeof(text) - 1, &as_csv);
        expect_row(&r, 2,
                "{\"id\":\"1.10\",\"url\":\"http://a/\",\"input\":{\"note\":\"say \\\"a, "
                "b\\\"\"}}");
        assert_true(str_is(buf_str(&r.item.id), "\"1.10\""));
        assert_true(str_is(buf_str(&r.item.own), "{\"note\":\"say \\\"a, b\\\"\"}"));
        expect_row(&r, 4,
                "{\"id\":\"2\",\"url\":\"http://b/?x\",\"method\":\"PUT\",\"input\":{\"note\":"
                "\"two\\r\\nlines\"}}");
        assert_true(r.item.is_unsafe);
        expect_row(&r, 6,
                "{\"id\":\"3\",\"url\":\"http://c/,d\",\"method\":\"HEAD\",\"input\":{\"note\":"
                "\" 5\\\" disk \"}}");
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
}

/* Each is one row's alone. */
static void test_bad_rows(void **state)
{
        static const char text[] = "url,a\n"
                                   "http://a/\n"
                                   "http://a/,b,c\n"
                                   "\"http://a/\"x,b\n"
                                   "http://a/,\xfc\n"
                                   ",b\n"
                                   "http://a/,\"open\n"
                                   "http://b/,b\n";
        struct reading r;

        (void)state;
        open_with(&r, text, sizeof(text) - 1, &as_csv);
        expect_bad(&r, "input: line 2: the row has 1 field, but the header has 2");
        expect_bad(&r, "input: line 3: the row has 3 fields, but the header has 2");
        expect_bad(&r, "input: line 4: text follows the closing quote of a field; write a "
                       "quote inside a field twice");
        expect_bad(&r, "input: line 5: field 2 is not UTF-8; convert the file with iconv");
        expect_row(&r, 6, "{\"url\":\"\",\"input\":{\"a\":\"b\"}}");
        expect_bad(&r, "input: line 7: a quote is not closed within 8 MiB; write a quote "
                       "inside a field twice");
        expect_row(&r, 8, "{\"url\":\"http://b/\",\"input\":{\"a\":\"b\"}}");
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
}

/* Memory is bounded, and what follows is read. */
static void test_quote_without_end(void **state)
{
        size_t len = LINE_BYTES_MAX + 200000;
        char *text = mem_alloc(len);
        struct reading r;

        (void)state;
        memset(text, 'x', len);
        memcpy(text, "url,a\nhttp://a/,\"\nhttp://b/,", 28);
        text[len - 1] = '\n';
        open_with(&r, text, len, &as_csv);
        assert_int_equal(next(&r), 0);
        assert_int_equal(r.item.line, 2);
        assert_int_equal(r.item.error.code, MUSTER_E_INPUT);
        assert_int_equal(next(&r), 0);
        assert_int_equal(r.item.line, 3);
        assert_non_null(strstr(r.item.error.text, "line 3 is longer than 8 MiB"));
        assert_int_equal(next(&r), INPUT_END);
        assert_true(r.input.reader.buf.size < 4 * (size_t)LINE_BYTES_MAX);
        close_text(&r);
        mem_free(text);
}

static void test_delimiters(void **state)
{
        static const char tabs[] = "url\tprice\nhttp://a/,b\t1,5\n";
        static const char semicolons[] = "url;price\nhttp://a/;1,5\n";
        struct reading r;

        (void)state;
        /* Told by the header. */
        open_text(&r, tabs, sizeof(tabs) - 1);
        expect_row(&r, 2, "{\"url\":\"http://a/,b\",\"input\":{\"price\":\"1,5\"}}");
        close_text(&r);
        open_with(&r, tabs, sizeof(tabs) - 1, &as_tsv);
        expect_row(&r, 2, "{\"url\":\"http://a/,b\",\"input\":{\"price\":\"1,5\"}}");
        close_text(&r);
        open_text(&r, semicolons, sizeof(semicolons) - 1);
        expect_row(&r, 2, "{\"url\":\"http://a/\",\"input\":{\"price\":\"1,5\"}}");
        close_text(&r);
}

static void test_url_column(void **state)
{
        static const char named[] = "Link,url,ID,\nhttp://a/,x,7,y\n";
        static const char bare[] = "1,http://a/\n2,http://b/\n";
        struct reading r;

        (void)state;
        open_with(&r, named, sizeof(named) - 1,
                &(struct input_options){ .format = &input_csv, .url_column = "link" });
        expect_row(&r, 2,
                "{\"url\":\"http://a/"
                "\",\"id\":\"7\",\"input\":{\"url\":\"x\",\"column_4\":\"y\"}}");
        close_text(&r);
        open_with(&r, named, sizeof(named) - 1,
                &(struct input_options){ .format = &input_csv, .url_column = "1" });
        expect_row(&r, 2,
                "{\"url\":\"http://a/"
                "\",\"id\":\"7\",\"input\":{\"url\":\"x\",\"column_4\":\"y\"}}");
        close_text(&r);
        open_with(&r, bare, sizeof(bare) - 1,
                &(struct input_options){ .format = &input_csv, .url_column = "2" });
        expect_row(&r, 1, "{\"url\":\"http://a/\",\"input\":{\"column_1\":\"1\"}}");
        expect_row(&r, 2, "{\"url\":\"http://b/\",\"input\":{\"column_1\":\"2\"}}");
        close_text(&r);
}

static void expect_header_refused(const char *text, const struct input_options *options,
        const char *why)
{
        expect_refused(text, strlen(text), options, why);
}

static void test_headers_that_will_not_do(void **state)
{
        (void)state;
        expect_header_refused("link,name\nhttp://a/,b\n", &as_csv,
                "no column url; there are link, name; name the column with the URLs with "
                "--url-column NAME or NUMBER");
        expect_header_refused("1,http://a/\n", &as_csv,
                "the first row is not a header but has a URL; use --url-column 2 for");
        expect_header_refused("url,a\rhttp://a/,b\r", &as_csv,
                "the header contains a carriage return; if rows end in one, convert them "
                "with tr '\\r' '\\n'");
        expect_header_refused("url,a,a\n", &as_csv, "two columns have the name \"a\"");
        expect_header_refused("url,\"a\"b\n", &as_csv,
                "text follows the closing quote of \"a\" in the header");
        expect_header_refused("url,a\xfc\n", &as_csv, "the header is not UTF-8");
        expect_header_refused("url,a\n",
                &(struct input_options){ .format = &input_csv, .url_column = "3" },
                "no column 3; there are url, a");
        expect_header_refused("url,price\n",
                &(struct input_options){ .format = &input_csv, .is_strict = true },
                "--strict: unknown column \"price\"");
        expect_header_refused("http://a/\n", &(struct input_options){ .url_column = "link" },
                "--url-column is for CSV and TSV, and this looks like neither");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_csv),
                cmocka_unit_test(test_bad_rows),
                cmocka_unit_test(test_quote_without_end),
                cmocka_unit_test(test_delimiters),
                cmocka_unit_test(test_url_column),
                cmocka_unit_test(test_headers_that_will_not_do),
        };

        return cmocka_run_group_tests_name("input_rows", tests, NULL, NULL);
}
