/* SPDX-License-Identifier: MIT */
#include "threads_world.h"

#include "fixture.h"
#include <stdlib.h>

static void *serve(void *data)
{
        struct world *w = data;

        while (!atomic_load(&w->is_over)) {
                loop_turn(&w->loop, UINT64_MAX);
                lab_reap(&w->lab);
        }
        w->n_most = w->lab.listeners[0].stats.n_busy_max;
        lab_stop(&w->lab);
        return NULL;
}

static void set(struct world *w, const char *name, const char *value)
{
        struct muster_error error = { 0 };

        assert_int_equal(config_set(&w->config, config_find(str_of(name)), str_of(value), &error),
                0);
}

struct world *open_world(struct muster_client_options options, const char *name, const char *value)
{
        char place[40];
        struct world *w = calloc(1, sizeof(*w));
        struct muster_error error = { 0 };
        int sys;

        assert_int_equal(config_init(&w->config), 0);
        if (name)
                set(w, name, value);
        assert_int_equal(loop_init(&w->loop, &w->clock, &sys), 0);
        assert_int_equal(lab_start(&w->lab, &w->loop, &w->config, &error), 0);
        w->port = w->lab.listeners[0].port;
        snprintf(place, sizeof(place), "*:%u:127.0.0.1", w->port);
        assert_int_equal(pthread_create(&w->thread, NULL, serve, w), 0);
        options.size = sizeof(options);
        options.resolve = (const char *const[]){ place, NULL };
        options.error = &error;
        if (muster_client_new(&w->client, &options) < 0)
                print_error("%s\n", error.text);
        assert_non_null(w->client);
        return w;
}

void stop_lab(struct world *w)
{
        if (atomic_exchange(&w->is_over, true))
                return;
        loop_wake(&w->loop);
        pthread_join(w->thread, NULL);
}

void close_world(struct world *w)
{
        muster_client_free(w->client);
        stop_lab(w);
        loop_deinit(&w->loop);
        config_deinit(&w->config);
        free(w);
}

const char *url_of(const struct world *w, unsigned host, const char *path)
{
        static char url[600];

        snprintf(url, sizeof(url), "http://host%u.test:%u%s", host, w->port, path);
        return url;
}

void get(struct world *w, unsigned host, const char *path, uintptr_t userdata)
{
        assert_int_equal(muster_get(w->client, url_of(w, host, path), (void *)userdata), 0);
}

struct muster_client_options with_threads(unsigned n)
{
        return (struct muster_client_options){ .threads = n, .queue_size = 10000 };
}

uint64_t most_at_once(struct world *w)
{
        stop_lab(w);
        return w->n_most;
}
