/* SPDX-License-Identifier: MIT */
/*
 * Multipart bodies: the framing, the encodings of parts, and forms read piece by piece
 */
#include "unit.h"

#include <core/form_reader.h>
#include <http/media_type.h>
#include <http/multipart.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- encodings ------------------------------------------------------------------------------- */

static struct buf encoded(enum transfer_encoding encoding, struct muster_str bytes, size_t piece)
{
        struct transfer_encoder encoder = { .encoding = encoding };
        struct buf out = { 0 };

        for (size_t i = 0; i < bytes.len; i += piece) {
                size_t n = bytes.len - i < piece ? bytes.len - i : piece;

                assert_int_equal(transfer_encode(&encoder, (struct muster_str){ bytes.at + i, n },
                                         false, &out),
                        0);
        }
        assert_int_equal(transfer_encode(&encoder, (struct muster_str){ NULL, 0 }, true, &out), 0);
        return out;
}

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

static const struct {
        enum transfer_encoding encoding;
        struct muster_str bytes;
        const char *text;
} encodings[] = {
        { TRANSFER_BASE64, BYTES(""), "" },
        { TRANSFER_BASE64, BYTES("a"), "YQ==" },
        { TRANSFER_BASE64, BYTES("ab"), "YWI=" },
        { TRANSFER_BASE64, BYTES("abc"), "YWJj" },
        { TRANSFER_BASE64, BYTES("\xff\x00\xfe"), "/wD+" },
        /* 57 bytes are a line of 76 characters, and the line ends only if something follows */
        { TRANSFER_BASE64, BYTES(X10 X10 X10 X10 X10 "xxxxxxx"),
                "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4" },
        { TRANSFER_BASE64, BYTES(X10 X10 X10 X10 X10 "xxxxxxxa"),
                "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\r\nYQ==" },
        { TRANSFER_QUOTED_PRINTABLE, BYTES("a=b\xe9"), "a=3Db=E9" },
        { TRANSFER_QUOTED_PRINTABLE, BYTES("a \r\nb\t\r\n c "), "a=20\r\nb=09\r\n c=20" },
        { TRANSFER_QUOTED_PRINTABLE, BYTES("a\nb\rc\r"), "a=0Ab=0Dc=0D" },
        { TRANSFER_QUOTED_PRINTABLE, BYTES("a\0b"), "a=00b" },
        { TRANSFER_QUOTED_PRINTABLE, BYTES(X70 "123456"), X70 "123456" },
        { TRANSFER_QUOTED_PRINTABLE, BYTES(X70 "1234567"), X70 "12345=\r\n67" },
        { TRANSFER_QUOTED_PRINTABLE, BYTES(X70 "123456\r\nz"), X70 "123456\r\nz" },
        { TRANSFER_QUOTED_PRINTABLE, BYTES(X70 "123=\r\nz"), X70 "123=3D\r\nz" },
        { TRANSFER_QUOTED_PRINTABLE, BYTES(X70 "123=z"), X70 "123=\r\n=3Dz" },
        { TRANSFER_7BIT, BYTES("as it is\r\n"), "as it is\r\n" },
        { TRANSFER_8BIT, BYTES("\xe9"), "\xe9" },
        { TRANSFER_BINARY, BYTES("\xe9"), "\xe9" },
};

static void test_encodings_however_they_are_fed(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(encodings); i++)
                for (size_t piece = 1; piece < 100; piece++) {
                        struct buf out = encoded(encodings[i].encoding, encodings[i].bytes, piece);
                        uint64_t told = transfer_encoded_bytes(encodings[i].encoding,
                                encodings[i].bytes.len);

                        assert_int_equal(out.len, strlen(encodings[i].text));
                        assert_memory_equal(out.at ? out.at : "", encodings[i].text, out.len);
                        assert_true(told == UINT64_MAX || told == out.len);
                        buf_deinit(&out);
                }
}

