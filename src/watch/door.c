/* SPDX-License-Identifier: MIT */
#include "door.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

#define PATIENCE_S 1 /* muster may be stopped: the program is not to wait for it */

static long address(const void *p)
{
        return (long)(intptr_t)p;
}

/* --- the filter ------------------------------------------------------------------------------ */

/* Calls of another machine's table, as of 32 bits, pass: their numbers mean something else. */
static long install(unsigned long flags, door_call *call)
{
#ifdef OUR_ARCH
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 0, 2),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 1, 0),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        };
        struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

        return call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (long)flags, address(&program), 0, 0, 0);
#else
        (void)flags;
        (void)call;
        return -ENOSYS;
#endif
}

/*
 * SPEC_ALLOW: a filter is no reason to make the processor slower. WAIT_KILLABLE_RECV: once somebody
 * has a call, no signal of the program's own interrupts it.
 */
static long install_as_can_be(door_call *call)
{
        unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
        long fd = install(flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, call);

        return fd == -EINVAL ? install(flags, call) : fd;
}

/* The listener, or -errno. */
static long install_listener(door_call *call)
{
        long fd;

        /* A kernel without this call (before 5.6) may not know how to let a call go on either. */
        if (call(SYS_pidfd_getfd, -1, -1, 0, 0, 0, 0) == -ENOSYS)
                return -ENOSYS;
        fd = install_as_can_be(call);
        if (fd == -EACCES && call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0) == 0)
                fd = install_as_can_be(call);
        return fd;
}

/* --- the way through the door ---------------------------------------------------------------- */

static bool put_address(struct sockaddr_un *to, const char *folder)
{
        size_t n = strlen(folder);

        if (n + sizeof("/" DOOR_NAME) > sizeof(to->sun_path))
                return false;
        memset(to, 0, sizeof(*to));
        to->sun_family = AF_UNIX;
        memcpy(to->sun_path, folder, n);
        memcpy(to->sun_path + n, "/" DOOR_NAME, sizeof("/" DOOR_NAME));
        return true;
}

/* A socket to who is behind the door; negative: nobody is. */
static long open_socket(const char *folder, door_call *call)
{
        struct timeval patience = { .tv_sec = PATIENCE_S };
        struct sockaddr_un there;
        long fd = put_address(&there, folder)
                          ? call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0, 0, 0)
                          : -1;

        if (fd < 0)
                return -1;
        call(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, address(&patience), sizeof(patience), 0);
        call(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, address(&patience), sizeof(patience), 0);
        if (call(SYS_connect, fd, address(&there), sizeof(there), 0, 0, 0) == 0)
                return fd;
        call(SYS_close, fd, 0, 0, 0, 0, 0);
        return -1;
}

static bool hears(long fd, char wanted, door_call *call)
{
        char word = 0;
        long n;

        do
                n = call(SYS_recvfrom, fd, address(&word), 1, 0, 0, 0);
        while (n == -EINTR);
        return n == 1 && word == wanted;
}

static bool says(long fd, const struct msghdr *message, door_call *call)
{
        long n;

        do
                n = call(SYS_sendmsg, fd, address(message), MSG_NOSIGNAL, 0, 0, 0);
        while (n == -EINTR);
        return n >= 0;
}

static bool says_who(long fd, enum image_kind kind, const char *path, door_call *call)
{
        struct door_knock knock = { .kind = (uint32_t)kind };
        struct iovec part = { &knock, sizeof(knock) };
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

        memcpy(knock.name, name, strnlen(name, sizeof(knock.name) - 1));
        return says(fd, &(struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 }, call);
}

static void hand_over(long fd, long listener, door_call *call)
{
        struct door_pass pass = { .why = listener < 0 ? (int32_t)listener : 0 };
        struct iovec part = { &pass, sizeof(pass) };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
        int its = (int)listener;
        union {
                struct cmsghdr head; /* aligns it */
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { .bytes = { 0 } };

        if (listener >= 0) {
                message.msg_control = control.bytes;
                message.msg_controllen = sizeof(control.bytes);
                control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(its)),
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS };
                memcpy(CMSG_DATA(&control.head), &its, sizeof(its));
        }
        if (says(fd, &message, call))
                hears(fd, DOOR_GO, call);
}

void door_knock(const char *folder, enum image_kind kind, const char *path, door_call *call)
{
        long fd = open_socket(folder, call), listener;

        if (fd < 0)
                return;
        if (says_who(fd, kind, path, call) && hears(fd, DOOR_COME, call)) {
                listener = install_listener(call);
                hand_over(fd, listener, call);
                if (listener >= 0)
                        call(SYS_close, listener, 0, 0, 0, 0, 0);
        }
        call(SYS_close, fd, 0, 0, 0, 0, 0);
}
