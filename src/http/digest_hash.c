/* SPDX-License-Identifier: MIT */
#include "digest_hash.h"

#include <assert.h>
#include <openssl/evp.h>

static const char *name_of(enum digest_algorithm algorithm)
{
        switch (algorithm) {
        case DIGEST_MD5:
                return "MD5";
        case DIGEST_SHA_256:
                return "SHA2-256";
        case DIGEST_SHA_512_256:
                return "SHA2-512/256";
        }
        return NULL;
}

bool digest_hash_is_there(enum digest_algorithm algorithm)
{
        EVP_MD *md = EVP_MD_fetch(NULL, name_of(algorithm), NULL);

        EVP_MD_free(md);
        return md != NULL;
}

bool digest_hash(enum digest_algorithm algorithm, struct muster_str text,
        char ret_hex[DIGEST_HEX_BYTES])
{
        static const char digits[] = "0123456789abcdef";
        unsigned char hash[EVP_MAX_MD_SIZE];
        size_t n;

        if (!EVP_Q_digest(NULL, name_of(algorithm), NULL, text.at, text.len, hash, &n))
                return false;
        assert(n * 2 < DIGEST_HEX_BYTES);
        for (size_t i = 0; i < n; i++) {
                ret_hex[2 * i] = digits[hash[i] >> 4];
                ret_hex[2 * i + 1] = digits[hash[i] & 15];
        }
        ret_hex[2 * n] = '\0';
        return true;
}
