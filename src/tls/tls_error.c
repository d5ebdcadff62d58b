/* SPDX-License-Identifier: MIT */
/*
 * TLS errors in words
 */
#include "tls_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define NAMES_SHOWN 3 /* of a certificate */

/* --- certificates ---------------------------------------------------------------------------- */

/* The common name, or the whole name if it has none. */
static void name_text(const X509_NAME *name, char *text, size_t size)
{
        if (X509_NAME_get_text_by_NID(name, NID_commonName, text, (int)size) < 0)
                X509_NAME_oneline(name, text, (int)size);
}

static void date_text(const ASN1_TIME *date, char *text, size_t size)
{
        struct tm tm;

        if (!ASN1_TIME_to_tm(date, &tm) || !strftime(text, size, "%Y-%m-%d %H:%M:%S UTC", &tm))
                snprintf(text, size, "an invalid date");
}

static void address_text(const ASN1_OCTET_STRING *octets, char *text, size_t size)
{
        int family = ASN1_STRING_length(octets) == 4 ? AF_INET : AF_INET6;

        if (!inet_ntop(family, ASN1_STRING_get0_data(octets), text, (socklen_t)size))
                text[0] = '\0';
}

/* The host names of a certificate: the first few of its subjectAltNames. */
static void names_text(const X509 *certificate, char *text, size_t size)
{
        GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        int n = names ? sk_GENERAL_NAME_num(names) : 0, shown = 0;
        size_t at = 0;

        snprintf(text, size, "no host name");
        for (int i = 0; i < n && shown < NAMES_SHOWN && at < size; i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
                char one[64] = "";

                if (name->type == GEN_DNS)
                        snprintf(one, sizeof(one), "%.*s", ASN1_STRING_length(name->d.dNSName),
                                (const char *)ASN1_STRING_get0_data(name->d.dNSName));
                else if (name->type == GEN_IPADD)
                        address_text(name->d.iPAddress, one, sizeof(one));
                if (one[0])
                        at += (size_t)snprintf(text + at, size - at, "%s\"%s\"",
                                shown++ ? ", " : "", one);
        }
        if (shown < n && shown == NAMES_SHOWN && at < size)
                snprintf(text + at, size - at, " and others");
        GENERAL_NAMES_free(names);
}

static bool is_of_proxy(const struct tls *tls)
{
        const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls->ssl));

        return context->is_for_proxy;
}

/* Where a certificate can be named that is to be trusted. */
static const char *ca_option(const struct tls *tls)
{
        return is_of_proxy(tls) ? "proxy_ca_file (--proxy-cacert)" : "ca_file (--cacert)";
}

static const char *peer_word(const struct tls *tls)
{
        return is_of_proxy(tls) ? "proxy" : "server";
}

static int verify_error(struct muster_error *error, const struct tls *tls, const X509 *certificate,
        int code, int depth)
{
        char subject[64], issuer[64], date[40], names[120];
        const char *host = tls->host;

        name_text(X509_get_subject_name(certificate), subject, sizeof(subject));
        name_text(X509_get_issuer_name(certificate), issuer, sizeof(issuer));
        switch (code) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
                date_text(X509_get0_notAfter(certificate), date, sizeof(date));
                return error_set(error, MUSTER_E_TLS_VERIFY, MUSTER_PHASE_TLS, 0,
                        "tls_verify: certificate \"%s\" of %s, issued by \"%s\", expired on %s; the %s's owner must renew it",
                        subject, host, issuer, date, peer_word(tls));
        case X509_V_ERR_CERT_NOT_YET_VALID:
                date_text(X509_get0_notBefore(certificate), date, sizeof(date));
                return error_set(error, MUSTER_E_TLS_VERIFY, MUSTER_PHASE_TLS, 0,
                        "tls_verify: certificate \"%s\" of %s is not valid before %s; is this machine's clock right?",
                        subject, host, date);
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
                names_text(certificate, names, sizeof(names));
                return error_set(error, MUSTER_E_TLS_VERIFY, MUSTER_PHASE_TLS, 0,
                        "tls_verify: certificate of %s is for %s and does not match the host", host,
                        names);
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
                return error_set(error, MUSTER_E_TLS_VERIFY, MUSTER_PHASE_TLS, 0,
                        "tls_verify: certificate \"%s\" of %s is self-signed; if you trust it, name it with %s",
                        subject, host, ca_option(tls));
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
                return error_set(error, MUSTER_E_TLS_VERIFY, MUSTER_PHASE_TLS, 0,
                        "tls_verify: the chain of %s ends in \"%s\", which is not trusted here; if you trust it, name it with %s",
                        host, subject, ca_option(tls));
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
                return error_set(error, MUSTER_E_TLS_VERIFY, MUSTER_PHASE_TLS, 0,
                        "tls_verify: issuer \"%s\" of certificate \"%s\" of %s is unknown: trust it with %s, or have the %s send the intermediate certificate",
                        issuer, subject, host, ca_option(tls), peer_word(tls));
        default:
                return error_set(error, MUSTER_E_TLS_VERIFY, MUSTER_PHASE_TLS, 0,
                        "tls_verify: certificate \"%s\" of %s (depth %d): %s", subject, host, depth,
                        X509_verify_cert_error_string(code));
        }
}

