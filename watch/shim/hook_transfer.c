/* SPDX-License-Identifier: MIT */
/*
 * Calls that send and receive
 *
 * Those that are of sockets only look at descriptors that are not known; read() and write() do not,
 * they are mostly of files.
 */
#undef _FILE_OFFSET_BITS /* sendfile64() is a function of its own */

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "next.h"
#include "stamp.h"
#include "transfer.h"

/* --- sending --------------------------------------------------------------------------------- */

static uint32_t look(int fd)
{
        return shim_watches() ? slot_look(fd) : 0;
}

HOOK ssize_t send(int fd, const void *data, size_t size, int flags)
{
        struct iovec part = { (void *)(uintptr_t)data, size };
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(send)(fd, data, size, flags);
        n = NEXT(send)(fd, data, size, flags);
        transfer_sent(&t, n, &part, 1);
        return n;
}

HOOK ssize_t sendto(int fd, const void *data, size_t size, int flags,
        const struct sockaddr *address, socklen_t address_size)
{
        struct iovec part = { (void *)(uintptr_t)data, size };
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(sendto)(fd, data, size, flags, address, address_size);
        n = NEXT(sendto)(fd, data, size, flags, address, address_size);
        transfer_sent(&t, n, &part, 1);
        return n;
}

HOOK ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(sendmsg)(fd, message, flags);
        n = NEXT(sendmsg)(fd, message, flags);
        transfer_sent(&t, n, n > 0 ? message->msg_iov : NULL, n > 0 ? message->msg_iovlen : 0);
        return n;
}

HOOK int sendmmsg(int fd, struct mmsghdr *messages, unsigned n_messages, int flags)
{
        struct transfer t;
        int n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(sendmmsg)(fd, messages, n_messages, flags);
        n = NEXT(sendmmsg)(fd, messages, n_messages, flags);
        if (n <= 0)
                transfer_sent(&t, n, NULL, 0);
        for (int i = 0; i < n; i++)
                transfer_sent(&t, messages[i].msg_len, messages[i].msg_hdr.msg_iov,
                        messages[i].msg_hdr.msg_iovlen);
        return n;
}

HOOK ssize_t write(int fd, const void *data, size_t size)
{
        struct iovec part = { (void *)(uintptr_t)data, size };
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, slot_get(fd), 0))
                return NEXT(write)(fd, data, size);
        n = NEXT(write)(fd, data, size);
        transfer_sent(&t, n, &part, 1);
        return n;
}

HOOK ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, slot_get(fd), 0))
                return NEXT(writev)(fd, parts, n_parts);
        n = NEXT(writev)(fd, parts, n_parts);
        transfer_sent(&t, n, n > 0 ? parts : NULL, n > 0 ? (size_t)n_parts : 0);
        return n;
}

HOOK ssize_t sendfile(int fd, int from, off_t *offset, size_t size)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, slot_get(fd), 0))
                return NEXT(sendfile)(fd, from, offset, size);
        n = NEXT(sendfile)(fd, from, offset, size);
        transfer_sent(&t, n, NULL, 0);
        return n;
}

HOOK ssize_t sendfile64(int fd, int from, off64_t *offset, size_t size)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, slot_get(fd), 0))
                return NEXT(sendfile64)(fd, from, offset, size);
        n = NEXT(sendfile64)(fd, from, offset, size);
        transfer_sent(&t, n, NULL, 0);
        return n;
}

/* --- receiving ------------------------------------------------------------------------------- */

/* Not what is only looked at, or was no receive at all: the same bytes come again. */
static void received(const struct transfer *t, ssize_t n, void *data, size_t size, int flags)
{
        if (size > 0 && !(flags & (MSG_PEEK | MSG_ERRQUEUE)))
                transfer_received(t, n, &(struct iovec){ data, size },
                        flags & MSG_TRUNC ? 0 : 1); /* TRUNC: thrown away */
}

/* By a call that gives a stamp, where one is wanted; false: the real call is to be made. */
static bool stamped(struct transfer *t, void *data, size_t size, int flags, ssize_t *ret_n)
{
        if (LIKELY(!stamp_is_wanted(t, size, flags)))
                return false;
        *ret_n = stamp_receive(t, &(struct iovec){ data, size }, 1, flags);
        return *ret_n >= 0 || errno != ENOTSOCK;
}

HOOK ssize_t recv(int fd, void *ret_data, size_t size, int flags)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(recv)(fd, ret_data, size, flags);
        if (!stamped(&t, ret_data, size, flags, &n))
                n = NEXT(recv)(fd, ret_data, size, flags);
        received(&t, n, ret_data, size, flags);
        return n;
}

