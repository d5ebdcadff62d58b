/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a string of JSON: another library reads the same bytes in it
 */
#include "fuzz.h"

#include <jansson.h>
#include <output/json.h>
#include <output/utf8.h>

/* NULL when it is no JSON. */
static json_t *read(const struct buf *text)
{
        return json_loadb(text->at, text->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

/* Has the text nothing that moves a terminal's cursor or ends a line? */
static void check_printable(const struct buf *text)
{
        for (size_t i = 0; i < text->len; i++)
                FUZZ_CHECK((unsigned char)text->at[i] >= 0x20 && text->at[i] != 0x7f);
}

static void check_utf8(struct muster_str text)
{
        json_t *value = json_stringn(text.at, text.len);
        struct buf written = { 0 };
        int r = json_add_utf8(&written, text);

        FUZZ_CHECK(r == (value ? 0 : JSON_NOT_UTF8));
        FUZZ_CHECK(utf8_is_valid(text) == (value != NULL));
        if (value) {
                json_t *again = read(&written);

                FUZZ_CHECK(again && json_equal(value, again));
                check_printable(&written);
                json_decref(again);
        } else {
                FUZZ_CHECK(written.len == 0);
        }
        json_decref(value);
        buf_deinit(&written);
}

static void check_mended(struct muster_str text)
{
        struct buf written = { 0 };
        json_t *value;

        FUZZ_CHECK(json_add_string(&written, text) == 0);
        value = read(&written);
        FUZZ_CHECK(value && json_string_length(value) >= text.len);
        check_printable(&written);
        json_decref(value);
        buf_deinit(&written);
}

static void check_base64(struct muster_str bytes)
{
        struct buf written = { 0 }, back = { 0 };

        FUZZ_CHECK(json_add_base64(&written, bytes) == 0);
        FUZZ_CHECK(json_decode_base64(&back,
                           (struct muster_str){ written.at + 1, written.len - 2 }) == 0);
        FUZZ_CHECK(str_eq(buf_str(&back), bytes));
        back.len = 0;
        (void)json_decode_base64(&back, bytes);
        buf_deinit(&written);
        buf_deinit(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct muster_str text = { (const char *)data, size };

        check_utf8(text);
        check_mended(text);
        check_base64(text);
        return 0;
}
