/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <base/rand.h>
#include <brotli/encode.h>
#include <http/decode.h>
#include <muster/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define PLAIN_BYTES 70000

static char plain[PLAIN_BYTES];

/* Half text that repeats, half noise, so that all kinds of blocks occur. */
static int make_plain(void **state)
{
        struct rand rand;

        (void)state;
        rand_init(&rand, 3);
        for (size_t i = 0; i < sizeof(plain); i++)
                plain[i] = i % 7000 < 4000 ? "and so on "[i % 10] : (char)rand_next(&rand);
        return 0;
}

/* --- encoders -------------------------------------------------------------------------------- */

typedef struct buf (*encoder)(struct muster_str text);

static struct buf encode_zlib(struct muster_str text, int window_bits)
{
        z_stream stream = { 0 };
        struct buf out = { 0 };

        assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY),
                Z_OK);
        buf_reserve(&out, deflateBound(&stream, text.len));
        stream.next_in = (Bytef *)(uintptr_t)text.at;
        stream.avail_in = (uInt)text.len;
        stream.next_out = (Bytef *)out.at;
        stream.avail_out = (uInt)out.size;
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        out.len = stream.total_out;
        deflateEnd(&stream);
        return out;
}

static struct buf encode_gzip(struct muster_str text)
{
        return encode_zlib(text, 31);
}

static struct buf encode_deflate(struct muster_str text)
{
        return encode_zlib(text, 15);
}

static struct buf encode_raw(struct muster_str text)
{
        return encode_zlib(text, -15);
}

static struct buf encode_brotli(struct muster_str text)
{
        struct buf out = { 0 };
        size_t len = BrotliEncoderMaxCompressedSize(text.len) + 64;

        buf_reserve(&out, len);
        assert_true(BrotliEncoderCompress(4, BROTLI_DEFAULT_WINDOW, BROTLI_DEFAULT_MODE, text.len,
                (const uint8_t *)text.at, &len, (uint8_t *)out.at));
        out.len = len;
        return out;
}

static struct buf encode_zstd(struct muster_str text)
{
        struct buf out = { 0 };

        buf_reserve(&out, ZSTD_compressBound(text.len));
        out.len = ZSTD_compress(out.at, out.size, text.at, text.len, 3);
        assert_false(ZSTD_isError(out.len));
        return out;
}

static const struct {
        const char *name;
        encoder encode;
        bool has_checksum;
        bool may_repeat;
} codings[] = {
        { "gzip", encode_gzip, true, true },
        { "x-gzip", encode_gzip, true, true },
        { "deflate", encode_deflate, true, false },
        { "Deflate", encode_raw, false, false },
        { "br", encode_brotli, false, false },
        { "zstd", encode_zstd, false, true },
};

/* --- decoding -------------------------------------------------------------------------------- */

static int make(struct decoder **decoder, const char *name, const struct decode_limits *limits,
        struct muster_error *error)
{
        char head[200];
        struct field field = { .name_len = 16, .value_at = 18 };
        struct fields fields = { .head = head, .list = &field, .n = 1 };

        field.value_len = (uint32_t)snprintf(head, sizeof(head), "Content-Encoding: %s", name) - 18;
        return decoder_new(decoder, &fields, limits, error);
}

static char warning[200]; /* of what was decoded last */

static void note_warning(const struct decoder *decoder)
{
        struct buf text = { 0 };

        if (decoder_add_warning(decoder, &text) == 0)
                snprintf(warning, sizeof(warning), "%.*s", STR_ARGS(buf_str(&text)));
        buf_deinit(&text);
}

