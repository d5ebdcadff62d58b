/* SPDX-License-Identifier: MIT */
/*
 * Trace: what a client reports about its work, as rows
 *
 * An attached tracer gets a row when something is over: an attempt, a connection, a lookup, a long
 * turn of the loop; and a sample of levels and counters now and then. Rows are values, borrowed for
 * the call. A tracer copies what it wants and returns at once, as the loop waits for it. What it
 * does with rows is not known here (see src/record/).
 *
 * Edges say which attempt waited for which. Attempts are numbered in the order in which they
 * entered the queue, and each has the number of the attempt whose end gave it its slot. All moments
 * are ns of the monotonic clock; 0: did not happen.
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include "attempt.h"

/* Why a request waited for its slot: the last thing that it waited for. */
enum trace_wait {
        TRACE_WAIT_NONE,      /* it did not: a slot was free in the next turn of the loop */
        TRACE_WAIT_SLOT,      /* all of `concurrency` were in use */
        TRACE_WAIT_HOST,      /* all of its origin's `per_host` slots were in use */
        TRACE_WAIT_SHARE,     /* its origin had its share, and other origins were active */
        TRACE_WAIT_RATE,      /* its moment by the overall rate had not come */
        TRACE_WAIT_HOST_RATE, /* its moment by its origin's rate had not come */
        TRACE_WAIT_WORKERS,   /* too many responses waited for a worker */
        TRACE_WAIT_REFUSED,   /* its origin had refused requests and rested */
        TRACE_WAIT_LOGIN,     /* the origin was being asked which credentials it wants */
        TRACE_WAIT_STREAM,    /* all streams of its origin's HTTP/2 connections were in use */
        TRACE_WAIT_PROTOCOL,  /* its origin's first connection was to tell which HTTP it speaks */
        TRACE_WAIT_MEMORY,    /* bodies had all the memory that they may have */
        TRACE_N_WAITS,
};

/* What became of an attempt. */
enum trace_outcome {
        TRACE_RESULT,     /* its response is the request's result */
        TRACE_FAILED,     /* its error is the request's */
        TRACE_REDIRECTED, /* the next attempt goes to another URL */
        TRACE_RETRIED,    /* the next attempt comes after a back-off */
        /* the reused connection was closed: the next attempt comes at once, on a new one */
        TRACE_REPEATED,
        TRACE_CHALLENGED,   /* it was asked for credentials: the next attempt has them */
        TRACE_NOT_EXPECTED, /* 417: the next attempt comes at once, without Expect */
        TRACE_N_OUTCOMES,
};

/* What the loop's thread does when it does not wait for the kernel. */
enum trace_work {
        TRACE_WORK_IO,      /* reading, writing, parsing: everything else */
        TRACE_WORK_TLS,     /* handshakes */
        TRACE_WORK_DECODE,  /* content codings */
        TRACE_WORK_PROCESS, /* process functions, inline */
        TRACE_WORK_CALLER,  /* the program that uses the library, between two calls */
        TRACE_N_WORKS,
};

/* A request's method, as far as it matters for repeating it. */
enum trace_method {
        TRACE_METHOD_OTHER,
        TRACE_METHOD_GET,
        TRACE_METHOD_HEAD,
        TRACE_METHOD_OPTIONS,
        TRACE_N_METHODS,
};

/* Why a request that had a retry left was not tried again; in the order of enum retry_withheld. */
enum trace_withheld {
        TRACE_NOT_WITHHELD,
        TRACE_WITHHELD_BUDGET,   /* the retry budget was used up */
        TRACE_WITHHELD_TIME,     /* its timeouts did not leave enough time to wait */
        TRACE_WITHHELD_MAX_TIME, /* it would have begun too late */
        TRACE_WITHHELD_LONG,     /* the server asked for too long a wait */
        TRACE_WITHHELD_UNSAFE,   /* its method is not safe to repeat */
        TRACE_WITHHELD_BODY,     /* its body could not be read again */
        TRACE_N_WITHHELD,
};

/* Who ended a connection. */
enum trace_closer {
        TRACE_CLOSED_BY_END,    /* it was open when the client ended */
        TRACE_CLOSED_BY_SERVER, /* its end or reset came first, or it said "Connection: close" */
        /* we did: see the attempt's error, unread rest or our "close" */
        TRACE_CLOSED_BY_CLIENT,
        TRACE_CLOSED_BY_AGE, /* idle for too long, or a new connection needed its place */
        TRACE_NEVER_OPEN,    /* it was never ready */
        TRACE_N_CLOSERS,
};

