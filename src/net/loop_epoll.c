/* SPDX-License-Identifier: MIT */
/*
 * The epoll backend
 *
 * Sockets are registered once, edge-triggered, for all events; can_read and can_write remember what
 * the kernel said. A send is tried at once and waits for writability only after EAGAIN. A receive
 * that does not fill its buffers has emptied the socket, so we save the call that would only return
 * EAGAIN; the next bytes bring a new edge.
 *
 * Received bytes carry the kernel's receive stamp (SO_TIMESTAMPING, software). It is a moment of
 * CLOCK_REALTIME; the offset that the loop samples each turn makes it one of CLOCK_MONOTONIC. If
 * one receive takes several segments, the stamp is that of the last one.
 */
#include "loop_backend.h"

#include <assert.h>
#include <base/mem.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 512 /* events that one wait may report */

/* An epoll event points to a socket or a watch; the lowest bit of the pointer tells which. */
#define TAG_WATCH ((uintptr_t)1)

static int epoll_init(struct loop *loop, int *ret_sys)
{
        loop->batch = mem_array(BATCH, sizeof(struct epoll_event));
        if (!loop->batch) {
                *ret_sys = ENOMEM;
                return MUSTER_E_RESOURCE;
        }
        loop->fd = epoll_create1(EPOLL_CLOEXEC);
        if (loop->fd < 0) {
                *ret_sys = errno;
                loop->batch = mem_free(loop->batch);
                return MUSTER_E_RESOURCE;
        }
        return 0;
}

static void epoll_deinit(struct loop *loop)
{
        close(loop->fd);
        loop->fd = -1;
        loop->batch = mem_free(loop->batch);
}

/* --- waiting --------------------------------------------------------------------------------- */

static void note_socket(struct loop_socket *socket, uint32_t events)
{
        assert(loop_socket_is_open(socket));
        if (events & (EPOLLIN | EPOLLPRI)) {
                socket->is_fresh = !socket->can_read;
                socket->can_read = true;
        }
        if (events & EPOLLOUT)
                socket->can_write = true;
        /* A stamp in the error queue shows as EPOLLERR; a real error comes with a hang-up. */
        if (events & EPOLLERR && socket->awaits_ack) {
                socket->has_stamp = true;
                events &= ~(uint32_t)EPOLLERR;
        }
        if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                socket->hung_up = socket->can_read = true;
        if (socket->connecting || socket->has_stamp || (socket->n_out && socket->can_write) ||
                (socket->reading && socket->can_read && !socket->ended))
                loop_mark_ready(socket);
}

static void note_watch(struct loop_watch *watch, uint32_t events)
{
        bool is_over = events & (EPOLLHUP | EPOLLERR);

        assert(watch->loop);
        watch->is_ready_read = watch->want_read && (is_over || events & EPOLLIN);
        watch->is_ready_write = watch->want_write && (is_over || events & EPOLLOUT);
        if ((watch->is_ready_read || watch->is_ready_write) && !list_is_linked(&watch->ready_link))
                list_push_back(&watch->loop->ready_watches, &watch->ready_link);
}

static int wait_events(struct loop *loop, struct epoll_event *events, uint64_t timeout_ns)
{
        struct timespec timeout = { .tv_sec = (time_t)(timeout_ns / NS_PER_S),
                .tv_nsec = (long)(timeout_ns % NS_PER_S) };

        /* A wait of zero needs no timer. A busy loop mostly waits like this. */
        if (timeout_ns == 0)
                return epoll_wait(loop->fd, events, BATCH, 0);
        if (timeout_ns == UINT64_MAX)
                return epoll_wait(loop->fd, events, BATCH, -1);
        return epoll_pwait2(loop->fd, events, BATCH, &timeout, NULL);
}

/*
 * For kernels before 5.11, which have no epoll_pwait2(): whole milliseconds, rounded up so that a
 * timer is never early.
 */
static int wait_coarse(struct loop *loop, struct epoll_event *events, uint64_t timeout_ns)
{
        uint64_t ms = timeout_ns / NS_PER_MS + (timeout_ns % NS_PER_MS != 0);

        return epoll_wait(loop->fd, events, BATCH, ms > 3600000 ? 3600000 : (int)ms);
}

