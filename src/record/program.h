/* SPDX-License-Identifier: MIT */
/*
 * What a record has of programs that were watched
 *
 * Requests and connections of a watched program are attempts and connections like our own
 * (core/trace.h); `engine` is the thread, numbered from 1, whose loop or blocking call it was. What
 * has no place there stands here: the processes, the places in their code, what their client
 * libraries were set to, and what held their loops. src/watch/ fills it from the logs.
 *
 * Moments are ns since the run's start, as everywhere in a record. Numbers begin at 1, and 0 means
 * that it is not known.
 *
 * What explain relies on in the rows of a watched program:
 *   - run.options is zeroed: what bounds the requests stands in `clients` and `bounds`;
 *   - an attempt is submitted, and enters the queue, when its program called the library; it has its
 *     slot when the pool gave it a connection (queued_ns later). If it had to wait for that, `wait`
 *     is TRACE_WAIT_SLOT, or TRACE_WAIT_HOST by a limit of each host, and `slot_from` the attempt
 *     that ended last before, of the same client. `in_flight` and `host_in_flight` are counted. It
 *     is finished and taken when the program had it;
 *   - a turn is a time for which a loop's thread was away from its wait, all of it as
 *     TRACE_WORK_CALLER; samples have the same as work_ns, and wait_ns, as far as they are known;
 *   - of a process with PROGRAM_UNSEEN_REQUESTS an attempt is an exchange: bytes were sent on a
 *     connection, and others came behind. It has no URL, method or status, and its origin is an
 *     address;
 *   - trace_conn.closer says who closed first, and trace_conn.proxy that it went to a proxy.
 */
#ifndef RECORD_PROGRAM_H
#define RECORD_PROGRAM_H

#include <muster/muster.h>

/* What could not be seen of a process: bits. */
enum program_unseen {
        PROGRAM_UNSEEN_TLS = 1,      /* what it says under TLS */
        PROGRAM_UNSEEN_URING = 2,    /* calls by io_uring */
        PROGRAM_UNSEEN_STAMPS = 4,   /* when the kernel had an answer */
        PROGRAM_UNSEEN_SHIM = 8,     /* everything that the shim sees: static, or set-uid */
        PROGRAM_UNSEEN_HOOK = 16,    /* what the interpreter knows, though it is one with a hook */
        PROGRAM_UNSEEN_DROPPED = 32, /* its log was full, or torn */
        /* what it asked and was answered: only its connections were, from outside */
        PROGRAM_UNSEEN_REQUESTS = 64
};

struct program_process {
        int32_t pid, ppid;
        uint64_t start_ns, end_ns;
        uint64_t cpu_ns;    /* 0: not known */
        uint32_t unseen;    /* enum program_unseen */
        uint32_t n_threads; /* that made requests or waited in a loop */
        uint32_t n_served;  /* requests that came to it, while it made none */
        struct muster_str exe;
        struct muster_str words;     /* its command, parted by blanks */
        struct muster_str language;  /* "Python 3.11.7"; empty: none with a hook */
        struct muster_str libraries; /* "aiohttp 3.9.1, uvloop 0.19.0" */
        struct muster_str loop;      /* "asyncio", "uvloop", "libuv"; empty: none known */
};

/* A place in their code. */
struct program_site {
        struct muster_str file, function;
        uint32_t line;
};

/* A session, client, agent or pool of a library. */
struct program_client {
        uint32_t process;
        struct muster_str library; /* "aiohttp", "httpx", "requests", "urllib3", "undici" */
        uint32_t site;             /* where it was made */
        uint64_t made_ns, closed_ns;
        uint32_t limit, per_host, kept; /* connections; 0: no limit */
        uint64_t n_requests;
};