static int decode(const char *name, struct muster_str in, size_t piece,
        const struct decode_limits *limits, struct buf *out, struct muster_error *error)
{
        struct decoder *decoder = NULL;
        int r = make(&decoder, name, limits, error);

        warning[0] = '\0';

        while (r == 0 && in.len) {
                size_t n = piece < in.len ? piece : in.len;

                r = decoder_feed(decoder, (struct muster_str){ in.at, n }, out, error);
                in.at += n;
                in.len -= n;
        }
        if (r == 0)
                r = decoder_end(decoder, error);
        if (r == 0 && out)
                assert_int_equal(decoder_n_out(decoder), out->len);
        if (r == 0)
                note_warning(decoder);
        decoder_free(decoder);
        return r;
}

static const struct decode_limits no_limits = { .max_bytes = MUSTER_NO_LIMIT };

static void expect_plain(const char *name, struct muster_str in, size_t piece,
        struct muster_str expected)
{
        struct muster_error error = { 0 };
        struct buf out = { 0 };
        int r = decode(name, in, piece, &no_limits, &out, &error);

        if (r < 0)
                fail_msg("%s in pieces of %zu: %s", name, piece, error.text);
        assert_true(str_eq(buf_str(&out), expected));
        buf_deinit(&out);
}

/* In pieces of every size that matters. */
static void expect_plain_and_warning(const char *name, struct muster_str in,
        struct muster_str expected, const char *words)
{
        const size_t pieces[] = { 1, 2, 3, 777, in.len };

        for (size_t i = 0; i < LENGTH(pieces); i++) {
                expect_plain(name, in, pieces[i], expected);
                assert_string_equal(warning, words);
        }
}

static void test_all_codings(void **state)
{
        const struct muster_str texts[] = { { plain, sizeof(plain) }, { plain, 1 }, { plain, 0 } };

        (void)state;
        for (size_t i = 0; i < LENGTH(codings); i++) {
                for (size_t t = 0; t < LENGTH(texts); t++) {
                        struct buf in = codings[i].encode(texts[t]);

                        expect_plain(codings[i].name, buf_str(&in), in.len, texts[t]);
                        expect_plain(codings[i].name, buf_str(&in), 1, texts[t]);
                        expect_plain(codings[i].name, buf_str(&in), 777, texts[t]);
                        buf_deinit(&in);
                }
        }
}

static void test_chain(void **state)
{
        const struct muster_str text = { plain, 5000 };
        struct buf one = encode_gzip(text), two = encode_brotli(buf_str(&one)),
                   three = encode_zstd(buf_str(&two));

        (void)state;
        expect_plain("gzip, br , identity, zstd", buf_str(&three), three.len, text);
        expect_plain("gzip,br,zstd", buf_str(&three), 1, text);
        buf_deinit(&one);
        buf_deinit(&two);
        buf_deinit(&three);
}

static void test_no_coding(void **state)
{
        struct fields none = { 0 };
        struct decoder *decoder = NULL;
        struct muster_error error = { 0 };

        (void)state;
        assert_int_equal(decoder_new(&decoder, &none, &no_limits, &error), DECODE_IDENTITY);
        assert_int_equal(make(&decoder, "identity", &no_limits, &error), DECODE_IDENTITY);
        assert_int_equal(make(&decoder, " , ,", &no_limits, &error), DECODE_IDENTITY);
        assert_int_equal(make(&decoder, "gzip,gzip,gzip,gzip,gzip", &no_limits, &error),
                MUSTER_E_DECODE);
        assert_null(decoder_free(NULL));
}

static void test_empty_body_is_empty(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(codings); i++)
                expect_plain(codings[i].name, (struct muster_str){ "", 0 }, 1,
                        (struct muster_str){ "", 0 });
}

static const struct {
        const char *value, *undecoded;
        bool is_decoded; /* something of it is */
} unknown[] = {
        { "gzip", "", true },
        { "IDENTITY", "", false },
        { "", "", false },
        { "UTF-8", "UTF-8", false },
        { "none", "none", false },
        { "binary", "binary", false },
        { "compress", "compress", false },
        { "\"gzip\"", "\"gzip\"", false },
        { "aws-chunked,", "aws-chunked", false },
        { "aws-chunked, GZip", "aws-chunked", true }, /* applied last, and undone */
        { "gzip, aws-chunked", "gzip, aws-chunked", false },
        { "gzip,identity ,utf-8 , br,gzip", "gzip, utf-8", true },
        { "x,gzip,gzip,gzip,gzip", "x", true },
        { "gzip,gzip,gzip,gzip,gzip,x", "gzip, gzip, gzip, gzip, gzip, x", false },
};

