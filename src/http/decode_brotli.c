/* SPDX-License-Identifier: MIT */
/*
 * br (RFC 7932)
 */
#include "decode_coding.h"

#include <base/mem.h>
#include <brotli/decode.h>

static void *brotli_alloc(void *opaque, size_t size)
{
        (void)opaque;
        return mem_alloc(size);
}

static void brotli_release(void *opaque, void *at)
{
        (void)opaque;
        mem_free(at);
}

static void *brotli_new(void)
{
        return BrotliDecoderCreateInstance(brotli_alloc, brotli_release, NULL);
}

static void brotli_free(void *state)
{
        BrotliDecoderDestroyInstance(state);
}

static bool is_out_of_memory(BrotliDecoderErrorCode code)
{
        return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
               code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static int brotli_run(void *state, struct muster_str *in, char *out, size_t size, size_t *ret_n,
        const char **ret_why)
{
        const uint8_t *next_in = (const uint8_t *)in->at;
        uint8_t *next_out = (uint8_t *)out;
        size_t n_in = in->len, n_out = size;
        BrotliDecoderResult r =
                BrotliDecoderDecompressStream(state, &n_in, &next_in, &n_out, &next_out, NULL);

        in->at = (const char *)next_in;
        in->len = n_in;
        *ret_n = size - n_out;
        switch (r) {
        case BROTLI_DECODER_RESULT_SUCCESS:
                return CODING_ENDED;
        case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
                return 0;
        case BROTLI_DECODER_RESULT_ERROR:
                break;
        }
        if (is_out_of_memory(BrotliDecoderGetErrorCode(state)))
                return MUSTER_E_RESOURCE;
        *ret_why = "corrupt data";
        return MUSTER_E_DECODE;
}

const struct decode_coding decode_brotli = {
        .name = "br",
        .new = brotli_new,
        .free = brotli_free,
        .run = brotli_run,
};
