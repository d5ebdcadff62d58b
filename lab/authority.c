/* SPDX-License-Identifier: MIT */
#include "authority.h"

#include <base/error.h>
#include <base/mem.h>
#include <base/rand.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_S (24 * 3600L)
#define NAMES                                                                                      \
        "DNS:localhost,DNS:lab.test,DNS:*.lab.test,IP:127.0.0.1,IP:::1,IP:192.0.2.1,IP:2001:db8::" \
        "1"
#define WRONG_NAME "DNS:wrong.invalid"

/* A certificate and its key; all zeroes: none. */
struct identity {
        X509 *certificate;
        EVP_PKEY *key;
};

struct authority {
        struct identity root, intermediate;
        struct buf root_pem;
};

static const char *const fault_names[N_TLS_FAULTS] = {
        [TLS_GOOD] = "good",
        [TLS_EXPIRED] = "expired",
        [TLS_NOT_YET_VALID] = "not-yet-valid",
        [TLS_WRONG_NAME] = "wrong-name",
        [TLS_SELF_SIGNED] = "self-signed",
        [TLS_UNKNOWN_ISSUER] = "unknown-issuer",
        [TLS_MISSING_INTERMEDIATE] = "missing-intermediate",
        [TLS_OLD_PROTOCOL] = "old-protocol",
};

const char *tls_fault_name(enum tls_fault fault)
{
        return fault_names[fault];
}

bool tls_fault_parse(struct muster_str text, enum tls_fault *ret_fault)
{
        for (enum tls_fault fault = 0; fault < N_TLS_FAULTS; fault++) {
                if (!str_is(text, fault_names[fault]))
                        continue;
                *ret_fault = fault;
                return true;
        }
        return false;
}

/* --- certificates ---------------------------------------------------------------------------- */

static void identity_deinit(struct identity *identity)
{
        X509_free(identity->certificate);
        EVP_PKEY_free(identity->key);
        *identity = (struct identity){ 0 };
}

struct subject {
        const char *name;
        const char *alternatives; /* NULL: the certificate is an authority's */
        long from_s, to_s;        /* valid, from now */
};

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
        X509_EXTENSION *extension;
        X509V3_CTX context;
        bool is_added;

        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
        extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        is_added = extension && X509_add_ext(certificate, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        return is_added;
}

static bool add_extensions(X509 *certificate, X509 *issuer, const struct subject *subject)
{
        if (!add_extension(certificate, issuer, NID_subject_key_identifier, "hash") ||
                !add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always"))
                return false;
        if (!subject->alternatives)
                return add_extension(certificate, issuer, NID_basic_constraints,
                               "critical,CA:TRUE") &&
                       add_extension(certificate, issuer, NID_key_usage,
                               "critical,keyCertSign,cRLSign");
        return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
               add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") &&
               add_extension(certificate, issuer, NID_subject_alt_name, subject->alternatives);
}

static bool fill_bundle(X509 *certificate, EVP_PKEY *key, const struct subject *subject,
        const struct identity *issuer)
{
        X509_NAME *name = X509_get_subject_name(certificate);
        uint64_t serial;

        rand_seed_bytes(&serial, sizeof(serial));
        return X509_set_version(certificate, X509_VERSION_3) == 1 &&
               ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
               X509_gmtime_adj(X509_getm_notBefore(certificate), subject->from_s) &&
               X509_gmtime_adj(X509_getm_notAfter(certificate), subject->to_s) &&
               X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                       (const unsigned char *)subject->name, -1, -1, 0) == 1 &&
               X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate)) == 1 &&
               X509_set_pubkey(certificate, key) == 1 &&
               add_extensions(certificate, issuer->certificate, subject) &&
               X509_sign(certificate, issuer->key, EVP_sha256()) > 0;
}

/* Make a certificate; it signs itself if `issuer` is NULL. False: `identity` is empty. */
static bool identity_make(struct identity *identity, const struct subject *subject,
        const struct identity *issuer)
{
        identity->key = EVP_EC_gen("P-256");
        identity->certificate = X509_new();
        if (identity->key && identity->certificate &&
                fill_bundle(identity->certificate, identity->key, subject,
                        issuer ? issuer : identity))
                return true;
        identity_deinit(identity);
        return false;
}

/* --- the authority --------------------------------------------------------------------------- */

