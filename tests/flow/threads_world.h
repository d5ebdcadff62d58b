/* SPDX-License-Identifier: MIT */
/*
 * A client with threads, in real time, and a lab in a thread of its own
 */
#ifndef TESTS_FLOW_THREADS_WORLD_H
#define TESTS_FLOW_THREADS_WORLD_H

#include <core/client.h>
#include <lab/lab.h>
#include <pthread.h>
#include <stdatomic.h>

#define N_HOSTS 24

struct world {
        struct muster_client *client;
        struct lab_config config;
        struct lab lab;
        struct clock clock;
        struct loop loop;
        pthread_t thread;
        atomic_bool is_over;
        uint16_t port;
        uint64_t n_most; /* requests at once, as the lab saw it; when it has stopped */
};

/* `name` and `value` are a setting of the lab; NULL: none. */
struct world *open_world(struct muster_client_options options, const char *name, const char *value);
void close_world(struct world *w);

/* The lab has stopped then, and what it counted can be read. */
void stop_lab(struct world *w);
uint64_t most_at_once(struct world *w);

/* Borrowed until the next one. */
const char *url_of(const struct world *w, unsigned host, const char *path);
void get(struct world *w, unsigned host, const char *path, uintptr_t userdata);

struct muster_client_options with_threads(unsigned n);

#endif
