/* SPDX-License-Identifier: MIT */
/*
 * System calls, as the C library offers them
 */
#undef _FILE_OFFSET_BITS /* both names of a function are there, and each is replaced */

#include "shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The C library's function of that name, of the type of ours. */
#define NEXT(name)                                                                                 \
        (__extension__({                                                                           \
                static __typeof__(&name) next;                                                     \
                if (!next)                                                                         \
                        *(void **)&next = dlsym(RTLD_NEXT, #name);                                 \
                next;                                                                              \
        }))

/* A call that fails with `failed`, by the name `counted`. */
#define WRAP(type, name, counted, failed, parameters, arguments)                                   \
        SHIM_EXPORT type name parameters                                                           \
        {                                                                                          \
                if (shim_decide(counted, SHIM_CALLER) == SHIM_FAIL)                                \
                        return failed;                                                             \
                return NEXT(name) arguments;                                                       \
        }

#define COUNTER_BYTES 8 /* of an eventfd or a timer, which do not fail: these are not counted */

/* One that may do less than all of its `size`. */
#define WRAP_SIZED(type, name, parameters, arguments)                                              \
        SHIM_EXPORT type name parameters                                                           \
        {                                                                                          \
                switch (size == COUNTER_BYTES ? SHIM_CALL : shim_decide(#name, SHIM_CALLER)) {     \
                case SHIM_FAIL:                                                                    \
                        return -1;                                                                 \
                case SHIM_SHORT:                                                                   \
                        size = size ? 1 : 0;                                                       \
                        break;                                                                     \
                case SHIM_CALL:                                                                    \
                        break;                                                                     \
                }                                                                                  \
                return NEXT(name) arguments;                                                       \
        }

/* --- bytes ----------------------------------------------------------------------------------- */

WRAP_SIZED(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size))
WRAP_SIZED(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size))
WRAP_SIZED(ssize_t, send, (int fd, const void *from, size_t size, int flags),
        (fd, from, size, flags))
WRAP_SIZED(ssize_t, recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))
WRAP_SIZED(ssize_t, recvfrom,
        (int fd, void *restrict to, size_t size, int flags, struct sockaddr *restrict address,
                socklen_t *restrict len),
        (fd, to, size, flags, address, len))

/* The first byte of the first piece that has any. */
static size_t first_byte(const struct iovec *pieces, size_t n, struct iovec *ret_byte)
{
        for (size_t i = 0; i < n; i++)
                if (pieces[i].iov_len) {
                        *ret_byte = (struct iovec){ pieces[i].iov_base, 1 };
                        return 1;
                }
        return 0;
}

SHIM_EXPORT ssize_t writev(int fd, const struct iovec *pieces, int n)
{
        enum shim_way way = shim_decide("writev", SHIM_CALLER);
        struct iovec byte;

        if (way == SHIM_FAIL)
                return -1;
        if (way == SHIM_SHORT && first_byte(pieces, (size_t)n, &byte))
                return NEXT(writev)(fd, &byte, 1);
        return NEXT(writev)(fd, pieces, n);
}

SHIM_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
        enum shim_way way = shim_decide("sendmsg", SHIM_CALLER);
        struct msghdr shorter = *message;
        struct iovec byte;

        if (way == SHIM_FAIL)
                return -1;
        if (way == SHIM_SHORT && first_byte(message->msg_iov, message->msg_iovlen, &byte)) {
                shorter.msg_iov = &byte;
                shorter.msg_iovlen = 1;
        }
        return NEXT(sendmsg)(fd, &shorter, flags);
}

SHIM_EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
        enum shim_way way = shim_decide("recvmsg", SHIM_CALLER);
        struct iovec byte, *pieces = message->msg_iov;
        size_t n = message->msg_iovlen;
        ssize_t r;

        if (way == SHIM_FAIL)
                return -1;
        if (way == SHIM_SHORT && first_byte(pieces, n, &byte)) {
                message->msg_iov = &byte;
                message->msg_iovlen = 1;
        }
        r = NEXT(recvmsg)(fd, message, flags);
        message->msg_iov = pieces;
        message->msg_iovlen = n;
        return r;
}

