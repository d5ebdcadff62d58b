/* SPDX-License-Identifier: MIT */
/*
 * TLS over bytes (OpenSSL 3)
 *
 * No socket here: ciphertext is fed, plaintext is taken, ciphertext to send is pulled. One context
 * for a client, one session for a connection, one ticket store for an origin.
 *
 *      socket ──feed──▶ ┌─────┐ ──read──▶ plaintext
 *      socket ◀──pull── │ tls │ ◀─write── plaintext
 *                       └─────┘
 *
 * Verification is on: chain, dates, host name (RFC 9525) or IP address. A failure names the check
 * and the certificate.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <base/buf.h>
#include <muster/error.h>

struct tls_context;
struct tls_session;
struct tls;

struct tls_options {
        /* PEM; NULL: the system's trust store (SSL_CERT_FILE, SSL_CERT_DIR respected). */
        const char *ca_file;
        const char *cert_file;   /* PEM with chain; NULL: none */
        const char *key_file;    /* PEM; NULL: in cert_file */
        const char *keylog_file; /* appended to, NSS key log format; NULL: none */
        bool insecure_no_verify;
};

/*
 * Loads what the options name: MUSTER_E_TLS with *error naming the file and the reason;
 * MUSTER_E_RESOURCE.
 */
int tls_context_new(struct tls_context **ret_context, const struct tls_options *options,
        struct muster_error *error);
struct tls_context *tls_context_free(struct tls_context *context);

/* Forget a session kept for resumption. Returns NULL, takes NULL. */
struct tls_session *tls_session_free(struct tls_session *session);

/*
 * A connection as client to `host` (as in the URL, IPv6 without brackets), offering the
 * protocols `alpn` (RFC 7301 section 3.1: each a length and a name, the preferred one first;
 * constant). `borrow_slot` points to where the origin keeps its newest session: it is tried if not NULL there,
 * and replaced (tls_session_free() of the old) whenever the server issues a ticket, as long as the
 * tls lives. A TLS 1.3 ticket is used once (RFC 8446 appendix C.4). MUSTER_E_TLS, MUSTER_E_RESOURCE
 * with *error.
 */
int tls_new(struct tls **ret_tls, struct tls_context *context, struct muster_str host,
        struct muster_str alpn, struct tls_session **borrow_slot, struct muster_error *error);
struct tls *tls_free(struct tls *tls);

#define TLS_MORE 1 /* feed more */
#define TLS_EOF  2 /* the peer closed the TLS connection properly (close_notify) */

/*
 * Point at ciphertext that came; borrowed until tls_handshake() or tls_read() has answered
 * TLS_MORE, which means that all of it is consumed.
 */
void tls_feed(struct tls *tls, struct muster_str ciphertext);

/*
 * Go on with the handshake; then pull, whatever the answer. 0: complete. TLS_MORE.
 * MUSTER_E_TLS_VERIFY: *error says which check failed for which certificate (subject, issuer,
 * dates); MUSTER_E_TLS: *error has the alert or reason in words.
 */
int tls_handshake(struct tls *tls, struct muster_error *error);

/*
 * Decrypt into `buffer`. 0: *ret_n bytes, ask again. TLS_MORE, TLS_EOF. MUSTER_E_TLS. Pull
 * afterwards: key updates want answers.
 */
int tls_read(struct tls *tls, char *buffer, size_t size, size_t *ret_n, struct muster_error *error);

/* Encrypt; all of it is taken into the outgoing buffer. MUSTER_E_TLS, MUSTER_E_RESOURCE. */
int tls_write(struct tls *tls, const void *at, size_t len, struct muster_error *error);

/* Queue close_notify. */
void tls_close(struct tls *tls);

/*
 * Ciphertext that must go out, to be sent and emptied by the caller. It may grow while it is being
 * sent: tls_out_take() moves it away.
 */
bool tls_has_out(const struct tls *tls);

/* Move what must go out to the end of `to`. 0 or MUSTER_E_RESOURCE. */
int tls_out_take(struct tls *tls, struct buf *to);

/* Words on a handshake that is complete; constants or borrowed until tls_free(). */
const char *tls_version_name(const struct tls *tls); /* "TLSv1.3" */
const char *tls_cipher_name(const struct tls *tls);
bool tls_was_resumed(const struct tls *tls);
struct muster_str tls_alpn(const struct tls *tls); /* empty when the server chose none */

#endif
