/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/rand.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_TRIES    16
#define NEVER_BLOCKS_BYTES 4096 /* PIPE_BUF: a writable pipe takes this much without blocking */

static int fail_sink(const struct sink *sink, int sys, const char *what, struct muster_error *error)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_RECEIVE, sys,
                "resource: cannot %s %s: %s", what,
                sink->path ? sink->path : "the body's descriptor",
                sys == EPIPE ? "its reader has closed it" : error_sys_text(sys));
}

void sink_deinit(struct sink *sink)
{
        if (sink->kind == SINK_MEMORY)
                return;
        sink_end(sink);
        mem_free(sink->path);
        *sink = (struct sink){ 0 };
}

/* --- beginning ------------------------------------------------------------------------------- */

/* Open a temporary file beside the final one, so that renaming it stays within one file system. */
static int open_temporary(struct sink *sink, struct muster_error *error)
{
        size_t size = strlen(sink->path) + 32;

        sink->temporary = mem_alloc(size);
        if (!sink->temporary)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        for (int i = 0; i < TEMPORARY_TRIES && !sink->is_open; i++) {
                uint64_t number;

                rand_seed_bytes(&number, sizeof(number));
                snprintf(sink->temporary, size, "%s.%08llx.part", sink->path,
                        (unsigned long long)number & 0xffffffff);
                sink->fd = open(sink->temporary,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
                sink->is_open = sink->fd >= 0;
                if (!sink->is_open && errno != EEXIST)
                        break;
        }
        if (sink->is_open)
                return 0;
        sink->temporary = mem_free(sink->temporary);
        return fail_sink(sink, errno, "write", error);
}

int sink_begin(struct sink *sink, struct muster_error *error)
{
        struct stat status;
        int r = 0;

        sink_end(sink);
        sink->n_bytes = 0;
        sink->read_at = 0;
        if (sink->kind == SINK_FILE) {
                r = open_temporary(sink, error);
        } else if (sink->kind == SINK_FD) {
                /*
                 * Our own copy: several requests may write to one descriptor, and each needs its
                 * own watch.
                 */
                sink->fd = fcntl(sink->given_fd, F_DUPFD_CLOEXEC, 0);
                sink->is_open = sink->fd >= 0;
                if (!sink->is_open)
                        return fail_sink(sink, errno, "use", error);
        }
        if (r == 0 && sink->is_open)
                sink->never_blocks = fstat(sink->fd, &status) == 0 && S_ISREG(status.st_mode);
        return r;
}

/* --- writing --------------------------------------------------------------------------------- */

static bool is_writable(const struct sink *sink)
{
        struct pollfd poll_fd = { .fd = sink->fd, .events = POLLOUT };

        return sink->never_blocks || poll(&poll_fd, 1, 0) > 0;
}

/*
 * Write without SIGPIPE, which would end the program. A pipe without a reader is an error of this
 * request only.
 */
static ssize_t write_quietly(int fd, const void *at, size_t size)
{
        const struct timespec no_time = { 0 };
        sigset_t pipe_only, before, pending;
        ssize_t n;
        int sys;

        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        sigpending(&pending);
        pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
        n = write(fd, at, size);
        sys = errno;
        if (n < 0 && sys == EPIPE && !sigismember(&pending, SIGPIPE))
                (void)sigtimedwait(&pipe_only, NULL, &no_time);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        errno = sys;
        return n;
}

static int write_all(struct sink *sink, struct buf *body, size_t *ret_n, struct muster_error *error)
{
        size_t at = 0;
        int r = 0;

        while (at < body->len && r == 0) {
                size_t size = body->len - at;
                ssize_t n;

                if (!is_writable(sink)) {
                        r = SINK_BLOCKED;
                        break;
                }
                if (!sink->never_blocks && size > NEVER_BLOCKS_BYTES)
                        size = NEVER_BLOCKS_BYTES;
                n = sink->never_blocks ? write(sink->fd, body->at + at, size)
                                       : write_quietly(sink->fd, body->at + at, size);
                if (n >= 0)
                        at += (size_t)n;
                else if (errno == EAGAIN)
                        r = SINK_BLOCKED;
                else if (errno != EINTR)
                        r = fail_sink(sink, errno, "write", error);
        }
        *ret_n = at;
        return r;
}

int sink_take(struct sink *sink, struct buf *body, struct muster_error *error)
{
        size_t n = 0;
        int r = 0;

        assert(sink->kind == SINK_MEMORY || sink->kind == SINK_STREAM || sink->is_open);
        assert(sink->read_at <= body->len);
        switch (sink->kind) {
        case SINK_MEMORY:
                return 0;
        case SINK_STREAM:
                return body->len - sink->read_at > SINK_STREAM_BYTES_MAX ? SINK_BLOCKED : 0;
        case SINK_FD:
        case SINK_FILE:
                r = write_all(sink, body, &n, error);
                break;
        }
        sink->n_bytes += n;
        buf_drop_front(body, n);
        return r;
}

/* --- the end --------------------------------------------------------------------------------- */

int sink_finish(struct sink *sink, struct muster_error *error)
{
        if (sink->kind != SINK_FILE)
                return 0;
        /* An empty body makes an empty file. */
        if (!sink->is_open) {
                int r = sink_begin(sink, error);

                if (r < 0)
                        return r;
        }
        /* Some file systems report only now that there was no room. */
        sink->is_open = false;
        if (close(sink->fd) < 0 || rename(sink->temporary, sink->path) < 0)
                return fail_sink(sink, errno, "write", error);
        sink->temporary = mem_free(sink->temporary);
        return 0;
}

void sink_end(struct sink *sink)
{
        if (sink->watch.loop)
                loop_watch_set(sink->watch.loop, &sink->watch, sink->fd, false, false);
        sink->is_blocked = sink->is_ending = false;
        if (sink->is_open)
                close(sink->fd);
        sink->is_open = false;
        if (sink->temporary)
                unlink(sink->temporary);
        sink->temporary = mem_free(sink->temporary);
}