/* What is known of an attempt beyond its row; by number. */
struct program_call {
        uint64_t attempt;
        uint32_t process, client, site;
        uint32_t caller; /* the site that called its function, which made no other in that call */
        uint64_t queued_ns;  /* a duration: waited for its pool's limit */
        bool is_unread;      /* its body was not read to its end */
        uint64_t left_bytes; /* of that, by its length; 0: none, or not known */
        bool is_timeout;     /* ended by a time-out of the library */
        bool asks_close;     /* the request said "Connection: close", or was of HTTP/1.0 */
        /* it went out in several calls of less than a segment each, without TCP_NODELAY */
        bool is_split;
        uint64_t held_ns;        /* a duration: of its life, the loop of its thread was held */
        struct muster_str error; /* the exception's type; empty: none */
};

enum program_hold_kind {
        PROGRAM_HOLD_COMPUTES, /* mostly processor time */
        PROGRAM_HOLD_BLOCKED,  /* mostly neither running nor ready: a call that waits */
        PROGRAM_HOLD_UNKNOWN,
};

/* A loop was held by one callback. */
struct program_hold {
        uint32_t process;
        uint8_t engine;
        uint8_t kind; /* enum program_hold_kind */
        uint64_t start_ns, end_ns, cpu_ns;
        uint32_t site;          /* where it was found most often */
        struct muster_str name; /* of the innermost function: "time.sleep" */
};

enum program_bound_kind {
        PROGRAM_SEMAPHORE,
        PROGRAM_GATHER, /* a number of requests that are waited for together */
        PROGRAM_EXECUTOR,
        PROGRAM_NAMES, /* an executor that looks up names */
        PROGRAM_PAUSE, /* it slept there, waited_ns in all */
};

/* What their code bounds its requests with. */
struct program_bound {
        uint32_t process, site;
        uint8_t kind; /* enum program_bound_kind */
        uint64_t start_ns, end_ns;
        uint64_t value; /* the semaphore's, how many were gathered, threads */
        uint64_t n, n_waited, waited_ns, most_waiting;
};

/* What threads of a process share: the interpreter, and its lock. */
struct program_interpreter {
        uint32_t process;
        struct muster_str name;      /* "cpython"; empty: not known */
        bool has_lock;               /* one of its threads runs at a time */
        uint64_t switch_ns;          /* a duration: after that, one gives the lock to another */
        uint64_t n_asked, n_taken;   /* at random moments, and another thread had it */
        uint64_t start_ns, end_ns;   /* when that was looked at */
        uint64_t waited_ns;          /* a duration: at least one thread waited for another */
        uint32_t site;               /* where most of the computing was in that; 0: not known */
        uint32_t share;              /* how many % of it */
        struct muster_str call_name; /* of the innermost function: "re.split" */
};

/* Certificates were loaded, or a name was looked up: work that is done again and again. */
struct program_chore {
        uint32_t process, site;
        uint64_t start_ns, took_ns;
};

struct programs {
        struct program_process *processes;
        size_t n_processes;
        struct program_site *sites;
        size_t n_sites;
        struct program_client *clients;
        size_t n_clients;
        struct program_call *calls; /* by attempt */
        size_t n_calls;
        struct program_hold *holds; /* by start */
        size_t n_holds;
        struct program_bound *bounds; /* by start */
        size_t n_bounds;
        struct program_chore *contexts; /* certificates loaded, by start */
        size_t n_contexts;
        struct program_interpreter *interpreters; /* by process */
        size_t n_interpreters;
        uint64_t lock_waited_ns; /* threads waited for the interpreter's lock; 0: not known */
        uint64_t n_lost;         /* rows of hooks that were too many */
};

/* Free the arrays; the texts stay in their arena. Zeroed is allowed; zeroed afterwards. */
void programs_deinit(struct programs *programs);

/* What is known of an attempt, by binary search; NULL: nothing. */
const struct program_call *programs_call(const struct programs *programs, uint64_t attempt);

/* By number, from 1; NULL: there is none, as for number 0. */
const struct program_process *programs_process(const struct programs *programs, uint32_t number);
const struct program_site *programs_site(const struct programs *programs, uint32_t number);
const struct program_client *programs_client(const struct programs *programs, uint32_t number);

/* Processor time of all of them. */
uint64_t programs_cpu_ns(const struct programs *programs);

/* Of a process, by its number; NULL: not known. */
const struct program_interpreter *programs_interpreter(const struct programs *programs,
        uint32_t process);

#endif
