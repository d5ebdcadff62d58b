/* SPDX-License-Identifier: MIT */
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <asm/ioctls.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "raw.h"

uint32_t slots[N_SLOTS];
uint32_t slots_top;

static int option_of(int fd, int name)
{
        int value = -1;
        socklen_t size = sizeof value;

        if (raw6(SYS_getsockopt, fd, SOL_SOCKET, name, raw_address(&value), raw_address(&size), 0) <
                0)
                return -1;
        return value;
}

static bool has_path(int fd)
{
        struct sockaddr_un address = { 0 };
        socklen_t size = sizeof address;

        return raw3(SYS_getpeername, fd, raw_address(&address), raw_address(&size)) == 0 &&
               address.sun_path[0];
}

uint32_t slot_look(int fd)
{
        uint32_t bits = slot_get(fd);
        long flags;

        if (LIKELY(bits != 0) || shim.is_sealed || fd < 0)
                return bits;
        bits = SLOT_OTHER;
        if (option_of(fd, SO_TYPE) == SOCK_STREAM) {
                int domain = option_of(fd, SO_DOMAIN);

                if (domain == AF_INET || domain == AF_INET6)
                        bits = SLOT_INET | SLOT_OPEN | SLOT_SPOKE;
                else if (domain == AF_UNIX && has_path(fd))
                        bits = SLOT_UNIX | SLOT_OPEN | SLOT_SPOKE;
        }
        flags = raw3(SYS_fcntl, fd, F_GETFL, 0);
        if (flags > 0 && flags & O_NONBLOCK)
                bits |= SLOT_NONBLOCK;
        slot_put(fd, bits);
        return bits;
}

void slot_new(int fd, int domain, int type)
{
        uint32_t bits = SLOT_OTHER;

        if ((type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) == SOCK_STREAM) {
                if (domain == AF_INET || domain == AF_INET6)
                        bits = SLOT_INET;
                else if (domain == AF_UNIX)
                        bits = SLOT_UNIX;
        }
        if (type & SOCK_NONBLOCK)
                bits |= SLOT_NONBLOCK;
        slot_put(fd, bits);
        if (bits & SLOT_INET)
                log_make(); /* before the program may run out of descriptors */
}

static void ask_kernel(int fd, struct watch_tcp *tcp)
{
        struct tcp_info info = { 0 };
        socklen_t size = sizeof info;
        int n_unread = 0;

        if (raw6(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, raw_address(&info), raw_address(&size),
                    0) < 0)
                return;
        if (raw3(SYS_ioctl, fd, FIONREAD, raw_address(&n_unread)) == 0 && n_unread > 0)
                tcp->n_unread = (uint32_t)n_unread;
        tcp->rtt_us = info.tcpi_rtt;
        tcp->min_rtt_us = info.tcpi_min_rtt != UINT32_MAX ? info.tcpi_min_rtt : 0;
        tcp->n_retransmits = info.tcpi_total_retrans;
        tcp->cwnd = info.tcpi_snd_cwnd;
        tcp->bytes_received = info.tcpi_bytes_received;
        tcp->delivery_rate = info.tcpi_delivery_rate;
        tcp->busy_us = info.tcpi_busy_time;
        tcp->rwnd_limited_us = info.tcpi_rwnd_limited;
        tcp->sndbuf_limited_us = info.tcpi_sndbuf_limited;
        tcp->state = info.tcpi_state;
}

static bool is_ours(uint32_t bits)
{
        return bits >> SLOT_GENERATION == (process_own()->generation & 0xffff);
}

void slot_close(int fd)
{
        uint32_t bits = slot_get(fd);
        struct watch_tcp tcp = { 0 };

        if (bits == 0 || (unsigned)fd >= N_SLOTS)
                return;
        if (slot_is_followed(bits) && !process_is_itself())
                return;
        slot_clear(fd);
        if (!slot_is_followed(bits) || !(bits & SLOT_OPEN) || !is_ours(bits))
                return;
        if (bits & SLOT_INET && !shim.is_sealed)
                ask_kernel(fd, &tcp);
        log_data(WATCH_CLOSE, fd, shim_now(), 0, 0, &tcp, sizeof tcp);
}

void slot_close_range(unsigned first, unsigned last)
{
        uint32_t top = __atomic_load_n(&slots_top, __ATOMIC_RELAXED);

        if (last > top)
                last = top;
        for (unsigned fd = first; fd <= last; fd++)
                slot_close((int)fd);
}

void slot_dup(int fd, int copy)
{
        uint32_t bits = slot_get(fd);

        slot_put(copy, bits);
        if (slot_is_followed(bits) && bits & SLOT_OPEN)
                log_event(WATCH_DUP, fd, shim_now(), 0, copy, 0);
}

void slot_connected(int fd, int error)
{
        uint32_t bits = slot_get(fd);
        struct sockaddr_storage address;
        socklen_t size = sizeof address;

        /* One asks before the socket has told anything. */
        if (error == 0 && !shim.is_sealed &&
                raw3(SYS_getpeername, fd, raw_address(&address), raw_address(&size)) < 0)
                return;
        slot_put(fd, bits & ~(uint32_t)SLOT_CONNECTING);
        log_event(WATCH_CONNECTED, fd, shim_now(), 0, error, 0);
}
