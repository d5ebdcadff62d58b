/* SPDX-License-Identifier: MIT */
/*
 * The real functions: those that the program would have got without us
 *
 * They are looked up once, when the process begins: that is not to be done in a signal handler. One
 * that this C library does not have is NULL.
 */
#ifndef SHIM_NEXT_H
#define SHIM_NEXT_H

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#include "shim.h"

struct next {
        bool is_found;
        int (*socket)(int, int, int);
        int (*socketpair)(int, int, int, int[2]);
        int (*connect)(int, const void *, socklen_t);
        int (*accept)(int, void *, socklen_t *);
        int (*accept4)(int, void *, socklen_t *, int);
        int (*shutdown)(int, int);
        int (*getsockopt)(int, int, int, void *, socklen_t *);
        int (*setsockopt)(int, int, int, const void *, socklen_t);

        int (*close)(int);
        int (*fclose)(FILE *);
        int (*close_range)(unsigned, unsigned, int);
        void (*closefrom)(int);
        int (*dup)(int);
        int (*dup2)(int, int);
        int (*dup3)(int, int, int);
        int (*fcntl)(int, int, ...);
        int (*fcntl64)(int, int, ...);
        int (*ioctl)(int, unsigned long, ...);

        ssize_t (*send)(int, const void *, size_t, int);
        ssize_t (*sendto)(int, const void *, size_t, int, const void *, socklen_t);
        ssize_t (*sendmsg)(int, const struct msghdr *, int);
        int (*sendmmsg)(int, struct mmsghdr *, unsigned, int);
        ssize_t (*write)(int, const void *, size_t);
        ssize_t (*writev)(int, const struct iovec *, int);
        ssize_t (*sendfile)(int, int, off_t *, size_t);
        ssize_t (*sendfile64)(int, int, off64_t *, size_t);
        ssize_t (*recv)(int, void *, size_t, int);
        ssize_t (*recvfrom)(int, void *, size_t, int, void *, socklen_t *);
        ssize_t (*recvmsg)(int, struct msghdr *, int);
        int (*recvmmsg)(int, struct mmsghdr *, unsigned, int, struct timespec *);
        ssize_t (*read)(int, void *, size_t);
        ssize_t (*readv)(int, const struct iovec *, int);
        ssize_t (*__recv_chk)(int, void *, size_t, size_t, int);
        ssize_t (*__recvfrom_chk)(int, void *, size_t, size_t, int, void *, socklen_t *);
        ssize_t (*__read_chk)(int, void *, size_t, size_t);

        int (*epoll_wait)(int, struct epoll_event *, int, int);
        int (*epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);
        int (*epoll_pwait2)(int, struct epoll_event *, int, const struct timespec *,
                const sigset_t *);
        int (*poll)(struct pollfd *, nfds_t, int);
        int (*ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
        int (*__poll_chk)(struct pollfd *, nfds_t, int, size_t);
        int (*__ppoll_chk)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *,
                size_t);
        int (*select)(int, fd_set *, fd_set *, fd_set *, struct timeval *);
        int (*pselect)(int, fd_set *, fd_set *, fd_set *, const struct timespec *,
                const sigset_t *);
        unsigned (*sleep)(unsigned);
        int (*usleep)(useconds_t);
        int (*nanosleep)(const struct timespec *, struct timespec *);
        int (*clock_nanosleep)(clockid_t, int, const struct timespec *, struct timespec *);

        int (*getaddrinfo)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

        pid_t (*fork)(void);
        pid_t (*_Fork)(void);
        int (*posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                const posix_spawnattr_t *, char *const[], char *const[]);
        int (*posix_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                const posix_spawnattr_t *, char *const[], char *const[]);
        int (*execve)(const char *, char *const[], char *const[]);
        int (*execv)(const char *, char *const[]);
        int (*execvp)(const char *, char *const[]);
        int (*execvpe)(const char *, char *const[], char *const[]);
        int (*fexecve)(int, char *const[], char *const[]);
        int (*execveat)(int, const char *, char *const[], char *const[], int);
        int (*pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
        int (*prctl)(int, ...);
        long (*syscall)(long, ...);
};
extern struct next next;

void next_find(void);

/* A program's constructors may run before ours. */
#define NEXT(name) ((LIKELY(next.is_found) ? (void)0 : next_find()), next.name)

#endif
