/* SPDX-License-Identifier: MIT */
/*
 * A throw-away certificate authority, made at each start
 *
 *      root ──▶ intermediate ──▶ the server's certificate, with the fault that was asked for
 *
 * Nothing of it outlives the process but the root's certificate, which clients are told to trust.
 */
#ifndef LAB_AUTHORITY_H
#define LAB_AUTHORITY_H

#include <base/buf.h>

struct authority;

enum tls_fault {
        TLS_GOOD,
        TLS_EXPIRED,
        TLS_NOT_YET_VALID,
        TLS_WRONG_NAME,
        TLS_SELF_SIGNED,
        TLS_UNKNOWN_ISSUER,
        TLS_MISSING_INTERMEDIATE,
        TLS_OLD_PROTOCOL, /* the certificate is good */
        N_TLS_FAULTS,
};

/* "expired" and so on. */
const char *tls_fault_name(enum tls_fault fault);
bool tls_fault_parse(struct muster_str text, enum tls_fault *ret_fault);

/* All names, with blanks between: for error texts. */
#define TLS_FAULT_NAMES                                                                            \
        "good, expired, not-yet-valid, wrong-name, self-signed, unknown-issuer, "                  \
        "missing-intermediate, old-protocol"

/* MUSTER_E_RESOURCE with *error. */
int authority_new(struct authority **ret_authority, struct muster_error *error);
struct authority *authority_free(struct authority *authority);

/* The root's certificate as PEM, terminated; borrowed. */
const char *authority_root_pem(const struct authority *authority);

/*
 * A certificate for localhost, lab.test, *.lab.test, the loopback and documentation addresses, and
 * `names` ("DNS:a.test,DNS:b.test"; "": none), with its chain and its key, terminated, put into
 * empty buffers. MUSTER_E_RESOURCE with *error.
 */
int authority_issue(struct authority *authority, enum tls_fault fault, const char *names,
        struct buf *chain_pem, struct buf *key_pem, struct muster_error *error);

#endif
