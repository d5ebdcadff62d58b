/* SPDX-License-Identifier: MIT */
/*
 * Digest authentication (RFC 7616, and RFC 2069 as far as servers still speak it)
 *
 *      digest_read()    a challenge: can it be answered, and with which algorithm?
 *      digest_begin()   take the challenge and the credentials: a session
 *      digest_add()     the credentials field for one request; the nonce is used once more
 *      digest_renew()   the server named the nonce for the next requests
 *
 * A session serves all requests that have the same credentials: the nonce count goes up, and only
 * the first request of all is answered with 401. The password is not kept, only what its hash came
 * to.
 *
 * Algorithms: MD5, SHA-256 and SHA-512-256, each also as -sess, if OpenSSL offers them. Quality of
 * protection: auth, or none as in RFC 2069. Not auth-int: it hashes the whole body before the first
 * byte can be sent, and servers that insist on it are unknown; such a challenge cannot be used.
 */
#ifndef HTTP_DIGEST_H
#define HTTP_DIGEST_H

#include "auth_challenge.h"

#define DIGEST_HEX_BYTES 65 /* of a hash of 256 bits, with a zero byte */
#define DIGEST_UNUSABLE  1  /* this challenge cannot be answered */
#define DIGEST_USED_UP   2  /* the nonce was used 2^32 - 1 times: a new one is needed */

/* The weakest first. */
enum digest_algorithm { DIGEST_MD5, DIGEST_SHA_256, DIGEST_SHA_512_256 };

/* A challenge that can be answered; borrowed from its field. */
struct digest_challenge {
        struct auth_param realm, nonce, opaque;
        struct auth_param algorithm_name; /* as the server writes it; value.at NULL: not named */
        enum digest_algorithm algorithm;
        bool is_session; /* -sess */
        bool has_qop, has_opaque;
        bool is_stale; /* the credentials were right, the nonce was too old */
        bool hashes_user, is_utf8;
};

struct digest {
        enum digest_algorithm algorithm;
        bool has_qop, is_session;
        uint32_t count;                /* of requests with this nonce */
        char secret[DIGEST_HEX_BYTES]; /* H(A1) */
        struct buf realm, nonce;       /* as they are, without escapes */
        struct buf cnonce;
        struct buf head; /* "Digest username=..., realm=...", the same in all requests */
        struct buf tail; /* ", opaque=..., algorithm=...", the same in all requests */
};

/*
 * Read a challenge of the scheme Digest. 0, or DIGEST_UNUSABLE with *ret_why saying why in a few
 * words.
 */
int digest_read(const struct auth_challenge *challenge, struct digest_challenge *ret_challenge,
        const char **ret_why);

/*
 * Begin a session; a session that was begun before is ended. `cnonce` is a text that nobody can
 * guess, of letters and digits. User name and password are bytes as they are; if the challenge says
 * so, they are UTF-8. MUSTER_E_RESOURCE: the digest is empty.
 */
int digest_begin(struct digest *digest, const struct digest_challenge *challenge,
        struct muster_str user, struct muster_str password, struct muster_str cnonce);

/* Forget everything; the secret is overwritten. May be called twice. */
void digest_deinit(struct digest *digest);

static inline bool digest_has_begun(const struct digest *digest)
{
        return digest->head.len > 0;
}

/*
 * Append "Digest ...", the value of the credentials field for a request with this method and
 * target, exactly as the request line has them. 0, DIGEST_USED_UP, MUSTER_E_RESOURCE.
 */
int digest_add(struct digest *digest, struct muster_str method, struct muster_str target,
        struct buf *to);

/*
 * Take the value of Authentication-Info or Proxy-Authentication-Info (RFC 7616 section 3.5): a
 * nextnonce replaces the nonce. MUSTER_E_RESOURCE: the old one stays.
 */
int digest_renew(struct digest *digest, struct muster_str info);

/* Is the challenge for the realm of the session, and with the nonce of the session? */
bool digest_is_for_realm(const struct digest *digest, const struct digest_challenge *challenge);

#endif
