/* SPDX-License-Identifier: MIT */
/*
 * Undoing Content-Encoding (RFC 9110 section 8.4)
 *
 * Knows gzip (several members), deflate (zlib as the RFC says, and raw as some servers send it),
 * br, zstd, identity, and chains of them, undone last to first. Each coding is one const table:
 * decode_zlib.c, decode_brotli.c, decode_zstd.c.
 *
 * Output is capped by its size and by its ratio to the input, so that a bomb costs no more than a
 * window of memory. Input that ends early or is corrupt is an error; a body is never cut silently.
 * A body that came whole is accepted, as browsers, urllib3 and gzip(1) do:
 *
 *      a coding that nobody knows          stays, with what was before it; what came after goes
 *      bytes behind the end of a stream    dropped, with a warning, unless they begin another one
 *      a coding named twice, applied once  undone once, with a warning
 */
#ifndef HTTP_DECODE_H
#define HTTP_DECODE_H

#include "field.h"

#define DECODE_CHAIN_MAX 4 /* codings in one response; more is an attack */
/* deflate reaches at most 1032 to 1; br and zstd reach more, in bombs */
#define DECODE_RATIO_MAX   1100
#define DECODE_RATIO_GRACE (1024 * 1024) /* bytes of output before the ratio counts */

/* The Accept-Encoding for all of these. */
#define DECODE_ACCEPT "gzip, deflate, br, zstd"

struct decoder; /* only a response with a coding has one */

struct decode_limits {
        uint64_t max_bytes; /* of output; MUSTER_NO_LIMIT */
        unsigned max_ratio; /* 0: DECODE_RATIO_MAX */
};

#define DECODE_IDENTITY 1 /* nothing to undo */

/*
 * Make a decoder for a response's fields. 0: *ret_decoder is owned by the caller. DECODE_IDENTITY:
 * no decoder is needed. MUSTER_E_DECODE: too many codings; MUSTER_E_RESOURCE.
 */
int decoder_new(struct decoder **ret_decoder, const struct fields *fields,
        const struct decode_limits *limits, struct muster_error *error);

/*
 * Append the names of the codings that a decoder for these fields leaves in place, in the order in
 * which they were applied. MUSTER_E_RESOURCE.
 */
int decode_list_undecoded(const struct fields *fields, struct buf *to);

/* Returns NULL, takes NULL. */
struct decoder *decoder_free(struct decoder *decoder);

/*
 * Feed all of `in` and append the decoded bytes to `out`; with NULL they are only counted.
 * MUSTER_E_DECODE (corrupt, or past the ratio), MUSTER_E_TOO_LARGE (past max_bytes),
 * MUSTER_E_RESOURCE, with *error.
 */
int decoder_feed(struct decoder *decoder, struct muster_str in, struct buf *out,
        struct muster_error *error);

/* End the body. MUSTER_E_DECODE if it is truncated. A body without any byte counts as empty. */
int decoder_end(struct decoder *decoder, struct muster_error *error);

/*
 * After the end: append a warning about a body that was decoded though it was odd.
 * MUSTER_E_RESOURCE.
 */
int decoder_add_warning(const struct decoder *decoder, struct buf *to);

/* Bytes decoded so far. */
uint64_t decoder_n_out(const struct decoder *decoder);

#endif
