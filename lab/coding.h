/* SPDX-License-Identifier: MIT */
/*
 * Content codings from the server's side (RFC 9110 section 8.4.1)
 */
#ifndef LAB_CODING_H
#define LAB_CODING_H

#include <base/buf.h>

enum coding { CODING_GZIP, CODING_DEFLATE, CODING_RAW_DEFLATE, CODING_BR, CODING_ZSTD, N_CODINGS };

#define CODING_NAMES "gzip, deflate, raw-deflate, br, zstd"

bool coding_parse(struct muster_str text, enum coding *ret_coding);

/* The name in Content-Encoding: "deflate" for both of its forms. */
const char *coding_token(enum coding coding);

/*
 * Encode `n_bytes`, which are `block` over and over, behind the end of `out`. Where several encoded
 * streams may follow each other (gzip, zstd) a long one is made of equal parts. 0 or
 * MUSTER_E_RESOURCE.
 */
int coding_encode(enum coding coding, struct muster_str block, uint64_t n_bytes, struct buf *out);

#endif