HOOK ssize_t recvfrom(int fd, void *ret_data, size_t size, int flags, struct sockaddr *ret_address,
        socklen_t *address_size)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(recvfrom)(fd, ret_data, size, flags, ret_address, address_size);
        if (ret_address || !stamped(&t, ret_data, size, flags, &n))
                n = NEXT(recvfrom)(fd, ret_data, size, flags, ret_address, address_size);
        received(&t, n, ret_data, size, flags);
        return n;
}

static size_t room_in(const struct iovec *parts, size_t n)
{
        size_t room = 0;

        for (size_t i = 0; i < n && room == 0; i++)
                room += parts[i].iov_len;
        return room;
}

HOOK ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(recvmsg)(fd, message, flags);
        stamp_unset(fd); /* it would be told that there was control data */
        n = NEXT(recvmsg)(fd, message, flags);
        if (flags & (MSG_PEEK | MSG_ERRQUEUE))
                return n;
        if (n < 0)
                transfer_received(&t, n, NULL, 0);
        else if (room_in(message->msg_iov, message->msg_iovlen) > 0)
                transfer_received(&t, n, message->msg_iov,
                        flags & MSG_TRUNC ? 0 : message->msg_iovlen);
        return n;
}

/* As for recvmsg(); of a stream there is little reason for it. */
HOOK int recvmmsg(int fd, struct mmsghdr *messages, unsigned n_messages, int flags,
        struct timespec *timeout)
{
        struct transfer t;
        int n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(recvmmsg)(fd, messages, n_messages, flags, timeout);
        stamp_unset(fd);
        n = NEXT(recvmmsg)(fd, messages, n_messages, flags, timeout);
        if (flags & (MSG_PEEK | MSG_ERRQUEUE))
                return n;
        if (n < 0)
                transfer_received(&t, n, NULL, 0);
        for (int i = 0; i < n; i++)
                transfer_received(&t, messages[i].msg_len, messages[i].msg_hdr.msg_iov,
                        flags & MSG_TRUNC ? 0 : messages[i].msg_hdr.msg_iovlen);
        return n;
}

HOOK ssize_t read(int fd, void *ret_data, size_t size)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, slot_get(fd), 0))
                return NEXT(read)(fd, ret_data, size);
        if (!stamped(&t, ret_data, size, 0, &n))
                n = NEXT(read)(fd, ret_data, size);
        received(&t, n, ret_data, size, 0);
        return n;
}

HOOK ssize_t readv(int fd, const struct iovec *parts, int n_parts)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, slot_get(fd), 0))
                return NEXT(readv)(fd, parts, n_parts);
        n = -1;
        errno = ENOTSOCK;
        if (n_parts > 0 && stamp_is_wanted(&t, room_in(parts, (size_t)n_parts), 0))
                n = stamp_receive(&t, parts, (size_t)n_parts, 0);
        if (n < 0 && errno == ENOTSOCK)
                n = NEXT(readv)(fd, parts, n_parts);
        if (n < 0)
                transfer_received(&t, n, NULL, 0);
        else if (room_in(parts, (size_t)n_parts) > 0)
                transfer_received(&t, n, parts, (size_t)n_parts);
        return n;
}

/* --- of programs built with _FORTIFY_SOURCE -------------------------------------------------- */

HOOK ssize_t __recv_chk(int fd, void *ret_data, size_t size, size_t room, int flags);
HOOK ssize_t __recvfrom_chk(int fd, void *ret_data, size_t size, size_t room, int flags,
        struct sockaddr *ret_address, socklen_t *address_size);
HOOK ssize_t __read_chk(int fd, void *ret_data, size_t size, size_t room);

ssize_t __recv_chk(int fd, void *ret_data, size_t size, size_t room, int flags)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(__recv_chk)(fd, ret_data, size, room, flags);
        if (size > room || !stamped(&t, ret_data, size, flags, &n))
                n = NEXT(__recv_chk)(fd, ret_data, size, room, flags);
        received(&t, n, ret_data, size, flags);
        return n;
}

ssize_t __recvfrom_chk(int fd, void *ret_data, size_t size, size_t room, int flags,
        struct sockaddr *ret_address, socklen_t *address_size)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, look(fd), flags))
                return NEXT(__recvfrom_chk)(fd, ret_data, size, room, flags, ret_address,
                        address_size);
        if (size > room || ret_address || !stamped(&t, ret_data, size, flags, &n))
                n = NEXT(__recvfrom_chk)(fd, ret_data, size, room, flags, ret_address,
                        address_size);
        received(&t, n, ret_data, size, flags);
        return n;
}

ssize_t __read_chk(int fd, void *ret_data, size_t size, size_t room)
{
        struct transfer t;
        ssize_t n;

        if (!transfer_begin(&t, fd, slot_get(fd), 0))
                return NEXT(__read_chk)(fd, ret_data, size, room);
        if (size > room || !stamped(&t, ret_data, size, 0, &n))
                n = NEXT(__read_chk)(fd, ret_data, size, room);
        received(&t, n, ret_data, size, 0);
        return n;
}
