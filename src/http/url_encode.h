/* SPDX-License-Identifier: MIT */
/*
 * Percent-encoding (RFC 3986 section 2.1), with the sets of the WHATWG URL Standard, section 1.3
 */
#ifndef HTTP_URL_ENCODE_H
#define HTTP_URL_ENCODE_H

#include <base/buf.h>

/* The sets of bytes to encode. */
enum {
        ENCODE_QUERY = 1, /* the special-query set */
        ENCODE_PATH = 2,
        ENCODE_USERINFO = 4,
};

/* Of each byte, the sets that contain it. */
extern const uint8_t url_encode_sets[256];

/* Append a part; bytes in `set` are percent-encoded. 0 or MUSTER_E_RESOURCE. */
int url_add_encoded(struct muster_str part, unsigned set, struct buf *to);

/* Append a percent-encoded part decoded, which may give any bytes. 0 or MUSTER_E_RESOURCE. */
int url_add_decoded(struct muster_str part, struct buf *to);

#endif
