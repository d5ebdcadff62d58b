/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64) /* Linux 6.6 */
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
void filter_init(int listener)
{
        __u64 flags = SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP;

        ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags); /* only faster, where it is known */
}

bool filter_take(int listener, union filter_room *room, struct filter_call *ret_call)
{
        struct seccomp_notif notice;
        int r;

        memset(room, 0, sizeof(*room)); /* the kernel wants it so */
        while ((r = ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, room)) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return false;
        memcpy(&notice, room, sizeof(notice));
        ret_call->id = notice.id;
        ret_call->tid = (pid_t)notice.pid;
        for (int i = 0; i < 6; i++)
                ret_call->arguments[i] = notice.data.args[i];
        return true;
}

bool filter_waits(int listener, uint64_t id)
{
        __u64 its = id;

        return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &its) == 0;
}

void filter_let_go(int listener, uint64_t id)
{
        union {
                struct seccomp_notif_resp answer;
                char bytes[256]; /* later kernels may have more members */
        } room = { .bytes = { 0 } };

        room.answer.id = id;
        room.answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        while (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &room) < 0 && errno == EINTR)
                ;
}
