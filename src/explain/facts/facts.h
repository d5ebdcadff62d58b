/* SPDX-License-Identifier: MIT */
/*
 * Facts: what the causes look at, computed once from a record
 *
 * The record says what happened, one row each; here it is added up, sorted and measured, so that a
 * rule can be read as a rule. Nothing here judges.
 */
#ifndef EXPLAIN_FACTS_H
#define EXPLAIN_FACTS_H

#include <explain/judgement.h>
#include <record/record.h>

/*
 * What a moment of a request's life was spent on. Parts are finer than phases, as the remedy
 * depends on them.
 */
enum part {
        PART_MISSING,      /* attempts were dropped: see facts_has_holes() */
        PART_STARTUP,      /* a program that was watched had made no request yet */
        PART_ENDING,       /* ... had all answers, and went on */
        PART_INPUT,        /* nothing was submitted: the program, or its input, was not there yet */
        PART_RATE,         /* held back by the rate that was asked for */
        PART_REFUSED,      /* held back, as the server had refused requests */
        PART_MEMORY,       /* held back, as bodies had all the memory that they may have */
        PART_QUEUE,        /* waited for a slot, and it is not known for whose */
        PART_BACKOFF,      /* between two attempts */
        PART_DNS,          /* resolving a name */
        PART_TCP,          /* connecting */
        PART_TUNNEL,       /* asking a proxy for a tunnel */
        PART_TLS,          /* shaking hands, without our own work at it */
        PART_SEND,         /* handing the request to the kernel */
        PART_EXPECT,       /* the body waited for 100 (Continue) */
        PART_NETWORK,      /* on the way there and back */
        PART_SERVER,       /* the server */
        PART_RECEIVE,      /* from the first byte to the last */
        PART_LOOP_IO,      /* our own work: reading, writing, parsing */
        PART_LOOP_TLS,     /* ... handshakes */
        PART_LOOP_DECODE,  /* ... content codings, in the loop's thread */
        PART_LOOP_PROCESS, /* ... process functions, in the loop's thread */
        PART_LOOP_CALLER,  /* ... the program that uses the library, or the reader of its output */
        PART_PROCESSOR,    /* its thread was ready to run, and others had the processor */
        PART_STOPPED,      /* ... it had work, and neither ran nor was ready: it was stopped */
        /* with the workers: decoding and process functions, and waiting for a worker */
        PART_PROCESS,
        PART_DELIVER, /* finished, not taken yet */
        PART_N,
};

const char *part_name(enum part part); /* "server" */
/* "waiting for the server's response"; `is_watched`: of a program that was watched. */
const char *part_meaning(enum part part, bool is_watched);

/* A set of durations, in ns. */
struct spread {
        size_t n;
        uint64_t sum, min, p10, p50, p90, p99, max;
};

static inline double spread_mean(const struct spread *spread)
{
        return spread->n ? (double)spread->sum / (double)spread->n : 0;
}

/*
 * Of values in ascending order: the first that this share of them does not exceed. 0 where there
 * are none.
 */
uint64_t quantile_of(const uint64_t *sorted, size_t n, double share);

/* Sorts `values`, ascending. */
void spread_of(struct spread *spread, uint64_t *values, size_t n);

/*
 * Values that rise in even steps, as those of requests do that wait in a row. Not such as are
 * alike, in two groups, or alike with a few outliers.
 */
bool spread_is_ramp(const struct spread *spread);

/* A whole number. Values beyond the largest are cut; NaN and negative ones are 0. */
static inline uint64_t whole_of(double value)
{
        if (!(value >= 1))
                return 0;
        return value < 18e18 ? (uint64_t)value : UINT64_MAX;
}

#define HOST_FACTS_MAX 4096 /* more would be as much memory as the record itself */

/* One host's part in the run. */
struct host_facts {
        uint32_t origin;        /* its number */
        struct muster_str name; /* "http://example.com:80" */
        size_t n_attempts, n_failed;
        struct spread service; /* slot to end of an attempt */
        struct spread server;  /* of those that were answered */
        double mean_in_flight;
};

struct intake;
struct all_turns;
struct timelines;
struct rehearsal;
struct raise;
struct load;
struct program_facts;

struct facts {
        const struct record *record;
        /* The run: the first submit to the last result taken. */
        uint64_t start_ns, end_ns, wall_ns; /* wall_ns is at least 1 */
        /*
         * of a program that was watched: its time before the run and behind it, which no remedy of
         * its requests changes. Rules are about the run; what is told is about the program's time
         */
        uint64_t startup_ns, ending_ns;
        /*
         * it was asked for load: so many requests, for so long, or on a ramp. Then its length and
         * its rate are what was wanted, and the same requests are made again and again on purpose.
         */
        bool is_load;
        size_t n_requests,
                n_failed; /* in the record: requests that have ended; of these with an error */
        /*
         * of the whole run, for counts that are told. More than the above where the record has only
         * the newest requests
         */
        struct totals all;
        size_t n_attempts; /* that had a slot */
        size_t n_outcomes[TRACE_N_OUTCOMES];
        size_t n_waits[TRACE_N_WAITS];
        size_t n_codes[32];   /* requests, by -code */
        size_t n_on_new_conn; /* attempts that opened a connection, or tried to */
        size_t n_on_reused;
        size_t n_conns_opened; /* connections that came about */
        uint64_t wire_bytes, body_bytes;