static void test_seven_bits(void **state)
{
        struct transfer_encoder encoder = { .encoding = TRANSFER_7BIT };
        struct buf out = { 0 };

        (void)state;
        assert_int_equal(transfer_encode(&encoder, (struct muster_str)BYTES("a\x80"), true, &out),
                TRANSFER_NOT_7BIT);
        assert_int_equal(out.len, 0);
}

static void test_names_of_encodings(void **state)
{
        enum transfer_encoding encoding;

        (void)state;
        assert_true(transfer_encoding_find(str_of("BASE64"), &encoding));
        assert_int_equal(encoding, TRANSFER_BASE64);
        assert_false(transfer_encoding_find(str_of("gzip"), &encoding));
        assert_false(transfer_encoding_find(str_of(""), &encoding));
        assert_null(transfer_encoding_name(TRANSFER_NONE));
}

static void test_length_of_base64(void **state)
{
        (void)state;
        for (size_t n = 0; n < 400; n++) {
                char bytes[400] = { 0 };
                struct buf out = encoded(TRANSFER_BASE64, (struct muster_str){ bytes, n }, 1000);

                assert_int_equal(out.len, transfer_encoded_bytes(TRANSFER_BASE64, n));
                buf_deinit(&out);
        }
        assert_int_equal(transfer_encoded_bytes(TRANSFER_BASE64, UINT64_MAX), UINT64_MAX);
}

/* --- types ----------------------------------------------------------------------------------- */

static void test_types(void **state)
{
        (void)state;
        assert_string_equal(media_type_of_name(str_of("a.JPG")), "image/jpeg");
        assert_string_equal(media_type_of_name(str_of(".html")), "text/html");
        assert_null(media_type_of_name(str_of("html")));
        assert_null(media_type_of_name(str_of("")));
        assert_true(media_type_is_valid(str_of("text/html; charset=utf-8")));
        assert_false(media_type_is_valid(str_of("text")));
        assert_false(media_type_is_valid(str_of("text/")));
        assert_false(media_type_is_valid(str_of("/x")));
        assert_false(media_type_is_valid(str_of("a/b/c")));
        assert_false(media_type_is_valid(str_of("a/b\r\nX: y")));
        assert_true(media_type_is(str_of("Multipart/Mixed ;x=y"), "multipart/mixed"));
        assert_false(media_type_is(str_of("multipart/mixedx"), "multipart/mixed"));
}

/* --- forms ----------------------------------------------------------------------------------- */

#define PART(...)                                                                                  \
        (&(struct muster_form_part){ .size = sizeof(struct muster_form_part), __VA_ARGS__ })

/* All bytes of a form, read in pieces of that size, with the boundary as "B". */
static struct buf all_of(struct muster_form *form, size_t piece)
{
        struct form_reader reader = { 0 };
        struct muster_error error = { 0 };
        const char *boundary = strstr(form->type.at, "boundary=") + 9;
        struct buf all = { 0 }, out = { 0 };
        char buffer[4096];
        uint64_t bytes;
        size_t n;

        assert_int_equal(form_reader_begin(&reader, form, false, &bytes, &error), 0);
        do {
                assert_int_equal(form_reader_next(&reader, form, buffer, piece, &n, &error), 0);
                buf_add(&all, buffer, n);
        } while (n);
        if (bytes != MUSTER_SIZE_UNKNOWN)
                assert_int_equal(all.len, bytes);
        buf_terminate(&all);
        for (size_t i = 0; i < all.len; i++)
                if (strncmp(all.at + i, boundary, MULTIPART_BOUNDARY_LEN) == 0) {
                        buf_add_char(&out, 'B');
                        i += MULTIPART_BOUNDARY_LEN - 1;
                } else {
                        buf_add_char(&out, all.at[i]);
                }
        buf_terminate(&out);
        buf_deinit(&all);
        form_reader_deinit(&reader);
        return out;
}

static int pull_letters(void *argument, void *buffer, size_t size, size_t *ret_n)
{
        size_t *left = argument;

        *ret_n = *left < size ? *left : size;
        if (*ret_n > 3)
                *ret_n = 3;
        memset(buffer, 'p', *ret_n);
        *left -= *ret_n;
        return 0;
}

