/* SPDX-License-Identifier: MIT */
/*
 * Results on their way from the engines to the caller
 *
 * An engine hands over all that it finished in a turn at once; batches are merged in the order of
 * completion. The caller takes all there is at once, too, and is woken only where it waits: a
 * descriptor becomes readable then, which is also what a foreign loop polls.
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
        struct list results; /* guarded, as all below; requests by their link */
        bool is_waited_for;  /* the caller is about to wait for the descriptor */
        bool is_polled;      /* a foreign loop always is */
        int fd;
        atomic_bool was_woken; /* by outbox_wake() */
};

/* MUSTER_E_RESOURCE with errno in *ret_sys: nothing is to be deinited. */
int outbox_init(struct outbox *outbox, int *ret_sys);
void outbox_deinit(struct outbox *outbox);

/*
 * From an engine: results in the order of completion, which leaves the list empty; and whether there
 * is other news for the caller.
 */
void outbox_add(struct outbox *outbox, struct list *results, bool has_news);

/* Take all to the end of a list. */
void outbox_take(struct outbox *outbox, struct list *to);

/*
 * Wait until something was added since the last call, outbox_wake() is called, or that moment
 * (monotonic) is reached. A moment that is past: do not wait, only make the descriptor quiet.
 */
void outbox_wait(struct outbox *outbox, uint64_t until_ns);

/* From now on the descriptor becomes readable whenever there is something to take. */
void outbox_poll(struct outbox *outbox);

/* Not for results, which outbox_take() does, but for other news: the next wait is to end with it. */
void outbox_expect(struct outbox *outbox);

/* End a wait, now or the next one. Any thread, any signal handler. */
void outbox_wake(struct outbox *outbox);

#endif
