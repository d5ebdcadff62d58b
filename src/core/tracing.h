/* SPDX-License-Identifier: MIT */
/*
 * Tracing: making rows for the tracer
 *
 * Only here the core's structs become rows of trace.h; turns.h has those about the loop's time, and
 * tries.h those about addresses. Without a tracer, only what results need is measured.
 */
#ifndef CORE_TRACING_H
#define CORE_TRACING_H

#include "trace.h"
#include <base/buf.h>
#include <base/thread_time.h>
#include <net/resolve.h>
#include <stdatomic.h>

struct conn;
struct loop;
struct engine;
struct muster_request;
struct origin;

/* What is noted about the present attempt beside its stamps; always, as it costs almost nothing. */
struct trace_notes {
        uint64_t number, slot_from, conn;
        uint64_t due_order;  /* its place in the order in which requests wanted a slot */
        uint64_t planned_ns; /* by the rate; 0: no rate */
        uint64_t conn_idle_ns, sent_bytes, retry_after_ns;
        uint64_t gap_ns, gap_bytes,
                taken_bytes; /* the latter: of the body, with what came so far */
        uint32_t origin, in_flight, host_in_flight, n_receives;
        uint32_t stream, n_sharing; /* HTTP/2 */
        uint16_t n;
        uint8_t wait; /* enum trace_wait */
        bool is_reused, is_encoded;
        bool is_unheard; /* no 100 (Continue) came in time */
        bool is_acked_at_once;
};

/* What is noted about a connection. */
struct trace_conn_notes {
        uint64_t id, opened_ns, dns_end_ns, tcp_end_ns, tunnel_end_ns, tls_end_ns, tls_work_ns;
        uint64_t n_attempts;
        uint64_t wanted_by;     /* the attempt for which it was made */
        uint64_t acked_attempt; /* the attempt whose acknowledgement was asked for last */
        uint32_t max_rtt_us;    /* of the round trips that the kernel had smoothed, the longest */
        uint32_t opened_for;    /* the origin, once it has gone to another one: pool.h */
        uint8_t family;
        bool had_ticket, is_reported;
        bool is_denied; /* a proxy refused for a reason that another try does not change */
        bool we_close;  /* we asked for the close, or do not trust what follows */
};

/* The last numbers, if several engines number together. */
struct trace_numbers {
        _Atomic uint64_t n_attempts, n_conns;
        _Atomic uint32_t n_origins;
};

struct tracing {
        struct tracer *tracer; /* NULL: none */
        struct tracer *ended;  /* the tracer after its end, kept for what it holds; NULL: none */
        struct trace_numbers *shared; /* NULL: the numbers below count */
        uint64_t n_attempts, n_conns; /* the last numbers */
        uint32_t n_origins;
        uint64_t entered_ns;                  /* the caller's last call */
        uint64_t left_ns;                     /* when that returned; 0: never */
        uint64_t turn_work_ns[TRACE_N_WORKS]; /* of the present turn, without IO */
        uint64_t culprit, culprit_ns;         /* of the present turn */
        struct trace_sample totals;           /* so far */
        uint64_t began_ns, next_sample_ns, turn_began_ns, wait_began_ns;
        uint64_t oldest_ns; /* when the kernel had the oldest input of this turn; 0: no input */
        uint64_t n_acks_wanted, acks_since_ns; /* in this second, and when that began */
        uint64_t n_quick_acks;                 /* responses that were tried so */
        struct thread_meter meter;
        struct thread_time seen; /* at the last sample or turn row */
};

void tracing_deinit(struct tracing *tracing);

/* Number a new attempt, which begins to wait. */
void tracing_number(struct muster_request *request);

/* The number for a new connection. */
uint64_t tracing_number_conn(struct tracing *tracing);

/* Number an origin and report it, unless that was done. */
void tracing_origin(struct engine *engine, struct origin *origin);

/*
 * Should the kernel stamp the next request's acknowledgement? Stamps cost time, so there are at
 * most 1,000 a second.
 */
bool tracing_wants_ack(struct engine *engine);

/*
 * A piece of a response came. Should it be acknowledged at once? A server that waits for the
 * acknowledgement (Nagle's algorithm) goes on then, and one that makes a pause of its own does not:
 * nothing else tells the two apart. So a few responses are tried, spread evenly over the run.
 */
bool tracing_tries_quick_ack(struct muster_request *request);

/* Report a finished attempt that is not the last of its request. `error` NULL: none. */
void tracing_attempt(struct muster_request *request, enum trace_outcome outcome,
        const struct muster_error *error);

/* Report a request's last attempt: the caller has the result, or nobody will take it. */
void tracing_request(struct muster_request *request);

/* Report a connection that ends. Its socket is still open, if it ever was. */
void tracing_conn(struct conn *conn, enum trace_closer closer);

/* Report a lookup; an observer for the resolver. */
void tracing_lookup(void *engine, const struct resolve_lookup *lookup);

/*
 * Attach a tracer before anything was submitted, and take it. tracing_end() calls ops->end(), at
 * the latest with the client's end. MUSTER_E_INVALID: it still belongs to the caller.
 */
int tracing_begin(struct engine *engine, struct tracer *take_tracer);

/*
 * Report what was not reported yet (results that nobody took, open connections, a last sample), and
 * end. Does nothing without a tracer.
 */
void tracing_end(struct engine *engine);

/*
 * The same in steps, for an engine whose results are elsewhere. tracing_detach() reports what the
 * engine has and stops; tracing_untaken() reports a result that nobody took; tracing_finish() ends.
 */
void tracing_detach(struct engine *engine);
void tracing_untaken(struct muster_request *request);
void tracing_finish(struct engine *engine);

#endif
