/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a coded body: the first byte chooses the codings, the rest is fed in two pieces;
 * caps hold
 */
#include "fuzz.h"

#include <http/decode.h>
#include <string.h>

#define OUT_MAX 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const heads[] = { "C: gzip", "C: deflate", "C: br", "C: zstd",
                "C: gzip, br", "C: zstd,deflate,gzip" };
        const struct decode_limits limits = { .max_bytes = OUT_MAX };
        struct decoder *decoder = NULL;
        struct muster_error error = { 0 };
        struct field field = { 0 };
        struct fields fields = { .list = &field, .n = 1 };
        struct buf out = { 0 }, warning = { 0 };
        char head[64] = "Content-Encoding: ";
        size_t cut;
        int r;

        if (size < 2)
                return 0;
        strcat(head, heads[data[0] % 6] + 3);
        field = (struct field){
                .name_len = 16, .value_at = 18, .value_len = (uint32_t)strlen(head) - 18
        };
        fields.head = head;
        FUZZ_CHECK(decoder_new(&decoder, &fields, &limits, &error) == 0);
        cut = 1 + data[0] / 6 % (size - 1);
        r = decoder_feed(decoder, (struct muster_str){ (const char *)data + 1, cut - 1 }, &out,
                &error);
        if (r == 0)
                r = decoder_feed(decoder,
                        (struct muster_str){ (const char *)data + cut, size - cut }, &out, &error);
        if (r == 0)
                r = decoder_end(decoder, &error);
        if (r == 0)
                FUZZ_CHECK(decoder_add_warning(decoder, &warning) == 0);
        FUZZ_CHECK(out.len <= OUT_MAX);
        FUZZ_CHECK(r == 0 || error.code == (enum muster_code)r);
        decoder_free(decoder);
        buf_deinit(&out);
        buf_deinit(&warning);
        return 0;
}