/*
 * Note why verification failed, as only here is the certificate at hand. OpenSSL's verdict stays as
 * it is.
 */
int tls_verify_callback(int is_ok, X509_STORE_CTX *store_ctx)
{
        SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
        const X509 *certificate = X509_STORE_CTX_get_current_cert(store_ctx);
        struct tls *tls = SSL_get_app_data(ssl);

        assert(tls && tls->ssl == ssl);
        if (is_ok || !certificate || tls->verify_failure)
                return is_ok;
        tls->verify_failure = mem_zalloc(sizeof(*tls->verify_failure));
        if (tls->verify_failure)
                verify_error(tls->verify_failure, tls, certificate,
                        X509_STORE_CTX_get_error(store_ctx),
                        X509_STORE_CTX_get_error_depth(store_ctx));
        return is_ok;
}

/* --- everything else ------------------------------------------------------------------------- */

const char *tls_reason(char *text, size_t size)
{
        unsigned long code = ERR_peek_last_error();
        const char *reason = code ? ERR_reason_error_string(code) : NULL;

        if (ERR_SYSTEM_ERROR(code))
                reason = error_sys_text(ERR_GET_REASON(code));
        snprintf(text, size, "%s", reason ? reason : "unknown reason");
        ERR_clear_error();
        return text;
}

/*
 * Are the first bytes no TLS record? One begins with type 20 to 23 and version 3 (RFC 8446 section
 * 5.1).
 */
static bool is_not_tls(const struct tls *tls)
{
        return tls->n_first >= 3 &&
               !(tls->first[0] >= 20 && tls->first[0] <= 23 && tls->first[1] == 3);
}

static int not_tls(const struct tls *tls, struct muster_error *error, enum muster_phase stage)
{
        bool is_http = tls->n_first >= 5 && memcmp(tls->first, "HTTP/", 5) == 0;
        char shown[FIRST_BYTES + 1];

        assert(tls->n_first <= FIRST_BYTES);
        for (size_t i = 0; i < tls->n_first; i++)
                shown[i] = isprint((unsigned char)tls->first[i]) ? tls->first[i] : '.';
        shown[tls->n_first] = '\0';
        return error_set(error, MUSTER_E_TLS, stage, 0,
                "tls: %s does not speak TLS on this port, it sent \"%s\"; %s", tls->host, shown,
                is_http ? "write http:// instead of https://" : "check the host and the port");
}

static int alert_or_reason(const struct tls *tls, struct muster_error *error,
        enum muster_phase stage)
{
        unsigned long code = ERR_peek_error();
        int reason = ERR_GET_REASON(code);
        char text[120];

        if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
                return error_set(error, MUSTER_E_TLS, stage, 0,
                        "tls: %s refused with the alert \"%s\"", tls->host,
                        SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_UNSUPPORTED_PROTOCOL)
                return error_set(error, MUSTER_E_TLS, stage, 0,
                        "tls: %s speaks only versions older than TLS 1.2, which are not safe",
                        tls->host);
        return error_set(error, MUSTER_E_TLS, stage, 0, "tls: with %s: %s", tls->host,
                tls_reason(text, sizeof(text)));
}

int tls_set_error(struct tls *tls, struct muster_error *error, enum muster_phase stage)
{
        unsigned long code = ERR_peek_error();
        int r;

        assert(tls->ssl && tls->host);
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
                r = error_set_memory(error, stage);
        else if (tls->verify_failure &&
                 (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED ||
                         ERR_GET_REASON(code) == SSL_R_INVALID_STATUS_RESPONSE))
                r = error_set(error, MUSTER_E_TLS_VERIFY, stage, 0, "%s",
                        tls->verify_failure->text);
        else if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
                 ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
                r = error_set(error, MUSTER_E_TLS_VERIFY, stage, 0,
                        "tls_verify: certificate of %s: %s", tls->host,
                        X509_verify_cert_error_string(SSL_get_verify_result(tls->ssl)));
        else if (is_not_tls(tls))
                r = not_tls(tls, error, stage);
        else
                r = alert_or_reason(tls, error, stage);
        ERR_clear_error();
        return r;
}
