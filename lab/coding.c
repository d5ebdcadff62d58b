/* SPDX-License-Identifier: MIT */
#include "coding.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#define STEP_BYTES (64 * 1024)
#define PART_BYTES                                                                                 \
        (UINT64_C(64)                                                                              \
                << 20) /* of a stream that may be repeated: takes a fifth of a second to make */
#define ZSTD_LEVEL   3
#define BROTLI_LEVEL 4

static const struct {
        const char *name, *token;
} codings[N_CODINGS] = {
        [CODING_GZIP] = { "gzip", "gzip" },
        [CODING_DEFLATE] = { "deflate", "deflate" },
        [CODING_RAW_DEFLATE] = { "raw-deflate", "deflate" },
        [CODING_BR] = { "br", "br" },
        [CODING_ZSTD] = { "zstd", "zstd" },
};

bool coding_parse(struct muster_str text, enum coding *ret_coding)
{
        for (enum coding coding = 0; coding < N_CODINGS; coding++) {
                if (!str_is_nocase(text, codings[coding].name))
                        continue;
                *ret_coding = coding;
                return true;
        }
        return false;
}

const char *coding_token(enum coding coding)
{
        return codings[coding].token;
}

/* --- the input: a block over and over -------------------------------------------------------- */

struct source {
        struct muster_str block;
        size_t at;
        uint64_t left;
};

static struct muster_str source_next(struct source *source)
{
        struct muster_str piece = { source->block.at + source->at, source->block.len - source->at };

        if (piece.len > source->left)
                piece.len = (size_t)source->left;
        source->left -= piece.len;
        source->at = (source->at + piece.len) % source->block.len;
        return piece;
}

/* --- the coders ------------------------------------------------------------------------------ */

static int zlib_encode(struct source *source, int window_bits, struct buf *out)
{
        z_stream stream = { 0 };
        int r = 0, z = Z_OK;

        if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8,
                    Z_DEFAULT_STRATEGY) != Z_OK)
                return MUSTER_E_RESOURCE;
        while (r == 0 && z != Z_STREAM_END) {
                if (!stream.avail_in && source->left) {
                        struct muster_str piece = source_next(source);

                        stream.next_in = (unsigned char *)(uintptr_t)piece.at;
                        stream.avail_in = (unsigned)piece.len;
                }
                r = buf_reserve(out, STEP_BYTES);
                if (r < 0)
                        break;
                stream.next_out = (unsigned char *)out->at + out->len;
                stream.avail_out = STEP_BYTES;
                z = deflate(&stream, source->left ? Z_NO_FLUSH : Z_FINISH);
                out->len += STEP_BYTES - stream.avail_out;
        }
        deflateEnd(&stream);
        return r;
}

static int brotli_encode(struct source *source, struct buf *out)
{
        BrotliEncoderState *state = BrotliEncoderCreateInstance(NULL, NULL, NULL);
        struct muster_str piece = { NULL, 0 };
        const uint8_t *in = NULL;
        int r = 0;

        if (!state)
                return MUSTER_E_RESOURCE;
        BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, BROTLI_LEVEL);
        while (r == 0 && !BrotliEncoderIsFinished(state)) {
                size_t room = STEP_BYTES;
                uint8_t *to;

                if (!piece.len && source->left) {
                        piece = source_next(source);
                        in = (const uint8_t *)piece.at;
                }
                r = buf_reserve(out, STEP_BYTES);
                if (r < 0)
                        break;
                to = (uint8_t *)out->at + out->len;
                if (!BrotliEncoderCompressStream(state,
                            source->left ? BROTLI_OPERATION_PROCESS : BROTLI_OPERATION_FINISH,
                            &piece.len, &in, &room, &to, NULL))
                        r = MUSTER_E_RESOURCE;
                out->len += STEP_BYTES - room;
        }
        BrotliEncoderDestroyInstance(state);
        return r;
}

static int zstd_encode(struct source *source, struct buf *out)
{
        ZSTD_CStream *stream = ZSTD_createCStream();
        ZSTD_inBuffer in = { NULL, 0, 0 };
        size_t left = 1;
        int r = stream ? 0 : MUSTER_E_RESOURCE;

        if (r == 0 && ZSTD_isError(ZSTD_initCStream(stream, ZSTD_LEVEL)))
                r = MUSTER_E_RESOURCE;
        while (r == 0 && left) {
                ZSTD_outBuffer room = { NULL, STEP_BYTES, 0 };

                if (in.pos == in.size && source->left) {
                        struct muster_str piece = source_next(source);

                        in = (ZSTD_inBuffer){ piece.at, piece.len, 0 };
                }
                r = buf_reserve(out, STEP_BYTES);
                if (r < 0)
                        break;
                room.dst = out->at + out->len;
                left = ZSTD_compressStream2(stream, &room, &in,
                        source->left ? ZSTD_e_continue : ZSTD_e_end);
                out->len += room.pos;
                if (ZSTD_isError(left))
                        r = MUSTER_E_RESOURCE;
                else if (source->left)
                        left = 1;
        }
        ZSTD_freeCStream(stream);
        return r;
}

static int encode(enum coding coding, struct source *source, struct buf *out)
{
        switch (coding) {
        case CODING_GZIP:
                return zlib_encode(source, 15 + 16, out);
        case CODING_DEFLATE:
                return zlib_encode(source, 15, out);
        case CODING_RAW_DEFLATE:
                return zlib_encode(source, -15, out);
        case CODING_BR:
                return brotli_encode(source, out);
        case CODING_ZSTD:
                return zstd_encode(source, out);
        case N_CODINGS:
                break;
        }
        return MUSTER_E_RESOURCE;
}

int coding_encode(enum coding coding, struct muster_str block, uint64_t n_bytes, struct buf *out)
{
        bool may_repeat = coding == CODING_GZIP || coding == CODING_ZSTD;
        uint64_t n_parts = may_repeat ? n_bytes / PART_BYTES : 0;
        struct source source = { block, 0, PART_BYTES };
        size_t at = out->len, part_len;
        int r = 0;

        if (n_parts)
                r = encode(coding, &source, out);
        part_len = out->len - at;
        for (uint64_t i = 1; i < n_parts && r == 0; i++) {
                r = buf_reserve(out, part_len);
                if (r == 0)
                        r = buf_add(out, out->at + at, part_len);
        }
        source = (struct source){ block, 0, n_bytes - n_parts * PART_BYTES };
        if (r == 0 && (source.left || !n_parts))
                r = encode(coding, &source, out);
        return r;
}
