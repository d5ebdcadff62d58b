/* SPDX-License-Identifier: MIT */
/*
 * Calls in which a thread waits: for descriptors, or for time alone
 */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "next.h"
#include "thread.h"
#include "wait.h"

static int64_t ns_of_ms(int ms)
{
        return ms < 0 ? -1 : (int64_t)ms * (int64_t)NS_PER_MS;
}

static int64_t ns_of(const struct timespec *t)
{
        return t ? (int64_t)t->tv_sec * (int64_t)NS_PER_S + t->tv_nsec : -1;
}

/* --- epoll ----------------------------------------------------------------------------------- */

HOOK int epoll_wait(int fd, struct epoll_event *ret_events, int n_events, int timeout_ms)
{
        struct wait w;
        int n;

        if (!wait_begin(&w, false))
                return NEXT(epoll_wait)(fd, ret_events, n_events, timeout_ms);
        n = NEXT(epoll_wait)(fd, ret_events, n_events, timeout_ms);
        wait_end(&w, fd, n, ns_of_ms(timeout_ms));
        return n;
}

HOOK int epoll_pwait(int fd, struct epoll_event *ret_events, int n_events, int timeout_ms,
        const sigset_t *mask)
{
        struct wait w;
        int n;

        if (!wait_begin(&w, false))
                return NEXT(epoll_pwait)(fd, ret_events, n_events, timeout_ms, mask);
        n = NEXT(epoll_pwait)(fd, ret_events, n_events, timeout_ms, mask);
        wait_end(&w, fd, n, ns_of_ms(timeout_ms));
        return n;
}

HOOK int epoll_pwait2(int fd, struct epoll_event *ret_events, int n_events,
        const struct timespec *timeout, const sigset_t *mask)
{
        struct wait w;
        int n;

        if (UNLIKELY(!NEXT(epoll_pwait2))) {
                errno = ENOSYS;
                return -1;
        }
        if (!wait_begin(&w, false))
                return NEXT(epoll_pwait2)(fd, ret_events, n_events, timeout, mask);
        n = NEXT(epoll_pwait2)(fd, ret_events, n_events, timeout, mask);
        wait_end(&w, fd, n, ns_of(timeout));
        return n;
}

/* --- poll ------------------------------------------------------------------------------------ */

static void polled(const struct wait *w, const struct pollfd *fds, nfds_t n_fds, int n,
        int64_t timeout_ns)
{
        if (n_fds == 0)
                wait_slept(w);
        else
                wait_end(w, n_fds == 1 && n >= 0 ? fds[0].fd : -1, n, timeout_ns);
}

HOOK int poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms)
{
        struct wait w;
        int n;

        if (!wait_begin(&w, n_fds == 0))
                return NEXT(poll)(fds, n_fds, timeout_ms);
        n = NEXT(poll)(fds, n_fds, timeout_ms);
        polled(&w, fds, n_fds, n, ns_of_ms(timeout_ms));
        return n;
}

HOOK int ppoll(struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout,
        const sigset_t *mask)
{
        struct wait w;
        int n;

        if (!wait_begin(&w, n_fds == 0))
                return NEXT(ppoll)(fds, n_fds, timeout, mask);
        n = NEXT(ppoll)(fds, n_fds, timeout, mask);
        polled(&w, fds, n_fds, n, ns_of(timeout));
        return n;
}

/* Of programs built with _FORTIFY_SOURCE. */
HOOK int __poll_chk(struct pollfd *fds, nfds_t n_fds, int timeout_ms, size_t room);
HOOK int __ppoll_chk(struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout,
        const sigset_t *mask, size_t room);

int __poll_chk(struct pollfd *fds, nfds_t n_fds, int timeout_ms, size_t room)
{
        struct wait w;
        int n;

        if (!wait_begin(&w, n_fds == 0))
                return NEXT(__poll_chk)(fds, n_fds, timeout_ms, room);
        n = NEXT(__poll_chk)(fds, n_fds, timeout_ms, room);
        polled(&w, fds, n_fds, n, ns_of_ms(timeout_ms));
        return n;
}

int __ppoll_chk(struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout,
        const sigset_t *mask, size_t room)
{
        struct wait w;
        int n;

        if (!wait_begin(&w, n_fds == 0))
                return NEXT(__ppoll_chk)(fds, n_fds, timeout, mask, room);
        n = NEXT(__ppoll_chk)(fds, n_fds, timeout, mask, room);
        polled(&w, fds, n_fds, n, ns_of(timeout));
        return n;
}

/* --- select ---------------------------------------------------------------------------------- */

static void selected(const struct wait *w, int n_fds, int n, int64_t timeout_ns)
{
        if (n_fds <= 0)
                wait_slept(w);
        else
                wait_end(w, -1, n, timeout_ns);
}

HOOK int select(int n_fds, fd_set *reads, fd_set *writes, fd_set *excepts, struct timeval *timeout)
{
        struct wait w;
        int64_t timeout_ns;
        int n;

        if (!wait_begin(&w, n_fds <= 0))
                return NEXT(select)(n_fds, reads, writes, excepts, timeout);
        /* Before, for the call writes there what was left. */
        timeout_ns = timeout ? (int64_t)timeout->tv_sec * (int64_t)NS_PER_S +
                                       timeout->tv_usec * (int64_t)NS_PER_US
                             : -1;
        n = NEXT(select)(n_fds, reads, writes, excepts, timeout);
        selected(&w, n_fds, n, timeout_ns);
        return n;
}

HOOK int pselect(int n_fds, fd_set *reads, fd_set *writes, fd_set *excepts,
        const struct timespec *timeout, const sigset_t *mask)
{
        struct wait w;
        int n;

        if (!wait_begin(&w, n_fds <= 0))
                return NEXT(pselect)(n_fds, reads, writes, excepts, timeout, mask);
        n = NEXT(pselect)(n_fds, reads, writes, excepts, timeout, mask);
        selected(&w, n_fds, n, ns_of(timeout));
        return n;
}

/* --- time alone ------------------------------------------------------------------------------ */

HOOK unsigned sleep(unsigned s)
{
        struct wait w;
        unsigned left;

        if (!wait_begin(&w, true))
                return NEXT(sleep)(s);
        left = NEXT(sleep)(s);
        wait_slept(&w);
        return left;
}

HOOK int usleep(useconds_t us)
{
        struct wait w;
        int r;

        if (!wait_begin(&w, true))
                return NEXT(usleep)(us);
        r = NEXT(usleep)(us);
        wait_slept(&w);
        return r;
}

HOOK int nanosleep(const struct timespec *time, struct timespec *ret_left)
{
        struct wait w;
        int r;

        if (!wait_begin(&w, true))
                return NEXT(nanosleep)(time, ret_left);
        r = NEXT(nanosleep)(time, ret_left);
        wait_slept(&w);
        return r;
}

HOOK int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
        struct timespec *ret_left)
{
        struct wait w;
        int r;

        if (!wait_begin(&w, true))
                return NEXT(clock_nanosleep)(clock, flags, time, ret_left);
        r = NEXT(clock_nanosleep)(clock, flags, time, ret_left);
        wait_slept(&w);
        return r;
}
