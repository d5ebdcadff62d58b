/* SPDX-License-Identifier: MIT */
/*
 * What the lab sends as bodies: documents, codings, kept bodies
 */
#include "unit.h"

#include <base/rand.h>
#include <http/decode.h>
#include <http/h1_head.h>
#include <jansson.h>
#include <lab/blob.h>
#include <lab/coding.h>
#include <lab/document.h>
#include <stdio.h>

/* --- documents ------------------------------------------------------------------------------- */

static size_t depth_of(const json_t *value)
{
        const json_t *child = json_object_get(value, "child");

        return child ? 1 + depth_of(child) : 1;
}

static void check_document(uint64_t n_bytes, unsigned depth)
{
        struct buf text = { 0 };
        json_error_t error;
        json_t *value;
        int r = document_make(n_bytes, depth, &text);

        if (r == MUSTER_E_INVALID) {
                assert_true(n_bytes < 30 + 12 * depth);
                assert_int_equal(text.len, 0);
                return;
        }
        assert_int_equal(r, 0);
        assert_int_equal(text.len, n_bytes);
        value = json_loadb(text.at, text.len, 0, &error);
        if (!value)
                fail_msg("%llu bytes, depth %u: %s", (unsigned long long)n_bytes, depth,
                        error.text);
        assert_int_equal(depth_of(value), depth);
        json_decref(value);
        buf_deinit(&text);
}

static void test_documents(void **state)
{
        struct buf text = { 0 };

        (void)state;
        for (uint64_t n_bytes = 0; n_bytes < 600; n_bytes++)
                for (unsigned depth = 1; depth <= 5; depth++)
                        check_document(n_bytes, depth);
        check_document(1024, 1);
        check_document(10 * 1024, 100);
        check_document(20 * 1024, DOCUMENT_DEPTH_MAX);
        check_document(1024 * 1024, 3);
        assert_int_equal(document_make(27, 1, &text), 0);
        assert_true(str_is(buf_str(&text), "{\"items\":[],\"padding\":\"  \"}"));
        buf_deinit(&text);
        assert_int_equal(document_make(24, 1, &text), MUSTER_E_INVALID);
        assert_int_equal(document_make(5000, DOCUMENT_DEPTH_MAX, &text), MUSTER_E_INVALID);
}