static void test_unknown_codings_stay(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(unknown); i++) {
                struct muster_error error = { 0 };
                struct decoder *decoder = NULL;
                struct buf names = { 0 };
                char head[200];
                struct field field = { .name_len = 16, .value_at = 18 };
                struct fields fields = { .head = head, .list = &field, .n = 1 };

                snprintf(head, sizeof(head), "Content-Encoding: %s", unknown[i].value);
                field.value_len = (uint32_t)strlen(unknown[i].value);
                assert_int_equal(decode_list_undecoded(&fields, &names), 0);
                assert_true(str_is(buf_str(&names), unknown[i].undecoded));
                assert_int_equal(decoder_new(&decoder, &fields, &no_limits, &error),
                        unknown[i].is_decoded ? 0 : DECODE_IDENTITY);
                decoder_free(decoder);
                buf_deinit(&names);
        }
}

static void test_several_streams(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(codings); i++) {
                struct buf in = codings[i].encode((struct muster_str){ plain, 100 });
                struct buf second = codings[i].encode((struct muster_str){ plain + 100, 200 });
                size_t first_len = in.len;
                struct muster_error error = { 0 };
                struct buf out = { 0 };
                char words[100];

                snprintf(words, sizeof(words),
                        "%zu bytes after the end of the %s body were dropped", second.len,
                        codings[i].encode == encode_raw ? "deflate"
                        : i == 1                        ? "gzip"
                                                        : codings[i].name);
                buf_add_str(&in, buf_str(&second));
                if (codings[i].may_repeat)
                        expect_plain_and_warning(codings[i].name, buf_str(&in),
                                (struct muster_str){ plain, 300 }, "");
                else
                        expect_plain_and_warning(codings[i].name, buf_str(&in),
                                (struct muster_str){ plain, 100 }, words);
                /* A second one that breaks off is a body that broke off. */
                for (size_t len = first_len + 4; len < in.len && codings[i].may_repeat; len++)
                        assert_int_equal(decode(codings[i].name, (struct muster_str){ in.at, len },
                                                 50, &no_limits, &out, &error),
                                MUSTER_E_DECODE);
                buf_deinit(&in);
                buf_deinit(&second);
                buf_deinit(&out);
        }
}

static void test_what_follows_the_end_is_dropped(void **state)
{
        static const char *const tails[] = { "garbage", "\r\n", "\n", "\x1f", "\x28\xb5",
                "<!-- -->" };
        const struct muster_str text = { plain, 100 };

        (void)state;
        for (size_t i = 0; i < LENGTH(codings); i++) {
                for (size_t t = 0; t < LENGTH(tails); t++) {
                        struct buf in = codings[i].encode(text);

                        buf_add_text(&in, tails[t]);
                        expect_plain(codings[i].name, buf_str(&in), in.len, text);
                        assert_non_null(strstr(warning, " after the end of the "));
                        assert_int_equal(strtoul(warning, NULL, 10), strlen(tails[t]));
                        expect_plain(codings[i].name, buf_str(&in), 1, text);
                        assert_int_equal(strtoul(warning, NULL, 10), strlen(tails[t]));
                        buf_deinit(&in);
                }
        }
}

static void test_padding_behind_gzip(void **state)
{
        const struct muster_str text = { plain, 100 };
        struct buf in = encode_gzip(text);

        (void)state;
        buf_add(&in, "\0\0\0\0", 4);
        expect_plain_and_warning("gzip", buf_str(&in), text, "");
        buf_add(&in, "garbage", 7);
        expect_plain_and_warning("gzip", buf_str(&in), text,
                "7 bytes after the end of the gzip body were dropped");
        buf_deinit(&in);
}

