/* SPDX-License-Identifier: MIT */
/*
 * The TLS context of a client, made when the first https request needs it: loading a trust store
 * takes its time
 */
#ifndef CORE_TLS_SOURCE_H
#define CORE_TLS_SOURCE_H

#include <muster/client.h>
#include <pthread.h>
#include <tls/tls.h>

struct tls_source {
        pthread_mutex_t lock;        /* engines of several threads may ask at once */
        struct tls_options options;  /* text owned here */
        struct tls_context *context; /* NULL: not made yet */
};

/*
 * Files that the caller names must be good now, not when the first https URL comes by: then the
 * context is made at once. MUSTER_E_TLS, MUSTER_E_RESOURCE with *error; deinit it all the same.
 */
int tls_source_init(struct tls_source *source, const struct muster_client_options *options,
        struct muster_error *error);

/* Also of a zeroed one. */
void tls_source_deinit(struct tls_source *source);

/* The context, the source's; made by the first who asks. MUSTER_E_TLS, MUSTER_E_RESOURCE. */
int tls_source_get(struct tls_source *source, struct tls_context **ret_context,
        struct muster_error *error);

#endif