/* A finished attempt. The row of a request's last attempt comes when its result is taken. */
struct trace_attempt {
        uint64_t number;    /* from 1, in the order of entering the queue */
        uint64_t request;   /* its id, from 1 */
        uint64_t slot_from; /* the attempt whose end gave the slot; 0: none had to end */
        uint64_t conn;      /* trace_conn's id; 0: it had none */
        struct attempt stamps;
        /* Only of the last attempt: work on the body, and when the result was taken. */
        uint64_t process_end_ns;   /* `stamps.end_ns` is when it began; 0: none */
        uint64_t worker_decode_ns; /* of that, decoding on a worker; a duration */
        uint64_t finished_ns, taken_ns;
        uint64_t submitted_ns;
        uint64_t planned_ns;     /* with a rate: the planned start; 0: no rate */
        uint64_t conn_idle_ns;   /* how long the connection had been idle; a duration */
        uint64_t wire_bytes;     /* of the response's body, as received */
        uint64_t body_bytes;     /* after decoding */
        uint64_t sent_bytes;     /* of the request, head and body */
        uint64_t retry_after_ns; /* what the server asked for with Retry-After; a duration */
        /*
         * The longest time between two pieces of the response, as the kernel got them, and how much
         * of the body had come before it. 0 and one piece: there is none; 0 and several: not known.
         */
        uint64_t gap_ns, gap_bytes;
        uint64_t url_digest;     /* for the tracer's own use: the same for the same URL */
        uint32_t origin;         /* trace_origin's number; 0: the URL had none */
        uint32_t in_flight;      /* slots in use when it got its own, included */
        uint32_t host_in_flight; /* of these, its origin's */
        uint32_t path;           /* for the tracer's own use */
        uint32_t stream;         /* its number on an HTTP/2 connection; 0: HTTP/1 */
        uint32_t n_sharing;      /* HTTP/2: streams open there when it began, its own included */
        uint32_t n_receives;     /* pieces in which the response came from the kernel */
        uint16_t n;              /* which attempt of its request it is, from 1 */
        int16_t status;          /* 0: no response, or one of which only its bytes were seen */
        /* enum muster_code of the attempt; for the last one, of the request */
        int8_t code;
        uint16_t sys;         /* the errno of its error; 0: none */
        uint8_t stage;        /* enum muster_phase in which it ended */
        uint8_t wait;         /* enum trace_wait */
        uint8_t outcome;      /* enum trace_outcome */
        uint8_t http_version; /* 10, 11; 0: no response */
        uint8_t method;       /* enum trace_method, of the request as submitted */
        uint8_t engine;       /* from 1; see trace_sample */
        uint8_t withheld;     /* enum trace_withheld; of the last attempt */
        bool is_last;         /* the request's last attempt */
        bool is_reused;       /* the connection was opened for another attempt */
        bool is_unheard;      /* its body waited for 100 (Continue) in vain */
        bool is_safe;         /* GET, HEAD or OPTIONS, without a body */
        bool is_plain;        /* GET without a body and own header fields */
        bool is_encoded;      /* the response had a Content-Encoding */
        bool has_fields;      /* the request has own header fields or a password */
        /* its first pieces were acknowledged at once: see tracing_tries_quick_ack() */
        bool is_acked_at_once;
        struct muster_str url; /* of this attempt, without user name and password; borrowed */
};

/* Did it get a response, though its status may not be known? */
static inline bool trace_is_answered(const struct trace_attempt *attempt)
{
        return attempt->status || (attempt->outcome == TRACE_RESULT && attempt->code == MUSTER_OK &&
                                          attempt->stamps.first_byte_read_ns);
}

struct trace_conn {
        uint64_t id; /* from 1 */
        uint32_t origin;
        uint64_t opened_ns; /* dialling began */
        uint64_t dns_end_ns, tcp_end_ns, tunnel_end_ns, tls_end_ns;
        uint64_t closed_ns;
        uint64_t n_attempts;
        uint32_t n_addresses; /* tried */
        uint8_t family;       /* of the address that connected: 4 or 6; 0: none */
        uint8_t closer;       /* enum trace_closer */
        uint8_t engine;
        bool is_tls, is_resumed, had_ticket; /* had_ticket: a session was offered */
        uint64_t tls_work_ns;                /* our own computing time for the handshake */
        /* TCP_INFO at its end; 0: not known. */
        uint32_t rtt_us, min_rtt_us, n_retransmits, cwnd;
        uint32_t max_rtt_us;    /* the longest rtt_us, as seen while something came, too */
        uint64_t delivery_rate; /* bytes a second of what we sent */
        uint64_t rwnd_limited_us, sndbuf_limited_us, busy_us;
        uint64_t bytes_received;
        /* segments that came before earlier ones, which were lost or overtaken on the way here */
        uint32_t n_out_of_order;
        uint32_t proxy;           /* its URL as trace_origin's number; 0: none */
        struct muster_str remote; /* address and port; borrowed */
};

