/* SPDX-License-Identifier: MIT */
#include "inbox.h"

#include <assert.h>

/* --- visits ---------------------------------------------------------------------------------- */

void visit_init(struct visit *visit, enum visit_wish wish, unsigned n)
{
        *visit = (struct visit){ .wish = wish, .n_unanswered = n };
        pthread_mutex_init(&visit->lock, NULL);
        pthread_cond_init(&visit->answered, NULL);
}

void visit_deinit(struct visit *visit)
{
        pthread_cond_destroy(&visit->answered);
        pthread_mutex_destroy(&visit->lock);
}

void visit_answer(struct visit *visit, bool was_met)
{
        pthread_mutex_lock(&visit->lock);
        assert(visit->n_unanswered);
        visit->was_met = visit->was_met || was_met;
        /* After the last answer the visit may be gone as soon as the lock is released. */
        if (--visit->n_unanswered == 0)
                pthread_cond_signal(&visit->answered);
        pthread_mutex_unlock(&visit->lock);
}

bool visit_wait(struct visit *visit)
{
        bool was_met;

        pthread_mutex_lock(&visit->lock);
        while (visit->n_unanswered)
                pthread_cond_wait(&visit->answered, &visit->lock);
        was_met = visit->was_met;
        pthread_mutex_unlock(&visit->lock);
        return was_met;
}

/* --- the inbox ------------------------------------------------------------------------------- */

void inbox_init(struct inbox *inbox)
{
        *inbox = (struct inbox){ .visit = NULL };
        list_init(&inbox->requests);
        pthread_mutex_init(&inbox->lock, NULL);
}

void inbox_deinit(struct inbox *inbox)
{
        assert(list_is_empty(&inbox->requests) && !inbox->visit);
        pthread_mutex_destroy(&inbox->lock);
}

/* The lock is held. */
static bool must_wake(struct inbox *inbox)
{
        bool was_awake = inbox->is_awake;

        inbox->is_awake = true;
        return !was_awake;
}

bool inbox_add(struct inbox *inbox, struct list *request_link)
{
        bool wakes;

        assert(!list_is_linked(request_link));
        pthread_mutex_lock(&inbox->lock);
        list_push_back(&inbox->requests, request_link);
        wakes = must_wake(inbox);
        pthread_mutex_unlock(&inbox->lock);
        return wakes;
}

bool inbox_add_visit(struct inbox *inbox, struct visit *visit)
{
        bool wakes;

        pthread_mutex_lock(&inbox->lock);
        assert(!inbox->visit);
        inbox->visit = visit;
        wakes = must_wake(inbox);
        pthread_mutex_unlock(&inbox->lock);
        return wakes;
}

bool inbox_nudge(struct inbox *inbox)
{
        bool wakes;

        pthread_mutex_lock(&inbox->lock);
        wakes = must_wake(inbox);
        pthread_mutex_unlock(&inbox->lock);
        return wakes;
}

struct visit *inbox_take(struct inbox *inbox, struct list *to_requests)
{
        struct visit *visit;

        pthread_mutex_lock(&inbox->lock);
        list_splice(to_requests, &inbox->requests);
        visit = inbox->visit;
        inbox->visit = NULL;
        inbox->is_awake = false;
        pthread_mutex_unlock(&inbox->lock);
        return visit;
}
