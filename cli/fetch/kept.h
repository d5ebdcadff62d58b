/* SPDX-License-Identifier: MIT */
/*
 * What a run keeps for the next one: TLS sessions
 */
#ifndef CLI_FETCH_KEPT_H
#define CLI_FETCH_KEPT_H

#include "../option/option.h"
#include <muster/muster.h>

struct kept_options {
        const char *ssl_sessions; /* a file; NULL: none */
};

/* Of a command whose settings have a `struct kept_options` at this place. */
#define KEPT_OPTIONS(offset)                                                                       \
        {                                                                                          \
                "Kept across runs", 0, "ssl-sessions", "FILE",                                     \
                        "take TLS sessions from FILE if it is there, and save them to it",         \
                        option_set_text, (offset) + offsetof(struct kept_options, ssl_sessions)    \
        }

/* A run begins with what there is. Negative with *error: a file is damaged or cannot be read. */
int kept_load(const struct kept_options *options, struct muster_client *client,
        struct muster_error *error);

/* A run is over. Negative with *error: a file cannot be written. */
int kept_save(const struct kept_options *options, struct muster_client *client,
        struct muster_error *error);

#endif