static int epoll_wait_ready(struct loop *loop, uint64_t timeout_ns)
{
        struct epoll_event *events = loop->batch;
        int n = wait_events(loop, events, timeout_ns);

        if (n < 0 && errno == ENOSYS)
                n = wait_coarse(loop, events, timeout_ns);
        /* A signal came: also when a stopped process goes on, and then much may be ready. */
        if (n < 0 && errno == EINTR)
                n = epoll_wait(loop->fd, events, BATCH, 0);
        if (n < 0)
                return errno == EINTR ? 0 : MUSTER_E_RESOURCE;
        for (int i = 0; i < n; i++) {
                uintptr_t tagged = (uintptr_t)events[i].data.ptr;

                if (tagged & TAG_WATCH)
                        note_watch((struct loop_watch *)(tagged & ~TAG_WATCH), events[i].events);
                else
                        note_socket(events[i].data.ptr, events[i].events);
        }
        return n == BATCH ? LOOP_WAIT_PARTIAL : 0;
}

/* --- registering ----------------------------------------------------------------------------- */

static int control_epoll(struct loop *loop, int operation, int fd, uint32_t events, void *tagged)
{
        struct epoll_event event = { .events = events, .data.ptr = tagged };

        return epoll_ctl(loop->fd, operation, fd, &event) < 0 ? MUSTER_E_RESOURCE : 0;
}

#define SOCKET_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static int epoll_add(struct loop_socket *socket, int *ret_sys)
{
        int r = control_epoll(socket->loop, EPOLL_CTL_ADD, socket->fd, SOCKET_EVENTS, socket);

        assert(socket->fd >= 0);
        if (r < 0)
                *ret_sys = errno;
        return r;
}

static void epoll_remove(struct loop_socket *socket)
{
        control_epoll(socket->loop, EPOLL_CTL_DEL, socket->fd, 0, NULL);
}

static void epoll_moved(struct loop_socket *to)
{
        control_epoll(to->loop, EPOLL_CTL_MOD, to->fd, SOCKET_EVENTS, to);
}

static int epoll_watch(struct loop_watch *watch, bool is_new)
{
        uint32_t events = (watch->want_read ? EPOLLIN : 0u) | (watch->want_write ? EPOLLOUT : 0u);
        void *tagged = (void *)((uintptr_t)watch | TAG_WATCH);

        if (!events) {
                /*
                 * This fails if the owner closed the descriptor first; the kernel has removed it
                 * then.
                 */
                control_epoll(watch->loop, EPOLL_CTL_DEL, watch->fd, 0, NULL);
                return 0;
        }
        return control_epoll(watch->loop, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, watch->fd, events,
                tagged);
}

/* --- sending --------------------------------------------------------------------------------- */

static size_t n_bytes_out(const struct loop_socket *socket)
{
        size_t n = 0;

        for (unsigned i = 0; i < socket->n_out; i++)
                n += socket->out[i].iov_len;
        return n;
}

static void drop_sent(struct loop_socket *socket, size_t n)
{
        assert(n <= n_bytes_out(socket));
        while (socket->n_out && n >= socket->out[0].iov_len) {
                n -= socket->out[0].iov_len;
                socket->out[0] = socket->out[1];
                socket->n_out--;
        }
        if (socket->n_out) {
                socket->out[0].iov_base = (char *)socket->out[0].iov_base + n;
                socket->out[0].iov_len -= n;
        }
}

/* Almost every request is one piece, for which there is a cheaper call. */
static ssize_t send_pieces(const struct loop_socket *socket)
{
        struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)socket->out,
                .msg_iovlen = socket->n_out };

        if (socket->n_out == 1)
                return send(socket->fd, socket->out[0].iov_base, socket->out[0].iov_len,
                        MSG_NOSIGNAL);
        return sendmsg(socket->fd, &message, MSG_NOSIGNAL);
}

