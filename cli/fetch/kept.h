/* SPDX-License-Identifier: MIT */
/*
 * What a run keeps for the next one: TLS sessions, and which hosts want https only
 */
#ifndef CLI_FETCH_KEPT_H
#define CLI_FETCH_KEPT_H

#include "../option/option.h"
#include <muster/muster.h>

struct kept_options {
        const char *ssl_sessions; /* a file; NULL: none */
        const char *hsts;         /* a file; "": only within the run; NULL: no HSTS */
        struct muster_hsts *list; /* what is in that file */
};

/*
 * A client is to be made: give it the list of hosts. Negative with *error: its file is damaged or
 * cannot be read.
 */
int kept_prepare(struct kept_options *options, struct muster_client_options *client,
        struct muster_error *error);

/* It is made: give it the sessions. Negative with *error, likewise. */
int kept_load(const struct kept_options *options, struct muster_client *client,
        struct muster_error *error);

/* A run is over. Negative with *error: a file cannot be written. */
int kept_save(const struct kept_options *options, struct muster_client *client,
        struct muster_error *error);

void kept_deinit(struct kept_options *options);

#endif