/* What is behind the end is not kept, but is capped all the same. */
static void test_cap_of_what_is_dropped(void **state)
{
        const struct decode_limits limits = { .max_bytes = 5000 };
        struct buf in = encode_gzip((struct muster_str){ plain, 100 });
        char *junk = mem_zalloc(4 * DECODE_RATIO_GRACE);
        struct muster_error error = { 0 };
        struct buf out = { 0 };

        (void)state;
        memset(junk, 'x', 4 * DECODE_RATIO_GRACE);
        buf_add(&in, junk, DECODE_RATIO_GRACE);
        assert_int_equal(decode("gzip", buf_str(&in), 10000, &limits, &out, &error), 0);
        buf_add(&in, junk, 2 * DECODE_RATIO_GRACE);
        assert_int_equal(decode("gzip", buf_str(&in), 10000, &limits, &out, &error),
                MUSTER_E_TOO_LARGE);
        assert_non_null(strstr(error.text, "--max-filesize"));
        mem_free(junk);
        buf_deinit(&in);
        buf_deinit(&out);
}

static void test_named_twice_and_applied_once(void **state)
{
        static const size_t lengths[] = { 0, 1, 2, 3, 5000 };

        (void)state;
        for (size_t i = 0; i < LENGTH(codings); i++) {
                for (size_t l = 0; l < LENGTH(lengths) && codings[i].may_repeat; l++) {
                        const struct muster_str text = { plain, lengths[l] };
                        struct buf once = codings[i].encode(text);
                        struct buf twice = codings[i].encode(buf_str(&once));
                        char names[40], words[100];

                        snprintf(names, sizeof(names), "%s, %s", codings[i].name, codings[i].name);
                        snprintf(words, sizeof(words),
                                "Content-Encoding names %s once more than it was applied to the body",
                                i == 1 ? "gzip" : codings[i].name);
                        expect_plain_and_warning(names, buf_str(&once), text, words);
                        expect_plain_and_warning(names, buf_str(&twice), text, "");
                        buf_deinit(&once);
                        buf_deinit(&twice);
                }
        }
}

/* Cut anywhere: always an error, never silently short. */
static void test_truncated(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(codings); i++) {
                struct buf in = codings[i].encode((struct muster_str){ plain, 3000 });

                for (size_t len = 1; len < in.len; len++) {
                        struct muster_error error = { 0 };
                        struct buf out = { 0 };

                        assert_int_equal(decode(codings[i].name, (struct muster_str){ in.at, len },
                                                 500, &no_limits, &out, &error),
                                MUSTER_E_DECODE);
                        buf_deinit(&out);
                }
                buf_deinit(&in);
        }
}

/*
 * A byte changed anywhere: where the coding has a checksum, an error or the same text; never a
 * crash.
 */
static void test_corrupt(void **state)
{
        const struct muster_str text = { plain + 2000, 3000 };

        (void)state;
        for (size_t i = 0; i < LENGTH(codings); i++) {
                struct buf in = codings[i].encode(text);

                for (size_t at = 0; at < in.len; at++) {
                        struct muster_error error = { 0 };
                        struct buf out = { 0 };
                        int r;

                        in.at[at] ^= 0x55;
                        r = decode(codings[i].name, buf_str(&in), in.len, &no_limits, &out, &error);
                        assert_true(r == 0 || r == MUSTER_E_DECODE);
                        if (r == 0 && codings[i].has_checksum && codings[i].encode == encode_gzip)
                                assert_true(str_eq(buf_str(&out), text));
                        in.at[at] ^= 0x55;
                        buf_deinit(&out);
                }
                buf_deinit(&in);
        }
}

