/* SPDX-License-Identifier: MIT */
/*
 * Content-Transfer-Encoding of a part of a multipart body (RFC 2045 section 6)
 *
 * Bytes are fed in pieces of any size, and the same text comes out however they are cut. Base64 and
 * quoted-printable have lines of at most 76 characters. 7bit, 8bit and binary change nothing; 7bit
 * only refuses what it cannot hold.
 */
#ifndef HTTP_TRANSFER_ENCODE_H
#define HTTP_TRANSFER_ENCODE_H

#include <base/buf.h>

enum transfer_encoding {
        TRANSFER_NONE,
        TRANSFER_7BIT,
        TRANSFER_8BIT,
        TRANSFER_BINARY,
        TRANSFER_BASE64,
        TRANSFER_QUOTED_PRINTABLE,
};

/* The name on the wire; NULL for TRANSFER_NONE. */
const char *transfer_encoding_name(enum transfer_encoding encoding);

/* False: no encoding has this name. */
bool transfer_encoding_find(struct muster_str name, enum transfer_encoding *ret_encoding);

/* How many bytes become of `n`; UINT64_MAX: that depends on the bytes. */
uint64_t transfer_encoded_bytes(enum transfer_encoding encoding, uint64_t n);

/* Zeroed, with an encoding, is the beginning of a content. */
struct transfer_encoder {
        enum transfer_encoding encoding;
        unsigned column;       /* characters in the present line */
        unsigned n_held;       /* bytes whose encoding depends on those that follow */
        unsigned char held[4]; /* base64: up to 2; quoted-printable: up to 3 */
};

/*
 * Append what becomes of the bytes. `is_last`: no more follow, and what was held back is written.
 * TRANSFER_NOT_7BIT: a byte is above 127, and the encoding is 7bit. MUSTER_E_RESOURCE.
 */
#define TRANSFER_NOT_7BIT 1
int transfer_encode(struct transfer_encoder *encoder, struct muster_str bytes, bool is_last,
        struct buf *to);

#endif