/* Send, and ask the kernel to stamp the moment at which the last byte it takes is acknowledged. */
static ssize_t send_stamped(struct loop_socket *socket)
{
        union {
                char bytes[CMSG_SPACE(sizeof(uint32_t))];
                struct cmsghdr align;
        } control = { { 0 } };
        struct msghdr message = { .msg_iov = socket->out,
                .msg_iovlen = socket->n_out,
                .msg_control = control.bytes,
                .msg_controllen = sizeof(control.bytes) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        const uint32_t what = SOF_TIMESTAMPING_TX_ACK;
        ssize_t n;

        assert(!socket->awaits_ack && socket->n_out);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SO_TIMESTAMPING;
        c->cmsg_len = CMSG_LEN(sizeof(what));
        memcpy(CMSG_DATA(c), &what, sizeof(what));
        n = sendmsg(socket->fd, &message, MSG_NOSIGNAL);
        socket->awaits_ack = n >= 0;
        socket->ack_is_of_part = n >= 0 && (size_t)n < n_bytes_out(socket);
        return n;
}

static int epoll_send(struct loop_socket *socket, int *ret_sys)
{
        assert(socket->n_out && !socket->connecting);
        while (socket->n_out && socket->can_write) {
                /* A stamp does not say which send it is for: only one is awaited at a time. */
                ssize_t n = socket->wants_ack && !socket->awaits_ack ? send_stamped(socket)
                                                                     : send_pieces(socket);

                socket->wants_ack = false;

                if (n >= 0) {
                        drop_sent(socket, (size_t)n);
                } else if (errno == EAGAIN) {
                        socket->can_write = false;
                } else if (errno != EINTR) {
                        *ret_sys = errno;
                        socket->n_out = 0;
                        return MUSTER_E_SEND;
                }
        }
        return socket->n_out ? LOOP_PENDING : 0;
}

/* --- receiving ------------------------------------------------------------------------------- */

static uint64_t kernel_stamp(const struct loop *loop, struct msghdr *message)
{
        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                struct scm_timestamping stamps;
                uint64_t realtime;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING)
                        continue;
                memcpy(&stamps, CMSG_DATA(c), sizeof(stamps));
                realtime =
                        (uint64_t)stamps.ts[0].tv_sec * NS_PER_S + (uint64_t)stamps.ts[0].tv_nsec;
                return realtime ? realtime - (uint64_t)loop->realtime_offset_ns : 0;
        }
        return 0;
}

/* Read the error queue, which holds stamps only, without the data that they are for. */
static void take_stamp(struct loop_socket *socket)
{
        union {
                char bytes[CMSG_SPACE(sizeof(struct scm_timestamping)) + 128];
                struct cmsghdr align;
        } control;

        assert(socket->has_stamp);
        socket->has_stamp = false;
        for (;;) {
                struct msghdr message = { .msg_control = control.bytes,
                        .msg_controllen = sizeof(control.bytes) };
                uint64_t kernel_ns;

                if (recvmsg(socket->fd, &message, MSG_ERRQUEUE) < 0)
                        return;
                kernel_ns = kernel_stamp(socket->loop, &message);
                if (!kernel_ns || !socket->awaits_ack)
                        continue;
                socket->awaits_ack = false;
                if (socket->ack_is_of_part)
                        continue;
                loop_deliver(socket,
                        &(struct loop_event){ .kind = LOOP_ACKED, .kernel_ns = kernel_ns });
        }
}

/*
 * The earliest moment at which the bytes just read were readable. The stamp is that of one segment,
 * which may have had to wait for a lost one before it: the kernel had nothing readable while the
 * loop slept.
 */
static uint64_t readable_since(struct loop_socket *socket, struct msghdr *message)
{
        uint64_t stamp_ns = kernel_stamp(socket->loop, message);
        bool is_fresh = socket->is_fresh;

        socket->is_fresh = false;
        if (!stamp_ns || !is_fresh)
                return stamp_ns;
        if (stamp_ns < socket->loop->slept_from_ns)
                return socket->loop->slept_from_ns;
        loop_note_due(socket->loop, stamp_ns);
        return stamp_ns;
}

static void deliver_failure(struct loop_socket *socket, int sys)
{
        loop_deliver(socket, &(struct loop_event){ .kind = LOOP_FAILED, .sys = sys });
}

/* Where the next bytes go: into the owner's memory first, then into the loop's buffer. */
static size_t receive_room(const struct loop_socket *socket, struct iovec room[2])
{
        size_t n_into = socket->into.iov_len;

        if (n_into > LOOP_INTO_BYTES_MAX) {
                room[0] = (struct iovec){ socket->into.iov_base, LOOP_INTO_BYTES_MAX };
                room[1] = (struct iovec){ 0 };
                return LOOP_INTO_BYTES_MAX;
        }
        room[0] = socket->into;
        room[1] = (struct iovec){ socket->loop->buffer, LOOP_BUFFER_BYTES };
        return n_into + LOOP_BUFFER_BYTES;
}

