/* SPDX-License-Identifier: MIT */
#include "tls.h"

#include "tls_internal.h"
#include <arpa/inet.h>
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

/* --- sessions -------------------------------------------------------------------------------- */

int tls_new_session_callback(SSL *ssl, SSL_SESSION *ssl_session)
{
        struct tls *tls = SSL_get_app_data(ssl);

        assert(tls && tls->ssl == ssl);
        tls->has_got_ticket = true;
        /* 0: OpenSSL keeps its reference. */
        return tls->sessions && tls_sessions_put(tls->sessions, ssl_session);
}

/* Without a session that OpenSSL accepts, the handshake is a full one. */
static void offer_session(struct tls *tls)
{
        SSL_SESSION *ssl_session = tls->sessions ? tls_sessions_take(tls->sessions) : NULL;

        assert(tls->ssl && !tls->has_offered);
        if (!ssl_session)
                return;
        tls->has_offered = SSL_set_session(tls->ssl, ssl_session) == 1;
        /* From a file may come what was never verified. */
        if (SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE &&
                SSL_get_verify_result(tls->ssl) != X509_V_OK) {
                SSL_set_session(tls->ssl, NULL);
                tls->has_offered = false;
        }
        SSL_SESSION_free(ssl_session);
}

/* --- making ---------------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
        struct in6_addr address;

        return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/*
 * Set the host to ask for and whose certificate to accept (RFC 9525). An address is never sent as
 * SNI (RFC 6066 section 3).
 */
static bool set_host(struct tls *tls)
{
        X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);

        assert(tls->ssl && tls->host);
        if (is_address(tls->host))
                return X509_VERIFY_PARAM_set1_ip_asc(param, tls->host);
        X509_VERIFY_PARAM_set_hostflags(param,
                X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        return X509_VERIFY_PARAM_set1_host(param, tls->host, 0) &&
               SSL_set_tlsext_host_name(tls->ssl, tls->host);
}

static bool offer_alpn(struct tls *tls, struct muster_str alpn)
{
        return SSL_set_alpn_protos(tls->ssl, (const unsigned char *)alpn.at, (unsigned)alpn.len) ==
               0;
}

static bool make_ssl(struct tls *tls, struct tls_context *context, struct muster_str alpn)
{
        BIO *bio;

        assert(!tls->ssl && context->ssl_ctx);
        tls->ssl = SSL_new(context->ssl_ctx);
        if (!tls->ssl)
                return false;
        SSL_set_app_data(tls->ssl, tls);
        bio = tls_bio_new(context->bio_method, tls);
        if (!bio)
                return false;
        SSL_set_bio(tls->ssl, bio, bio);
        SSL_set_connect_state(tls->ssl);
        if (!set_host(tls) || !offer_alpn(tls, alpn))
                return false;
        offer_session(tls);
        return true;
}

int tls_new(struct tls **ret_tls, struct tls_context *context, struct muster_str host,
        struct muster_str alpn, struct tls_sessions *sessions, struct muster_error *error)
{
        struct tls *tls = mem_zalloc(sizeof(*tls));

        assert(context && context->ssl_ctx);
        if (!tls)
                return error_set_memory(error, MUSTER_PHASE_TLS);
        ERR_clear_error();
        if (host.len && host.at[host.len - 1] == '.')
                host.len--;
        tls->sessions = sessions;
        if (sessions)
                tls_sessions_opened(sessions);
        tls->host = mem_strndup(host.at, host.len);
        if (!tls->host || !make_ssl(tls, context, alpn)) {
                ERR_clear_error();
                tls_free(tls);
                return error_set_memory(error, MUSTER_PHASE_TLS);
        }
        *ret_tls = tls;
        return 0;
}

struct tls *tls_free(struct tls *tls)
{
        if (!tls)
                return NULL;
        /*
         * OpenSSL never resumes a session whose connection was freed without a shutdown: it takes
         * the session for bad.
         */
        if (tls->ssl && SSL_is_init_finished(tls->ssl))
                SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(tls->ssl);
        if (tls->sessions)
                tls_sessions_closed(tls->sessions);
        buf_deinit(&tls->out);
        buf_deinit(&tls->held);
        mem_free(tls->verify_failure);
        mem_free(tls->host);
        return mem_free(tls);
}

/* --- bytes ----------------------------------------------------------------------------------- */

/*
 * The queue of errors is the thread's, and what others left there would be taken for ours. To clear
 * an empty one takes four times as long as to ask.
 */
static void clear_errors(void)
{
        if (ERR_peek_error())
                ERR_clear_error();
}

void tls_feed(struct tls *tls, struct muster_str ciphertext)
{
        size_t n = FIRST_BYTES - tls->n_first;

        assert(tls->ssl && tls->n_first <= FIRST_BYTES);
        assert(tls->in.len == 0);
        if (n > ciphertext.len)
                n = ciphertext.len;
        memcpy(tls->first + tls->n_first, ciphertext.at, n);
        tls->n_first += n;
        tls->in = ciphertext;
        /* Else OpenSSL would release its buffer behind each record, and allocate it for the next. */
        SSL_clear_mode(tls->ssl, SSL_MODE_RELEASE_BUFFERS);
}