static void test_json_strings(void **state)
{
        static const struct {
                struct muster_str text;
                const char *json;
        } cases[] = {
                { BYTES(""), "\"\"" },
                { BYTES("a\"\\/\x7f"), "\"a\\u0022\\u005c/\x7f\"" },
                { BYTES("\0\n\x1f"), "\"\\u0000\\u000a\\u001f\"" },
                { BYTES("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
                        "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
                { BYTES("\xff"), "\"\xef\xbf\xbd\"" },
                { BYTES("\xc3"), "\"\xef\xbf\xbd\"" },
                { BYTES("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
                { BYTES("\xe0\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
                { BYTES("\xed\xa0\x80x"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\"" },
                { BYTES("\xf4\x90\x80\x80"),
                        "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
                { BYTES("\xe2\x82x"), "\"\xef\xbf\xbd\xef\xbf\xbdx\"" },
        };
        struct buf text = { 0 };
        struct rand rand;

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                text.len = 0;
                assert_int_equal(document_add_string(&text, cases[i].text), 0);
                if (!str_is(buf_str(&text), cases[i].json))
                        fail_msg("case %zu: %.*s", i, STR_ARGS(buf_str(&text)));
        }
        rand_init(&rand, 1);
        for (int i = 0; i < 20000; i++) {
                char bytes[8];
                size_t len = rand_up_to(&rand, sizeof(bytes));
                json_t *value;

                for (size_t k = 0; k < len; k++)
                        bytes[k] = (char)(rand_next(&rand) % 3 ? 0x80 | rand_next(&rand)
                                                               : rand_next(&rand));
                text.len = 0;
                assert_int_equal(document_add_string(&text, (struct muster_str){ bytes, len }), 0);
                value = json_loadb(text.at, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
                assert_non_null(value);
                json_decref(value);
        }
        buf_deinit(&text);
}

static void make_without_memory(void)
{
        struct buf text = { 0 };
        int r = document_make(500, 2, &text);

        assert_true(r == MUSTER_E_RESOURCE || (r == 0 && text.len == 500));
        if (r == 0)
                r = document_add_string(&text, str_of("\x01 and some more text than fits"));
        assert_true((r == MUSTER_E_RESOURCE) == (mem_has_failed() != 0));
        buf_deinit(&text);
}

static void test_documents_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(make_without_memory);
}

/* --- codings --------------------------------------------------------------------------------- */

/* What a client makes of it, with the coding named as the lab names it. */
static int decode(enum coding coding, struct muster_str in, struct buf *out, uint64_t *ret_n_out)
{
        const struct decode_limits limits = { .max_bytes = UINT64_MAX, .max_ratio = 1000000 };
        static struct h1_scratch scratch;
        struct muster_error error = { 0 };
        struct decoder *decoder = NULL;
        struct fields fields;
        char head[64];
        int r;

        snprintf(head, sizeof(head), "Content-Encoding: %s\r\n\r\n", coding_token(coding));
        assert_int_equal(h1_fields_parse(str_of(head), head, &scratch, &fields, &error), 0);
        assert_int_equal(decoder_new(&decoder, &fields, &limits, &error), 0);
        r = decoder_feed(decoder, in, out, &error);
        if (r == 0)
                r = decoder_end(decoder, &error);
        *ret_n_out = decoder_n_out(decoder);
        decoder_free(decoder);
        return r;
}

static void check_coding(enum coding coding, struct muster_str block, uint64_t n_bytes)
{
        struct buf coded = { 0 }, decoded = { 0 };
        uint64_t n_out;

        buf_add_text(&coded, "before");
        assert_int_equal(coding_encode(coding, block, n_bytes, &coded), 0);
        assert_memory_equal(coded.at, "before", 6);
        assert_int_equal(decode(coding, (struct muster_str){ coded.at + 6, coded.len - 6 },
                                 &decoded, &n_out),
                0);
        assert_int_equal(decoded.len, n_bytes);
        for (uint64_t i = 0; i < n_bytes; i++)
                if (decoded.at[i] != block.at[i % block.len])
                        fail_msg("coding %d: byte %llu differs", coding, (unsigned long long)i);
        buf_deinit(&coded);
        buf_deinit(&decoded);
}

static void test_codings(void **state)
{
        static const uint64_t sizes[] = { 0, 1, 2, 9, 10, 11, 4095, 65536, 65537, 300000 };
        static char noise[100003];
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (size_t i = 0; i < sizeof(noise); i++)
                noise[i] = (char)rand_next(&rand);
        for (enum coding coding = 0; coding < N_CODINGS; coding++) {
                for (size_t i = 0; i < LENGTH(sizes); i++)
                        check_coding(coding, str_of("0123456789"), sizes[i]);
                check_coding(coding, (struct muster_str){ noise, sizeof(noise) }, 250000);
        }
}

/* A long one is made of parts: here by what each part is alone. */
static void test_coding_of_parts(void **state)
{
        static const char zeros[64 * 1024];
        const struct muster_str block = { zeros, sizeof(zeros) };
        uint64_t part = UINT64_C(64) << 20, n_out;
        struct buf one = { 0 }, two = { 0 };

        (void)state;
        assert_int_equal(coding_encode(CODING_ZSTD, block, part, &one), 0);
        assert_int_equal(coding_encode(CODING_ZSTD, block, 2 * part + 1000, &two), 0);
        assert_true(two.len > 2 * one.len && two.len < 2 * one.len + 100);
        assert_memory_equal(two.at, one.at, one.len);
        assert_memory_equal(two.at + one.len, one.at, one.len);
        assert_int_equal(decode(CODING_ZSTD, buf_str(&two), NULL, &n_out), 0);
        assert_int_equal(n_out, 2 * part + 1000);
        buf_deinit(&one);
        buf_deinit(&two);
}

static void test_coding_names(void **state)
{
        static const char *const names[] = { "gzip", "deflate", "raw-deflate", "br", "zstd" };
        enum coding coding = N_CODINGS;

        (void)state;
        for (enum coding i = 0; i < N_CODINGS; i++) {
                assert_true(coding_parse(str_of(names[i]), &coding));
                assert_int_equal(coding, i);
                assert_non_null(strstr(CODING_NAMES, names[i]));
        }
        assert_true(coding_parse(str_of("GZip"), &coding) && coding == CODING_GZIP);
        assert_string_equal(coding_token(CODING_RAW_DEFLATE), "deflate");
        assert_false(coding_parse(str_of(""), &coding));
        assert_false(coding_parse(str_of("gzi"), &coding));
        assert_false(coding_parse(str_of("identity"), &coding));
}

static void encode_without_memory(void)
{
        for (enum coding coding = 0; coding < N_CODINGS; coding++) {
                struct buf out = { 0 };
                int r = coding_encode(coding, str_of("abc"), 100, &out);

                assert_true((r == MUSTER_E_RESOURCE) == (mem_has_failed() != 0));
                buf_deinit(&out);
        }
}

static void test_codings_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(encode_without_memory);
}

/* --- kept bodies ----------------------------------------------------------------------------- */

static void test_blobs(void **state)
{
        struct blobs blobs;
        struct buf bytes = { 0 };
        const struct blob *blob;
        char key[32];

        (void)state;
        blobs_init(&blobs);
        assert_null(blobs_find(&blobs, "a"));
        buf_add_text(&bytes, "hello");
        blob = blobs_add(&blobs, "a", &bytes);
        assert_non_null(blob);
        assert_true(!bytes.at && blobs_find(&blobs, "a") == blob);
        assert_true(str_is(buf_str(&blob->bytes), "hello"));
        assert_int_equal(blobs.n_bytes, blob->bytes.size);
        for (int i = 1; i < BLOBS_MAX; i++) {
                snprintf(key, sizeof(key), "key %d", i);
                assert_non_null(blobs_add(&blobs, key, &bytes));
        }
        assert_null(blobs_add(&blobs, "one too many", &bytes));
        assert_null(blobs_find(&blobs, "one too many"));
        blobs_deinit(&blobs);
}

static void test_blobs_are_bounded(void **state)
{
        struct blobs blobs;
        struct buf large = { 0 };

        (void)state;
        blobs_init(&blobs);
        assert_int_equal(buf_reserve(&large, 1024), 0);
        blobs.n_bytes = BLOBS_BYTES_MAX - large.size + 1; /* as if there were others */
        assert_null(blobs_add(&blobs, "a", &large));
        assert_null(large.at);
        assert_int_equal(buf_reserve(&large, 1024), 0);
        blobs.n_bytes--;
        assert_non_null(blobs_add(&blobs, "a", &large));
        assert_int_equal(blobs.n_bytes, BLOBS_BYTES_MAX);
        blobs_deinit(&blobs);
}

static void keep_without_memory(void)
{
        struct blobs blobs;
        struct buf bytes = { 0 };

        blobs_init(&blobs);
        if (buf_add_text(&bytes, "hello") == 0 && blobs_add(&blobs, "a", &bytes))
                assert_non_null(blobs_find(&blobs, "a"));
        else
                assert_null(blobs_find(&blobs, "a"));
        assert_null(bytes.at);
        blobs_deinit(&blobs);
}

static void test_blobs_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(keep_without_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_documents),
                cmocka_unit_test(test_json_strings),
                cmocka_unit_test(test_documents_without_memory),
                cmocka_unit_test(test_codings),
                cmocka_unit_test(test_coding_of_parts),
                cmocka_unit_test(test_coding_names),
                cmocka_unit_test(test_codings_without_memory),
                cmocka_unit_test(test_blobs),
                cmocka_unit_test(test_blobs_are_bounded),
                cmocka_unit_test(test_blobs_without_memory),
        };

        return cmocka_run_group_tests_name("lab_bodies", tests, NULL, NULL);
}
