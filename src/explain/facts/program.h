/* SPDX-License-Identifier: MIT */
/*
 * What watched programs did, added up
 *
 * The record has what their client libraries were set to, which line called them, and what held
 * their loops (record/program.h), a row each. Here it stands by the line, and beside the requests:
 * which of them were made when nothing else was under way, and which of several limits was the one
 * that was waited for.
 */
#ifndef EXPLAIN_PROGRAM_H
#define EXPLAIN_PROGRAM_H

#include "facts.h"

/* What one line of theirs did. */
struct program_place {
        size_t n;                   /* requests */
        size_t n_alone;             /* of these, with no other under way in all of their life */
        uint64_t alone_ns;          /* the lives of those */
        size_t n_unread;            /* responses that were not read to their end */
        size_t n_new_conns;         /* requests that opened a connection */
        size_t n_clients;           /* clients that were made there, and made a request */
        uint64_t n_client_requests; /* that those made */
        size_t n_contexts;          /* certificates that were loaded there */
        uint64_t contexts_ns;
        size_t n_batches;             /* several requests that it waited for together */
        uint64_t paused_ns;           /* it slept there, by its own will */
        size_t n_pools;               /* pools of threads that were made there and used */
        size_t n_holds;               /* times it held a loop, but for a library's own work */
        uint64_t held_ns, longest_ns; /* in sum; at a time */
        uint64_t blocked_ns;          /* of held_ns, neither running nor ready */
        uint64_t held_cpu_ns;         /* of held_ns, processor time */
        struct muster_str hold_name;  /* of the longest: "time.sleep" */
};

enum program_limit_kind {
        PROGRAM_LIMIT_NONE,
        PROGRAM_LIMIT_POOL, /* connections of its clients */
        PROGRAM_LIMIT_HOST, /* the same of each host */
        PROGRAM_LIMIT_SEMAPHORE,
        PROGRAM_LIMIT_EXECUTOR, /* threads */
};

/* What requests waited for in the program itself. */
struct program_limit {
        enum program_limit_kind kind;
        uint64_t value; /* at a time, all together */
        uint32_t site;
        size_t n_waited;
        uint64_t waited_ns;
};

#define PROGRAM_NOT_ALONE UINT64_MAX

struct program_facts {
        struct program_place *places; /* by number of a site; 0: where it is not known */
        size_t n_places;              /* with that one */
        /*
         * by index of a request's last attempt: how long nothing had been under way before it, where
         * nothing else was in all of its life; else PROGRAM_NOT_ALONE
         */
        uint64_t *gap_ns;
        uint64_t most; /* requests that had a connection at once, but for a moment */
        size_t n_alone;
        uint64_t alone_ns;
        uint64_t alone_held_ns;     /* of that, a loop was held */
        struct program_limit limit; /* the lowest that was waited for */
        size_t n_holds;
        uint64_t held_ns; /* of the loop that was held longest, in sum */
        uint8_t held_engine;
        size_t n_held_calls;                /* requests in whose life a loop was held */
        size_t n_clients, n_processes;      /* that made a request */
        size_t n_timeouts, n_held_timeouts; /* the latter were held for most of their time */
        size_t n_unread, n_asked_to_close, n_split;
        uint64_t contexts_ns;
        uint64_t *contexts_until_ns; /* by context: what those before it took, but for the first */
        uint32_t library_client;     /* the client that made most requests; 0: none is known */
        uint32_t process;            /* that made most requests */
        bool is_outside;             /* of that one only connections were seen */
};

/*
 * For facts_measure(), which has counted requests by then. *ret_program stays NULL where no program
 * was watched. MUSTER_E_RESOURCE.
 */
int program_measure(struct program_facts **ret_program, const struct facts *facts);
struct program_facts *program_free(struct program_facts
                *program); /* NULL is allowed; returns NULL */

/* Was it a program that was watched, rather than our own client? */
static inline bool facts_is_watched(const struct facts *facts)
{
        return facts->program != NULL;
}

/* The line with most of something; 0: none has any. */
uint32_t program_most(const struct program_facts *program,
        uint64_t (*what)(const struct program_place *place));

/*
 * The line that called the function of a site for most of the requests which were made there, one in
 * each call: that is where they are repeated. 0: not known, or they are repeated at the site.
 */
uint32_t program_caller_of(const struct facts *facts, uint32_t site);

/* How long certificates had been loaded by then, for others than the first one. */
uint64_t program_loaded_until_ns(const struct facts *facts, uint64_t moment_ns);

/* The line from which an attempt's request was made; 0: not known. */
uint32_t program_site_of(const struct facts *facts, const struct trace_attempt *attempt);

#endif
