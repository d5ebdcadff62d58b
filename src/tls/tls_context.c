/* SPDX-License-Identifier: MIT */
/*
 * What all connections of a client share: trusted certificates, the client's own certificate, key
 * log
 */
#include "tls_internal.h"

#include <assert.h>
#include <base/error.h>
#include <base/fd.h>
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/uio.h>

static int fail_file(struct muster_error *error, const char *what, const char *file)
{
        char reason[160];

        return error_set(error, MUSTER_E_TLS, MUSTER_PHASE_TLS, 0, "tls: %s %s: %s", what, file,
                tls_reason(reason, sizeof(reason)));
}

static int load_trust(SSL_CTX *ssl_ctx, const char *ca_file, struct muster_error *error)
{
        /* What is named as trusted is trusted, also where it is no root; curl and Go say so, too. */
        X509_STORE_set_flags(SSL_CTX_get_cert_store(ssl_ctx), X509_V_FLAG_PARTIAL_CHAIN);
        if (ca_file) {
                if (!SSL_CTX_load_verify_file(ssl_ctx, ca_file))
                        return fail_file(error, "cannot use the trusted certificates in", ca_file);
                return 0;
        }
        if (!SSL_CTX_set_default_verify_paths(ssl_ctx))
                return fail_file(error, "cannot use",
                        "the system's trust store (package ca-certificates)");
        return 0;
}

/* Refuses a key that has a pass phrase: a library must not ask on the terminal. */
static int no_passphrase(char *to, int size, int is_writing, void *userdata)
{
        (void)to;
        (void)size;
        (void)is_writing;
        (void)userdata;
        return -1;
}

static int load_own(SSL_CTX *ssl_ctx, const struct tls_options *options, struct muster_error *error)
{
        const char *key_file = options->key_file ? options->key_file : options->cert_file;

        if (!options->cert_file)
                return 0;
        SSL_CTX_set_default_passwd_cb(ssl_ctx, no_passphrase);
        if (SSL_CTX_use_certificate_chain_file(ssl_ctx, options->cert_file) != 1)
                return fail_file(error, "cannot use the client certificate in", options->cert_file);
        if (SSL_CTX_use_PrivateKey_file(ssl_ctx, key_file, SSL_FILETYPE_PEM) != 1)
                return fail_file(error, "cannot use the client key in", key_file);
        return 0;
}

/* --- key log --------------------------------------------------------------------------------- */

static void keylog_callback(const SSL *ssl, const char *line)
{
        const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
        struct iovec pieces[2] = { { (void *)(uintptr_t)line, strlen(line) },
                { (void *)(uintptr_t) "\n", 1 } };

        assert(context && context->keylog_fd >= 0);
        /*
         * One call for a line, so that lines of several processes do not mix. A full disk costs the
         * log, not the request.
         */
        if (writev(context->keylog_fd, pieces, 2) < 0)
                return;
}

static int open_keylog(struct tls_context *context, const char *file, struct muster_error *error)
{
        assert(context->keylog_fd < 0 && context->ssl_ctx);
        if (!file)
                return 0;
        context->keylog_fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (context->keylog_fd < 0)
                return error_set(error, MUSTER_E_TLS, MUSTER_PHASE_TLS, errno,
                        "tls: cannot open the key log %s: %s", file, error_sys_text(errno));
        SSL_CTX_set_keylog_callback(context->ssl_ctx, keylog_callback);
        return 0;
}

/* --- sessions -------------------------------------------------------------------------------- */

static int add_path(struct buf *to, const char *what, const char *path)
{
        char *real = realpath(path, NULL);
        int r = buf_add_text(to, what);

        if (r == 0)
                r = buf_add_text(to, real ? real : path);
        free(real); /* the C library's */
        return r;
}

/*
 * A session that is resumed is not verified again. So one from an earlier run counts only where it
 * was verified in the same way; and one with the client's own certificate, which proves who the
 * client is, is not kept beyond a run, as curl does not either.
 */
static int name_trust(struct tls_context *context, const struct tls_options *options,
        struct muster_error *error)
{
        const char *file = getenv(X509_get_default_cert_file_env());
        const char *directory = getenv(X509_get_default_cert_dir_env());
        struct buf *trust = &context->trust;
        int r = 0;

