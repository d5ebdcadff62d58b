/* SPDX-License-Identifier: MIT */
/*
 * A content coding, as decode.c needs it
 */
#ifndef HTTP_DECODE_CODING_H
#define HTTP_DECODE_CODING_H

#include <base/str.h>

#define CODING_MARK_MAX 4

#define CODING_ENDED 1 /* the stream is complete; the rest of the input is not part of it */

struct decode_coding {
        const char *name;
        const char *alias; /* an older name of the same coding (RFC 9110 section 8.4.1), or NULL */

        /*
         * Can a stream begin with these bytes? They may be only the first of its mark. NULL:
         * streams have no mark, and none follows another.
         */
        bool (*may_begin)(struct muster_str bytes);
        size_t mark_bytes; /* length of that mark, at most CODING_MARK_MAX */

        /* NULL when memory is out. */
        void *(*new)(void);
        void (*free)(void *state);

        /*
         * Decode from the front of `in`, which moves on, into `out`. 0: needs more input, or `out`
         * is full. CODING_ENDED. MUSTER_E_DECODE with the reason in *ret_why, a constant;
         * MUSTER_E_RESOURCE.
         */
        int (*run)(void *state, struct muster_str *in, char *out, size_t size, size_t *ret_n,
                const char **ret_why);

        /* Begin another stream; only for codings with a mark. Negative as run(). */
        int (*restart)(void *state);
};

extern const struct decode_coding decode_gzip, decode_deflate, decode_brotli, decode_zstd;

#endif
