/* SPDX-License-Identifier: MIT */
/*
 * zstd (RFC 8878), with the window that RFC 9659 allows over HTTP; several frames may follow one
 * another
 */
#include "decode_coding.h"

#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG_MAX 23 /* 8 MiB (RFC 9659 section 3) */

static void *zstd_new(void)
{
        ZSTD_DStream *stream = ZSTD_createDStream();

        if (stream)
                (void)ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
        return stream;
}

static void zstd_free(void *state)
{
        ZSTD_freeDStream(state);
}

/*
 * Is it the magic number of a frame, or one of the sixteen of skippable frames (RFC 8878 section
 * 3.1)?
 */
static bool zstd_may_begin(struct muster_str bytes)
{
        unsigned char first = (unsigned char)bytes.at[0];

        if ((first & 0xf0) == 0x50)
                return memcmp(bytes.at + 1, "\x2a\x4d\x18", bytes.len - 1) == 0;
        return memcmp(bytes.at, "\x28\xb5\x2f\xfd", bytes.len) == 0;
}

static int zstd_restart(void *state)
{
        return ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only)) ? MUSTER_E_RESOURCE
                                                                             : 0;
}

static int zstd_run(void *state, struct muster_str *in, char *out, size_t size, size_t *ret_n,
        const char **ret_why)
{
        ZSTD_inBuffer input = { in->at, in->len, 0 };
        ZSTD_outBuffer output = { out, size, 0 };
        size_t r = ZSTD_decompressStream(state, &output, &input);

        *in = str_after(*in, input.pos);
        *ret_n = output.pos;
        if (!ZSTD_isError(r))
                return r == 0 ? CODING_ENDED : 0;
        if (ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
                return MUSTER_E_RESOURCE;
        *ret_why = ZSTD_getErrorName(r);
        return MUSTER_E_DECODE;
}

const struct decode_coding decode_zstd = {
        .name = "zstd",
        .may_begin = zstd_may_begin,
        .mark_bytes = 4,
        .new = zstd_new,
        .free = zstd_free,
        .run = zstd_run,
        .restart = zstd_restart,
};
