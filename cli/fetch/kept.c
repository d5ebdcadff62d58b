/* SPDX-License-Identifier: MIT */
#include "kept.h"

int kept_load(const struct kept_options *options, struct muster_client *client,
        struct muster_error *error)
{
        if (!options->ssl_sessions)
                return 0;
        return muster_client_load_tls_sessions(client, options->ssl_sessions, error);
}

int kept_save(const struct kept_options *options, struct muster_client *client,
        struct muster_error *error)
{
        if (!options->ssl_sessions)
                return 0;
        return muster_client_save_tls_sessions(client, options->ssl_sessions, error);
}
