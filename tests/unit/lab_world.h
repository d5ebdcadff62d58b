/* SPDX-License-Identifier: MIT */
/*
 * A lab on a manual clock, and clients of it: plain sockets in the same thread
 *
 * Loopback hands bytes over within send(), so that a few turns of the loop without waiting are all
 * that a request needs. Time only passes in pass(), which stops at each moment at which something
 * is due.
 */
#ifndef TESTS_UNIT_LAB_WORLD_H
#define TESTS_UNIT_LAB_WORLD_H

#include "unit.h"

#include <jansson.h>
#include <lab/lab.h>

#define START_NS (50 * NS_PER_S)
#define MS       NS_PER_MS

/* --- the lab --------------------------------------------------------------------------------- */

struct lab_world {
        struct clock clock;
        struct loop loop;
        struct lab_config config;
        struct lab lab;
};

extern struct lab_world world;

/* Turn until nothing more is ready; let time pass, with a stop wherever something is due. */
void settle(void);
void pass(uint64_t ns);

/* With the settings of a scenario. */
void open_world(const char *settings);
void close_world(void);

/* Of the first listener. */
struct listener *listener(void);
const struct listener_stats *stats(void);

/* --- clients --------------------------------------------------------------------------------- */

struct client {
        int fd;
        struct buf got;
        size_t used; /* of it */
        bool is_ended, is_reset;
        /* The response that was taken last, borrowed. */
        int status, n_interim;
        struct muster_str head, body;
        struct buf body_bytes;
};

extern struct client clients[16];

void open_client_at(struct client *client, uint16_t port, int receive_bytes);
struct client *open_client(int i);
void close_client(struct client *client);
bool is_closed(struct client *client);

/* Receive all there is, as long as more comes. */
void pull(struct client *client);

/* Receive until the server ends the connection, though it may be silent for a while of real time. */
void pull_to_end(struct client *client);

/* Send this, or GET of a path, and pull. */
void ask(struct client *client, const char *text);
void get(struct client *client, const char *path);

/* Take the next response off what came. False: it is not there, or not whole. */
bool take_of(struct client *client, bool is_head);
bool take(struct client *client);

/* Take it; it is there and has this status. */
void answered(struct client *client, int status);

/* Of the response that was taken last. */
bool has_field(const struct client *client, const char *line);
json_t *json_of(const struct client *client);
const char *text_in(const json_t *json, const char *name);
long long count_in(const json_t *json, const char *name);

#endif
