/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share
 */
#ifndef TLS_TLS_INTERNAL_H
#define TLS_TLS_INTERNAL_H

#include "tls.h"
#include "tls_sessions.h"

#include <openssl/ssl.h>

#define FIRST_BYTES 16 /* kept of what the peer sends: they show what it speaks if it is not TLS */

struct tls_context {
        SSL_CTX *ssl_ctx;
        BIO_METHOD *bio_method;
        struct tls_store store; /* a client's */
        struct buf trust;       /* its store's */
        int keylog_fd;          /* -1: none */
        bool insecure_no_verify, is_for_proxy, cert_status;
};

struct tls {
        SSL *ssl;   /* NULL after it failed */
        char *host; /* without a trailing dot; for SNI, verification and messages */
        struct tls_sessions *sessions; /* NULL: none are kept */
        bool has_offered, has_got_ticket;
        struct muster_str in; /* borrowed ciphertext that is not consumed yet */
        struct buf out;
        struct buf held; /* plaintext to send that waits for the rest of a message: tls_write() */
        char first[FIRST_BYTES];
        size_t n_first;
        /* set by the verify callback, which has the certificate */
        struct muster_error *verify_failure;
};

/* The BIO between an SSL and its struct tls: reads from `in`, appends to `out`. tls_bio.c */
BIO_METHOD *tls_bio_method_new(void);
BIO *tls_bio_new(BIO_METHOD *method, struct tls *tls);

/* OpenSSL calls this for each certificate of a chain. tls_error.c */
int tls_verify_callback(int is_ok, X509_STORE_CTX *store_ctx);

/*
 * OpenSSL calls this when the server has stapled an OCSP answer, or might have. 1: go on; 0: the
 * handshake fails, verify_failure says why; -1: memory is out. tls_status.c
 */
int tls_status_callback(SSL *ssl, void *userdata);

/*
 * Set the error of a failed handshake, read or write, from OpenSSL's error queue. Returns the code.
 * tls_error.c
 */
int tls_set_error(struct tls *tls, struct muster_error *error, enum muster_phase stage);

/* The newest entry of the error queue in words; empties the queue. tls_error.c */
const char *tls_reason(char *text, size_t size);

/* OpenSSL calls this when the server has issued a ticket. tls.c */
int tls_new_session_callback(SSL *ssl, SSL_SESSION *ssl_session);

#endif
