/* SPDX-License-Identifier: MIT */
/*
 * One content coding: what decode.c needs of it
 */
#ifndef HTTP_DECODE_CODING_H
#define HTTP_DECODE_CODING_H

#include <base/str.h>

#define CODING_MARK_MAX 4

#define CODING_ENDED 1 /* the stream is complete; what is left of the input is not of it */

struct decode_coding {
        const char *name;
        const char *alias; /* an older name of the same (RFC 9110 section 8.4.1); or NULL */

        /*
         * Can a stream begin with these bytes, or with more that begin so? NULL: it has no mark to
         * be known by, and none follows another.
         */
        bool (*may_begin)(struct muster_str bytes);
        size_t mark_bytes; /* of that mark, at most CODING_MARK_MAX */

        /* NULL when memory is out. */
        void *(*new)(void);
        void (*free)(void *state);

        /*
         * Decode from the front of `in`, which is moved on, into `out`. 0: more is wanted, or `out`
         * is full. CODING_ENDED. MUSTER_E_DECODE with what is wrong in *ret_why, a constant;
         * MUSTER_E_RESOURCE.
         */
        int (*run)(void *state, struct muster_str *in, char *out, size_t size, size_t *ret_n,
                const char **ret_why);

        /* Begin another stream, where there is a mark. Negative as run(). */
        int (*restart)(void *state);
};

extern const struct decode_coding decode_gzip, decode_deflate, decode_brotli, decode_zstd;

#endif
