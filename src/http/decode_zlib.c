/* SPDX-License-Identifier: MIT */
/*
 * gzip (RFC 1952) and deflate (RFC 9110 section 8.4.1.2)
 *
 * "deflate" means the zlib format, but some servers send raw deflate. The first two bytes tell: a
 * zlib header is a multiple of 31 and has method 8.
 */
#include "decode_coding.h"

#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <limits.h>
#include <zlib.h>

#define WINDOW_BITS      15
#define WINDOW_BITS_GZIP (15 + 16)

struct inflater {
        z_stream stream;
        bool is_gzip;
        bool is_open;        /* inflateInit2() was called */
        unsigned char first; /* first byte of a deflate stream, while only one has come */
        bool has_first;
};

static voidpf zlib_alloc(voidpf opaque, uInt n, uInt size)
{
        (void)opaque;
        return mem_array(n, size);
}

static void zlib_free(voidpf opaque, voidpf at)
{
        (void)opaque;
        mem_free(at);
}

static int open_stream(struct inflater *inflater, int window_bits)
{
        assert(!inflater->is_open);
        inflater->stream.zalloc = zlib_alloc;
        inflater->stream.zfree = zlib_free;
        if (inflateInit2(&inflater->stream, window_bits) != Z_OK)
                return MUSTER_E_RESOURCE;
        inflater->is_open = true;
        return 0;
}

static void inflater_free(void *state)
{
        struct inflater *inflater = state;

        if (inflater && inflater->is_open)
                inflateEnd(&inflater->stream);
        mem_free(inflater);
}

static void *gzip_new(void)
{
        struct inflater *inflater = mem_zalloc(sizeof(*inflater));

        if (!inflater)
                return NULL;
        inflater->is_gzip = true;
        if (open_stream(inflater, WINDOW_BITS_GZIP) < 0) {
                inflater_free(inflater);
                return NULL;
        }
        return inflater;
}

static void *deflate_new(void)
{
        return mem_zalloc(sizeof(struct inflater));
}

static bool gzip_may_begin(struct muster_str bytes)
{
        return memcmp(bytes.at, "\x1f\x8b", bytes.len) == 0;
}

static int gzip_restart(void *state)
{
        struct inflater *inflater = state;

        assert(inflater->is_open);
        return inflateReset(&inflater->stream) == Z_OK ? 0 : MUSTER_E_RESOURCE;
}

static int inflate_some(struct inflater *inflater, struct muster_str *in, char *out, size_t size,
        size_t *ret_n, const char **ret_why)
{
        z_stream *stream = &inflater->stream;
        size_t n_in = min_size(in->len, UINT_MAX);
        size_t n_out = min_size(size, UINT_MAX);
        int r;

        assert(inflater->is_open);
        stream->next_in = (Bytef *)(uintptr_t)in->at;
        stream->avail_in = (uInt)n_in;
        stream->next_out = (Bytef *)out;
        stream->avail_out = (uInt)n_out;
        r = inflate(stream, Z_NO_FLUSH);
        in->at += n_in - stream->avail_in;
        in->len -= n_in - stream->avail_in;
        *ret_n = n_out - stream->avail_out;
        switch (r) {
        case Z_OK:
        case Z_BUF_ERROR: /* no progress was possible: no input, or no room */
                return 0;
        case Z_STREAM_END:
                return CODING_ENDED;
        case Z_MEM_ERROR:
                return MUSTER_E_RESOURCE;
        case Z_NEED_DICT:
                *ret_why = "it needs a preset dictionary";
                return MUSTER_E_DECODE;
        default:
                *ret_why = stream->msg ? stream->msg : "corrupt data";
                return MUSTER_E_DECODE;
        }
}

static int gzip_run(void *state, struct muster_str *in, char *out, size_t size, size_t *ret_n,
        const char **ret_why)
{
        return inflate_some(state, in, out, size, ret_n, ret_why);
}

static bool is_zlib_header(unsigned char first, unsigned char second)
{
        return (first & 15) == Z_DEFLATED && (first >> 4) <= 7 && (first << 8 | second) % 31 == 0;
}

/* Decide by the first two bytes, and give the inflater the first one if it came alone. */
static int open_deflate(struct inflater *inflater, struct muster_str *in, const char **ret_why)
{
        unsigned char first, second;
        struct muster_str alone;
        char nothing;
        size_t n;
        int r;

        assert(!inflater->is_gzip && !inflater->is_open && in->len > 0);
        if (!inflater->has_first && in->len == 1) {
                inflater->first = (unsigned char)in->at[0];
                inflater->has_first = true;
                in->at++;
                in->len--;
                return 0;
        }
        first = inflater->has_first ? inflater->first : (unsigned char)in->at[0];
        second = (unsigned char)in->at[inflater->has_first ? 0 : 1];
        r = open_stream(inflater, is_zlib_header(first, second) ? WINDOW_BITS : -WINDOW_BITS);
        if (r < 0 || !inflater->has_first)
                return r;
        alone = (struct muster_str){ (const char *)&inflater->first, 1 };
        return inflate_some(inflater, &alone, &nothing, 0, &n, ret_why);
}

static int deflate_run(void *state, struct muster_str *in, char *out, size_t size, size_t *ret_n,
        const char **ret_why)
{
        struct inflater *inflater = state;

        *ret_n = 0;
        if (!inflater->is_open && in->len) {
                int r = open_deflate(inflater, in, ret_why);

                if (r < 0)
                        return r;
        }
        return inflater->is_open ? inflate_some(inflater, in, out, size, ret_n, ret_why) : 0;
}

const struct decode_coding decode_gzip = {
        .name = "gzip",
        .alias = "x-gzip",
        .may_begin = gzip_may_begin,
        .mark_bytes = 2,
        .new = gzip_new,
        .free = inflater_free,
        .run = gzip_run,
        .restart = gzip_restart,
};

const struct decode_coding decode_deflate = {
        .name = "deflate",
        .new = deflate_new,
        .free = inflater_free,
        .run = deflate_run,
};
