/* SPDX-License-Identifier: MIT */
/*
 * What was watched, while it is put together from the logs
 *
 *      shim.* ─▶ log ─▶ sight ─┬─▶ sockets ─▶ talk ─▶ calls ─┐
 *                              └─▶ loops ─▶ turns, samples   ├─▶ match ─▶ account ─▶ struct record
 *      hook.* ─▶ hook ─▶ requests, sites, clients, ... ──────┘
 *
 * Rows of all processes stand in the same arrays, and refer to each other by number, from 1; 0: to
 * nothing. Moments are of the monotonic clock until the account is made.
 */
#ifndef WATCH_WATCHED_H
#define WATCH_WATCHED_H

#include "rows.h"
#include <base/arena.h>
#include <core/trace.h>
#include <http/url.h>
#include <record/program.h>

/* A process image: from its start or exec to its end or exec. */
struct process {
        struct program_process row;
        uint64_t start_wall_ns;
        bool has_shim, has_hook;
        bool ended;            /* by exit(), or by another program in its place */
        bool is_child;         /* of one that was watched */
        uint64_t last_call_ns; /* when its last request was sent */
};

struct thread {
        uint32_t process;
        int32_t tid;
        uint8_t engine;       /* given when all logs were read */
        bool has_calls;       /* it sent a request */
        uint64_t n_waits;     /* for sockets */
        uint64_t pending_tls; /* an SSL that began a handshake in memory, and has no socket yet */
        uint64_t first_ns, last_ns; /* its first and last event */
};

enum call_state {
        CALL_ASKED,    /* the request was sent, or a part of it */
        CALL_ANSWERED, /* there is a head, and the body goes on */
        CALL_DONE,
};

/* A request on the wire and its response: an attempt in the making. */
struct call {
        struct trace_attempt row; /* `url` is set, in the arena */
        struct muster_str origin; /* its key */
        uint32_t process, thread, link;
        uint32_t hook;  /* the hook's row of it */
        uint32_t next;  /* the one that was sent behind it on the same connection */
        uint8_t state;  /* enum call_state */
        bool knows_end; /* body_left is known */
        bool is_unread, is_timeout;
        bool asks_close;
        uint32_t n_small_sends; /* calls that sent less than a segment of the request */
        bool is_tunnel;         /* CONNECT: it is no attempt of its own */
        uint64_t body_left;
        uint64_t queued_ns; /* a duration */
        uint64_t last_ns;   /* its last event */
        struct muster_str method, location, error;
};

enum link_speech { LINK_SILENT, LINK_H1, LINK_H2, LINK_OTHER };

struct h2_talk;

/* A connection in the making. */
struct link {
        struct trace_conn row;
        uint32_t process, thread;
        unsigned n_fds; /* descriptors of it that are open */
        uint8_t speech; /* enum link_speech */
        uint16_t port;
        uint16_t sys; /* why it could not connect */
        bool is_inet, is_server, is_connected, is_closed;
        bool was_seen_to_begin;   /* false: it was open before the log began */
        bool has_eof, says_close; /* of the server */
        bool says_goodbye;        /* the program did, before the server */
        bool has_nodelay;
        bool is_idle_at_end; /* no request was under way when it was closed */
        bool is_tls;
        bool is_asked;                  /* by the other side, and has not answered */
        bool is_tunnel;                 /* through a proxy, which is `row.remote` */
        struct muster_str proxy_origin; /* its key; empty: none */
        uint64_t tls;                   /* the SSL's address; 0: none */
        uint32_t first_call;            /* that is no tunnel */
        uint32_t calls, last;           /* that are not over: the first, and the last of all */
        uint64_t n_calls;
        /* what is received below TLS */
        uint32_t last_burst;
        uint64_t first_raw_ns, raw_kernel_ns, raw_read_ns, n_raw_sent, n_raw_received;
        uint64_t last_use_ns;
        uint64_t n_unread;
        struct h2_talk *h2;
};

struct lookup {
        struct trace_lookup row;
        uint32_t process, thread;
};

/* A thread was away from waiting. */
struct away {
        uint64_t start_ns, end_ns, cpu_ns;
        int64_t run_delay_ns;
        uint32_t thread;
};