/* What became of a try of one address. */
enum trace_fate {
        TRACE_TRY_CONNECTED,
        TRACE_TRY_REFUSED,
        TRACE_TRY_UNREACHABLE, /* no way there: of the host, the network or its family */
        TRACE_TRY_TIMED_OUT,   /* the kernel gave it up */
        TRACE_TRY_FAILED,      /* in another way: see `sys` */
        TRACE_TRY_OVERTAKEN,   /* given up: another address connected meanwhile */
        TRACE_TRY_STOPPED,     /* given up: a time limit was over, or nobody needed it any more */
        TRACE_TRY_DENIED,      /* not allowed: nothing was sent */
        TRACE_N_FATES,
};

/*
 * A try of one of a host's addresses. There are none of a connection whose only try connected: its
 * trace_conn says all. At most 36 a dial.
 */
struct trace_try {
        uint64_t conn; /* its id */
        uint64_t start_ns, end_ns;
        uint16_t n;                /* which try of this connection's dial, from 1 */
        uint16_t sys;              /* the errno; 0: none */
        uint8_t fate;              /* enum trace_fate */
        struct muster_str address; /* with port; borrowed */
};

struct trace_lookup {
        uint64_t start_ns, end_ns;
        int8_t code;
        uint16_t n_addresses;
        struct muster_str name; /* borrowed */
};

/* A long turn of the loop, or one that began late. */
struct trace_turn {
        uint64_t start_ns, end_ns;       /* without the wait before it */
        uint64_t work_ns[TRACE_N_WORKS]; /* add up to the turn */
        /*
         * What the kernel did with the thread since the last sample or turn row: on a processor;
         * ready to run, but without one; and how often one was taken away from it. What both leave
         * of the turn it was blocked, or stopped. -1: not known.
         */
        uint64_t thread_cpu_ns;
        int64_t run_delay_ns, n_forced;
        int64_t n_major_faults; /* ... and pages of this program that came from a disk */
        uint64_t late_ns;       /* before the turn: since when what ended the wait had been there */
        uint64_t culprit;       /* the attempt that took most time in one piece; 0: not known */
        uint8_t engine;
};

/*
 * The levels and counters of one engine, which is one loop in one thread; most clients have one.
 * Counters only grow. n_held is for all engines together.
 */
struct trace_sample {
        uint64_t at_ns;
        uint8_t engine;                                       /* from 1 */
        uint64_t n_in_flight, n_queued, n_processing, n_held; /* held: submitted and not taken */
        bool is_full; /* the caller must take a result before it can submit more */
        uint64_t n_submitted, n_attempts, n_conns_opened, n_lookups;
        uint64_t n_turns, wait_ns, work_ns[TRACE_N_WORKS];
        uint64_t thread_cpu_ns, process_cpu_ns;
        int64_t run_delay_ns, n_forced; /* of the thread, as in trace_turn; -1: not known */
        uint64_t n_open_conns;
};

struct trace_origin {
        uint32_t number;       /* from 1 */
        struct muster_str key; /* "https://example.com:443"; borrowed */
};

struct tracer;

struct tracer_ops {
        void (*origin)(struct tracer *tracer, const struct trace_origin *origin);
        void (*attempt)(struct tracer *tracer, const struct trace_attempt *attempt);
        void (*conn)(struct tracer *tracer, const struct trace_conn *conn);
        void (*try)(struct tracer *tracer, const struct trace_try *try);
        void (*lookup)(struct tracer *tracer, const struct trace_lookup *lookup);
        void (*turn)(struct tracer *tracer, const struct trace_turn *turn);
        void (*sample)(struct tracer *tracer, const struct trace_sample *sample);
        /* No more rows come. */
        void (*end)(struct tracer *tracer);
        /* Free the tracer, after end(): the client is gone. */
        void (*free)(struct tracer *tracer);
};

struct tracer {
        const struct tracer_ops *ops;
};

#endif
