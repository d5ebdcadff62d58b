/* SPDX-License-Identifier: MIT */
/*
 * HTTP Strict Transport Security (RFC 6797): hosts that want https only
 *
 *      struct muster_hsts *hsts = muster_hsts_new();
 *      muster_hsts_load(hsts, "hsts.txt", &error);
 *      muster_client_new(&client, &(struct muster_client_options){ .hsts = hsts });
 *      ...
 *      muster_hsts_save(hsts, "hsts.txt", &error);
 *      muster_hsts_free(hsts);
 *
 * A client that was given such a list learns from the Strict-Transport-Security field of responses
 * over https, redirects included. A request to an http URL of a host on the list, and a redirect to
 * one, becomes an https request when it is submitted: port 80 becomes 443, other ports stay. Hosts
 * that are addresses never count, nor responses of a client with insecure_no_verify.
 *
 * Several clients and threads may use one list at the same time: it has a lock. It counts who holds
 * it. It has 10,000 hosts at most; beyond that the one learnt first is forgotten.
 */
#ifndef MUSTER_HSTS_H
#define MUSTER_HSTS_H

#include <muster/error.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_hsts;

/* An empty list. NULL if memory is out. */
MUSTER_PUBLIC struct muster_hsts *muster_hsts_new(void);

/* Hold the list once more. Returns it. NULL is allowed. */
MUSTER_PUBLIC struct muster_hsts *muster_hsts_ref(struct muster_hsts *hsts);

/* Let go of the list. It is freed when nobody holds it. NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_hsts *muster_hsts_free(struct muster_hsts *hsts);

/*
 * As if a response from `url`, of https, had the field "Strict-Transport-Security: `value`". 0;
 * MUSTER_E_INVALID for NULL, for a URL that is not of https or has an address as its host, and for
 * a value that is none; MUSTER_E_URL; MUSTER_E_RESOURCE.
 */
MUSTER_PUBLIC int muster_hsts_set(struct muster_hsts *hsts, const char *url, const char *value);

/* Would this http URL become an https one? */
MUSTER_PUBLIC bool muster_hsts_applies(struct muster_hsts *hsts, const char *url);

/* Has it changed since it was made, loaded or saved? */
MUSTER_PUBLIC bool muster_hsts_has_changed(struct muster_hsts *hsts);

/*
 * Add the hosts of a file, as curl and muster_hsts_save() write it. 0, also if there is no such
 * file. MUSTER_E_INPUT: it cannot be read, or a line of it; those before it were. MUSTER_E_RESOURCE,
 * MUSTER_E_INVALID. `error` may be NULL.
 */
MUSTER_PUBLIC int muster_hsts_load(struct muster_hsts *hsts, const char *path,
        struct muster_error *error);

/*
 * Write the hosts into a file, whole or not at all. A new file can be read by its owner only.
 * MUSTER_E_RESOURCE with the reason in `error`, which may be NULL; MUSTER_E_INVALID.
 */
MUSTER_PUBLIC int muster_hsts_save(struct muster_hsts *hsts, const char *path,
        struct muster_error *error);

#ifdef __cplusplus
}
#endif

#endif
