/* SPDX-License-Identifier: MIT */
/*
 * A talk with a command: what it is told and what it answers, until there is an end of any kind
 */
#include "child.h"

#include <assert.h>
#include <base/clock.h>
#include <base/fd.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK_BYTES    (64 * 1024) /* what a pipe holds */
#define CHUNKS_AT_ONCE 16          /* then the clock is looked at again */
#define ASK_MS         20          /* where the kernel has no descriptor for a process */
#define LONGEST_MS     60000
#define LAST_BREATH_NS NS_PER_S /* between the end of its output and its own */

enum { WATCH_IN, WATCH_OUT, WATCH_ERR, WATCH_PID, WATCH_STOP, N_WATCHED };

struct course {
        const struct child_talk *talk;
        struct muster_str in; /* to be written yet */
        uint64_t deadline_ns;
        bool is_over;   /* the process has ended */
        bool has_dried; /* there was nothing more to be read */
};

static int patience_ms(const struct child *child, const struct course *course)
{
        uint64_t now_ns = clock_monotonic(), ms;

        if (course->is_over || now_ns >= course->deadline_ns)
                return 0;
        ms = (course->deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
        if (child->pid_fd < 0 && ms > ASK_MS)
                return ASK_MS;
        return ms < LONGEST_MS ? (int)ms : LONGEST_MS;
}

/* Until something has happened. False: we are to stop. */
static bool wait_for_any(const struct child *child, struct course *course)
{
        struct pollfd fds[N_WATCHED] = {
                [WATCH_IN] = { .fd = course->in.len ? child->in_fd : -1, .events = POLLOUT },
                [WATCH_OUT] = { .fd = child->out_fd, .events = POLLIN },
                [WATCH_ERR] = { .fd = child->err_fd, .events = POLLIN },
                [WATCH_PID] = { .fd = child->pid_fd, .events = POLLIN },
                [WATCH_STOP] = { .fd = course->talk->stop_fd, .events = POLLIN },
        };

        if (poll(fds, N_WATCHED, patience_ms(child, course)) < 0)
                return true;
        if (fds[WATCH_PID].revents || child->pid_fd < 0)
                course->is_over = child_is_over(child);
        return !fds[WATCH_STOP].revents;
}

/*
 * It need not read all, nor anything: SIGPIPE is ignored, and EPIPE the end of what there is to
 * say.
 */
static void write_some(struct child *child, struct course *course)
{
        if (course->in.len && child->in_fd >= 0) {
                ssize_t n = write(child->in_fd, course->in.at, course->in.len);

                if (n > 0) {
                        course->in.at += n;
                        course->in.len -= (size_t)n;
                } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
                        fd_close(&child->in_fd);
                }
        }
        if (child->in_fd < 0)
                course->in.len = 0;
        else if (!course->in.len && !course->talk->wants_line)
                fd_close(&child->in_fd);
}

/*
 * Of what it says to standard error the first line that is not empty; the rest is read and
 * forgotten.
 */
static void keep_err(struct child *child, const char *at, size_t len)
{
        for (; len && !child->err_is_whole; at++, len--) {
                if (*at == '\n')
                        child->err_is_whole = child->err_len > 0;
                else if (child->err_len < sizeof(child->err_line))
                        child->err_line[child->err_len++] = *at;
        }
}

/* False: for now there is no more. */
static bool read_err(struct child *child)
{
        char chunk[4096];
        ssize_t n = read(child->err_fd, chunk, sizeof(chunk));

        if (n > 0)
                keep_err(child, chunk, (size_t)n);
        else if (n == 0)
                fd_close(&child->err_fd);
        return n > 0;
}

/* The same; or MUSTER_E_RESOURCE. One byte more than is allowed shows that there is more. */
static int read_out(struct child *child, uint64_t max_bytes)
{
        uint64_t room = max_bytes + 1 - child->out.len;
        ssize_t n;

        if (buf_reserve(&child->out, CHUNK_BYTES) < 0)
                return MUSTER_E_RESOURCE;
        n = read(child->out_fd, child->out.at + child->out.len,
                room < CHUNK_BYTES ? (size_t)room : CHUNK_BYTES);
        if (n > 0)
                child->out.len += (size_t)n;
        else if (n == 0)
                fd_close(&child->out_fd);
        return n > 0;
}

