/* SPDX-License-Identifier: MIT */
/*
 * The TLS context of a client, made when the first https request needs it, as loading a trust store
 * takes time
 */
#ifndef CORE_TLS_SOURCE_H
#define CORE_TLS_SOURCE_H

#include <muster/client.h>
#include <pthread.h>
#include <tls/tls.h>

struct tls_source {
        pthread_mutex_t lock;        /* engines in several threads may ask at the same time */
        struct tls_options options;  /* its texts are owned here */
        struct tls_context *context; /* NULL: not made yet */
};

/*
 * Prepare the source. If the caller names files, the context is made at once, so that an error in
 * them shows now and not at the first https URL. MUSTER_E_TLS, MUSTER_E_RESOURCE with *error;
 * deinit is needed in any case.
 */
int tls_source_init(struct tls_source *source, const struct muster_client_options *options,
        struct muster_error *error);

/* Release it; a zeroed one as well. */
void tls_source_deinit(struct tls_source *source);

/*
 * The context, which the source owns and makes on the first call. MUSTER_E_TLS, MUSTER_E_RESOURCE
 * with *error.
 */
int tls_source_get(struct tls_source *source, struct tls_context **ret_context,
        struct muster_error *error);

#endif
