/* SPDX-License-Identifier: MIT */
/*
 * What a backend does for the loop
 *
 * The loop owns lists, timers and the buffer; a backend talks to the kernel. It puts what is ready
 * on the loop's lists in wait(), and makes one step with a ready socket in step(), delivering
 * events. epoll always works; another one is used where init() succeeds.
 */
#ifndef NET_LOOP_BACKEND_H
#define NET_LOOP_BACKEND_H

#include "loop.h"

struct loop_backend {
        const char *name;

        /* Set loop->fd and loop->batch; negative with errno in *ret_sys. */
        int (*init)(struct loop *loop, int *ret_sys);
        void (*deinit)(struct loop *loop);

        /*
         * Wait at most `timeout_ns` (0: only look; UINT64_MAX: however long) and put what is ready
         * on loop->ready_sockets and loop->ready_watches. Positive, LOOP_WAIT_PARTIAL: more may be
         * ready than was reported. Negative: MUSTER_E_RESOURCE.
         */
        int (*wait)(struct loop *loop, uint64_t timeout_ns);

        /* Begin and end to care for a socket whose fd is set. */
        int (*add)(struct loop_socket *socket, int *ret_sys);
        void (*remove)(struct loop_socket *socket);

        /* The struct of an open socket has moved: the kernel must name the new place. */
        void (*moved)(struct loop_socket *to);

        /*
         * Do one piece of what a ready socket is ready for: one receive, the rest of a send, the
         * end of a connect.
         */
        void (*step)(struct loop_socket *socket);

        int (*send)(struct loop_socket *socket, int *ret_sys); /* socket->out; see loop_send() */
        int (*watch)(struct loop_watch *watch,
                bool is_new); /* fd and wants are set; none wanted: end it */
};

#define LOOP_WAIT_PARTIAL 1

extern const struct loop_backend loop_backend_epoll;

/* Open loop->stamp_fd, if the kernel lets us. loop_socket.c */
void loop_keep_stamping(struct loop *loop);

/* Called by backends: an event to a socket's owner. The socket may be gone afterwards. */
void loop_deliver(struct loop_socket *socket, const struct loop_event *event);

/* Called by backends: this one is ready. Nothing happens when it is on the list already. */
void loop_mark_ready(struct loop_socket *socket);

#endif
