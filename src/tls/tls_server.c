/* SPDX-License-Identifier: MIT */
#include "tls_server.h"

#include "tls_internal.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static int fail_identity(struct muster_error *error, const char *what)
{
        char reason[160];

        return error_set(error, MUSTER_E_TLS, MUSTER_PHASE_TLS, 0,
                "tls: cannot use the server's %s: %s", what, tls_reason(reason, sizeof(reason)));
}

static int use_chain(SSL_CTX *ssl_ctx, const char *pem, struct muster_error *error)
{
        BIO *bio = BIO_new_mem_buf(pem, -1);
        X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        bool is_good = certificate && SSL_CTX_use_certificate(ssl_ctx, certificate) == 1;

        X509_free(certificate);
        while (is_good && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
                is_good = SSL_CTX_add0_chain_cert(ssl_ctx, certificate) == 1;
                if (!is_good)
                        X509_free(certificate);
        }
        BIO_free(bio);
        if (!is_good)
                return fail_identity(error, "certificate");
        ERR_clear_error(); /* OpenSSL counts the end of the text as an error */
        return 0;
}

static int use_key(SSL_CTX *ssl_ctx, const char *pem, struct muster_error *error)
{
        BIO *bio = BIO_new_mem_buf(pem, -1);
        EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
        bool is_good = key && SSL_CTX_use_PrivateKey(ssl_ctx, key) == 1;

        EVP_PKEY_free(key);
        BIO_free(bio);
        return is_good ? 0 : fail_identity(error, "key");
}

/* As RFC 7301 has it: a length and a name, the preferred one first. */
static char alpn_h1[] = "\x08http/1.1", alpn_h2[] = "\x02h2\x08http/1.1";

static int choose_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
        const unsigned char *in, unsigned in_len, void *data)
{
        const unsigned char *known = data;
        unsigned known_len = (unsigned)strlen(data);
        unsigned char *name;

        (void)ssl;
        if (SSL_select_next_proto(&name, ret_len, known, known_len, in, in_len) !=
                OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_NOACK;
        *ret_name = name;
        return SSL_TLSEXT_ERR_OK;
}

static void set_server_options(SSL_CTX *ssl_ctx, const struct tls_server_options *options)
{
        SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_alpn_select_cb(ssl_ctx, choose_alpn, options->h2 ? alpn_h2 : alpn_h1);
        SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_2_VERSION);
        if (options->max_minor == 2)
                SSL_CTX_set_max_proto_version(ssl_ctx, TLS1_2_VERSION);
        if (options->only_old_ones) {
                SSL_CTX_set_security_level(ssl_ctx, 0); /* higher levels switch them off */
                SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_VERSION);
                SSL_CTX_set_max_proto_version(ssl_ctx, TLS1_1_VERSION);
        }
        if (options->no_resumption) {
                SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TICKET);
                SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
                SSL_CTX_set_num_tickets(ssl_ctx, 0);
        }
}

int tls_server_context_new(struct tls_context **ret_context,
        const struct tls_server_options *options, struct muster_error *error)
{
        struct tls_context *context = mem_zalloc(sizeof(*context));
        int r;

        assert(options->chain_pem && options->key_pem);
        if (!context)
                return error_set_memory(error, MUSTER_PHASE_TLS);
        ERR_clear_error();
        context->keylog_fd = -1;
        tls_store_init(&context->store, NULL); /* of no use to a server */
        context->bio_method = tls_bio_method_new();
        context->ssl_ctx = SSL_CTX_new(TLS_server_method());
        if (!context->bio_method || !context->ssl_ctx) {
                tls_context_free(context);
                return error_set_memory(error, MUSTER_PHASE_TLS);
        }
        set_server_options(context->ssl_ctx, options);
        r = use_chain(context->ssl_ctx, options->chain_pem, error);
        if (r == 0)
                r = use_key(context->ssl_ctx, options->key_pem, error);
        if (r < 0) {
                tls_context_free(context);
                return r;
        }
        *ret_context = context;
        return 0;
}

int tls_server_new(struct tls **ret_tls, struct tls_context *context, struct muster_error *error)
{
        struct tls *tls = mem_zalloc(sizeof(*tls));
        BIO *bio = NULL;

        assert(context && context->ssl_ctx);
        if (!tls)
                return error_set_memory(error, MUSTER_PHASE_TLS);
        ERR_clear_error();
        tls->host = mem_strdup("the client");
        if (tls->host)
                tls->ssl = SSL_new(context->ssl_ctx);
        if (tls->ssl)
                bio = tls_bio_new(context->bio_method, tls);
        if (!bio) {
                ERR_clear_error();
                tls_free(tls);
                return error_set_memory(error, MUSTER_PHASE_TLS);
        }
        SSL_set_app_data(tls->ssl, tls);
        SSL_set_bio(tls->ssl, bio, bio);
        SSL_set_accept_state(tls->ssl);
        *ret_tls = tls;
        return 0;
}
