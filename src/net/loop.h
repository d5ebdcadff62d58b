/* SPDX-License-Identifier: MIT */
/*
 * The loop
 *
 * Waits for the kernel, hands over what is ready, fires what is due: one turn. It speaks
 * completions. A socket that subscribed is delivered slices of received bytes; a send is done at
 * once or completes once, later. io_uring works so by itself; the epoll backend does the call when
 * the descriptor is ready and completes it the same way. A backend is one const table
 * (loop_backend.h).
 *
 *      turn:  wait ──▶ take what is ready ──▶ deliver ──▶ fire timers ──▶ return
 *                      (a list, so that a socket closed meanwhile is just unlinked)
 *
 * Handlers run at the bottom of the stack of loop_turn(), never inside another handler or inside a
 * call that the handler's owner made. They may close and free any socket, their own included, and
 * start and stop any timer.
 *
 * Timers fire after all ready input was delivered, and only when the wait reported all that is
 * ready: what the kernel already has counts before a timeout does. A timer that comes late because
 * this program was away says so (late_ns).
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <base/clock.h>
#include <base/heap.h>
#include <base/list.h>
#include <base/str.h>
#include <sys/socket.h>
#include <sys/uio.h>

/*
 * One buffer for all sockets: large enough that a fast body costs few calls, small enough to stay
 * in the second-level cache.
 */
#define LOOP_BUFFER_BYTES (128 * 1024)

/*
 * So much at most goes to its place in one receive (loop_recv_into()): few calls for a large body,
 * and the others wait for a fraction of a millisecond.
 */
#define LOOP_INTO_BYTES_MAX (1024 * 1024)

struct loop;
struct loop_socket;
struct loop_timer;
struct loop_watch;

enum loop_event_kind {
        LOOP_CONNECTED, /* loop_socket_connect() succeeded */
        LOOP_RECEIVED,  /* bytes arrived */
        /*
         * the peer has all of the loop_send() for which wants_ack was set; nothing may be closed in
         * it
         */
        LOOP_ACKED,
        LOOP_SENT, /* a loop_send() that answered LOOP_PENDING is done, all of it */
        /* the peer will send no more; delivered once, after the last bytes; sending goes on */
        LOOP_EOF,
        LOOP_FAILED, /* the socket is of no more use; delivered once, nothing follows */
};

struct loop_event {
        enum loop_event_kind kind;
        int sys; /* FAILED: errno */
        /* RECEIVED: so many went where loop_recv_into() said; `bytes`, perhaps none, follow them */
        size_t n_placed;
        struct muster_str bytes; /* RECEIVED: borrowed until the handler returns */
        /*
         * RECEIVED: when the kernel had the last of them, ACKED: when it heard of it; monotonic, 0:
         * not known.
         */
        uint64_t kernel_ns;
};

typedef void (*loop_handler)(struct loop_socket *socket, const struct loop_event *event);

/* A stream socket in the care of the loop. Embed it; zeroed is closed. */
struct loop_socket {
        struct loop *loop;
        loop_handler handle;
        struct list ready_link;
        struct iovec out[2]; /* what is still to be sent, borrowed from the sender */
        unsigned n_out;
        /* where the next bytes go, borrowed from the owner; none: to the loop's buffer */
        struct iovec into;
        int fd; /* -1 or loop NULL: closed */
        bool connecting : 1;
        bool reading : 1;  /* subscribed */
        bool can_read : 1; /* the kernel said so and we have not found it empty since */
        bool can_write : 1;
        bool hung_up : 1; /* the kernel reported an end or error: read on until it shows */
        bool ended : 1;   /* EOF or FAILED was delivered: nothing more to receive */
        bool failed : 1;  /* FAILED was: nothing more at all */
        /*
         * tell when the next send was acknowledged, if all of it can be sent at once and none is
         * awaited
         */
        bool wants_ack : 1;
        bool awaits_ack : 1;     /* that is still to come */
        bool ack_is_of_part : 1; /* ... and of no use */
        /* it was reported readable by the wait of this turn, and not read since */
        bool is_fresh : 1;
        bool has_stamp : 1; /* an acknowledgement has come, and is to be fetched */
};

typedef void (*loop_timer_fire)(struct loop_timer *timer, uint64_t late_ns);

/*
 * A moment at which something happens, once. Embed it; zeroed with `fire` set is a timer that is
 * not running.
 */
struct loop_timer {
        struct heap_node node;
        /* late_ns: how long after its moment; the timer is not running any more */
        loop_timer_fire fire;
};

typedef void (*loop_watch_ready)(struct loop_watch *watch, bool readable, bool writable);

/*
 * A descriptor of somebody else's (c-ares, the waker) that is only watched, level-triggered. Zeroed
 * is none.
 */
struct loop_watch {
        struct loop *loop;
        loop_watch_ready ready;
        int fd;
        bool want_read, want_write;
        bool is_ready_read, is_ready_write;
        struct list ready_link;
};

struct loop_stats {
        uint64_t n_turns;
        uint64_t n_waits_empty;   /* turns in which nothing was ready */
        uint64_t longest_turn_ns; /* from the end of one wait to the begin of the next */
};

struct loop_backend;