/* --- files ----------------------------------------------------------------------------------- */

/* With a mode only where a file may be made. */
static mode_t mode_of(int flags, va_list arguments)
{
        return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#define WRAP_OPEN(name, parameters, ...)                                                           \
        SHIM_EXPORT int name parameters                                                            \
        {                                                                                          \
                va_list arguments;                                                                 \
                mode_t mode;                                                                       \
                if (shim_decide("open", SHIM_CALLER) == SHIM_FAIL)                                 \
                        return -1;                                                                 \
                va_start(arguments, flags);                                                        \
                mode = mode_of(flags, arguments);                                                  \
                va_end(arguments);                                                                 \
                return NEXT(name)(__VA_ARGS__, flags, mode);                                       \
        }

WRAP_OPEN(open, (const char *path, int flags, ...), path)
WRAP_OPEN(open64, (const char *path, int flags, ...), path)
WRAP_OPEN(openat, (int folder, const char *path, int flags, ...), folder, path)
WRAP_OPEN(openat64, (int folder, const char *path, int flags, ...), folder, path)
WRAP(FILE *, fopen, "open", NULL, (const char *restrict path, const char *restrict mode),
        (path, mode))
WRAP(FILE *, fopen64, "open", NULL, (const char *restrict path, const char *restrict mode),
        (path, mode))
WRAP(FILE *, fdopen, "open", NULL, (int fd, const char *mode), (fd, mode))
WRAP(DIR *, opendir, "open", NULL, (const char *path), (path))
WRAP(DIR *, fdopendir, "open", NULL, (int fd), (fd))
WRAP(int, mkostemp64, "open", -1, (char *path, int flags), (path, flags))
WRAP(int, mkstemp64, "open", -1, (char *path), (path))
WRAP(char *, mkdtemp, "mkdir", NULL, (char *path), (path))
WRAP(int, mkdir, "mkdir", -1, (const char *path, mode_t mode), (path, mode))
WRAP(int, stat64, "stat", -1, (const char *restrict path, struct stat64 *restrict status),
        (path, status))
WRAP(int, fstat64, "stat", -1, (int fd, struct stat64 *status), (fd, status))
WRAP(int, access, "stat", -1, (const char *path, int way), (path, way))
WRAP(char *, realpath, "stat", NULL, (const char *restrict path, char *restrict to), (path, to))
WRAP(int, rename, "rename", -1, (const char *from, const char *to), (from, to))
WRAP(int, renameat2, "rename", -1, (int a, const char *from, int b, const char *to, unsigned flags),
        (a, from, b, to, flags))
WRAP(int, link, "rename", -1, (const char *from, const char *to), (from, to))
WRAP(int, unlink, "unlink", -1, (const char *path), (path))
WRAP(int, unlinkat, "unlink", -1, (int folder, const char *path, int flags), (folder, path, flags))
WRAP(int, rmdir, "unlink", -1, (const char *path), (path))
WRAP(int, fsync, "fsync", -1, (int fd), (fd))
WRAP(int, fdatasync, "fsync", -1, (int fd), (fd))
WRAP(int, ftruncate64, "ftruncate", -1, (int fd, off64_t size), (fd, size))
WRAP(int, fchmod, "fchmod", -1, (int fd, mode_t mode), (fd, mode))
WRAP(int, flock, "flock", -1, (int fd, int how), (fd, how))
WRAP(off64_t, lseek64, "lseek", -1, (int fd, off64_t at, int whence), (fd, at, whence))
WRAP(void *, mmap64, "mmap", MAP_FAILED,
        (void *at, size_t size, int rights, int flags, int fd, off64_t from),
        (at, size, rights, flags, fd, from))

/* What failed is closed nevertheless, as on Linux. */
SHIM_EXPORT int close(int fd)
{
        enum shim_way way = shim_decide("close", SHIM_CALLER);
        int sys = errno, r = NEXT(close)(fd);

        if (way != SHIM_FAIL)
                return r;
        errno = sys;
        return -1;
}

/* --- sockets, and what waits for them -------------------------------------------------------- */

WRAP(int, socket, "socket", -1, (int family, int type, int protocol), (family, type, protocol))
WRAP(int, connect, "connect", -1, (int fd, const struct sockaddr *address, socklen_t len),
        (fd, address, len))
WRAP(int, bind, "bind", -1, (int fd, const struct sockaddr *address, socklen_t len),
        (fd, address, len))
WRAP(int, setsockopt, "sockopt", -1, (int fd, int level, int name, const void *at, socklen_t len),
        (fd, level, name, at, len))
WRAP(int, getsockopt, "sockopt", -1,
        (int fd, int level, int name, void *restrict at, socklen_t *restrict len),
        (fd, level, name, at, len))
WRAP(int, getsockname, "sockopt", -1,
        (int fd, struct sockaddr *restrict address, socklen_t *restrict len), (fd, address, len))
WRAP(int, shutdown, "shutdown", -1, (int fd, int how), (fd, how))
WRAP(int, epoll_create1, "epoll_create", -1, (int flags), (flags))
/* Only adding needs memory: the others do not fail. */
SHIM_EXPORT int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
        if (what == EPOLL_CTL_ADD && shim_decide("epoll_ctl", SHIM_CALLER) == SHIM_FAIL)
                return -1;
        return NEXT(epoll_ctl)(epoll, what, fd, event);
}

