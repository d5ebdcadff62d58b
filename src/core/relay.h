/* SPDX-License-Identifier: MIT */
/*
 * Relay: a stream's body on its way from its engine to the thread that reads it
 *
 * If the client has threads, the engine receives into the result's buffer. At the end of a turn it
 * moves the bytes to the reader, unless the reader has too many already. Then the engine's own
 * bound holds (sink.h), and the server waits. The result belongs to the caller as soon as its head
 * is there. Until the body is over, the engine touches nothing of it but this.
 */
#ifndef CORE_RELAY_H
#define CORE_RELAY_H

#include <base/buf.h>
#include <base/list.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct muster_request;

struct relay {
        struct list link; /* in the list of the engine's streams; only its thread uses it */
        struct muster_request *request;
        uint64_t announced_ns; /* when the result, with its head, was there */
        pthread_mutex_t lock;
        struct buf body; /* guarded by the lock, like all members below */
        size_t read_at;
        bool is_wanting; /* the engine could not add all that it had */
        bool is_over;    /* nothing more comes, and the engine no longer touches the request */
};

/* NULL if memory is out. */
struct relay *relay_new(struct muster_request *request);
struct relay *relay_free(struct relay *relay); /* NULL is allowed; returns NULL */

/*
 * The engine's side: move bytes from `body`, of which the first `*read_at` were moved before. True:
 * there is news for the reader. Without memory the bytes stay for another time.
 */
bool relay_fill(struct relay *relay, struct buf *body, size_t *read_at, bool is_all);

/* Everything was moved: the request belongs to the caller now. */
void relay_end(struct relay *relay);

enum relay_condition { RELAY_EMPTY = 1, RELAY_OVER = 2 };

/*
 * The reader's side. 0: up to `size` bytes. RELAY_EMPTY, RELAY_OVER. *ret_wakes: the engine waits
 * for room.
 */
int relay_read(struct relay *relay, void *buffer, size_t size, size_t *ret_n, bool *ret_wakes);

/* Is there nothing to read now, though more may come? */
bool relay_is_empty(struct relay *relay);

bool relay_is_over(struct relay *relay);

#endif
