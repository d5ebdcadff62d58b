/* SPDX-License-Identifier: MIT */
#include "bodies_world.h"

#include <stdlib.h>
#include <unistd.h>

static void start(struct world *w, const struct muster_client_options *options, bool has_tls)
{
        struct muster_error error = { 0 };

        *w = (struct world){ .config = calloc(1, sizeof(*w->config)) };
        assert_int_equal(muster_client_new(&w->client, options), 0);
        assert_int_equal(config_init(w->config), 0);
        w->config->listeners[0].has_tls = has_tls;
        assert_int_equal(lab_start(&w->lab, &w->client->engine.loop, w->config, &error), 0);
        strcpy(w->directory, "/tmp/muster-bodies-XXXXXX");
        assert_non_null(mkdtemp(w->directory));
}

void open_world(struct world *w, const struct muster_client_options *options)
{
        start(w, options, false);
}

void open_tls_world(struct world *w)
{
        start(w, &(struct muster_client_options){ .insecure_no_verify = true }, true);
}

void close_world(struct world *w)
{
        lab_stop(&w->lab);
        muster_client_free(w->client);
        config_deinit(w->config);
        free(w->config);
        assert_int_equal(rmdir(w->directory), 0); /* nothing was left behind */
}

const char *in_directory(const struct world *w, const char *name)
{
        static char path[128];

        snprintf(path, sizeof(path), "%s/%s", w->directory, name);
        return path;
}

struct muster_request *request_to(struct world *w, const char *method, const char *path)
{
        char url[256];

        listener_url(&w->lab.listeners[0], NULL, url, sizeof(url));
        strncat(url, path, sizeof(url) - strlen(url) - 1);
        return muster_request_new(method, url);
}

struct muster_result *submit_and_wait(struct world *w, struct muster_request *request)
{
        struct muster_result *result;

        assert_int_equal(muster_submit(w->client, request, NULL), 0);
        result = muster_next(w->client);
        assert_non_null(result);
        lab_reap(&w->lab);
        return result;
}

void expect_code(struct muster_result *result, enum muster_code code, const char *words)
{
        const struct muster_error *error = muster_result_error(result);

        if (!error || error->code != code || !strstr(error->text, words))
                print_error("%s\n", muster_result_error_text(result));
        assert_non_null(error);
        assert_int_equal(error->code, code);
        assert_non_null(strstr(error->text, words));
        check_sums(result);
        muster_result_free(result);
}
