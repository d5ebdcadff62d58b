/* SPDX-License-Identifier: MIT */
/*
 * TLS over bytes (OpenSSL 3)
 *
 * No socket here: the caller feeds ciphertext, takes plaintext, and pulls ciphertext to send. A
 * client has one context, and a connection one struct tls. The context keeps the sessions of each
 * peer for resumption: tls_sessions.h.
 *
 *      socket ──feed──▶ ┌─────┐ ──read──▶ plaintext
 *      socket ◀──pull── │ tls │ ◀─write── plaintext
 *                       └─────┘
 *
 * Certificates are verified: chain, dates, host name (RFC 9525) or IP address. An error names the
 * check that failed and the certificate.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <base/buf.h>
#include <muster/error.h>

struct tls_context;
struct tls_sessions;
struct tls;

struct tls_options {
        /* PEM; NULL: the system's trust store (SSL_CERT_FILE and SSL_CERT_DIR count). */
        const char *ca_file;
        const char *cert_file;   /* PEM with its chain; NULL: none */
        const char *key_file;    /* PEM; NULL: in cert_file */
        const char *keylog_file; /* in the NSS key log format, appended to; NULL: none */
        bool insecure_no_verify;
        bool is_for_proxy; /* errors name its options, and sessions are for proxies only */
        bool cert_status;  /* the server must staple an OCSP answer that its certificate is good */
};

/*
 * Make a context and load the files of the options. MUSTER_E_TLS with the file and the reason in
 * *error; MUSTER_E_RESOURCE.
 */
int tls_context_new(struct tls_context **ret_context, const struct tls_options *options,
        struct muster_error *error);
struct tls_context *tls_context_free(struct tls_context *context);

/*
 * The sessions of a peer, as known to all connections of this context; NULL if memory is out.
 * tls_sessions_free() gives them back, before the context is freed.
 */
struct tls_sessions *tls_context_sessions(struct tls_context *context, struct muster_str host,
        uint16_t port);
struct tls_sessions *tls_sessions_free(struct tls_sessions *sessions);

/*
 * Sessions across runs: read those of an earlier run, before the first connection; append all as
 * text (tls_saved.h), with those of `other`, into which the same text was read, or NULL.
 * MUSTER_E_INPUT with *error, for a damaged text: `name` says where it is from; MUSTER_E_RESOURCE.
 */
int tls_context_load_sessions(struct tls_context *context, struct muster_str text, const char *name,
        struct muster_error *error);
int tls_context_save_sessions(struct tls_context *context, struct tls_context *other,
        struct buf *to);

/*
 * A client's side of a connection to `host` (as in the URL, IPv6 without brackets). `alpn` is the
 * list of protocols to offer, a constant (RFC 7301 section 3.1: for each a length and a name, the
 * preferred one first). The oldest of the peer's `sessions` is offered, and what the server issues
 * is added to them; NULL: none is offered or kept. MUSTER_E_RESOURCE with *error.
 */
int tls_new(struct tls **ret_tls, struct tls_context *context, struct muster_str host,
        struct muster_str alpn, struct tls_sessions *sessions, struct muster_error *error);
struct tls *tls_free(struct tls *tls);

#define TLS_MORE 1 /* feed more */
#define TLS_EOF  2 /* the peer closed the TLS connection in order (close_notify) */

/*
 * Feed received ciphertext. It is borrowed until tls_handshake() or tls_read() returns TLS_MORE,
 * which means that all of it is consumed.
 */
void tls_feed(struct tls *tls, struct muster_str ciphertext);

/*
 * Continue the handshake. Pull afterwards, whatever it returns. 0: complete. TLS_MORE.
 * MUSTER_E_TLS_VERIFY: *error says which check failed for which certificate (subject, issuer,
 * dates). MUSTER_E_TLS: *error has the alert or the reason in words.
 */
int tls_handshake(struct tls *tls, struct muster_error *error);

/*
 * Decrypt into `buffer`. 0: *ret_n bytes are there, call again. TLS_MORE, TLS_EOF. MUSTER_E_TLS.
 * Pull afterwards: a key update needs an answer, and what was held may be ready to be sent.
 */
int tls_read(struct tls *tls, char *buffer, size_t size, size_t *ret_n, struct muster_error *error);

/*
 * The connection is about to be closed, and nobody wants what it still has to say: read on only for
 * the tickets in what was fed.
 */
void tls_read_last(struct tls *tls);

/* May a ticket still come? Some servers issue theirs behind their first response. */
bool tls_awaits_ticket(const struct tls *tls);

/*
 * Encrypt all of it into the outgoing buffer; or hold it, when only the first part of a message of
 * the peer's has come, such as a ticket: then nothing can be sent before the rest is there, and
 * tls_read() encrypts it. MUSTER_E_TLS, MUSTER_E_RESOURCE.
 */
int tls_write(struct tls *tls, const void *at, size_t len, struct muster_error *error);

/* Is there plaintext that tls_write() holds? */
bool tls_holds(const struct tls *tls);

/* Queue close_notify. */
void tls_close(struct tls *tls);

/*
 * Is there ciphertext to send? It may grow while it is being sent, so tls_out_take() moves it away.
 */
bool tls_has_out(const struct tls *tls);

/* Move the ciphertext to send to the end of `to`. 0 or MUSTER_E_RESOURCE. */
int tls_out_take(struct tls *tls, struct buf *to);

/* Facts about a complete handshake; constants or borrowed until tls_free(). */
const char *tls_version_name(const struct tls *tls); /* "TLSv1.3" */
const char *tls_cipher_name(const struct tls *tls);
bool tls_has_offered(const struct tls *tls); /* a session; known from the beginning */
bool tls_was_resumed(const struct tls *tls);
struct muster_str tls_alpn(const struct tls *tls); /* empty if the server chose none */

#endif