        /* Concurrency. */
        /*
         * `concurrency`, or less where a memory or file limit made it so; of a watched program what
         * it waited for (program.h). 0: no limit, or none that is known
         */
        uint64_t slots;
        double mean_in_flight; /* slots in use: Little's law holds */
        uint64_t max_in_flight;
        /*
         * The most of an origin's requests that were in flight where others of it waited for a
         * stream: so many its HTTP/2 connections have. 0: none waited.
         */
        uint64_t streams;
        uint64_t full_ns;    /* all slots in use and somebody waiting */
        uint64_t starved_ns; /* nobody waiting and slots free, before the last submit */
        /*
         * after the last moment at which at least half of the slots (or of max_in_flight) were in
         * use
         */
        uint64_t tail_ns;
        uint64_t tail_from_ns;

        /*
         * By phase, of attempts that had a slot, those that did not have that phase with 0; QUEUE,
         * BACKOFF, PROCESS and DELIVER of requests that have ended, over all of their attempts.
         */
        struct spread phase[MUSTER_N_PHASES];
        struct spread service; /* slot to end of an attempt: what takes a slot */
        /* of requests that succeeded: from slot to last byte, its attempts together */
        struct spread latency;
        struct spread network, server; /* the two halves of `wait`, of answered attempts */

        /*
         * This program. Of several loops what the busiest did: it is the one that may hold others
         * up. Threads that share an interpreter are taken together.
         */
        unsigned n_loops, busiest_loop;  /* the latter from 1 */
        uint64_t loop_ns[TRACE_N_WORKS]; /* over the run */
        uint64_t loop_busy_ns;           /* their sum */
        uint64_t thread_cpu_ns;
        int64_t run_delay_ns;  /* ready to run, but without a processor; -1: not known */
        uint64_t loops_cpu_ns; /* of the threads of all loops */
        uint64_t process_cpu_ns;
        uint64_t longest_turn_ns;

        /* the one with most attempts first; not more than HOST_FACTS_MAX */
        struct host_facts *hosts;
        size_t n_hosts;

        /* Indexes of all record->attempts: those of a request stand together, in their order. */
        uint32_t *by_request;
        struct program_facts *program; /* of watched programs; NULL: none were: program.h */
        struct intake *intake;         /* how they came in: intake.h */
        struct all_turns *turns;       /* what the loops did: turns.h */
        struct timelines *timelines;   /* what the busiest hosts did when: timeline.h */
        struct rehearsal *rehearsal;   /* its requests, as replays need them: rehearsal.h */
        uint64_t replayed_ns;          /* what a replay of the run as it was says: see replay.h */
        struct raise *raise;           /* raise_is_called_for() */
        struct load *load;             /* load_measure() */

        /* Where the wall time went; each adds up to wall_ns, startup_ns and ending_ns exactly. */
        uint64_t chain_ns[PART_N];
        uint64_t share_ns[PART_N];
};

/* Does the record have only some of the requests of the run, and know how many there were? */
static inline bool facts_is_part(const struct facts *facts)
{
        return facts->all.n_requests > facts->n_requests;
}

/* The wall time of the whole run. wall_ns is that of the requests in the record. */
static inline uint64_t facts_all_wall_ns(const struct facts *facts)
{
        return facts_is_part(facts) && facts->all.last_ns > facts->all.first_ns
                       ? facts->all.last_ns - facts->all.first_ns
                       : facts->wall_ns;
}

/* What is told as the time of the requests in the record: of a watched program all of its time. */
static inline uint64_t facts_told_wall_ns(const struct facts *facts)
{
        return facts->startup_ns + facts->wall_ns + facts->ending_ns;
}

/* May be called twice, and on zeroed memory. facts_measure() is what fills them. */
void facts_deinit(struct facts *facts);

/*
 * Were so many attempts dropped that the times between the others mean nothing? Then nobody can
 * tell whether nothing was under way, or only nothing that is in the record.
 */
static inline bool facts_has_holes(const struct facts *facts)
{
        return (double)facts->record->run.n_holes > (double)facts->record->n_attempts * HOLES_MOST;
}

/* --- one kind of duration -------------------------------------------------------------------- */

/* An enum muster_phase, or: */
enum facts_durations {
        FACTS_SERVICE = MUSTER_N_PHASES,
        FACTS_LATENCY,
        FACTS_NETWORK,
        FACTS_SERVER,
        FACTS_N_DURATIONS,
};

const struct spread *facts_spread(const struct facts *facts, int durations);

/* All of them, sorted; to be freed with mem_free(). MUSTER_E_RESOURCE. */
int facts_durations(const struct facts *facts, int durations, uint64_t **ret_values, size_t *ret_n);

/* --- one request ----------------------------------------------------------------------------- */

/*
 * The attempts of a request are by_request[from] up to but not including
 * by_request[facts_request_end(facts, from)]:
 *
 *      for (size_t from = 0, to; from < record->n_attempts; from = to) {
 *              to = facts_request_end(facts, from);
 */
size_t facts_request_end(const struct facts *facts, size_t from);

/* The gaps between them. */
uint64_t facts_backoff_ns(const struct facts *facts, size_t from, size_t to);

/* --- one attempt ----------------------------------------------------------------------------- */

/* Its phases, as in result lines; they add up to start..end. */
void attempt_phases(const struct trace_attempt *attempt, uint64_t phase_ns[MUSTER_N_PHASES]);

/*
 * The two halves of its `wait`. The acknowledgement of the request tells when it had arrived at the
 * latest; but a server that answers within 40 ms sends it with the answer. So the way is taken from
 * the least round trip of the connection, unless something was lost on it.
 */
uint64_t attempt_network_ns(const struct record *record, const struct trace_attempt *attempt);
uint64_t attempt_server_ns(const struct record *record, const struct trace_attempt *attempt);

#endif
