/* SPDX-License-Identifier: MIT */
#include "h2_world.h"

void begin(struct world *w, struct muster_client_options options, h2_function answer)
{
        options.size = sizeof(options);
        options.http = MUSTER_HTTP_2_PRIOR_KNOWLEDGE;
        assert_int_equal(client_new_manual(&w->client, &options, START_NS), 0);
        w->f.client = w->client;
        h2_server_start(&w->server, &w->client->engine.loop, answer);
}

void end(struct world *w)
{
        h2_server_stop(&w->server);
        muster_client_free(w->client);
}

void ask(struct world *w, unsigned n, const char *path)
{
        for (unsigned i = 0; i < n; i++)
                assert_int_equal(muster_get(w->client, h2_url(&w->server, path), NULL), 0);
}

void expect_all(struct world *w, unsigned n, enum muster_code code, int status)
{
        for (unsigned i = 0; i < n; i++)
                expect_result(&w->f, code, status);
}
