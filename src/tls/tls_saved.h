/* SPDX-License-Identifier: MIT */
/*
 * Sessions that are kept across runs: a text of lines, in the form of curl 8.12 and later
 *
 *      # comment
 *      base64(salt, HMAC-SHA256(salt, peer's key)) ":" base64(session: tls_spack.h)
 *
 * The names of peers cannot be read from it, only guessed: a line is found by the hash of the key
 * of the peer that is asked for. Lines stay as they are until then. So those that are never asked
 * for, and those of other programs, are written back as they were read.
 */
#ifndef TLS_TLS_SAVED_H
#define TLS_TLS_SAVED_H

#include <base/buf.h>
#include <base/list.h>
#include <base/map.h>
#include <muster/error.h>

#define SAVED_HASH_BYTES 32
#define SAVED_LINE_MAX   (64 * 1024) /* what curl reads */

struct ssl_session_st;

struct saved {
        struct map peers;                         /* by salt and hash */
        unsigned char (*salts)[SAVED_HASH_BYTES]; /* the different ones: we write one, curl many */
        size_t n_salts;
        unsigned char own_salt[SAVED_HASH_BYTES]; /* for what we write; random */
        bool has_own_salt;
};

/* A line, as long as nobody has asked for its peer. */
struct saved_line {
        struct list link;
        int64_t expires_s;
        size_t len;
        char text[]; /* without line end */
};

void saved_init(struct saved *saved);
void saved_deinit(struct saved *saved);

/*
 * Read a text. Sessions that have expired are left out. MUSTER_E_INPUT with *error for a line that
 * is no session, with `name` and its number; MUSTER_E_RESOURCE. Nothing is kept then.
 */
int saved_read(struct saved *saved, struct muster_str text, const char *name,
        struct muster_error *error);

/*
 * Take the next session of the peer with this key, as the text has them, the first one first. The
 * caller owns a reference. NULL: there are no more.
 */
struct ssl_session_st *saved_take(struct saved *saved, struct muster_str key);

/* Append the first lines of a text, which say what it is. */
int saved_write_head(struct buf *to);

/* Append the line of a session of the peer with this key. MUSTER_E_RESOURCE. */
int saved_write(struct saved *saved, struct buf *to, struct muster_str key,
        struct ssl_session_st *session, int64_t expires_s);

/*
 * Append all lines that nobody has asked for and that have not expired. `other` has read the same
 * text, and nobody may have asked it, either; NULL: there is none. MUSTER_E_RESOURCE.
 */
int saved_write_rest(const struct saved *saved, const struct saved *other, struct buf *to);

#endif
