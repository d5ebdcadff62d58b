/* SPDX-License-Identifier: MIT */
/*
 * Sockets: how they are made, connected and set
 */
#undef _FILE_OFFSET_BITS /* the C library's functions have their own names here */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "log.h"
#include "next.h"
#include "raw.h"
#include "slot.h"
#include "stamp.h"
#include "thread.h"

HOOK int socket(int domain, int type, int protocol)
{
        int fd = NEXT(socket)(domain, type, protocol);

        if (fd >= 0 && shim_watches())
                slot_new(fd, domain, type);
        return fd;
}

/* A loop's way to wake itself up; nobody's connection. */
HOOK int socketpair(int domain, int type, int protocol, int fds[2])
{
        int r = NEXT(socketpair)(domain, type, protocol, fds);

        if (r == 0 && shim_watches()) {
                slot_put(fds[0], SLOT_OTHER);
                slot_put(fds[1], SLOT_OTHER);
        }
        return r;
}

/* --- connect --------------------------------------------------------------------------------- */

static bool is_of_interest(uint32_t bits, const void *address, socklen_t size)
{
        const struct sockaddr_un *un = address;

        if (!address || size < sizeof(sa_family_t))
                return false;
        if (bits & SLOT_INET)
                return un->sun_family == AF_INET || un->sun_family == AF_INET6;
        return bits & SLOT_UNIX && un->sun_family == AF_UNIX &&
               size > offsetof(struct sockaddr_un, sun_path) && un->sun_path[0];
}

static void connected(int fd, uint32_t bits, uint64_t at_ns, int error, const void *address,
        socklen_t size)
{
        uint64_t took_ns = shim_since(at_ns);
        struct watch_event *event;
        bool is_under_way = error == EINPROGRESS || error == EINTR;

        /* A second call asks what has come of the first. */
        if (bits & SLOT_CONNECTING) {
                if (error != EALREADY && !is_under_way)
                        slot_connected(fd, error == EISCONN ? 0 : error);
                return;
        }
        if (error == EISCONN)
                return;
        bits &= SLOT_INET | SLOT_UNIX | SLOT_NONBLOCK | SLOT_UNSTAMPED;
        if (error == 0 || is_under_way)
                bits = stamp_set(fd, bits);
        slot_put(fd, bits | SLOT_OPEN | (is_under_way ? SLOT_CONNECTING : 0));
        size = size < sizeof(struct sockaddr_storage) ? size : sizeof(struct sockaddr_storage);
        event = log_begin(WATCH_CONNECT, fd, at_ns, took_ns, size);
        if (!event)
                return;
        event->value = error;
        event->flags = bits & SLOT_NONBLOCK ? 0 : WATCH_FLAG_BLOCKS;
        memcpy(event->data, address, size);
        log_finish(event, WATCH_CONNECT);
}

HOOK int connect(int fd, const struct sockaddr *address, socklen_t size)
{
        uint32_t bits;
        uint64_t at_ns;
        int r, sys;

        if (!shim_watches() || !is_of_interest(bits = slot_get(fd), address, size))
                return NEXT(connect)(fd, address, size);
        at_ns = shim_now();
        r = NEXT(connect)(fd, address, size);
        sys = errno;
        connected(fd, bits, at_ns, r == 0 ? 0 : sys, address, size);
        errno = sys;
        return r;
}

/* --- accept ---------------------------------------------------------------------------------- */

static void accepted(int listener, int fd, uint64_t at_ns, int flags)
{
        uint32_t bits = slot_look(listener) & (SLOT_INET | SLOT_UNIX);
        struct sockaddr_storage address = { 0 };
        socklen_t size = sizeof address;
        int sys = errno;

        /* A name in the file system is the listener's, if anybody's. */
        if (!bits) {
                slot_put(fd, SLOT_OTHER);
                return;
        }
        slot_put(fd, bits | SLOT_OPEN | (flags & SOCK_NONBLOCK ? SLOT_NONBLOCK : 0));
        if (shim.is_sealed ||
                raw3(SYS_getpeername, fd, raw_address(&address), raw_address(&size)) < 0)
                size = 0;
        log_data(WATCH_ACCEPT, fd, at_ns, shim_since(at_ns), 0, &address,
                size < sizeof address ? size : sizeof address);
        errno = sys;
}

HOOK int accept(int fd, struct sockaddr *ret_address, socklen_t *size)
{
        uint64_t at_ns;
        int new;

        if (!shim_watches())
                return NEXT(accept)(fd, ret_address, size);
        at_ns = shim_now();
        new = NEXT(accept)(fd, ret_address, size);
        if (new >= 0)
                accepted(fd, new, at_ns, 0);
        return new;
}

HOOK int accept4(int fd, struct sockaddr *ret_address, socklen_t *size, int flags)
{
        uint64_t at_ns;
        int new;

        if (!shim_watches())
                return NEXT(accept4)(fd, ret_address, size, flags);
        at_ns = shim_now();
        new = NEXT(accept4)(fd, ret_address, size, flags);
        if (new >= 0)
                accepted(fd, new, at_ns, flags);
        return new;
}

/* --- settings -------------------------------------------------------------------------------- */

HOOK int shutdown(int fd, int how)
{
        uint32_t bits = slot_get(fd);

        if (shim_watches() && slot_is_followed(bits) && bits & SLOT_OPEN)
                log_event(WATCH_SHUTDOWN, fd, shim_now(), 0, how, 0);
        return NEXT(shutdown)(fd, how);
}

static bool is_of_stamps(int level, int name)
{
        return level == SOL_SOCKET &&
               (name == SO_TIMESTAMP || name == SO_TIMESTAMPNS || name == SO_TIMESTAMPING ||
                       name == SO_TIMESTAMP_NEW || name == SO_TIMESTAMPNS_NEW ||
                       name == SO_TIMESTAMPING_NEW);
}

HOOK int getsockopt(int fd, int level, int name, void *ret_value, socklen_t *size)
{
        int r = NEXT(getsockopt)(fd, level, name, ret_value, size);
        int error;

        if (r == 0 && level == SOL_SOCKET && name == SO_ERROR && shim_watches() &&
                slot_get(fd) & SLOT_CONNECTING && *size >= sizeof error) {
                memcpy(&error, ret_value, sizeof error);
                slot_connected(fd, error);
        }
        if (r == 0 && is_of_stamps(level, name) && shim_watches() && slot_get(fd) & SLOT_STAMPED &&
                *size >= sizeof error)
                memset(ret_value, 0, sizeof error); /* it is our doing */
        return r;
}

HOOK int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
        int r, given;

        if (is_of_stamps(level, name) && shim_watches())
                stamp_unset(fd);
        r = NEXT(setsockopt)(fd, level, name, value, size);

        if (r == 0 && level == IPPROTO_TCP && name == TCP_NODELAY && size >= sizeof given &&
                shim_watches() && slot_get(fd) & SLOT_INET) {
                memcpy(&given, value, sizeof given);
                log_event(WATCH_NODELAY, fd, shim_now(), 0, given != 0, 0);
        }
        return r;
}
