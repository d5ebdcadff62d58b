/* SPDX-License-Identifier: MIT */
/*
 * Whether a certificate was revoked, as the server itself brings it: the answer of the authority's
 * OCSP responder, stapled to the handshake (RFC 6066 section 8, RFC 6960)
 *
 * Nobody is asked: who wants this to be known has the server staple it. A session that is resumed
 * brings no answer; what it goes on from had one (tls_context.c keeps other sessions apart).
 */
#include "tls_internal.h"

#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

/* Clocks differ: so much may an answer be older or younger than it says. */
#define CLOCK_SKEW_S 300L

/* In words why it is not good; NULL: it is. */
static const char *judge_certificate(OCSP_BASICRESP *basic, X509 *certificate, X509 *issuer)
{
        OCSP_CERTID *id = OCSP_cert_to_id(NULL, certificate, issuer);
        ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
        int status = V_OCSP_CERTSTATUS_UNKNOWN;
        int found;

        if (!id)
                return "memory is out";
        found = OCSP_resp_find_status(basic, id, &status, NULL, NULL, &this_update, &next_update);
        OCSP_CERTID_free(id);
        if (!found)
                return "is about another certificate";
        if (!OCSP_check_validity(this_update, next_update, CLOCK_SKEW_S, -1L))
                return "is out of date";
        switch (status) {
        case V_OCSP_CERTSTATUS_GOOD:
                return NULL;
        case V_OCSP_CERTSTATUS_REVOKED:
                return "says that the certificate was revoked";
        default:
                return "does not know the certificate";
        }
}

static const char *judge_basic(SSL *ssl, OCSP_BASICRESP *basic)
{
        STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
        X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
        X509 *certificate = sk_X509_value(chain, 0);
        /* A chain of one is trusted by itself. */
        X509 *issuer = sk_X509_num(chain) > 1 ? sk_X509_value(chain, 1) : certificate;

        assert(chain && certificate);
        if (OCSP_basic_verify(basic, chain, store, 0) <= 0)
                return "is not signed by the certificate's issuer";
        return judge_certificate(basic, certificate, issuer);
}

static const char *judge(SSL *ssl, const unsigned char *at, long len)
{
        OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, len);
        OCSP_BASICRESP *basic = NULL;
        const char *why;

        if (!response)
                return "cannot be read";
        if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
                why = "is an error";
        else if (!(basic = OCSP_response_get1_basic(response)))
                why = "cannot be read";
        else
                why = judge_basic(ssl, basic);
        OCSP_BASICRESP_free(basic);
        OCSP_RESPONSE_free(response);
        return why;
}

static int refuse(struct tls *tls, const char *what, const char *why)
{
        if (!tls->verify_failure)
                tls->verify_failure = mem_zalloc(sizeof(*tls->verify_failure));
        if (!tls->verify_failure)
                return -1;
        error_set(tls->verify_failure, MUSTER_E_TLS_VERIFY, MUSTER_PHASE_TLS, 0,
                "tls_verify: %s %s%s", tls->host, what, why);
        return 0;
}

int tls_status_callback(SSL *ssl, void *userdata)
{
        struct tls *tls = SSL_get_app_data(ssl);
        unsigned char *at = NULL;
        long len = SSL_get_tlsext_status_ocsp_resp(ssl, &at);
        const char *why;

        (void)userdata;
        assert(tls && tls->ssl == ssl);
        if (SSL_session_reused(ssl))
                return 1;
        if (!at || len <= 0)
                return refuse(tls,
                        "does not say whether its certificate was revoked (no OCSP answer is stapled, which --cert-status asks for)",
                        "");
        why = judge(ssl, at, len);
        ERR_clear_error(); /* what it was that did not verify: the handshake's own error follows */
        return why ? refuse(tls, "staples an OCSP answer that ", why) : 1;
}