int tls_handshake(struct tls *tls, struct muster_error *error)
{
        int r;

        assert(tls->ssl);
        ERR_clear_error();
        r = SSL_do_handshake(tls->ssl);
        if (r == 1)
                return 0;
        if (SSL_get_error(tls->ssl, r) == SSL_ERROR_WANT_READ)
                return TLS_MORE;
        tls->in.len = 0;
        return tls_set_error(tls, error, MUSTER_PHASE_TLS);
}

/*
 * Encrypt. TLS_MORE: OpenSSL wants the rest of the peer's message first. Our BIO takes everything,
 * so any other write is complete or has failed.
 */
static int encrypt(struct tls *tls, const void *at, size_t len, struct muster_error *error)
{
        size_t n;
        int r;

        assert(tls->ssl && len);
        clear_errors();
        r = SSL_write_ex(tls->ssl, at, len, &n);
        if (r == 1 && n == len)
                return 0;
        if (r != 1 && SSL_get_error(tls->ssl, r) == SSL_ERROR_WANT_READ)
                return TLS_MORE;
        return tls_set_error(tls, error, MUSTER_PHASE_SEND);
}

/* Encrypt what is held, once the message that it waits for is whole. */
static int release_held(struct tls *tls, struct muster_error *error)
{
        int r;

        if (!tls->held.len)
                return 0;
        r = encrypt(tls, tls->held.at, tls->held.len, error);
        if (r == 0)
                buf_deinit(&tls->held);
        return r < 0 ? r : 0;
}

int tls_read(struct tls *tls, char *buffer, size_t size, size_t *ret_n, struct muster_error *error)
{
        int r;

        assert(tls->ssl && size > 0);
        clear_errors();
        if (!tls->in.len)
                SSL_set_mode(tls->ssl, SSL_MODE_RELEASE_BUFFERS); /* when it finds that out */
        r = SSL_read_ex(tls->ssl, buffer, size, ret_n);
        if (r == 1)
                return release_held(tls, error);
        switch (SSL_get_error(tls->ssl, r)) {
        case SSL_ERROR_WANT_READ:
                r = release_held(tls, error);
                return r < 0 ? r : TLS_MORE;
        case SSL_ERROR_ZERO_RETURN:
                tls->in.len = 0;
                return TLS_EOF;
        default:
                tls->in.len = 0;
                return tls_set_error(tls, error, MUSTER_PHASE_RECEIVE);
        }
}

void tls_read_last(struct tls *tls)
{
        char unwanted[1024];
        size_t n;

        assert(tls->ssl);
        while (tls->in.len && SSL_read_ex(tls->ssl, unwanted, sizeof(unwanted), &n) == 1)
                continue;
        tls->in.len = 0;
        ERR_clear_error();
}

bool tls_awaits_ticket(const struct tls *tls)
{
        return tls->sessions && !tls->has_got_ticket && SSL_version(tls->ssl) >= TLS1_3_VERSION;
}

int tls_write(struct tls *tls, const void *at, size_t len, struct muster_error *error)
{
        int r = TLS_MORE;

        assert(tls->ssl);
        if (len == 0)
                return 0;
        if (!tls->held.len)
                r = encrypt(tls, at, len, error);
        if (r != TLS_MORE)
                return r;
        if (buf_add(&tls->held, at, len) < 0)
                return error_set_memory(error, MUSTER_PHASE_SEND);
        return 0;
}

bool tls_holds(const struct tls *tls)
{
        return tls->held.len > 0;
}

void tls_close(struct tls *tls)
{
        assert(tls->ssl);
        ERR_clear_error();
        (void)SSL_shutdown(tls->ssl);
        ERR_clear_error();
}

bool tls_has_out(const struct tls *tls)
{
        return tls->out.len > 0;
}

int tls_out_take(struct tls *tls, struct buf *to)
{
        struct buf empty;

        assert(to != &tls->out);
        if (to->len) {
                if (buf_add_str(to, buf_str(&tls->out)) < 0)
                        return MUSTER_E_RESOURCE;
                tls->out.len = 0;
                return 0;
        }
        /* Nothing needs to be copied into an empty buffer: swap the two. */
        empty = *to;
        *to = tls->out;
        tls->out = empty;
        return 0;
}

/* --- words ----------------------------------------------------------------------------------- */

const char *tls_version_name(const struct tls *tls)
{
        return SSL_get_version(tls->ssl);
}

const char *tls_cipher_name(const struct tls *tls)
{
        const char *name = SSL_get_cipher_name(tls->ssl);

        return name ? name : "";
}

bool tls_has_offered(const struct tls *tls)
{
        return tls->has_offered;
}

bool tls_was_resumed(const struct tls *tls)
{
        return SSL_session_reused(tls->ssl);
}

struct muster_str tls_alpn(const struct tls *tls)
{
        const unsigned char *at = NULL;
        unsigned len = 0;

        SSL_get0_alpn_selected(tls->ssl, &at, &len);
        return (struct muster_str){ (const char *)at, len };
}