        assert(!trust->len && !context->store.trust);
        if (options->cert_file)
                return 0;
        if (options->insecure_no_verify)
                r = buf_add_text(trust, ":NO-VERIFY");
        else if (options->ca_file)
                r = add_path(trust, ":CA-", options->ca_file);
        else if (add_path(trust, ":CA-", file ? file : X509_get_default_cert_file()) < 0)
                r = MUSTER_E_RESOURCE;
        else
                r = add_path(trust, ":CApath-",
                        directory ? directory : X509_get_default_cert_dir());
        if (r == 0 && options->cert_status)
                r = buf_add_text(trust, ":STATUS");
        if (r == 0 && options->is_for_proxy)
                r = buf_add_text(trust, ":PROXY");
        if (r < 0 || buf_add_text(trust, ":IMPL-muster-") < 0 ||
                buf_add_text(trust, OpenSSL_version(OPENSSL_VERSION_STRING)) < 0 ||
                buf_terminate(trust) < 0)
                return error_set_memory(error, MUSTER_PHASE_TLS);
        context->store.trust = trust->at;
        return 0;
}

int tls_context_load_sessions(struct tls_context *context, struct muster_str text, const char *name,
        struct muster_error *error)
{
        return tls_store_load(&context->store, text, name, error);
}

int tls_context_save_sessions(struct tls_context *context, struct tls_context *other,
        struct buf *to)
{
        return tls_store_save(&context->store, other ? &other->store : NULL, to);
}

/* --- all of it ------------------------------------------------------------------------------- */

static void set_client_options(struct tls_context *context)
{
        SSL_CTX *ssl_ctx = context->ssl_ctx;

        assert(ssl_ctx);
        SSL_CTX_set_app_data(ssl_ctx, context);
        SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_2_VERSION);
        SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_mode(ssl_ctx,
                SSL_MODE_RELEASE_BUFFERS); /* makes an idle connection 34 KB smaller */
        SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl_ctx, tls_new_session_callback);
        if (context->insecure_no_verify)
                SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_NONE, NULL);
        else
                SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, tls_verify_callback);
        if (context->cert_status) {
                SSL_CTX_set_tlsext_status_type(ssl_ctx, TLSEXT_STATUSTYPE_ocsp);
                SSL_CTX_set_tlsext_status_cb(ssl_ctx, tls_status_callback);
        }
}

int tls_context_new(struct tls_context **ret_context, const struct tls_options *options,
        struct muster_error *error)
{
        struct tls_context *context = mem_zalloc(sizeof(*context));
        int r = 0;

        if (!context)
                return error_set_memory(error, MUSTER_PHASE_TLS);
        ERR_clear_error();
        context->keylog_fd = -1;
        context->insecure_no_verify = options->insecure_no_verify;
        context->is_for_proxy = options->is_for_proxy;
        context->cert_status = options->cert_status && !options->insecure_no_verify;
        tls_store_init(&context->store, NULL);
        context->bio_method = tls_bio_method_new();
        context->ssl_ctx = SSL_CTX_new(TLS_client_method());
        if (!context->bio_method || !context->ssl_ctx) {
                tls_context_free(context);
                return error_set_memory(error, MUSTER_PHASE_TLS);
        }
        set_client_options(context);
        if (!options->insecure_no_verify || options->ca_file)
                r = load_trust(context->ssl_ctx, options->ca_file, error);
        if (r == 0)
                r = load_own(context->ssl_ctx, options, error);
        if (r == 0)
                r = name_trust(context, options, error);
        if (r == 0)
                r = open_keylog(context, options->keylog_file, error);
        if (r < 0) {
                tls_context_free(context);
                return r;
        }
        *ret_context = context;
        return 0;
}

struct tls_context *tls_context_free(struct tls_context *context)
{
        if (!context)
                return NULL;
        tls_store_deinit(&context->store);
        SSL_CTX_free(context->ssl_ctx);
        BIO_meth_free(context->bio_method);
        buf_deinit(&context->trust);
        fd_close(&context->keylog_fd);
        return mem_free(context);
}

struct tls_sessions *tls_context_sessions(struct tls_context *context, struct muster_str host,
        uint16_t port)
{
        struct tls_sessions *sessions = NULL;
        struct buf peer = { 0 };

        if (buf_add_str(&peer, host) == 0 && buf_add_char(&peer, ':') == 0 &&
                buf_add_u64(&peer, port) == 0)
                sessions = tls_store_get(&context->store, buf_str(&peer));
        buf_deinit(&peer);
        return sessions;
}
