/* SPDX-License-Identifier: MIT */
/*
 * What other threads want of an engine: requests for it, and visits
 *
 * The engine takes all of it at once when a turn begins, in the order in which it came. Who puts
 * something in wakes the engine unless that was done since it looked last.
 *
 * A visit is a call into the engines' threads: the caller's thread posts it to all of them and waits
 * until each has answered, at the end of the turn in which it was heard.
 */
#ifndef CORE_INBOX_H
#define CORE_INBOX_H

#include <base/list.h>
#include <pthread.h>
#include <stdint.h>

enum visit_wish {
        VISIT_CANCEL,        /* the request `id` */
        VISIT_CANCEL_QUEUED, /* all that hold no slot */
        VISIT_CANCEL_ALL,
        VISIT_TRACE,     /* tell `argument`, a tracer, what happens from now on */
        VISIT_TRACE_END, /* no more; argument: none */
        VISIT_STOP,      /* end everything, and the thread */
};

struct visit {
        enum visit_wish wish;
        uint64_t id;
        void *argument;
        pthread_mutex_t lock;
        pthread_cond_t answered;
        unsigned n_unanswered; /* guarded, as `was_met` */
        bool was_met;
};

/* To be answered `n` times. */
void visit_init(struct visit *visit, enum visit_wish wish, unsigned n);
void visit_deinit(struct visit *visit);

/* From an engine; was_met: something was done. */
void visit_answer(struct visit *visit, bool was_met);

/* Until all have answered. Was it met by any? */
bool visit_wait(struct visit *visit);

struct inbox {
        pthread_mutex_t lock;
        struct list requests; /* guarded, as all below; by request->link */
        struct visit *visit;  /* there is one at a time */
        bool is_awake;        /* it was woken since it looked last */
};

void inbox_init(struct inbox *inbox);
void inbox_deinit(struct inbox *inbox);

/* Put something in. True: wake the engine. */
bool inbox_add(struct inbox *inbox, struct list *request_link);
bool inbox_add_visit(struct inbox *inbox, struct visit *visit);

/* Nothing new, but it should look at what it shares. True: wake it. */
bool inbox_nudge(struct inbox *inbox);

/* Take all: requests to the end of a list, and the visit or NULL. */
struct visit *inbox_take(struct inbox *inbox, struct list *to_requests);

#endif