/* Of `n` bytes received, how many went into the owner's memory. */
static size_t take_placed(struct loop_socket *socket, size_t n)
{
        struct iovec *into = &socket->into;
        size_t n_placed = n < into->iov_len ? n : into->iov_len;

        into->iov_base = into->iov_base ? (char *)into->iov_base + n_placed : NULL;
        into->iov_len -= n_placed;
        return n_placed;
}

/* A receive brought no bytes: for now, or for good. */
static void receive_nothing(struct loop_socket *socket, ssize_t n)
{
        if (n == 0)
                loop_deliver(socket, &(struct loop_event){ .kind = LOOP_EOF });
        else if (errno == EINTR)
                loop_mark_ready(socket);
        else if (errno == EAGAIN)
                socket->can_read = false;
        else
                deliver_failure(socket, errno);
}

static void receive_some(struct loop_socket *socket)
{
        struct loop *loop = socket->loop;
        union {
                char bytes[CMSG_SPACE(sizeof(struct scm_timestamping)) + 64];
                struct cmsghdr align;
        } control;
        struct iovec room[2];
        size_t size = receive_room(socket, room), n_placed;
        unsigned skipped = room[0].iov_len ? 0 : 1;
        struct msghdr message = { .msg_iov = room + skipped,
                .msg_iovlen = 2 - skipped,
                .msg_control = control.bytes,
                .msg_controllen = sizeof(control.bytes) };
        ssize_t n = recvmsg(socket->fd, &message, 0);

        assert(socket->reading && socket->can_read && !socket->ended);
        if (n <= 0) {
                receive_nothing(socket, n);
                return;
        }
        /* No further edge comes after a hang-up: keep reading until the end itself is seen. */
        if ((size_t)n < size && !socket->hung_up)
                socket->can_read = false;
        else
                loop_mark_ready(socket);
        n_placed = take_placed(socket, (size_t)n);
        loop_deliver(socket, &(struct loop_event){ .kind = LOOP_RECEIVED,
                                     .n_placed = n_placed,
                                     .bytes = { loop->buffer, (size_t)n - n_placed },
                                     .kernel_ns = readable_since(socket, &message) });
}

/* --- one step with a ready socket ------------------------------------------------------------ */

static void finish_connect(struct loop_socket *socket)
{
        socklen_t len = sizeof(int);
        int sys = 0;

        assert(socket->connecting && !socket->ended);
        if (!socket->can_write && !socket->hung_up)
                return;
        socket->connecting = false;
        if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &sys, &len) < 0)
                sys = errno;
        if (sys) {
                deliver_failure(socket, sys);
                return;
        }
        socket->can_write = true;
        loop_deliver(socket, &(struct loop_event){ .kind = LOOP_CONNECTED });
}

/*
 * Send what is left. True if the owner was told; the socket may have been closed or reused by then.
 */
static bool continue_send(struct loop_socket *socket)
{
        int sys = 0;
        int r = epoll_send(socket, &sys);

        if (r == LOOP_PENDING)
                return false;
        /*
         * A failed send does not end receiving: the peer may have sent the reason before it closed.
         */
        if (r < 0 && socket->reading && !socket->ended && (socket->can_read || socket->hung_up))
                return false;
        if (socket->reading && socket->can_read && !socket->ended)
                loop_mark_ready(socket);
        if (r < 0)
                deliver_failure(socket, sys);
        else
                loop_deliver(socket, &(struct loop_event){ .kind = LOOP_SENT });
        return true;
}

static void epoll_step(struct loop_socket *socket)
{
        if (socket->failed)
                return;
        if (socket->has_stamp)
                take_stamp(socket);
        if (socket->connecting) {
                finish_connect(socket);
                return;
        }
        if (socket->n_out && socket->can_write && continue_send(socket))
                return;
        if (socket->reading && socket->can_read && !socket->ended)
                receive_some(socket);
}

const struct loop_backend loop_backend_epoll = {
        .name = "epoll",
        .init = epoll_init,
        .deinit = epoll_deinit,
        .wait = epoll_wait_ready,
        .add = epoll_add,
        .remove = epoll_remove,
        .moved = epoll_moved,
        .step = epoll_step,
        .send = epoll_send,
        .watch = epoll_watch,
};
