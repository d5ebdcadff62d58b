/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <assert.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define PENDING_BYTES_MAX (64 * 1024 * 1024)
#define BATCHES_MAX       (PENDING_BYTES_MAX / sizeof(struct batch))
#define WRITE_EVERY_NS    (100 * NS_PER_MS) /* this much is lost if the program is killed */

struct writer {
        struct store *store;
        pthread_t thread;
        pid_t process; /* to which the thread belongs */

        /* Used only by the loop's thread. */
        struct batch *filling; /* the same as `current`; NULL: none */
        size_t n_batches;

        _Atomic uint64_t n_dropped; /* the loop's thread counts, the writer's thread passes it on */

        pthread_mutex_t lock; /* held only briefly: nothing is written or allocated under it */
        pthread_cond_t wanted;
        struct batch *current;    /* rows are being added to it */
        struct list full, unused; /* batches */
        bool is_stopping;
};

/* --- the writer's thread --------------------------------------------------------------------- */

static void wait_a_little(struct writer *writer)
{
        uint64_t until_ns = clock_monotonic() + WRITE_EVERY_NS;
        struct timespec until = { .tv_sec = (time_t)(until_ns / NS_PER_S),
                .tv_nsec = (long)(until_ns % NS_PER_S) };

        if (list_is_empty(&writer->full) && !writer->is_stopping)
                pthread_cond_timedwait(&writer->wanted, &writer->lock, &until);
}

static uint64_t n_dropped(const struct writer *writer)
{
        return atomic_load_explicit(&writer->n_dropped, memory_order_relaxed);
}

/* The batch to write next; NULL: none yet. The lock is held. */
static struct batch *next_batch(struct writer *writer)
{
        struct list *link = list_pop(&writer->full);

        if (link)
                return batch_of_link(link);
        return writer->current && batch_has_news(writer->current) ? writer->current : NULL;
}

/*
 * Write a batch. If it is the current one, rows may be added meanwhile, and it may become full. The
 * lock is held.
 */
static void write_batch(struct writer *writer, struct batch *batch, bool is_full)
{
        assert(!list_is_linked(&batch->link));
        pthread_mutex_unlock(&writer->lock);
        /* The store remembers a failure; later rows are lost. */
        (void)store_write(writer->store, batch, n_dropped(writer));
        if (is_full)
                batch_reset(batch);
        pthread_mutex_lock(&writer->lock);
        if (is_full)
                list_push_front(&writer->unused, &batch->link);
}

static void *write_batches(void *data)
{
        struct writer *writer = data;
        struct batch *batch;

        pthread_mutex_lock(&writer->lock);
        for (;;) {
                wait_a_little(writer);
                batch = next_batch(writer);
                if (batch)
                        write_batch(writer, batch, batch != writer->current);
                else if (writer->is_stopping)
                        break;
        }
        pthread_mutex_unlock(&writer->lock);
        return NULL;
}

/* --- the loop's side ------------------------------------------------------------------------- */

/*
 * Is this a child of fork()? It has neither the thread nor the file, and the lock may stay held for
 * ever: it must touch nothing.
 */
static bool is_forked(const struct writer *writer)
{
        return writer->process != getpid();
}

/* An empty batch: one that was written, or a new one. */
static struct batch *empty_batch(struct writer *writer)
{
        struct batch *batch;
        struct list *link;

        assert(writer->n_batches <= BATCHES_MAX);
        pthread_mutex_lock(&writer->lock);
        link = list_pop(&writer->unused);
        pthread_mutex_unlock(&writer->lock);
        if (link)
                return batch_of_link(link);
        if (writer->n_batches == BATCHES_MAX)
                return NULL;
        batch = mem_alloc(sizeof(*batch));
        if (!batch)
                return NULL;
        batch_reset(batch);
        writer->n_batches++;
        return batch;
}

/*
 * Hand the batch that is being filled to the writer, and put `next` in its place; either may be
 * NULL.
 */
static void hand_over(struct writer *writer, struct batch *next)
{
        assert(!next || next != writer->filling);
        pthread_mutex_lock(&writer->lock);
        if (writer->filling)
                list_push_back(&writer->full, &writer->filling->link);
        writer->filling = writer->current = next;
        pthread_cond_signal(&writer->wanted);
        pthread_mutex_unlock(&writer->lock);
}

bool writer_add(struct writer *writer, enum row_kind kind, const void *row)
{
        if (writer->filling && batch_add(writer->filling, kind, row))
                return true;
        if (is_forked(writer))
                return false;
        hand_over(writer, empty_batch(writer));
        if (writer->filling && batch_add(writer->filling, kind, row))
                return true;
        if (kind == ROW_ATTEMPT)
                atomic_fetch_add_explicit(&writer->n_dropped, 1, memory_order_relaxed);
        return false;
}

/* --- begin and end --------------------------------------------------------------------------- */

static void free_batches(struct list *batches)
{
        struct list *link;

        while ((link = list_pop(batches)))
                mem_free(batch_of_link(link));
}

static void free_writer(struct writer *writer)
{
        free_batches(&writer->full);
        free_batches(&writer->unused);
        mem_free(writer->current);
        pthread_cond_destroy(&writer->wanted);
        pthread_mutex_destroy(&writer->lock);
        store_close(writer->store);
        mem_free(writer);
}

/* Start the thread with all signals blocked: they are for the caller's threads. */
static int start_thread(struct writer *writer)
{
        sigset_t all, before;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&writer->thread, NULL, write_batches, writer);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r != 0)
                return MUSTER_E_RESOURCE;
        pthread_setname_np(writer->thread, "muster-record"); /* shown by top(1) and its like */
        return 0;
}

static void init_lock(struct writer *writer)
{
        pthread_condattr_t attributes;

        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&writer->wanted, &attributes);
        pthread_condattr_destroy(&attributes);
        pthread_mutex_init(&writer->lock, NULL);
}

int writer_start(struct writer **ret_writer, struct store *take_store)
{
        struct writer *writer = mem_zalloc(sizeof(*writer));

        if (!writer) {
                store_close(take_store);
                return MUSTER_E_RESOURCE;
        }
        writer->store = take_store;
        writer->process = getpid();
        list_init(&writer->full);
        list_init(&writer->unused);
        init_lock(writer);
        writer->filling = writer->current = empty_batch(writer);
        if (!writer->current || start_thread(writer) < 0) {
                free_writer(writer);
                return MUSTER_E_RESOURCE;
        }
        *ret_writer = writer;
        return 0;
}

static void stop_thread(struct writer *writer)
{
        pthread_mutex_lock(&writer->lock);
        writer->is_stopping = true;
        pthread_cond_signal(&writer->wanted);
        pthread_mutex_unlock(&writer->lock);
        store_hurry(writer->store);
        pthread_join(writer->thread, NULL);
}

int writer_finish(struct writer *take_writer, struct record_run *run, const struct counters *after,
        struct muster_error *error)
{
        struct writer *writer = take_writer;
        int r;

        if (is_forked(writer))
                return 0;
        hand_over(writer, NULL);
        stop_thread(writer);
        run->n_dropped += n_dropped(writer);
        r = store_finish(writer->store, run, after);
        if (r < 0)
                error_set(error, r, MUSTER_PHASE_QUEUE, store_error(writer->store)->sys, "%s",
                        store_error(writer->store)->text);
        else if (n_dropped(writer))
                r = error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                        "resource: the record lacks %llu attempts: they came faster than they could be written",
                        (unsigned long long)n_dropped(writer));
        free_writer(writer);
        return r;
}
