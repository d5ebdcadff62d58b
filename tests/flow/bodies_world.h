/* SPDX-License-Identifier: MIT */
/*
 * A client whose lab is in its own loop, and a directory for files
 */
#ifndef TESTS_FLOW_BODIES_WORLD_H
#define TESTS_FLOW_BODIES_WORLD_H

#include "fixture.h"

#include <lab/lab.h>

#define LARGE_BYTES  (5 * 1024 * 1024)
#define MEDIUM_BYTES (1000 * 1024) /* before the ratio of a coding is looked at */

struct world {
        struct muster_client *client;
        struct lab_config *config;
        struct lab lab;
        char directory[64];
};

void open_world(struct world *w, const struct muster_client_options *options);
/* The same with https, to a client that does not mind the certificate. */
void open_tls_world(struct world *w);
void close_world(struct world *w);
const char *in_directory(const struct world *w, const char *name);
struct muster_request *request_to(struct world *w, const char *method, const char *path);
struct muster_result *submit_and_wait(struct world *w, struct muster_request *request);
void expect_code(struct muster_result *result, enum muster_code code, const char *words);

#endif
