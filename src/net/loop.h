/* SPDX-License-Identifier: MIT */
/*
 * The loop
 *
 * One turn of the loop waits for the kernel, delivers what is ready and fires the timers that are
 * due. The loop speaks completions: a subscribed socket gets slices of received bytes, and a send
 * is done at once or completes once, later. io_uring works like this by itself; the epoll backend
 * makes the call when the descriptor is ready and completes it the same way. A backend is one const
 * table (loop_backend.h).
 *
 *      turn:  wait ──▶ take what is ready ──▶ deliver ──▶ fire timers ──▶ return
 *                      (a list, so that a socket closed meanwhile is just unlinked)
 *
 * Handlers run at the bottom of loop_turn(), never inside another handler or inside a call by the
 * handler's owner. They may close and free any socket, their own included, and start and stop any
 * timer.
 *
 * Timers fire after all ready input was delivered, and only if the wait reported everything that
 * was ready: input that the kernel already has comes before a timeout. A timer is told how late it
 * fires (late_ns), which happens when this program was away.
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
 * The size of the one buffer for all sockets: large enough that a fast body takes few calls, small
 * enough to stay in the second-level cache.
 */
#define LOOP_BUFFER_BYTES (128 * 1024)

/*
 * The most that one receive puts into its owner's memory (loop_recv_into()): few calls for a large
 * body, and other sockets wait only a fraction of a millisecond.
 */
#define LOOP_INTO_BYTES_MAX (1024 * 1024)

struct local_end;
struct loop;
struct loop_socket;
struct loop_timer;
struct loop_watch;

enum loop_event_kind {
        LOOP_CONNECTED, /* loop_socket_connect() succeeded */
        LOOP_RECEIVED,  /* bytes arrived */
        /*
         * the peer has acknowledged all of the loop_send() for which wants_ack was set; the handler
         * must not close any socket
         */
        LOOP_ACKED,
        LOOP_SENT, /* all of a loop_send() that returned LOOP_PENDING is sent */
        /* the peer sends no more; delivered once, after the last bytes; we may still send */
        LOOP_EOF,
        LOOP_FAILED, /* the socket is unusable; delivered once, nothing follows */
};

struct loop_event {
        enum loop_event_kind kind;
        int sys; /* FAILED: errno */
        /*
         * RECEIVED: how many bytes went to the memory of loop_recv_into(); `bytes`, perhaps none,
         * follow
         */
        size_t n_placed;
        struct muster_str bytes; /* RECEIVED: borrowed until the handler returns */
        /*
         * RECEIVED: when the kernel got the last of them. ACKED: when it got the acknowledgement.
         * Monotonic; 0: not known.
         */
        uint64_t kernel_ns;
};

typedef void (*loop_handler)(struct loop_socket *socket, const struct loop_event *event);

/* A stream socket that the loop looks after. Embed it; zeroed is closed. */
struct loop_socket {
        struct loop *loop;
        loop_handler handle;
        struct list ready_link;
        struct iovec out[2]; /* bytes still to be sent, borrowed from the sender */
        unsigned n_out;
        /* where the next bytes go, borrowed from the owner; empty: to the loop's buffer */
        struct iovec into;
        int fd; /* -1 or loop NULL: closed */
        bool connecting : 1;
        bool reading : 1;  /* subscribed */
        bool can_read : 1; /* the kernel said so, and we have not found it empty since */
        bool can_write : 1;
        bool hung_up : 1; /* the kernel reported an end or error: read on until it shows */
        bool ended : 1;   /* EOF or FAILED was delivered: nothing more to receive */
        bool failed : 1;  /* FAILED was delivered: nothing follows */
        /*
         * report the acknowledgement of the next send, if all of it can be sent at once and no
         * other is awaited
         */
        bool wants_ack : 1;
        bool awaits_ack : 1;     /* that acknowledgement is still to come */
        bool ack_is_of_part : 1; /* it covers only a part of the send, and is of no use */
        /* this turn's wait reported it readable, and it was not read since */
        bool is_fresh : 1;
        bool has_stamp : 1; /* an acknowledgement has come and must be fetched */
};

typedef void (*loop_timer_fire)(struct loop_timer *timer, uint64_t late_ns);

/* A timer that fires once. Embed it; zeroed with `fire` set it is not running. */
struct loop_timer {
        struct heap_node node;
        /* the timer no longer runs; late_ns: how long after its moment this is */
        loop_timer_fire fire;
};

typedef void (*loop_watch_ready)(struct loop_watch *watch, bool readable, bool writable);

/*
 * A level-triggered watch on a descriptor that somebody else owns (c-ares, the waker). Zeroed
 * watches nothing.
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
        uint64_t n_waits_empty;   /* turns in which the wait found nothing ready */
        uint64_t longest_turn_ns; /* from the end of one wait to the beginning of the next */
};

struct loop_backend;

struct loop {
        const struct loop_backend *backend;
        struct clock *clock;
        uint64_t now_ns;            /* when this turn's wait ended */
        int64_t realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC, sampled every turn */
        uint64_t wait_ended_ns;
        /* when this turn's wait began, if it found nothing ready then; 0: it may have */
        uint64_t slept_from_ns;
        /*
         * when what ended that sleep was there, which is earlier where this thread could not run at
         * once; complete when the turn is; 0: not known, or it did not sleep
         */
        uint64_t due_ns;
        struct heap timers;
        bool is_firing; /* timers are: none fires again in this turn */
        struct list ready_sockets;
        struct list ready_watches;
        char *buffer; /* LOOP_BUFFER_BYTES: received bytes land here */
        struct loop_stats stats;
        int wake_fd;                       /* eventfd */
        const struct local_end *local_end; /* of connections; NULL: the system chooses */
        int stamp_fd; /* a socket that only keeps kernel stamps switched on: loop_socket.c */
        struct loop_watch wake_watch;
        bool was_woken;
        unsigned n_elsewhere; /* jobs on other threads that will wake the loop; for manual clocks */
        int fd;               /* the backend's: pollable */
        int timer_fd;         /* shows the next deadline to a foreign loop; -1 until one asks */
        struct loop_watch timer_watch;
        void *batch; /* the backend's own */
};

