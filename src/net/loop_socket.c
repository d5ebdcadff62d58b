/* SPDX-License-Identifier: MIT */
/*
 * Opening, moving and closing the loop's sockets, as far as it is the same for all backends
 */
#include "loop_backend.h"

#include "local_end.h"

#include <assert.h>
#include <base/error.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void set_option(int fd, int level, int name, int value)
{
        /*
         * No option is needed for correctness: if the kernel refuses one, we are slower or see
         * less.
         */
        (void)setsockopt(fd, level, name, &value, sizeof(value));
}

static int add_socket(struct loop *loop, struct loop_socket *sock, loop_handler handle, int fd,
        int *ret_sys)
{
        int r;

        assert(fd >= 0 && handle);
        *sock = (struct loop_socket){ .loop = loop, .handle = handle, .fd = fd };
        r = loop->backend->add(sock, ret_sys);
        if (r < 0) {
                close(fd);
                *sock = (struct loop_socket){ .fd = -1 };
        }
        return r;
}

void loop_socket_ack(struct loop_socket *sock)
{
        /* An even number: the acknowledgement goes out, and later ones are delayed as before. */
        set_option(sock->fd, IPPROTO_TCP, TCP_QUICKACK, 2);
}

static void set_options(int fd)
{
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        set_option(fd, SOL_SOCKET, SO_TIMESTAMPING,
                SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
                        SOF_TIMESTAMPING_OPT_TSONLY);
}

/*
 * The kernel stamps received packets only while some socket wants that. It switches this on and off
 * with a delay, and patches its own code each time. One socket that always wants stamps saves both
 * the delay and the patching, so even the first responses have stamps.
 */
void loop_keep_stamping(struct loop *loop)
{
        loop->stamp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (loop->stamp_fd >= 0)
                set_option(loop->stamp_fd, SOL_SOCKET, SO_TIMESTAMPING,
                        SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
}

static int open_stream(sa_family_t family, int *ret_sys)
{
        int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0) {
                *ret_sys = errno;
                return error_sys_is_shortage(errno) ? MUSTER_E_RESOURCE : MUSTER_E_CONNECT;
        }
        set_options(fd);
        return fd;
}

int loop_socket_connect(struct loop *loop, struct loop_socket *sock, loop_handler handle,
        const struct sockaddr *address, socklen_t address_len, int *ret_sys)
{
        int fd, r;

        assert(address_len > 0);
        assert(!loop_socket_is_open(sock));
        fd = open_stream(address->sa_family, ret_sys);
        if (fd < 0)
                return fd;
        if (loop->local_end && address->sa_family != AF_UNIX) {
                r = local_end_bind(loop->local_end, fd, address->sa_family, ret_sys);
                if (r < 0) {
                        close(fd);
                        return r;
                }
        }
        /*
         * Connect before registering: epoll reports a socket that does not connect yet as hung up.
         */
        if (connect(fd, address, address_len) < 0 && errno != EINPROGRESS) {
                *ret_sys = errno;
                close(fd);
                return error_sys_is_shortage(*ret_sys) ? MUSTER_E_RESOURCE : MUSTER_E_CONNECT;
        }
        r = add_socket(loop, sock, handle, fd, ret_sys);
        if (r < 0)
                return r;
        sock->connecting = true;
        return 0;
}

int loop_socket_adopt(struct loop *loop, struct loop_socket *sock, loop_handler handle, int take_fd,
        int *ret_sys)
{
        int yes = 1;

        assert(take_fd >= 0);
        assert(!loop_socket_is_open(sock));
        if (ioctl(take_fd, FIONBIO, &yes) < 0) {
                *ret_sys = errno;
                close(take_fd);
                return MUSTER_E_RESOURCE;
        }
        set_options(take_fd);
        return add_socket(loop, sock, handle, take_fd, ret_sys);
}

void loop_socket_move(struct loop_socket *to, struct loop_socket *from, loop_handler handle)
{
        assert(!loop_socket_is_open(to) && loop_socket_is_open(from) && !from->n_out);
        *to = *from;
        to->handle = handle;
        to->ready_link = (struct list){ 0 };
        if (list_is_linked(&from->ready_link))
                loop_mark_ready(to);
        list_remove(&from->ready_link);
        *from = (struct loop_socket){ .fd = -1 };
        to->loop->backend->moved(to);
}

void loop_socket_close(struct loop_socket *sock)
{
        if (!sock->loop)
                return;
        list_remove(&sock->ready_link);
        sock->loop->backend->remove(sock);
        close(sock->fd);
        *sock = (struct loop_socket){ .fd = -1 };
}

size_t loop_recv_now(struct loop_socket *sock, void *to, size_t size)
{
        ssize_t n;

        assert(loop_socket_is_open(sock) && !sock->connecting);
        n = recv(sock->fd, to, size, MSG_DONTWAIT);
        return n > 0 ? (size_t)n : 0;
}

void loop_recv_start(struct loop_socket *sock)
{
        assert(!sock->failed);
        assert(loop_socket_is_open(sock));
        sock->reading = true;
        sock->is_fresh = false; /* its input may be old */
        if (sock->can_read && !sock->ended)
                loop_mark_ready(sock);
}

void loop_recv_stop(struct loop_socket *sock)
{
        sock->reading = false;
}

void loop_recv_into(struct loop_socket *sock, char *borrow_at, size_t len)
{
        assert(loop_socket_is_open(sock) && !sock->into.iov_len);
        sock->into = (struct iovec){ borrow_at, len };
}

void loop_recv_into_end(struct loop_socket *sock)
{
        sock->into = (struct iovec){ 0 };
}

int loop_send(struct loop_socket *sock, const struct iovec *pieces, unsigned n_pieces, int *ret_sys)
{
        assert(loop_socket_is_open(sock) && sock->n_out == 0 && n_pieces <= 2);
        for (unsigned i = 0; i < n_pieces; i++)
                if (pieces[i].iov_len)
                        sock->out[sock->n_out++] = pieces[i];
        if (sock->n_out == 0)
                return 0;
        return sock->loop->backend->send(sock, ret_sys);
}
