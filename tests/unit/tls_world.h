/* SPDX-License-Identifier: MIT */
/*
 * A TLS server made of OpenSSL in this process, the client's side linked to it in memory, and
 * certificates that are made when the test starts
 */
#ifndef TESTS_UNIT_TLS_WORLD_H
#define TESTS_UNIT_TLS_WORLD_H

#include "unit.h"

#include <openssl/ssl.h>
#include <time.h>
#include <tls/tls.h>
#include <tls/tls_sessions.h>

struct identity {
        EVP_PKEY *key;
        X509 *certificate;
};

/* All but the CAs are for good.test, as far as their names say. */
extern struct identity ca, other_ca, intermediate, good, expired, future, self_signed, unknown,
        named_by_cn, behind_intermediate;
extern char directory[];
extern char ca_file[64], client_file[64], keylog_file[64], garbage_file[64];

/* What the client offers. */
extern const struct muster_str alpn;

/* Trusts `ca`. */
extern const struct tls_options trusting;

/* For cmocka_run_group_tests(). */
int set_up(void **state);
int tear_down(void **state);

/* Write certificate and key into a file of the directory; NULL: something else. */
void write_pem(char path[64], const char *name, const struct identity *identity);

/* `version`: the only one that it speaks; 0: all. */
SSL_CTX *server_new(const struct identity *identity, int version);
struct tls_context *context_new(const struct tls_options *options);
struct tls_sessions *sessions_of(struct tls_context *context, const char *host);

/* SSL_SESSION_set_time() is deprecated since OpenSSL 3.4. */
static inline void set_issued(SSL_SESSION *session, time_t at)
{
#if OPENSSL_VERSION_PREREQ(3, 4)
        SSL_SESSION_set_time_ex(session, at);
#else
        SSL_SESSION_set_time(session, at);
#endif
}

struct link {
        SSL *server;
        BIO *to_server, *to_client;
        struct tls *client;
        struct buf wire;
        size_t piece; /* how much is fed at a time */
};

/* As tls_new(). */
int open_link(struct link *link, SSL_CTX *server, struct tls_context *context, const char *host,
        struct tls_sessions *sessions);
void close_link(struct link *link);

/* Give the server what the client has to send. */
void to_server(struct link *link);

/*
 * Feed what the server has sent to `step`, until it answers something else than TLS_MORE or nothing
 * is left.
 */
int to_client(struct link *link, int (*step)(struct link *link, struct muster_error *error),
        struct muster_error *error);

/* 0, or what tls_handshake() answered. */
int shake_hands(struct link *link, struct muster_error *error);

/* One connection to good.test that ends in order. Was it resumed? */
bool connect_once(SSL_CTX *server, struct tls_context *context, struct tls_sessions *sessions);

#endif
