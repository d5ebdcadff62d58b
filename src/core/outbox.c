/* SPDX-License-Identifier: MIT */
#include "outbox.h"

#include "relay.h"
#include "request.h"
#include <assert.h>
#include <base/clock.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int outbox_init(struct outbox *outbox, int *ret_sys)
{
        *outbox = (struct outbox){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
        if (outbox->fd < 0) {
                *ret_sys = errno;
                return MUSTER_E_RESOURCE;
        }
        list_init(&outbox->results);
        atomic_init(&outbox->was_woken, false);
        pthread_mutex_init(&outbox->lock, NULL);
        return 0;
}

void outbox_deinit(struct outbox *outbox)
{
        pthread_mutex_destroy(&outbox->lock);
        close(outbox->fd);
}

/* --- from the engines ------------------------------------------------------------------------ */

static void ring_caller(struct outbox *outbox)
{
        uint64_t one = 1;
        int saved = errno;
        ssize_t n = write(outbox->fd, &one, sizeof(one));

        (void)n; /* it fails only if the counter is full: the descriptor is readable then */
        errno = saved;
}

/* Since when it is a result. The engine still writes when a stream finishes. */
static uint64_t result_ns(const struct muster_request *request)
{
        return request->relay ? request->relay->announced_ns : request->result.finished_ns;
}

/* Insert a result behind all that finished before it. The newest are last, so few are passed. */
static void insert_result(struct list *results, struct muster_request *request)
{
        struct list *before = results->prev;

        assert(!list_is_linked(&request->link));
        while (before != results && result_ns(request_of_link(before)) > result_ns(request))
                before = before->prev;
        list_insert(&request->link, before, before->next);
}

/* Merge a batch. An empty list takes all of it without looking at each result. */
static void merge_batch(struct list *results, struct list *batch)
{
        struct list *link;

        if (list_is_empty(results)) {
                list_splice(results, batch);
                return;
        }
        while ((link = list_pop(batch)))
                insert_result(results, request_of_link(link));
}

void outbox_add(struct outbox *outbox, struct list *results, bool has_news)
{
        bool rings;

        pthread_mutex_lock(&outbox->lock);
        has_news = has_news || !list_is_empty(results);
        merge_batch(&outbox->results, results);
        rings = has_news && (outbox->is_waited_for || outbox->is_polled);
        if (rings)
                outbox->is_waited_for = false;
        pthread_mutex_unlock(&outbox->lock);
        if (rings)
                ring_caller(outbox);
}

/* --- the caller's side ----------------------------------------------------------------------- */

void outbox_take(struct outbox *outbox, struct list *to)
{
        pthread_mutex_lock(&outbox->lock);
        list_splice(to, &outbox->results);
        /* A caller who finds nothing waits next: results that come before that must ring. */
        outbox->is_waited_for = list_is_empty(to);
        pthread_mutex_unlock(&outbox->lock);
}

void outbox_poll(struct outbox *outbox)
{
        bool rings;

        pthread_mutex_lock(&outbox->lock);
        /* what was there before; from now on each batch rings */
        rings = !outbox->is_polled;
        outbox->is_polled = true;
        pthread_mutex_unlock(&outbox->lock);
        if (rings)
                ring_caller(outbox);
}

void outbox_expect(struct outbox *outbox)
{
        pthread_mutex_lock(&outbox->lock);
        outbox->is_waited_for = true;
        pthread_mutex_unlock(&outbox->lock);
}

static struct timespec left_until(uint64_t until_ns)
{
        uint64_t now_ns = clock_ns_of(CLOCK_MONOTONIC);
        uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;

        return (struct timespec){ .tv_sec = (time_t)(left_ns / NS_PER_S),
                .tv_nsec = (long)(left_ns % NS_PER_S) };
}

void outbox_wait(struct outbox *outbox, uint64_t until_ns)
{
        struct pollfd poll_fd = { .fd = outbox->fd, .events = POLLIN };
        struct timespec left = left_until(until_ns);
        uint64_t n;

        /* A signal ends the wait as well; the caller checks whether the wait is over. */
        if (ppoll(&poll_fd, 1, until_ns == UINT64_MAX ? NULL : &left, NULL) > 0 &&
                read(outbox->fd, &n, sizeof(n)) < 0)
                return;
}

void outbox_wake(struct outbox *outbox)
{
        atomic_store(&outbox->was_woken, true);
        ring_caller(outbox);
}