static bool add_pem(struct buf *to, BIO *bio)
{
        char *at;
        long len = BIO_get_mem_data(bio, &at);
        bool is_added = len > 0 && buf_add(to, at, (size_t)len) == 0 && buf_terminate(to) == 0;

        BIO_free(bio);
        return is_added;
}

static bool add_certificate(struct buf *to, X509 *certificate)
{
        BIO *bio = BIO_new(BIO_s_mem());

        if (bio && PEM_write_bio_X509(bio, certificate) == 1)
                return add_pem(to, bio);
        BIO_free(bio);
        return false;
}

static bool add_key(struct buf *to, EVP_PKEY *key)
{
        BIO *bio = BIO_new(BIO_s_mem());

        if (bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
                return add_pem(to, bio);
        BIO_free(bio);
        return false;
}

static int fail_certificates(struct muster_error *error)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_TLS, 0,
                "resource: OpenSSL cannot make the lab's certificates");
}

int authority_new(struct authority **ret_authority, struct muster_error *error)
{
        static const struct subject root = { "muster lab, throw-away root", NULL, -DAY_S,
                30 * DAY_S };
        static const struct subject intermediate = { "muster lab, intermediate", NULL, -DAY_S,
                30 * DAY_S };
        struct authority *authority = mem_zalloc(sizeof(*authority));

        if (!authority)
                return error_set_memory(error, MUSTER_PHASE_TLS);
        if (!identity_make(&authority->root, &root, NULL) ||
                !identity_make(&authority->intermediate, &intermediate, &authority->root) ||
                !add_certificate(&authority->root_pem, authority->root.certificate)) {
                authority_free(authority);
                return fail_certificates(error);
        }
        *ret_authority = authority;
        return 0;
}

struct authority *authority_free(struct authority *authority)
{
        if (!authority)
                return NULL;
        identity_deinit(&authority->root);
        identity_deinit(&authority->intermediate);
        buf_deinit(&authority->root_pem);
        return mem_free(authority);
}

const char *authority_root_pem(const struct authority *authority)
{
        return authority->root_pem.at;
}

static struct subject subject_of(enum tls_fault fault, const char *names)
{
        struct subject subject = { "muster lab", names, -DAY_S, 30 * DAY_S };

        switch (fault) {
        case TLS_EXPIRED:
                subject.from_s = -30 * DAY_S;
                subject.to_s = -DAY_S;
                break;
        case TLS_NOT_YET_VALID:
                subject.from_s = DAY_S;
                break;
        case TLS_WRONG_NAME:
                subject.alternatives = WRONG_NAME;
                break;
        case TLS_GOOD:
        case TLS_SELF_SIGNED:
        case TLS_UNKNOWN_ISSUER:
        case TLS_MISSING_INTERMEDIATE:
        case TLS_OLD_PROTOCOL:
        case N_TLS_FAULTS:
                break;
        }
        return subject;
}

static bool issue(struct authority *authority, enum tls_fault fault, const char *names,
        struct identity *leaf, struct buf *chain_pem, struct buf *key_pem)
{
        struct subject subject = subject_of(fault, names);
        bool has_intermediate = fault != TLS_SELF_SIGNED && fault != TLS_MISSING_INTERMEDIATE;

        return identity_make(leaf, &subject,
                       fault == TLS_SELF_SIGNED ? NULL : &authority->intermediate) &&
               add_certificate(chain_pem, leaf->certificate) &&
               (!has_intermediate ||
                       add_certificate(chain_pem, authority->intermediate.certificate)) &&
               add_key(key_pem, leaf->key);
}

int authority_issue(struct authority *authority, enum tls_fault fault, const char *names,
        struct buf *chain_pem, struct buf *key_pem, struct muster_error *error)
{
        struct authority *stranger = NULL;
        struct buf all = { 0 };
        struct identity leaf = { 0 };
        bool is_issued;
        int r;

        if (fault == TLS_UNKNOWN_ISSUER) {
                r = authority_new(&stranger, error);
                if (r < 0)
                        return r;
                authority = stranger;
        }
        is_issued = buf_add_text(&all, NAMES) == 0 && (!*names || buf_add_char(&all, ',') == 0) &&
                    buf_add_text(&all, names) == 0 && buf_terminate(&all) == 0 &&
                    issue(authority, fault, all.at, &leaf, chain_pem, key_pem);
        buf_deinit(&all);
        identity_deinit(&leaf);
        authority_free(stranger);
        return is_issued ? 0 : fail_certificates(error);
}
