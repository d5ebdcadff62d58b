/* SPDX-License-Identifier: MIT */
#include "job.h"

#include <base/fd.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <muster/record.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define KEPT_BYTES   (1024 * 1024)
#define REQUESTS_MAX 100000

/* --- the output ------------------------------------------------------------------------------ */

/* False: nothing is there now, or nobody writes any more. */
static bool read_piece(struct job *job)
{
        char bytes[16 * 1024];
        ssize_t n = read(job->output_fds[0], bytes, sizeof(bytes));

        if (n < 0)
                return errno == EINTR;
        job->n_output += (uint64_t)n;
        if (buf_add(&job->output, bytes, min_size((size_t)n, KEPT_BYTES - job->output.len)) < 0)
                job->is_incomplete = true;
        return n > 0;
}

/* Until the program is over: processes that it has left may go on to write. */
static void *read_output(void *data)
{
        struct job *job = data;
        struct pollfd poll_fds[] = { { .fd = job->output_fds[0], .events = POLLIN },
                { .fd = job->stop_fd, .events = POLLIN } };

        for (;;) {
                poll_fds[0].revents = poll_fds[1].revents = 0;
                if (poll(poll_fds, 2, -1) < 0 && errno != EINTR)
                        return NULL;
                if (poll_fds[0].revents && !read_piece(job))
                        poll_fds[0].fd = -1;
                else if (poll_fds[1].revents && !poll_fds[0].revents)
                        return NULL;
                else if (poll_fds[0].fd < 0 && poll_fds[1].revents)
                        return NULL;
        }
}

void job_init(struct job *job)
{
        *job = (struct job){ .output_fds = { -1, -1 }, .stop_fd = -1 };
}

/* Signals are for who waits for the program. */
static bool begin_thread(struct job *job)
{
        sigset_t all, old;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        job->is_begun = pthread_create(&job->thread, NULL, read_output, job) == 0;
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return job->is_begun;
}

int job_begin(struct job *job)
{
        job->stop_fd = eventfd(0, EFD_CLOEXEC);
        if (job->stop_fd < 0 || pipe2(job->output_fds, O_CLOEXEC) < 0)
                return -1;
        if (fcntl(job->output_fds[0], F_SETFL, O_NONBLOCK) < 0 || !begin_thread(job))
                return -1;
        return job->output_fds[1];
}

/* --- the requests ---------------------------------------------------------------------------- */

static void read_requests(struct job *job, const char *record, const char *folder)
{
        struct muster_record_kept kept;
        char path[PATH_MAX], bytes[16 * 1024];
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "%s/list", folder);
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || muster_record_export_repeatable(record, fd, REQUESTS_MAX, &kept, NULL) < 0 ||
                lseek(fd, 0, SEEK_SET) < 0) {
                fd_close(&fd);
                job->is_incomplete = true;
                return;
        }
        job->n_left_out = kept.n_left_out;
        while ((n = read(fd, bytes, sizeof(bytes))) > 0)
                if (buf_add(&job->requests, bytes, (size_t)n) < 0)
                        job->is_incomplete = true;
        fd_close(&fd);
}

void job_end(struct job *job, const char *record, const char *folder)
{
        uint64_t one = 1;

        if (job->is_begun) {
                (void)!write(job->stop_fd, &one, sizeof(one));
                pthread_join(job->thread, NULL);
                job->is_begun = false;
        }
        if (record)
                read_requests(job, record, folder);
}

/* The pipe stays until now: who was left behind is not to be ended by it before. */
void job_deinit(struct job *job)
{
        job_end(job, NULL, NULL);
        fd_close(&job->output_fds[0]);
        fd_close(&job->output_fds[1]);
        fd_close(&job->stop_fd);
        buf_deinit(&job->requests);
        buf_deinit(&job->output);
}

/* --- what differs ---------------------------------------------------------------------------- */

struct lines {
        struct muster_str *list;
        size_t n;
};

static int compare_lines(const void *a, const void *b)
{
        const struct muster_str *one = a, *other = b;
        int r = memcmp(one->at, other->at, min_size(one->len, other->len));

        return r ? r : (one->len > other->len) - (one->len < other->len);
}

static int cut_lines(const struct buf *text, struct lines *ret_lines)
{
        size_t n = 1, at = 0;

        for (size_t i = 0; i < text->len; i++)
                n += text->at[i] == '\n';
        ret_lines->n = 0;
        ret_lines->list = mem_array(n, sizeof(*ret_lines->list));
        if (!ret_lines->list)
                return MUSTER_E_RESOURCE;
        while (at < text->len) {
                const char *end = memchr(text->at + at, '\n', text->len - at);
                size_t len = end ? (size_t)(end - text->at) - at : text->len - at;

                ret_lines->list[ret_lines->n++] = (struct muster_str){ text->at + at, len };
                at += len + 1;
        }
        qsort(ret_lines->list, ret_lines->n, sizeof(*ret_lines->list), compare_lines);
        return 0;
}

static void note(uint64_t *n, struct muster_str *first, struct muster_str line)
{
        if (!(*n)++)
                *first = line;
}

static void count(const struct lines *a, const struct lines *b, struct job_difference *difference)
{
        for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
                int r = i == a->n ? 1 : k == b->n ? -1 : compare_lines(&a->list[i], &b->list[k]);

                if (r < 0)
                        note(&difference->n_only_a, &difference->first_a, a->list[i]);
                else if (r > 0)
                        note(&difference->n_only_b, &difference->first_b, b->list[k]);
                i += r <= 0;
                k += r >= 0;
        }
}

int job_differ(const struct buf *a, const struct buf *b, struct job_difference *ret_difference)
{
        struct lines of_a = { 0 }, of_b = { 0 };
        int r = cut_lines(a, &of_a);

        if (r == 0)
                r = cut_lines(b, &of_b);
        if (r == 0) {
                *ret_difference = (struct job_difference){ .n_a = of_a.n, .n_b = of_b.n };
                count(&of_a, &of_b, ret_difference);
        }
        mem_free(of_a.list);
        mem_free(of_b.list);
        return r;
}
