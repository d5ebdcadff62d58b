/* SPDX-License-Identifier: MIT */
/*
 * The other side of TLS: what the lab's server needs. A struct tls made here is used as any other
 * (tls.h).
 */
#ifndef TLS_TLS_SERVER_H
#define TLS_TLS_SERVER_H

#include "tls.h"

struct tls_server_options {
        const char *chain_pem; /* the certificate, then those between it and the root */
        const char *key_pem;
        bool no_resumption; /* issue no tickets, keep no sessions */
        bool only_old_ones; /* TLS 1.0 and 1.1 and nothing newer */
        unsigned max_minor; /* 2: no TLS 1.3; 0 and 3: all */
};

/* MUSTER_E_TLS with *error, MUSTER_E_RESOURCE. To be freed with tls_context_free(). */
int tls_server_context_new(struct tls_context **ret_context,
        const struct tls_server_options *options, struct muster_error *error);

/* A connection as server. MUSTER_E_RESOURCE. */
int tls_server_new(struct tls **ret_tls, struct tls_context *context, struct muster_error *error);

#endif
