/* SPDX-License-Identifier: MIT */
/*
 * The server's side of TLS, for the lab. A struct tls made here is used like any other (tls.h).
 */
#ifndef TLS_TLS_SERVER_H
#define TLS_TLS_SERVER_H

#include "tls.h"

struct tls_server_options {
        const char *chain_pem; /* the certificate, then the intermediate ones */
        const char *key_pem;
        bool no_resumption; /* issue no tickets and keep no sessions */
        bool only_old_ones; /* only TLS 1.0 and 1.1 */
        unsigned max_minor; /* 2: no TLS 1.3; 0 and 3: all */
        bool h2;            /* by ALPN choose HTTP/2 where the client offers it, else HTTP/1.1 */
};

/*
 * Make a server's context; tls_context_free() frees it. MUSTER_E_TLS with *error,
 * MUSTER_E_RESOURCE.
 */
int tls_server_context_new(struct tls_context **ret_context,
        const struct tls_server_options *options, struct muster_error *error);

/* A server's side of a connection. MUSTER_E_RESOURCE. */
int tls_server_new(struct tls **ret_tls, struct tls_context *context, struct muster_error *error);

#endif
