/* SPDX-License-Identifier: MIT */
/*
 * What a backend does for the loop
 *
 * The loop owns lists, timers and the buffer; a backend talks to the kernel. wait() puts what is
 * ready on the loop's lists. step() makes one step with a ready socket and delivers events.
 */
#ifndef NET_LOOP_BACKEND_H
#define NET_LOOP_BACKEND_H

#include "loop.h"

struct loop_backend {
        const char *name;

        /* Set loop->fd and loop->batch. MUSTER_E_RESOURCE with errno in *ret_sys. */
        int (*init)(struct loop *loop, int *ret_sys);
        void (*deinit)(struct loop *loop);

        /*
         * Wait at most `timeout_ns` (0: do not wait; UINT64_MAX: without end) and put what is ready
         * on loop->ready_sockets and loop->ready_watches. LOOP_WAIT_PARTIAL: more may be ready than
         * was reported. MUSTER_E_RESOURCE.
         */
        int (*wait)(struct loop *loop, uint64_t timeout_ns);

        /* Start and stop looking after a socket whose fd is set. */
        int (*add)(struct loop_socket *socket, int *ret_sys);
        void (*remove)(struct loop_socket *socket);

        /*
         * The struct of an open socket has moved: from now on the kernel must report the new
         * address.
         */
        void (*moved)(struct loop_socket *to);

        /*
         * Make one step with a ready socket: one receive, the rest of a send, or the end of a
         * connect.
         */
        void (*step)(struct loop_socket *socket);

        /* Send what socket->out holds; see loop_send(). */
        int (*send)(struct loop_socket *socket, int *ret_sys);

        /* Watch watch->fd for what it wants; if it wants nothing, stop. */
        int (*watch)(struct loop_watch *watch, bool is_new);
};

#define LOOP_WAIT_PARTIAL 1

extern const struct loop_backend loop_backend_epoll;

/* Open loop->stamp_fd, if the kernel allows it. loop_socket.c */
void loop_keep_stamping(struct loop *loop);

/* For backends: deliver an event to a socket's owner. The socket may be gone afterwards. */
void loop_deliver(struct loop_socket *socket, const struct loop_event *event);

/* For backends: put a socket on the list of ready ones. Does nothing if it is there already. */
void loop_mark_ready(struct loop_socket *socket);

/* What ended this turn's wait was there since that moment: see due_ns. */
void loop_note_due(struct loop *loop, uint64_t at_ns);

#endif