static void test_caps(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(codings); i++) {
                struct buf in = codings[i].encode((struct muster_str){ plain, 50000 });
                const struct decode_limits exact = { .max_bytes = 50000 },
                                           less = { .max_bytes = 49999 };
                struct muster_error error = { 0 };
                struct buf out = { 0 };

                assert_int_equal(decode(codings[i].name, buf_str(&in), 1000, &exact, &out, &error),
                        0);
                out.len = 0;
                assert_int_equal(decode(codings[i].name, buf_str(&in), 1000, &less, &out, &error),
                        MUSTER_E_TOO_LARGE);
                assert_true(out.len <= 49999);
                assert_non_null(strstr(error.text, "--max-filesize"));
                buf_deinit(&in);
                buf_deinit(&out);
        }
}

/*
 * 64 MiB of zeros, which br and zstd make into some hundred bytes: refused before they are there.
 */
static void test_bombs(void **state)
{
        static const char *const names[] = { "br", "zstd", "gzip, gzip" };
        char *zeros = mem_zalloc(64 << 20);
        const struct muster_str text = { zeros, 64 << 20 };
        struct buf bombs[3] = { encode_brotli(text), encode_zstd(text) };
        struct buf inner = encode_gzip(text);

        (void)state;
        mem_free(zeros);
        bombs[2] = encode_gzip(buf_str(&inner));
        buf_deinit(&inner);
        for (size_t i = 0; i < LENGTH(bombs); i++) {
                struct muster_error error = { 0 };
                struct buf out = { 0 };

                assert_int_equal(decode(names[i], buf_str(&bombs[i]), bombs[i].len, &no_limits,
                                         &out, &error),
                        MUSTER_E_DECODE);
                assert_non_null(strstr(error.text, "bomb"));
                /* What was kept is bounded by the ratio, not by what the bomb holds. */
                assert_true(out.len <=
                            DECODE_RATIO_GRACE + bombs[i].len * DECODE_RATIO_MAX + 20000);
                buf_deinit(&out);
                buf_deinit(&bombs[i]);
        }
}

static void test_counting_only(void **state)
{
        struct buf in = encode_gzip((struct muster_str){ plain, 50000 });
        struct decoder *decoder = NULL;
        struct muster_error error = { 0 };

        (void)state;
        assert_int_equal(make(&decoder, "gzip", &no_limits, &error), 0);
        assert_int_equal(decoder_feed(decoder, buf_str(&in), NULL, &error), 0);
        assert_int_equal(decoder_end(decoder, &error), 0);
        assert_int_equal(decoder_n_out(decoder), 50000);
        decoder_free(decoder);
        buf_deinit(&in);
}

static struct buf encoded;
static const char *encoded_name;

static void decode_with_little_memory(void)
{
        struct muster_error error = { 0 };
        struct buf out = { 0 };
        int r = decode(encoded_name, buf_str(&encoded), 4000, &no_limits, &out, &error);

        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        buf_deinit(&out);
}

static void test_memory(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(codings); i++) {
                encoded = codings[i].encode((struct muster_str){ plain, sizeof(plain) });
                encoded_name = codings[i].name;
                for_each_failing_allocation(decode_with_little_memory);
                buf_deinit(&encoded);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_codings),
                cmocka_unit_test(test_chain),
                cmocka_unit_test(test_no_coding),
                cmocka_unit_test(test_unknown_codings_stay),
                cmocka_unit_test(test_empty_body_is_empty),
                cmocka_unit_test(test_several_streams),
                cmocka_unit_test(test_what_follows_the_end_is_dropped),
                cmocka_unit_test(test_padding_behind_gzip),
                cmocka_unit_test(test_cap_of_what_is_dropped),
                cmocka_unit_test(test_named_twice_and_applied_once),
                cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_corrupt),
                cmocka_unit_test(test_caps),
                cmocka_unit_test(test_bombs),
                cmocka_unit_test(test_counting_only),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("decode", tests, make_plain, NULL);
}
