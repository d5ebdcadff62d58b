/* SPDX-License-Identifier: MIT */
#include "kept.h"

#include <base/error.h>

int kept_prepare(struct kept_options *options, struct muster_client_options *client,
        struct muster_error *error)
{
        if (!options->hsts)
                return 0;
        client->hsts = options->list = muster_hsts_new();
        if (!options->list)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return *options->hsts ? muster_hsts_load(options->list, options->hsts, error) : 0;
}

int kept_load(const struct kept_options *options, struct muster_client *client,
        struct muster_error *error)
{
        if (!options->ssl_sessions)
                return 0;
        return muster_client_load_tls_sessions(client, options->ssl_sessions, error);
}

static int save_hsts(const struct kept_options *options, struct muster_error *error)
{
        if (!options->hsts || !*options->hsts || !muster_hsts_has_changed(options->list))
                return 0;
        return muster_hsts_save(options->list, options->hsts, error);
}

/* What can be saved is, even where something else cannot. */
int kept_save(const struct kept_options *options, struct muster_client *client,
        struct muster_error *error)
{
        struct muster_error second = { 0 };
        int r = save_hsts(options, error), sessions = 0;

        if (options->ssl_sessions)
                sessions = muster_client_save_tls_sessions(client, options->ssl_sessions, &second);
        if (r == 0 && sessions < 0)
                *error = second;
        return r < 0 ? r : sessions;
}

void kept_deinit(struct kept_options *options)
{
        options->list = muster_hsts_free(options->list);
}