static void write_file(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(text, file);
        fclose(file);
}

static void test_form_however_it_is_read(void **state)
{
        char path[] = "/tmp/muster-form-XXXXXX";

        (void)state;
        close(mkstemp(path));
        write_file(path, "of a file");
        for (size_t piece = 1; piece < 300; piece++) {
                struct muster_form *form = muster_form_new(NULL);
                size_t left = 7;
                struct buf all;

                assert_int_equal(muster_form_add(form,
                                         PART(.name = "a\"\r\n", .data = "x", .data_bytes = 1)),
                        0);
                assert_int_equal(muster_form_add(form,
                                         PART(.name = "f", .file = path, .filename = "n.png")),
                        0);
                assert_int_equal(muster_form_add(form, PART(.file = path, .no_filename = true,
                                                               .encoding = "base64")),
                        0);
                assert_int_equal(muster_form_add(form, PART(.name = "p", .pull = pull_letters,
                                                               .pull_bytes = 7, .argument = &left)),
                        0);
                assert_int_equal(muster_form_finish(form), 0);
                all = all_of(form, piece);
                assert_string_equal(all.at,
                        "--B\r\nContent-Disposition: form-data; name=\"a%22%0D%0A\"\r\n\r\nx\r\n"
                        "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n.png\"\r\n"
                        "Content-Type: image/png\r\n\r\nof a file\r\n"
                        "--B\r\nContent-Disposition: form-data\r\nContent-Transfer-Encoding: base64"
                        "\r\n\r\nb2YgYSBmaWxl\r\n"
                        "--B\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\nppppppp\r\n"
                        "--B--\r\n");
                buf_deinit(&all);
                muster_form_free(form);
        }
        unlink(path);
}

static void expect_refused(struct muster_form *form, const struct muster_form_part *part,
        const char *words)
{
        assert_int_equal(muster_form_add(form, part), MUSTER_E_INVALID);
        if (!strstr(muster_form_error(form)->text, words))
                print_error("%s\n", muster_form_error(form)->text);
        assert_non_null(strstr(muster_form_error(form)->text, words));
}

static void test_what_is_no_part(void **state)
{
        static const char *const bad_name[] = { "X Y: z", NULL };
        static const char *const bad_value[] = { "X: a\r\nY: b", NULL };
        struct muster_form *form =
                muster_form_new(&(struct muster_form_options){ .backslash_escapes = true });

        (void)state;
        expect_refused(form, NULL, "NULL");
        expect_refused(form, PART(.name = "a\nb"), "backslashes cannot escape");
        expect_refused(form, PART(.filename = "a\rb"), "backslashes cannot escape");
        expect_refused(form, PART(.type = "text"), "not a content type");
        expect_refused(form, PART(.type = "a/b\nX: y"), "not a content type");
        expect_refused(form, PART(.encoding = "gzip"), "not an encoding");
        expect_refused(form, PART(.headers = bad_name), "not a header field");
        expect_refused(form, PART(.headers = bad_value), "control character");
        expect_refused(form, PART(.data_bytes = 1), "size is not 0");
        expect_refused(form, PART(.data = "", .file = "x"), "only one of");
        expect_refused(form, PART(.data = "\x80", .data_bytes = 1, .encoding = "7bit"), "7bit");
        assert_int_equal(muster_form_end(form), MUSTER_E_INVALID);
        assert_int_equal(muster_form_begin(form, PART(.data = "")), MUSTER_E_INVALID);
        /* Nothing of all that is left. */
        assert_int_equal(muster_form_finish(form), 0);
        assert_true(form_is_text(form));
        assert_int_equal(form->text.len, 2 + MULTIPART_BOUNDARY_LEN + 4);
        expect_refused(form, PART(.name = "a"), "cannot change any more");
        muster_form_free(form);
        assert_null(muster_form_new(&(struct muster_form_options){ .type = "mixed" }));
        assert_null(muster_form_free(NULL));
        assert_int_equal(muster_form_add(NULL, PART(.name = "a")), MUSTER_E_INVALID);
        assert_int_equal(muster_form_finish(NULL), MUSTER_E_INVALID);
}

