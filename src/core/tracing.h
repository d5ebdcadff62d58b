/* SPDX-License-Identifier: MIT */
/*
 * Telling the tracer
 *
 * The one place where the core's own structs become rows of trace.h. Without a tracer nothing is
 * measured beyond what results tell anyway; with one the loop's time is accounted for as well:
 *
 *      caller ─▶ enter ─ start requests ─▶ turn_over ─ wait for the kernel ─▶ handle what is ready ─ start requests ─▶ leave ─▶ caller
 *                                          ├─ a turn: from the end of one wait to the begin of the next ─────────────────────────┤
 *
 * Where a foreign loop may do the waiting, a turn ends with leave, too, and the next one begins
 * with enter; whether the time between was waiting or the caller's work shows in what was there to
 * be read.
 */
#ifndef CORE_TRACING_H
#define CORE_TRACING_H

#include "trace.h"
#include <base/buf.h>
#include <net/resolve.h>
#include <stdatomic.h>

struct conn;
struct loop;
struct engine;
struct muster_request;
struct origin;

/* What is kept of the attempt that runs beside its stamps; always, as it costs next to nothing. */
struct trace_notes {
        uint64_t number, slot_from, conn;
        uint64_t due_order;  /* the place in the order in which requests wanted a slot */
        uint64_t planned_ns; /* by the rate; 0: there is none */
        uint64_t conn_idle_ns, sent_bytes, retry_after_ns;
        uint32_t origin, in_flight, host_in_flight, n_receives;
        uint16_t n;
        uint8_t wait; /* enum trace_wait */
        bool is_reused, is_encoded;
};

/* Of a connection. */
struct trace_conn_notes {
        uint64_t id, opened_ns, dns_end_ns, tcp_end_ns, tls_end_ns, tls_work_ns;
        uint64_t n_attempts;
        uint64_t wanted_by;     /* the attempt for which it is made */
        uint64_t acked_attempt; /* whose acknowledgement was asked for last */
        uint8_t family;
        bool had_ticket, is_reported;
        bool we_close; /* we asked for the end, or want no more of what comes */
};

/* What is numbered so far, where several engines number together. */
struct trace_numbers {
        _Atomic uint64_t n_attempts, n_conns;
        _Atomic uint32_t n_origins;
};

struct tracing {
        struct tracer *tracer; /* NULL: none */
        struct tracer *ended;  /* it was told the end, and is kept for what it holds; NULL: none */
        struct trace_numbers *shared; /* NULL: these here count */
        uint64_t n_attempts, n_conns; /* numbered so far */
        uint32_t n_origins;
        uint64_t entered_ns; /* when the caller called us last */
        uint64_t left_ns;    /* when the caller got control back; 0: it never had it */
        uint64_t turn_work_ns[TRACE_N_WORKS]; /* of the turn that is under way, without IO */
        uint64_t culprit, culprit_ns;         /* of that turn */
        struct trace_sample totals;           /* grown so far */
        uint64_t began_ns, next_sample_ns, turn_began_ns, wait_began_ns;
        uint64_t oldest_ns; /* of what was read in this turn: when the kernel had it; 0: nothing */
        uint64_t n_acks_wanted, acks_since_ns; /* in this second, and when it began */
        uint64_t seen_cpu_ns;
};

void tracing_deinit(struct tracing *tracing);

/* A new attempt of a request begins to wait: number it. */
void tracing_number(struct muster_request *request);

/* A new connection is made: its number. */
uint64_t tracing_number_conn(struct tracing *tracing);

/* It has its origin. */
void tracing_origin(struct engine *engine, struct origin *origin);

/*
 * Is the moment worth asking the kernel when the request will have been acknowledged? That has a
 * price: so not more than so often a second.
 */
bool tracing_wants_ack(struct engine *engine);

/* An attempt that is not its request's last is over; NULL: no error. */
void tracing_attempt(struct muster_request *request, enum trace_outcome outcome,
        const struct muster_error *error);

/* A request is over, and its result is with the caller or will never be taken. */
void tracing_request(struct muster_request *request);

/* A connection ends; its socket is still open, if it ever was. */
void tracing_conn(struct conn *conn, enum trace_closer closer);

/* Names are looked up: an observer for the resolver. */
void tracing_lookup(void *engine, const struct resolve_lookup *lookup);

/* Something was read that the kernel has had since then. */
void tracing_received(struct engine *engine, uint64_t kernel_ns);

/* The loop's thread did this for so long, most of it for one attempt (0: none). */
void tracing_worked(struct engine *engine, enum trace_work work, uint64_t ns, uint64_t attempt);

/* See above. */
void tracing_enter(struct engine *engine);
void tracing_turn_over(struct engine *engine);
void tracing_leave(struct engine *engine);

/*
 * Attach a tracer to a client to which nothing was submitted yet. Takes it: ops->end() is called,
 * by tracing_end() or with the client. MUSTER_E_INVALID: it is still the caller's.
 */
int tracing_begin(struct engine *engine, struct tracer *take_tracer);

/*
 * Tell what is not told yet (results that nobody took, open connections, how things stand), and
 * end. Nothing to do without a tracer.
 */
void tracing_end(struct engine *engine);

/*
 * The same in steps, for an engine whose results are elsewhere: tell what it has itself, and no more
 * from now on; tell a result that nobody took; end.
 */
void tracing_detach(struct engine *engine);
void tracing_untaken(struct muster_request *request);
void tracing_finish(struct engine *engine);

#endif