WRAP(int, epoll_wait, "epoll_wait", -1, (int epoll, struct epoll_event *to, int n, int ms),
        (epoll, to, n, ms))
WRAP(int, epoll_pwait2, "epoll_wait", -1,
        (int epoll, struct epoll_event *to, int n, const struct timespec *wait,
                const sigset_t *mask),
        (epoll, to, n, wait, mask))
WRAP(int, poll, "poll", -1, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
WRAP(int, eventfd, "eventfd", -1, (unsigned value, int flags), (value, flags))
WRAP(int, timerfd_create, "timerfd", -1, (int clock, int flags), (clock, flags))
WRAP(int, timerfd_settime, "timerfd", -1,
        (int fd, int flags, const struct itimerspec *value, struct itimerspec *old),
        (fd, flags, value, old))

/* --- the rest -------------------------------------------------------------------------------- */

WRAP(ssize_t, getrandom, "getrandom", -1, (void *to, size_t size, unsigned flags),
        (to, size, flags))
WRAP(int, pipe2, "pipe", -1, (int fds[2], int flags), (fds, flags))
WRAP(pid_t, waitpid, "waitpid", -1, (pid_t pid, int *status, int flags), (pid, status, flags))
WRAP(int, pthread_create, "thread", errno,
        (pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                void *(*run)(void *), void *restrict argument),
        (thread, attributes, run, argument))
WRAP(int, posix_spawn, "spawn", errno,
        (pid_t *restrict pid, const char *restrict path,
                const posix_spawn_file_actions_t *restrict actions,
                const posix_spawnattr_t *restrict attributes, char *const arguments[restrict],
                char *const environment[restrict]),
        (pid, path, actions, attributes, arguments, environment))

SHIM_EXPORT int fcntl64(int fd, int what, ...)
{
        va_list arguments;
        void *argument;

        bool is_new = what == F_DUPFD || what == F_DUPFD_CLOEXEC; /* only these can run out */

        if (is_new && shim_decide("fcntl", SHIM_CALLER) == SHIM_FAIL)
                return -1;
        va_start(arguments, what);
        argument = va_arg(arguments, void *);
        va_end(arguments);
        return NEXT(fcntl64)(fd, what, argument);
}