static void test_parts_in_parts_are_bounded(void **state)
{
        struct muster_form *form = muster_form_new(NULL);
        int n = 0;

        (void)state;
        while (muster_form_begin(form, PART(.name = "x")) == 0)
                n++;
        assert_int_equal(n, 15);
        assert_int_equal(muster_form_finish(form), MUSTER_E_INVALID);
        while (n--)
                assert_int_equal(muster_form_end(form), 0);
        assert_int_equal(muster_form_finish(form), 0);
        muster_form_free(form);
}

static void test_file_that_changed(void **state)
{
        static const char *const texts[] = { "longer than before", "less", NULL };
        static const char *const words[] = { "more bytes came", "fewer bytes came", "cannot open" };
        char path[] = "/tmp/muster-form-XXXXXX";

        (void)state;
        close(mkstemp(path));
        for (size_t i = 0; i < LENGTH(texts); i++) {
                struct muster_form *form = muster_form_new(NULL);
                struct form_reader reader = { 0 };
                struct muster_error error = { 0 };
                char buffer[100];
                uint64_t bytes;
                size_t n;
                int r;

                write_file(path, "as it was");
                muster_form_add(form, PART(.name = "f", .file = path));
                muster_form_finish(form);
                assert_int_equal(form_reader_begin(&reader, form, false, &bytes, &error), 0);
                if (texts[i])
                        write_file(path, texts[i]);
                else
                        unlink(path);
                do
                        r = form_reader_next(&reader, form, buffer, sizeof(buffer), &n, &error);
                while (r == 0 && n);
                assert_int_equal(r, MUSTER_E_INPUT);
                assert_non_null(strstr(error.text, words[i]));
                assert_non_null(strstr(error.text, path));
                form_reader_deinit(&reader);
                muster_form_free(form);
        }
}

static void make_form(void)
{
        struct muster_form *form = muster_form_new(NULL);
        size_t text_len;

        if (!form)
                return;
        text_len = form->text.len;
        if (muster_form_add(form, PART(.name = "a", .data = "b", .data_bytes = 1)) < 0)
                assert_int_equal(form->text.len, text_len);
        (void)muster_form_add(form, PART(.name = "f", .file = "/dev/null"));
        if (muster_form_begin(form, PART(.name = "g")) == 0) {
                (void)muster_form_add(form, PART(.data = "c", .data_bytes = 1, .type = "x/y"));
                if (muster_form_end(form) < 0)
                        (void)muster_form_end(form);
        }
        (void)muster_form_finish(form);
        muster_form_free(form);
}

static void test_memory_is_out(void **state)
{
        (void)state;
        for_each_failing_allocation(make_form);
}

static void test_boundaries(void **state)
{
        unsigned char random[MULTIPART_RANDOM_BYTES];
        struct multipart_boundary boundary;

        (void)state;
        memset(random, 0xff, sizeof(random));
        boundary = multipart_boundary(random);
        assert_string_equal(boundary.text, "------------------------_____________________w");
        memset(random, 0, sizeof(random));
        boundary = multipart_boundary(random);
        assert_string_equal(boundary.text, "------------------------AAAAAAAAAAAAAAAAAAAAAA");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_encodings_however_they_are_fed),
                cmocka_unit_test(test_seven_bits),
                cmocka_unit_test(test_names_of_encodings),
                cmocka_unit_test(test_length_of_base64),
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_form_however_it_is_read),
                cmocka_unit_test(test_what_is_no_part),
                cmocka_unit_test(test_parts_in_parts_are_bounded),
                cmocka_unit_test(test_file_that_changed),
                cmocka_unit_test(test_memory_is_out),
                cmocka_unit_test(test_boundaries),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
