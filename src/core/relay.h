/* SPDX-License-Identifier: MIT */
/*
 * A stream's body on its way from its engine to the thread that reads it
 *
 * Where the client has threads the engine goes on receiving into the result's buffer. When a turn
 * ends it moves what came over to the reader, as long as that has not too much already; then the
 * engine's own bound holds (sink.h), and the server waits. The result is the caller's from the
 * moment its head is there, and its engine touches nothing but this until the body is over.
 */
#ifndef CORE_RELAY_H
#define CORE_RELAY_H

#include <base/buf.h>
#include <base/list.h>
#include <pthread.h>
#include <stdbool.h>

struct muster_request;

struct relay {
        struct list link; /* of the engine's thread: among its streams */
        struct muster_request *request;
        pthread_mutex_t lock;
        struct buf body; /* guarded, as all below */
        size_t read_at;
        bool is_wanting; /* the engine was not allowed to add all that it had */
        bool is_over;    /* nothing more comes, and the engine touches the request no more */
};

/* NULL when memory is out. */
struct relay *relay_new(struct muster_request *request);
struct relay *relay_free(struct relay *relay); /* NULL is allowed; returns NULL */

/*
 * From the engine: move bytes from `body`, of which `*read_at` were moved before. True: there is
 * news for the reader. Without memory the bytes stay where they are for another time.
 */
bool relay_fill(struct relay *relay, struct buf *body, size_t *read_at, bool is_all);

/* All was moved: the request is the caller's. */
void relay_end(struct relay *relay);

enum relay_condition { RELAY_EMPTY = 1, RELAY_OVER = 2 };

/* 0 with up to `size` bytes. `ret_wakes`: the engine waits for room. */
int relay_read(struct relay *relay, void *buffer, size_t size, size_t *ret_n, bool *ret_wakes);

/* Nothing to be read, and more may come. */
bool relay_is_empty(struct relay *relay);

bool relay_is_over(struct relay *relay);

#endif
