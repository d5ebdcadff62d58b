/* SPDX-License-Identifier: MIT */
/*
 * JSON text as the command writes it: strings, UTF-8, base64
 */
#include "unit.h"

#include "output/json.h"
#include "output/utf8.h"
#include <stdio.h>

static void expect_json(struct muster_str in, const char *expected)
{
        struct buf out = { 0 };

        assert_int_equal(json_add_string(&out, in), 0);
        buf_terminate(&out);
        assert_string_equal(out.at, expected);
        buf_deinit(&out);
}

static void test_strings(void **state)
{
        (void)state;
        expect_json((struct muster_str)BYTES(""), "\"\"");
        expect_json((struct muster_str)BYTES("plain and long enough for words of eight"),
                "\"plain and long enough for words of eight\"");
        expect_json((struct muster_str)BYTES("a\"b\\c/d\b\f\n\r\t\x01\x1f\x7f\0z"),
                "\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u0000z\"");
        expect_json((struct muster_str)BYTES("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"),
                "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"");
        expect_json((struct muster_str)BYTES("a\xff"
                                             "b\xc3"),
                "\"a\xef\xbf\xbd"
                "b\xef\xbf\xbd\"");
        /* Each character that is escaped, at each place of a word. */
        for (size_t i = 0; i < 20; i++) {
                char text[21] = "abcdefghijklmnopqrst", expected[30];

                text[i] = '"';
                snprintf(expected, sizeof(expected), "\"%.*s\\\"%s\"", (int)i, text, text + i + 1);
                expect_json((struct muster_str){ text, 20 }, expected);
        }
}

static void test_utf8(void **state)
{
        static const char *const good[] = { "", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
                "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
                "aaaaaaaaaaaaaaa\xc3\xbc" };
        static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(",
                "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                "\xf5\x80\x80\x80", "\xff", "aaaaaaaaaaaaaaa\xfe", "\xf0\x9f\x98" };

        (void)state;
        for (size_t i = 0; i < LENGTH(good); i++)
                assert_true(utf8_is_valid(str_of(good[i])));
        for (size_t i = 0; i < LENGTH(bad); i++)
                assert_false(utf8_is_valid(str_of(bad[i])));
}

/* --- the same, byte by byte ------------------------------------------------------------------- */

/* The length of the character at the front, 0 when it is none: by decoding it. */
static size_t simple_character(const unsigned char *at, size_t len)
{
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t n = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : 4;
        uint32_t code = at[0] & (0x7fu >> (n - 1)) & (n > 1 ? 0x3fu : 0x7fu);

        if (n > len || (n == 4 && at[0] >> 3 != 30))
                return 0;
        for (size_t i = 1; i < n; i++) {
                if (at[i] >> 6 != 2)
                        return 0;
                code = code << 6 | (at[i] & 0x3f);
        }
        return code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? n : 0;
}

static void add_simple_character(struct buf *to, const char *at, size_t len)
{
        static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
        const char *name = len == 1 && *at ? strchr(named, *at) : NULL;
        unsigned char c = (unsigned char)*at;
        char text[8];

        if (name)
                snprintf(text, sizeof(text), "\\%c", names[name - named]);
        else
                snprintf(text, sizeof(text), "\\u%04x", c);
        if (name || c < 0x20 || c == 0x7f)
                buf_add_text(to, text);
        else
                buf_add(to, at, len);
}

/* Returns whether all of it was UTF-8. */
static bool add_simply(struct buf *to, struct muster_str text)
{
        bool is_utf8 = true;

        buf_add_char(to, '"');
        for (size_t at = 0, n = 0; at < text.len; at += n ? n : 1) {
                n = simple_character((const unsigned char *)text.at + at, text.len - at);
                is_utf8 = is_utf8 && n;
                if (n)
                        add_simple_character(to, text.at + at, n);
                else
                        buf_add_text(to, "\xef\xbf\xbd");
        }
        buf_add_char(to, '"');
        return is_utf8;
}

static struct buf written, wanted;

/* Written as it is byte by byte, behind what was there before. */
static void check_string(struct muster_str text)
{
        bool is_utf8;

        written.len = wanted.len = 0;
        buf_add_text(&written, "before");
        buf_add_text(&wanted, "before");
        is_utf8 = add_simply(&wanted, text);
        assert_int_equal(json_add_string(&written, text), 0);
        if (!str_eq(buf_str(&written), buf_str(&wanted)))
                fail_msg("%.*s is written as %.*s", STR_ARGS(buf_str(&wanted)),
                        STR_ARGS(buf_str(&written)));
        assert_int_equal(utf8_is_valid(text), is_utf8);
        written.len = strlen("before");
        assert_int_equal(json_add_utf8(&written, text), is_utf8 ? 0 : JSON_NOT_UTF8);
        if (!str_eq(buf_str(&written), is_utf8 ? buf_str(&wanted) : str_of("before")))
                fail_msg("not the same without mending: %.*s", STR_ARGS(buf_str(&written)));
}

#define STEP 16 /* bytes that the writer looks at together */

/* Each byte, at each place of texts of each length that begin at some places of a step. */
static void test_each_byte_at_each_place(void **state)
{
        char text[4 * STEP];

        (void)state;
        for (size_t from = 0; from < STEP; from += 5)
                for (size_t len = 1; len <= 3 * STEP; len += len < STEP + 2 ? 1 : 7)
                        for (unsigned i = 0; i < 256 * len; i++) {
                                memset(text, 'x', sizeof(text));
                                text[from + i % len] = (char)(i / len);
                                check_string((struct muster_str){ text + from, len });
                        }
}

/* Characters and what only looks like one, split by the steps and by the end of the text. */
static void test_sequences_at_each_place(void **state)
{
        static const unsigned char third[] = { 'x', 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, '"' };
        char text[2 * STEP + 4];

        (void)state;
        for (unsigned i = 0; i < 128 * 256 * LENGTH(third); i++) {
                size_t at = STEP - 1 - i % 4;

                memset(text, 'x', sizeof(text));
                text[at] = (char)(0x80 | i >> 11);
                text[at + 1] = (char)(i >> 3);
                text[at + 2] = (char)third[i & 7];
                text[at + 3] = (char)third[(i * 7 >> 6) & 7];
                check_string((struct muster_str){ text, sizeof(text) });
                check_string((struct muster_str){ text, at + 2 + i % 3 });
        }
}

/* Of all kinds of pieces, in any order. */
static void test_mixtures(void **state)
{
        static const struct muster_str pieces[] = { BYTES("x"), BYTES("plain"),
                BYTES("a run that is longer than two steps of the writer"), BYTES("\""),
                BYTES("\\"), BYTES("\n"), BYTES("\0"), BYTES("\x1f"), BYTES("\x7f"),
                BYTES("\xc3\xbc"), BYTES("\xe2\x80\xa8"), BYTES("\xe2\x80\xa9"),
                BYTES("\xef\xbb\xbf"), BYTES("\xf0\x9f\x98\x80"), BYTES("\xed\xa0\x80"),
                BYTES("\xed\xb0\x80"), BYTES("\xc0\x80"), BYTES("\xf4\x90\x80\x80"),
                BYTES("\xf0\x9f\x98"), BYTES("\xe2\x80"), BYTES("\xff"), BYTES("\x80") };
        struct buf text = { 0 };
        uint32_t random = 1;

        (void)state;
        for (unsigned i = 0; i < 50000; i++) {
                text.len = 0;
                /* Half of them of what is UTF-8 alone. */
                for (unsigned n = i % 24; n; n--) {
                        random = random * 1664525 + 1013904223;
                        buf_add_str(&text, pieces[(random >> 16) % (i % 2 ? LENGTH(pieces) : 14)]);
                }
                check_string(buf_str(&text));
        }
        buf_deinit(&text);
}

/* All of it escaped: the longest that a text can become. */
static void test_growth(void **state)
{
        static char text[100000];

        (void)state;
        for (size_t len = 0; len < 200; len++)
                check_string((struct muster_str){ text, len });
        check_string((struct muster_str){ text, sizeof(text) });
        memset(text, '\xff', sizeof(text));
        check_string((struct muster_str){ text, sizeof(text) });
        memset(text, 'x', sizeof(text));
        check_string((struct muster_str){ text, sizeof(text) });
}

static int forget(void **state)
{
        (void)state;
        buf_deinit(&written);
        buf_deinit(&wanted);
        return 0;
}

static void add_without_memory(void)
{
        static const char text[] =
                "0123456789abcdef \xff 0123456789abcdef\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
                "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
        struct buf out = { 0 };
        int r = buf_add_text(&out, "before");

        if (r == 0 && json_add_string(&out, str_of(text)) < 0)
                assert_true(str_is(buf_str(&out), "before"));
        buf_deinit(&out);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(add_without_memory);
}

/* --- base64 ---------------------------------------------------------------------------------- */

static void test_base64(void **state)
{
        static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
                { "foo", "Zm9v" }, { "foobar", "Zm9vYmFy" } };
        static const char *const bad[] = { "Z", "Zg",
                "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "=Zg=" };
        struct buf out = { 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(pairs); i++) {
                char expected[20];

                out.len = 0;
                json_add_base64(&out, str_of(pairs[i][0]));
                snprintf(expected, sizeof(expected), "\"%s\"", pairs[i][1]);
                assert_true(str_is(buf_str(&out), expected));
                out.len = 0;
                assert_int_equal(json_decode_base64(&out, str_of(pairs[i][1])), 0);
                assert_true(str_is(buf_str(&out), pairs[i][0]));
        }
        for (size_t i = 0; i < LENGTH(bad); i++)
                assert_int_equal(json_decode_base64(&out, str_of(bad[i])), MUSTER_E_INPUT);
        buf_deinit(&out);
}

/* Each length, of bytes that have all values at all places. */
static void test_base64_there_and_back(void **state)
{
        struct buf text = { 0 }, back = { 0 };
        char bytes[256 * 3];

        (void)state;
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (char)(i * 7 + i / 256);
        for (size_t len = 0; len <= sizeof(bytes); len++) {
                struct muster_str in = { bytes, len };

                text.len = back.len = 0;
                assert_int_equal(json_add_base64(&text, in), 0);
                assert_int_equal(text.len, 2 + (len + 2) / 3 * 4);
                assert_int_equal(json_decode_base64(&back,
                                         (struct muster_str){ text.at + 1, text.len - 2 }),
                        0);
                assert_true(str_eq(buf_str(&back), in));
        }
        buf_deinit(&text);
        buf_deinit(&back);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_utf8),
                cmocka_unit_test(test_each_byte_at_each_place),
                cmocka_unit_test(test_sequences_at_each_place),
                cmocka_unit_test(test_mixtures),
                cmocka_unit_test(test_growth),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_base64),
                cmocka_unit_test(test_base64_there_and_back),
        };

        return cmocka_run_group_tests_name("json", tests, NULL, forget);
}