static int read_some(struct child *child, struct course *course)
{
        uint64_t max_bytes = course->talk->max_output_bytes;
        bool out_has_more = true, err_has_more = true;

        for (int i = 0; i < CHUNKS_AT_ONCE && (out_has_more || err_has_more); i++) {
                int r = 0;

                err_has_more = err_has_more && child->err_fd >= 0 && read_err(child);
                if (out_has_more && child->out_fd >= 0 && child->out.len <= max_bytes)
                        r = read_out(child, max_bytes);
                if (r < 0)
                        return r;
                out_has_more = r > 0;
        }
        course->has_dried = !out_has_more && !err_has_more;
        return 0;
}

static bool has_line(struct child *child)
{
        size_t from = child->n_looked_through;

        if (from < child->out.len && memchr(child->out.at + from, '\n', child->out.len - from))
                return true;
        child->n_looked_through = child->out.len;
        return false;
}

/*
 * Nothing comes any more from one that is to answer: most likely it is about to end, and why is
 * worth knowing.
 */
static void shorten(struct course *course, const struct child *child)
{
        uint64_t soon_ns = clock_monotonic() + LAST_BREATH_NS;

        if (course->talk->wants_line && child->out_fd < 0 && soon_ns < course->deadline_ns)
                course->deadline_ns = soon_ns;
}

enum child_outcome child_talk(struct child *child, const struct child_talk *talk)
{
        uint64_t deadline_ns = clock_after(clock_monotonic(), talk->timeout_ns);
        struct course course = { .talk = talk, .in = talk->in, .deadline_ns = deadline_ns };
        bool was_open = true;

        assert(child->pid);
        child->out.len = child->n_looked_through = child->err_len = 0;
        child->err_is_whole = false;
        for (;;) {
                /* Before the pipes are read: what it wrote before it ended is all there then. */
                if (!wait_for_any(child, &course))
                        return CHILD_STOPPED;
                write_some(child, &course);
                if (read_some(child, &course) < 0)
                        return CHILD_NO_MEMORY;
                if (child->out.len > talk->max_output_bytes)
                        return CHILD_TOO_MUCH;
                if (talk->wants_line && !course.in.len && has_line(child))
                        return CHILD_ANSWERED;
                if (course.is_over && course.has_dried)
                        return CHILD_ENDED;
                if (was_open && child->out_fd < 0) {
                        was_open = false;
                        shorten(&course, child);
                }
                if (clock_monotonic() >= course.deadline_ns)
                        return talk->wants_line && child->out_fd < 0 ? CHILD_CLOSED
                                                                     : CHILD_TIMED_OUT;
        }
}

/* --- in words -------------------------------------------------------------------------------- */

/* A shell says 128 + n of a command of its that signal n has ended. */
static void explain_end(int status, char *text, size_t size)
{
        int code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
        const char *signal = sigabbrev_np(WIFSIGNALED(status) ? code : code - 128);

        if (WIFSIGNALED(status))
                snprintf(text, size, "the command was killed by signal %d (SIG%s)", code,
                        signal ? signal : "?");
        else
                snprintf(text, size, "the command exited with status %d%s%s%s", code,
                        signal ? " (SIG" : "", signal ? signal : "", signal ? ")" : "");
}

static void explain(const struct child_talk *talk, enum child_outcome outcome, int status,
        char *text, size_t size)
{
        switch (outcome) {
        case CHILD_ANSWERED:
                snprintf(text, size, "the command answered with more than one line");
                return;
        case CHILD_ENDED:
                explain_end(status, text, size);
                return;
        case CHILD_CLOSED:
                snprintf(text, size, "the command closed its standard output");
                return;
        case CHILD_TIMED_OUT:
                snprintf(text, size, "the command took longer than %g s and was killed",
                        (double)talk->timeout_ns / (double)NS_PER_S);
                return;
        case CHILD_TOO_MUCH:
                snprintf(text, size,
                        "the command wrote more than %llu bytes to standard output and was killed",
                        (unsigned long long)talk->max_output_bytes);
                return;
        case CHILD_STOPPED:
                snprintf(text, size, "interrupted: the command was killed");
                return;
        case CHILD_NO_MEMORY:
                snprintf(text, size, "out of memory for what the command wrote");
                return;
        }
}

void child_explain(const struct child *child, const struct child_talk *talk,
        enum child_outcome outcome, int status, char *text, size_t size)
{
        size_t len;

        assert(size > 0);
        text[0] = '\0';
        explain(talk, outcome, status, text, size);
        len = strlen(text);
        if (child->err_len && len < size)
                snprintf(text + len, size - len, ": %.*s", (int)child->err_len, child->err_line);
}
