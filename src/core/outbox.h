/* SPDX-License-Identifier: MIT */
/*
 * Outbox: results on their way from the engines to the caller
 *
 * An engine hands over all results of a turn at once; batches are merged in order of completion.
 * The caller takes all results at once, too. It is woken only if it waits: a descriptor becomes
 * readable, which a foreign loop can poll as well.
 */
#ifndef CORE_OUTBOX_H
#define CORE_OUTBOX_H

#include <base/list.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct outbox {
        pthread_mutex_t lock;
        /* guarded by the lock, like all members below; requests by their `link` */
        struct list results;
        bool is_waited_for; /* the caller is about to wait for the descriptor */
        bool is_polled;     /* a foreign loop polls the descriptor */
        int fd;
        atomic_bool was_woken; /* outbox_wake() was called */
};

/* MUSTER_E_RESOURCE with errno in *ret_sys: deinit is not needed. */
int outbox_init(struct outbox *outbox, int *ret_sys);
void outbox_deinit(struct outbox *outbox);

/*
 * Add an engine's results, in order of completion; the list is empty afterwards. `has_news`: the
 * caller must know of something else.
 */
void outbox_add(struct outbox *outbox, struct list *results, bool has_news);

/* Move all results to the end of a list. */
void outbox_take(struct outbox *outbox, struct list *to);

/*
 * Wait until something was added since the last call, outbox_wake() is called, or `until_ns`
 * (monotonic) is reached. With a moment in the past it does not wait, and only makes the descriptor
 * quiet.
 */
void outbox_wait(struct outbox *outbox, uint64_t until_ns);

/* Make the descriptor readable from now on whenever there is something to take. */
void outbox_poll(struct outbox *outbox);

/* Let the next wait end with other news, too. For results outbox_take() does this. */
void outbox_expect(struct outbox *outbox);

/* End the present wait or the next one. Any thread and any signal handler may call it. */
void outbox_wake(struct outbox *outbox);

#endif
