/* SPDX-License-Identifier: MIT */
/*
 * The hash functions of Digest, from OpenSSL's libcrypto
 */
#ifndef HTTP_DIGEST_HASH_H
#define HTTP_DIGEST_HASH_H

#include "digest.h"

/* Does this OpenSSL offer the function? It may not: with FIPS rules there is no MD5. */
bool digest_hash_is_there(enum digest_algorithm algorithm);

/*
 * The hash of a text in lower-case hexadecimal digits, zero-terminated. False: OpenSSL has no
 * memory.
 */
bool digest_hash(enum digest_algorithm algorithm, struct muster_str text,
        char ret_hex[DIGEST_HEX_BYTES]);

#endif
