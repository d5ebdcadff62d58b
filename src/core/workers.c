/* SPDX-License-Identifier: MIT */
#include "workers.h"

#include <assert.h>
#include <base/mem.h>
#include <muster/error.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct worker_job *job_of(struct list *link)
{
        return LIST_OWNER(link, struct worker_job, link);
}

/* --- a worker -------------------------------------------------------------------------------- */

/* Wait for the next job; NULL if the workers are stopping. The lock is held. */
static struct worker_job *wait_for_job(struct workers *workers)
{
        struct list *link;

        workers->n_idle++;
        while (!(link = list_first(&workers->waiting)) && !workers->is_stopping)
                pthread_cond_wait(&workers->wanted, &workers->lock);
        workers->n_idle--;
        if (workers->is_stopping)
                return NULL;
        list_remove(link);
        workers->n_waiting--;
        return job_of(link);
}

static void give_back(struct workers *workers, struct worker_job *job)
{
        uint64_t one = 1;
        bool was_empty = list_is_empty(&workers->done);

        list_push_back(&workers->done, &job->link);
        /* The counter cannot overflow: it is written once for each time that it was read. */
        if (was_empty && write(workers->event_fd, &one, sizeof(one)) < 0)
                return;
}

static void *worker_main(void *data)
{
        struct workers *workers = data;
        struct worker_job *job;

        pthread_mutex_lock(&workers->lock);
        while ((job = wait_for_job(workers))) {
                job->is_begun = true;
                pthread_mutex_unlock(&workers->lock);
                job->run(job);
                pthread_mutex_lock(&workers->lock);
                give_back(workers, job);
        }
        pthread_mutex_unlock(&workers->lock);
        return NULL;
}

/* Start a thread with all signals blocked: they are for the caller's threads. */
static int start_thread(struct workers *workers)
{
        sigset_t all, before;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&workers->threads[workers->n_threads], NULL, worker_main, workers);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r != 0)
                return MUSTER_E_RESOURCE;
        workers->n_threads++;
        return 0;
}

/* --- the loop's side ------------------------------------------------------------------------- */

int workers_init(struct workers *workers, unsigned n_threads)
{
        *workers = (struct workers){ .n_threads_max = n_threads, .event_fd = -1 };
        list_init(&workers->waiting);
        list_init(&workers->done);
        workers->threads = mem_array(n_threads, sizeof(*workers->threads));
        workers->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (!workers->threads || workers->event_fd < 0) {
                if (workers->event_fd >= 0)
                        close(workers->event_fd);
                workers->threads = mem_free(workers->threads);
                return MUSTER_E_RESOURCE;
        }
        pthread_mutex_init(&workers->lock, NULL);
        pthread_cond_init(&workers->wanted, NULL);
        return 0;
}

void workers_stop(struct workers *workers)
{
        pthread_mutex_lock(&workers->lock);
        workers->is_stopping = true;
        pthread_cond_broadcast(&workers->wanted);
        pthread_mutex_unlock(&workers->lock);
        for (unsigned i = 0; i < workers->n_threads; i++)
                pthread_join(workers->threads[i], NULL);
        workers->n_threads = 0;
}

void workers_deinit(struct workers *workers)
{
        assert(!workers->n_threads);
        pthread_cond_destroy(&workers->wanted);
        pthread_mutex_destroy(&workers->lock);
        close(workers->event_fd);
        mem_free(workers->threads);
}

int workers_give(struct workers *workers, struct worker_job *job)
{
        int r = 0;

        pthread_mutex_lock(&workers->lock);
        /* With fewer threads the work only takes longer; without any it would never be done. */
        if (workers->n_idle <= workers->n_waiting && workers->n_threads < workers->n_threads_max &&
                start_thread(workers) < 0 && !workers->n_threads)
                r = MUSTER_E_RESOURCE;
        if (r == 0) {
                job->is_begun = false;
                list_push_back(&workers->waiting, &job->link);
                workers->n_waiting++;
                pthread_cond_signal(&workers->wanted);
        }
        pthread_mutex_unlock(&workers->lock);
        return r;
}

bool workers_withdraw(struct workers *workers, struct worker_job *job)
{
        bool is_waiting;

        pthread_mutex_lock(&workers->lock);
        is_waiting = !job->is_begun;
        if (is_waiting) {
                list_remove(&job->link);
                workers->n_waiting--;
        }
        pthread_mutex_unlock(&workers->lock);
        return is_waiting;
}

bool workers_have_begun(struct workers *workers, const struct worker_job *job)
{
        bool is_begun;

        pthread_mutex_lock(&workers->lock);
        is_begun = job->is_begun;
        pthread_mutex_unlock(&workers->lock);
        return is_begun;
}

struct worker_job *workers_take(struct workers *workers)
{
        struct list *link;
        uint64_t count;

        pthread_mutex_lock(&workers->lock);
        link = list_pop(&workers->done);
        /* Quiet it while the lock is held: a job that is done later makes it readable again. */
        if (!link && read(workers->event_fd, &count, sizeof(count)) < 0)
                count = 0;
        pthread_mutex_unlock(&workers->lock);
        return link ? job_of(link) : NULL;
}
