/* SPDX-License-Identifier: MIT */
/*
 * Inbox: what other threads have for an engine, requests and visits
 *
 * The engine takes everything at once at the beginning of a turn, in order of arrival. Adding
 * something wakes the engine, unless it was woken since it last looked.
 *
 * A visit is a call into the engines' threads. The caller's thread posts it to all of them and
 * waits until each has answered, which it does at the end of the turn in which it took the visit.
 */
#ifndef CORE_INBOX_H
#define CORE_INBOX_H

#include <base/list.h>
#include <pthread.h>
#include <stdint.h>

enum visit_wish {
        VISIT_CANCEL,        /* the request `id` */
        VISIT_CANCEL_QUEUED, /* all requests that hold no slot */
        VISIT_CANCEL_ALL,
        VISIT_TRACE,     /* report to `argument`, a tracer, from now on */
        VISIT_TRACE_END, /* end that; no argument */
        VISIT_STOP,      /* end all requests and the thread */
};

struct visit {
        enum visit_wish wish;
        uint64_t id;
        void *argument;
        pthread_mutex_t lock;
        pthread_cond_t answered;
        unsigned n_unanswered; /* guarded by the lock, like `was_met` */
        bool was_met;
};

/* Make a visit that is answered `n` times. */
void visit_init(struct visit *visit, enum visit_wish wish, unsigned n);
void visit_deinit(struct visit *visit);

/* An engine's answer. `was_met`: it could do what was wished. */
void visit_answer(struct visit *visit, bool was_met);

/* Wait until all have answered. Could any of them do what was wished? */
bool visit_wait(struct visit *visit);

struct inbox {
        pthread_mutex_t lock;
        /* guarded by the lock, like all members below; linked by request->link */
        struct list requests;
        struct visit *visit; /* one at a time */
        bool is_awake;       /* the engine was woken since it last looked */
};

void inbox_init(struct inbox *inbox);
void inbox_deinit(struct inbox *inbox);

/* Add something. True: the caller must wake the engine. */
bool inbox_add(struct inbox *inbox, struct list *request_link);
bool inbox_add_visit(struct inbox *inbox, struct visit *visit);

/* Make the engine look at what it shares with others. True: the caller must wake it. */
bool inbox_nudge(struct inbox *inbox);

/* Take everything: requests go to the end of a list. Returns the visit or NULL. */
struct visit *inbox_take(struct inbox *inbox, struct list *to_requests);

#endif
