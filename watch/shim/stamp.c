/* SPDX-License-Identifier: MIT */
#include "stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "log.h"
#include "next.h"
#include "raw.h"

static long set(int fd, int on)
{
        return raw6(SYS_setsockopt, fd, SOL_SOCKET, SO_TIMESTAMPNS, raw_address(&on), sizeof on, 0);
}

uint32_t stamp_set(int fd, uint32_t bits)
{
        if (shim.is_sealed || bits & SLOT_UNSTAMPED || !(bits & SLOT_INET))
                return bits;
        if (set(fd, 1) == 0)
                return bits | SLOT_STAMPED;
        log_unseen(WATCH_UNSEEN_STAMPS);
        return bits | SLOT_UNSTAMPED;
}

void stamp_unset(int fd)
{
        uint32_t bits = slot_get(fd);

        if (bits & SLOT_STAMPED && !shim.is_sealed)
                set(fd, 0);
        if (bits & (SLOT_INET | SLOT_UNIX))
                slot_put(fd, (bits & ~(uint32_t)SLOT_STAMPED) | SLOT_UNSTAMPED);
}

void stamp_unset_inherited(void)
{
        uint32_t top = __atomic_load_n(&slots_top, __ATOMIC_RELAXED);

        for (int fd = 0; fd <= (int)top; fd++)
                if (slot_get(fd) & SLOT_STAMPED && !shim.is_sealed &&
                        !(raw3(SYS_fcntl, fd, F_GETFD, 0) & FD_CLOEXEC))
                        stamp_unset(fd);
}

static int64_t ns_of(const struct timespec *t)
{
        return (int64_t)t->tv_sec * (int64_t)NS_PER_S + t->tv_nsec;
}

/* It is of the time of day. One that lies in the future is none. */
static uint64_t monotonic_of(const struct timespec *stamp)
{
        struct timespec day;
        int64_t ago;

        clock_gettime(CLOCK_REALTIME, &day);
        ago = ns_of(&day) - ns_of(stamp);
        return ago >= 0 ? shim_now() - (uint64_t)ago : 0;
}

ssize_t stamp_receive(struct transfer *t, const struct iovec *parts, size_t n_parts, int flags)
{
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(sizeof(struct timespec))];
        } control;
        struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts,
                .msg_iovlen = n_parts,
                .msg_control = &control,
                .msg_controllen = sizeof control };
        ssize_t n = NEXT(recvmsg)(t->fd, &message, flags);
        int sys = errno;

        if (n > 0 && message.msg_controllen >= sizeof control &&
                control.head.cmsg_level == SOL_SOCKET &&
                control.head.cmsg_type == SCM_TIMESTAMPNS) {
                struct timespec stamp;

                memcpy(&stamp, CMSG_DATA(&control.head), sizeof stamp);
                t->stamp_ns = monotonic_of(&stamp);
        }
        if (n < 0 && sys == ENOTSOCK)
                slot_clear(t->fd);
        errno = sys;
        return n;
}