struct loop {
        const struct loop_backend *backend;
        struct clock *clock;
        uint64_t now_ns;            /* of this turn: when the wait ended */
        int64_t realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC, sampled every turn */
        uint64_t wait_ended_ns;
        /* the wait of this turn found nothing ready when it began, then; 0: it may have */
        uint64_t slept_from_ns;
        struct heap timers;
        struct list ready_sockets;
        struct list ready_watches;
        char *buffer; /* LOOP_BUFFER_BYTES: received bytes land here */
        struct loop_stats stats;
        int wake_fd;  /* eventfd */
        int stamp_fd; /* a socket that only keeps the kernel stamping: loop_socket.c */
        struct loop_watch wake_watch;
        bool was_woken;
        unsigned n_elsewhere; /* jobs of other threads that will wake the loop: for manual clocks */
        int fd;               /* the backend's: pollable */
        int timer_fd;         /* mirrors the next deadline for a foreign loop; -1 until one asks */
        struct loop_watch timer_watch;
        void *batch; /* the backend's own */
};

/* Prepare a loop on a clock that outlives it. MUSTER_E_RESOURCE with errno in *ret_sys. */
int loop_init(struct loop *loop, struct clock *clock, int *ret_sys);

/* All sockets and watches must be closed. May be called twice. */
void loop_deinit(struct loop *loop);

/*
 * One turn. Waits until something is ready, a timer is due, loop_wake() is called, or `until_ns`
 * (monotonic) is reached; a moment that is past means: do not wait. MUSTER_E_RESOURCE when the
 * kernel refuses.
 */
int loop_turn(struct loop *loop, uint64_t until_ns);

/*
 * Make a wait end, now or the next one. Any thread, any signal handler. loop->was_woken is set
 * then; the owner clears it.
 */
void loop_wake(struct loop *loop);

/*
 * A descriptor that is readable when loop_turn() has something to do. Negative: MUSTER_E_RESOURCE.
 */
int loop_pollable_fd(struct loop *loop);

/* --- timers ---------------------------------------------------------------------------------- */

/*
 * Fire at a moment (monotonic ns); moves one that runs. UINT64_MAX stops it. MUSTER_E_RESOURCE when
 * memory is out.
 */
int loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t at_ns);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/* --- sockets --------------------------------------------------------------------------------- */

/*
 * Open a non-blocking stream socket and begin to connect it: LOOP_CONNECTED or LOOP_FAILED follows
 * from a later turn. Negative, MUSTER_E_CONNECT or MUSTER_E_RESOURCE, with errno in *ret_sys: it
 * failed at once, nothing is open and no event follows. TCP_NODELAY and the kernel's receive stamps
 * are on.
 */
int loop_socket_connect(struct loop *loop, struct loop_socket *socket, loop_handler handle,
        const struct sockaddr *address, socklen_t address_len, int *ret_sys);

/*
 * Take over a connected or listening-side stream socket; it is made non-blocking. As above. Takes
 * `take_fd`, also when it fails.
 */
int loop_socket_adopt(struct loop *loop, struct loop_socket *socket, loop_handler handle,
        int take_fd, int *ret_sys);

/*
 * Move the socket from one owner to another, as dialling hands over to the connection. `to` must be
 * closed; its handler is set to `handle`, and nothing of what is ready is lost.
 */
void loop_socket_move(struct loop_socket *to, struct loop_socket *from, loop_handler handle);

/* Close; whatever is pending is forgotten and no event follows. May be called twice. */
void loop_socket_close(struct loop_socket *socket);

static inline bool loop_socket_is_open(const struct loop_socket *socket)
{
        return socket->loop != NULL;
}

/*
 * Subscribe to received bytes, EOF and failure; and take a pause from it, which lets the kernel's
 * window fill.
 */
void loop_recv_start(struct loop_socket *socket);
void loop_recv_stop(struct loop_socket *socket);

/*
 * Have the next `len` bytes put where the owner wants them, without a copy: LOOP_RECEIVED tells how
 * many have come (n_placed), and what comes behind them lands in the loop's buffer as ever. The
 * memory is borrowed until it is full, the socket is closed, or loop_recv_into_end(); at the end of
 * the stream it is not full. One place at a time.
 */
void loop_recv_into(struct loop_socket *socket, char *borrow_at, size_t len);

/* Nothing more goes there; the memory is the owner's again. Where nothing did this does nothing. */
void loop_recv_into_end(struct loop_socket *socket);

/*
 * Are there bytes, an end or an error in the kernel that we have not taken yet, as far as the loop
 * knows? For telling whether a timeout may fire.
 */
static inline bool loop_socket_has_input(const struct loop_socket *socket)
{
        return socket->reading && socket->can_read;
}

#define LOOP_PENDING 1

/*
 * Send up to two pieces, all of it. 0: done. LOOP_PENDING: they stay borrowed until LOOP_SENT, or
 * until the socket is closed or LOOP_FAILED comes. Negative (MUSTER_E_SEND) with errno in *ret_sys:
 * the socket is of no more use for sending, but bytes the peer sent before can still be received.
 * One send at a time.
 */
int loop_send(struct loop_socket *socket, const struct iovec *pieces, unsigned n_pieces,
        int *ret_sys);

/* --- watches --------------------------------------------------------------------------------- */

/*
 * Watch a descriptor for what is wanted; again to change that; with nothing wanted it is no longer
 * watched.
 */
int loop_watch_set(struct loop *loop, struct loop_watch *watch, int fd, bool want_read,
        bool want_write);

#endif