/* Another program asked this one for something: the first bytes after an answer. */
struct asked {
        uint32_t process;
        uint64_t at_ns;
};

/* A wait for sockets that took time. */
struct wait {
        uint64_t start_ns, end_ns;
        uint32_t thread;
};

/* A thread stood in a call that blocks: it is neither away nor at work. */
struct block {
        uint64_t start_ns, end_ns;
        uint32_t thread;
};

/*
 * On a connection whose text is not seen: what was sent, and what came behind it until more was
 * sent.
 */
struct burst {
        uint32_t link;
        uint64_t send_start_ns, send_end_ns;
        uint64_t first_kernel_ns, first_read_ns, last_kernel_ns, last_read_ns; /* 0: nothing came */
        uint64_t second_kernel_ns, second_read_ns;
        uint64_t n_received;
        uint32_t n_receives;
        uint64_t n_sent, n_pieces; /* n_pieces: segments, where it was seen from outside */
        bool is_taken;
};

/* A request as its library saw it. */
struct hook_request {
        uint64_t start_ns, end_ns, queued_ns, connecting_ns;
        uint32_t process, client, site, caller;
        int32_t tid;
        int16_t status;
        uint8_t flags;
        uint32_t call; /* that it became on the wire; 0: not seen */
        uint32_t next; /* with the same key */
        struct muster_str method, url, origin, error;
};

/* A time-out fired, as its library saw it. */
struct hook_timeout {
        uint64_t at_ns, held_ns;
        uint32_t process, client, site;
};

struct watched {
        struct arena *text;
        struct rows processes, threads, links, calls, lookups, aways, waits, blocks, bursts, asked;
        struct rows requests, timeouts;                                     /* of hooks */
        struct rows sites, clients, holds, bounds, contexts, shim_contexts; /* program.h's */
        struct rows interpreters;
        uint64_t lock_waited_ns, n_lost;
        struct url url, near; /* scratch */
        struct buf scratch;
};

/* MUSTER_E_RESOURCE; watched_deinit() is to be called in any case, and may be called twice. */
int watched_init(struct watched *all);
void watched_deinit(struct watched *all);

static inline struct process *watched_process(const struct watched *all, uint32_t number)
{
        return rows_at(&all->processes, number - 1);
}

/* Were only its connections seen, from outside? */
static inline bool watched_is_outside(const struct watched *all, uint32_t process)
{
        return watched_process(all, process)->row.unseen & PROGRAM_UNSEEN_REQUESTS;
}

static inline struct thread *watched_thread(const struct watched *all, uint32_t number)
{
        return rows_at(&all->threads, number - 1);
}

static inline struct link *watched_link(const struct watched *all, uint32_t number)
{
        return rows_at(&all->links, number - 1);
}

static inline struct call *watched_call(const struct watched *all, uint32_t number)
{
        return rows_at(&all->calls, number - 1);
}

static inline struct hook_request *watched_request(const struct watched *all, uint32_t number)
{
        return rows_at(&all->requests, number - 1);
}

static inline struct burst *watched_burst(const struct watched *all, uint32_t number)
{
        return rows_at(&all->bursts, number - 1);
}

/* The number of a place, which several processes may have. 0: memory is out. */
uint32_t watched_site(struct watched *all, const struct program_site *site);

/*
 * Copy a text that people will read: control characters become "?", and so do bytes that are not
 * UTF-8. MUSTER_E_RESOURCE.
 */
int watched_keep(struct watched *all, struct muster_str text, struct muster_str *ret_copy);

/*
 * Take a URL apart: *ret_url is what a record has of it, and *ret_origin its origin's key. One that
 * is no URL leaves both empty. MUSTER_E_RESOURCE.
 */
int watched_keep_url(struct watched *all, struct muster_str text, struct muster_str *ret_url,
        struct muster_str *ret_origin);

/* Where a Location leads from a URL, as a record has it; empty: it is no URL. MUSTER_E_RESOURCE. */
int watched_keep_location(struct watched *all, struct muster_str from, struct muster_str location,
        struct muster_str *ret_url);

/* The port of an origin's key; 0: it has none. */
uint16_t origin_port(struct muster_str origin);

#endif