/* Make a loop on a clock that outlives it. MUSTER_E_RESOURCE with errno in *ret_sys. */
int loop_init(struct loop *loop, struct clock *clock, int *ret_sys);

/* Release the loop; all its sockets and watches must be closed. May be called twice. */
void loop_deinit(struct loop *loop);

/*
 * Make one turn. Waits until something is ready, a timer is due, loop_wake() is called, or
 * `until_ns` (monotonic) is reached. With `until_ns` in the past it does not wait.
 * MUSTER_E_RESOURCE if the kernel refuses.
 */
int loop_turn(struct loop *loop, uint64_t until_ns);

/*
 * End the present wait, or the next one. Any thread and any signal handler may call it. It sets
 * loop->was_woken, which the owner clears.
 */
void loop_wake(struct loop *loop);

/* A descriptor that is readable when loop_turn() has something to do. MUSTER_E_RESOURCE. */
int loop_pollable_fd(struct loop *loop);

/* --- timers ---------------------------------------------------------------------------------- */

/*
 * Start a timer or move a running one to `at_ns` (monotonic); UINT64_MAX stops it. One that
 * is set, while timers fire, to the moment that they fire for is for the next turn, which reads
 * input first; one that is set to a moment before that is due in this one.
 * MUSTER_E_RESOURCE if memory is out.
 */
int loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t at_ns);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/* --- sockets --------------------------------------------------------------------------------- */

/*
 * Open a non-blocking stream socket and begin to connect it. LOOP_CONNECTED or LOOP_FAILED follows
 * in a later turn. MUSTER_E_CONNECT or MUSTER_E_RESOURCE, with errno in *ret_sys: it failed at
 * once, nothing is open and no event follows. TCP_NODELAY and the kernel's receive stamps are on.
 */
int loop_socket_connect(struct loop *loop, struct loop_socket *socket, loop_handler handle,
        const struct sockaddr *address, socklen_t address_len, int *ret_sys);

/*
 * Take over a stream socket that is connected or was accepted, and make it non-blocking. Otherwise
 * like loop_socket_connect(). Takes `take_fd`, also on failure.
 */
int loop_socket_adopt(struct loop *loop, struct loop_socket *socket, loop_handler handle,
        int take_fd, int *ret_sys);

/*
 * Move a socket to another owner, as when a dial hands it to the connection. `to` must be closed;
 * its handler becomes `handle`. Input that is ready is not lost.
 */
void loop_socket_move(struct loop_socket *to, struct loop_socket *from, loop_handler handle);

/* Close the socket. Pending sends are dropped and no event follows. May be called twice. */
void loop_socket_close(struct loop_socket *socket);

static inline bool loop_socket_is_open(const struct loop_socket *socket)
{
        return socket->loop != NULL;
}

/*
 * Acknowledge what was received now, and not with what we send next, or 40 ms later. It holds for
 * this once. Of a socket that is not TCP's nothing happens.
 */
void loop_socket_ack(struct loop_socket *socket);

/* Subscribe to received bytes, EOF and failure; or pause, which lets the kernel's window fill. */
void loop_recv_start(struct loop_socket *socket);
void loop_recv_stop(struct loop_socket *socket);

/*
 * Receive the next `len` bytes straight into the owner's memory, without a copy. LOOP_RECEIVED
 * tells how many have come (n_placed); bytes behind them land in the loop's buffer as usual. The
 * memory is borrowed until it is full, the socket is closed, or loop_recv_into_end() is called. It
 * need not be full when the stream ends. One place at a time.
 */
void loop_recv_into(struct loop_socket *socket, char *borrow_at, size_t len);

/*
 * Give the memory back to the owner; nothing more is put there. Does nothing without
 * loop_recv_into().
 */
void loop_recv_into_end(struct loop_socket *socket);

/*
 * Does the loop know of bytes, an end or an error in the kernel that we have not taken yet? If so,
 * a timeout must not fire.
 */
static inline bool loop_socket_has_input(const struct loop_socket *socket)
{
        return socket->reading && socket->can_read;
}

/*
 * Read what the kernel has at this moment, beside the subscription. Returns how many bytes; 0 as
 * well for an end or a failure.
 */
size_t loop_recv_now(struct loop_socket *socket, void *to, size_t size);

#define LOOP_PENDING 1

/*
 * Send all of up to two pieces. 0: done. LOOP_PENDING: the pieces stay borrowed until LOOP_SENT,
 * LOOP_FAILED or loop_socket_close(). MUSTER_E_SEND with errno in *ret_sys: nothing more can be
 * sent, but bytes that the peer sent before can still be received. One send at a time.
 */
int loop_send(struct loop_socket *socket, const struct iovec *pieces, unsigned n_pieces,
        int *ret_sys);

/* --- watches --------------------------------------------------------------------------------- */

/*
 * Watch a descriptor. Call it again to change what is wanted; with neither wanted the watch ends.
 * MUSTER_E_RESOURCE.
 */
int loop_watch_set(struct loop *loop, struct loop_watch *watch, int fd, bool want_read,
        bool want_write);

#endif
