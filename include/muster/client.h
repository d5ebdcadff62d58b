/* SPDX-License-Identifier: MIT */
/*
 * The engine: submit requests, take results
 *
 *      struct muster_client *client;
 *      muster_client_new(&client, &(struct muster_client_options){ .concurrency = 10 });
 *      muster_get(client, "https://example.com/", NULL);
 *      while ((result = muster_next(client)))
 *              muster_result_free(result);
 *      muster_client_free(client);
 *
 * A client belongs to one thread at a time; only muster_wake() may be called from elsewhere. No
 * function calls back into the caller, except what a request was given for that: process functions,
 * on threads of their own, and pull functions (request.h).
 *
 * Work is done inside muster_next(), muster_wait(), muster_turn() and muster_result_read(), and
 * nowhere else. A program that calls none of them for a while delays its requests, which then shows
 * as their `lag`, but does not make them time out (see below).
 *
 * Timeouts count from the moments that their names say (milliseconds; 0 takes the default,
 * MUSTER_NO_TIMEOUT none). Before one fires, all that the kernel already holds is read: a response
 * that arrived in time counts, however late the program came to read it. And where the program
 * itself was away when a timeout ran out, the peer gets that time back, once.
 *
 * Retries (max_retries) come out of a budget, as a server in trouble must not be asked many times
 * as much. A server that refuses, with 429 (RFC 6585) or with 503 and Retry-After (RFC 9110,
 * 10.2.3), is in no trouble: such retries are outside the budget, its origin is left alone for as
 * long as it asks, and then asked at a pace that it takes. Other origins go on.
 */
#ifndef MUSTER_CLIENT_H
#define MUSTER_CLIENT_H

#include <muster/request.h>
#include <muster/result.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MUSTER_NO_TIMEOUT      UINT64_MAX
#define MUSTER_NO_LIMIT        UINT64_MAX
#define MUSTER_NO_RETRY_BUDGET UINT32_MAX
#define MUSTER_THREADS_AUTO    UINT32_MAX

/* Conditions: what the functions below answer beside 0 and errors. */
enum muster_condition {
        MUSTER_FULL = 1,  /* muster_submit, muster_get: take a result, then submit again */
        MUSTER_IDLE = 2,  /* muster_wait, muster_turn: nothing is outstanding or can finish */
        MUSTER_LATER = 3, /* muster_wait, muster_turn, muster_result_read_now: nothing yet */
        MUSTER_WOKEN = 4, /* muster_wait: muster_wake() was called */
        MUSTER_END = 5,   /* muster_result_read, muster_result_read_now: the body is over */
};

/* Values by which a client is made; zero is the default everywhere. */
struct muster_client_options {
        /* sizeof *this, as the caller's header has it; 0: the members of version 0.1 */
        size_t size;

        /* How much at once. */
        unsigned concurrency; /* requests in flight; 0: 64; at most 1,000,000 */
        unsigned per_host;    /* of these to one origin (scheme, host, port); 0: no limit */
        size_t queue_size;    /* submitted, result not taken; 0: 4 x concurrency, at least 1024 */

        /* How long. */
        uint64_t queue_timeout_ms;   /* submit to first slot; 0: none */
        uint64_t connect_timeout_ms; /* slot of each attempt to connection ready; 0: 10 s */
        uint64_t read_timeout_ms;    /* connection ready or bytes to next bytes; 0: 60 s */
        uint64_t total_timeout_ms;   /* first slot to result, over all attempts; 0: none */
        uint64_t deadline_ms;        /* submit to result; 0: none */
        uint64_t idle_timeout_ms;    /* an unused connection is kept this long; 0: 50 s */

        /* How often. */
        unsigned max_retries;          /* for each request; 0: none */
        uint64_t retry_delay_ms;       /* the first back-off is 0 to this, then doubled; 0: 500 */
        uint64_t retry_delay_max_ms;   /* that bound does not grow beyond this; 0: 30 s */
        unsigned retry_budget_percent; /* all retries, as share of all requests; 0: 20; to 1000;
                                          or MUSTER_NO_RETRY_BUDGET */
        unsigned max_redirects;        /* 0: 10; for none: no_redirects, fail_on_redirect */

        /* How large. */
        uint64_t max_body_bytes;   /* a body after decoding; 0: 1 GiB; or MUSTER_NO_LIMIT */
        size_t max_header_bytes;   /* status line and header fields; 0: 300 KiB; from 256 on */
        unsigned max_decode_ratio; /* decoded to wire bytes, past the first MiB; 0: 1100 */

        /* What is sent. */
        const char *user_agent; /* NULL: "muster/" and the version; "": none is sent */

        /* Whom to trust. */
        const char *ca_file;          /* PEM, instead of the system's trust store */
        const char *client_cert_file; /* PEM, with its chain */
        const char *client_key_file;  /* PEM; NULL: in client_cert_file */
        const char *keylog_file;      /* TLS secrets are added to it, for Wireshark; NULL: none */
        bool insecure_no_verify;      /* any certificate will do: anybody may read, change all */

        /* Where names lead. */
        const char *dns_server;     /* "ADDRESS[:PORT],..."; NULL: the system's */
        const char *const *resolve; /* "HOST:PORT:ADDRESS[,ADDRESS]", ..., NULL; "*" is any host;
                                       the last one that matches goes before DNS */

        bool no_redirects;   /* a redirect is the result */
        bool no_decoding;    /* send no Accept-Encoding, leave bodies as they came */
        bool discard_body;   /* count the bodies' bytes, keep none */
        bool fail_on_status; /* status 400 and above is MUSTER_E_STATUS; its body is in memory */
        bool retry_unsafe;   /* retry methods that are not idempotent (RFC 9110, 9.2.2), too */
        bool allow_https_to_http; /* follow a redirect from https to http */
        bool http_1_0;            /* speak HTTP/1.0: no connection is kept */

        struct muster_error *error; /* where to say why muster_client_new() failed; may be NULL */

        /*
         * Threads that work off the loop. 0: none, unless a request has a process function: then as
         * many as there are processors. With a number also bodies are decoded there, from the point
         * on where they exceed decode_threshold_bytes.
         */
        unsigned workers;
        uint64_t decode_threshold_bytes; /* 0: 64 KiB */

        /*
         * Requests that are started a second, of all and of each origin, evenly spaced; 0: no
         * limit. The k-th start is planned at t0 + k / rate. One that is late, for want of a slot
         * or of a turn of the loop, starts as soon as it can and keeps its planned moment
         * (muster_result_planned_ns()); the plan goes on. It begins anew where nobody waited:
         * nothing is saved up. Retries and redirects are starts, too. An origin that waits for its
         * moment holds up no other.
         */
        double rate_per_s;
        double rate_per_host_per_s;

        bool no_reuse; /* a new connection for each request, which says "Connection: close" */

        /* As fail_on_status, and the body of such a response goes where that of a good one does. */
        bool fail_with_body;

        bool fail_on_redirect; /* a redirect is MUSTER_E_REDIRECT, and is not followed */

        /*
         * Loops, each in a thread of its own, that share the work. 0, 1: none, all work is done in
         * the caller's thread. MUSTER_THREADS_AUTO: as many as this process may use processors, by
         * its affinity and the quota of its control group; where that is one, none. At most 128,
         * and not more than `concurrency`.
         *
         * The functions below are used as without threads, and all limits hold for all threads
         * together, but for the budget of retries, which each thread has for its own. Requests go on
         * while the caller does something else. Pull functions (request.h) are called in one of the
         * threads, those of one request in one at a time; `workers` are divided among the threads,
         * at least one for each. Cancelling waits until the threads have heard of it: for a
         * fraction of a millisecond, or as long as a process function that runs inline.
         */
        unsigned threads;
};

struct muster_client;

/*
 * Make a client. `options` may be NULL; all text in it is copied. Raises this process's soft limit
 * of open files as far as `concurrency` needs. MUSTER_E_INVALID for options that make no sense,
 * MUSTER_E_RESOURCE when this machine cannot hold that concurrency, MUSTER_E_TLS for a trust store
 * or certificate that cannot be used; options->error has the words.
 */
MUSTER_PUBLIC int muster_client_new(struct muster_client **ret_client,
        const struct muster_client_options *options);

/*
 * Drop a client, its connections, and all requests but those whose result was taken: such results
 * stay the caller's. Waits for process functions that run. NULL is allowed. Returns NULL.
 */
MUSTER_PUBLIC struct muster_client *muster_client_free(struct muster_client *client);

/*
 * Hand over a request; it will have exactly one result. Takes `take_request`, also when it fails,
 * but not for MUSTER_FULL: then the caller still has it. `ret_id`, unless NULL, gets the request's
 * number (they count from 1). Never blocks, and sends nothing yet. MUSTER_E_INVALID for NULL and
 * for a request that was submitted before, which is left alone.
 */
MUSTER_PUBLIC int muster_submit(struct muster_client *client, struct muster_request *take_request,
        uint64_t *ret_id);

/*
 * Make and submit a GET. 0, MUSTER_FULL (there is no request then: call again after a result was
 * taken), MUSTER_E_RESOURCE when memory is out, MUSTER_E_INVALID for NULL. An unusable URL is no
 * error here, but the request's result.
 */
MUSTER_PUBLIC int muster_get(struct muster_client *client, const char *url, void *userdata);

/*
 * End a request: its result, MUSTER_E_CANCELLED unless it was finished before, can be taken at
 * once; where a process function is at work on it, when that returns. MUSTER_E_INVALID when no
 * request of that number is outstanding.
 */
MUSTER_PUBLIC int muster_cancel(struct muster_client *client, uint64_t id);

/*
 * The same for all that hold no slot: that wait for one, or for their next try. What is in flight
 * goes on.
 */
MUSTER_PUBLIC void muster_cancel_queued(struct muster_client *client);

/* The same for every outstanding request. */
MUSTER_PUBLIC void muster_cancel_all(struct muster_client *client);

/*
 * Work until there is a result, and take it; they come in the order of completion. NULL when
 * nothing is outstanding, or the kernel refuses to wait (muster_wait() tells which). The caller
 * frees it with muster_result_free().
 */
MUSTER_PUBLIC struct muster_result *muster_next(struct muster_client *client);

/* A finished result if there is one, else NULL. Does no work and never waits. */
MUSTER_PUBLIC struct muster_result *muster_take(struct muster_client *client);

/*
 * Work until a result can be taken (0), at most `timeout_ms` (then MUSTER_LATER; 0: one turn
 * without waiting; MUSTER_NO_TIMEOUT: however long). Also answers MUSTER_IDLE, MUSTER_WOKEN, and
 * MUSTER_E_RESOURCE when the kernel refuses to wait.
 */
MUSTER_PUBLIC int muster_wait(struct muster_client *client, uint64_t timeout_ms);

/*
 * Make a muster_wait() return, the one that runs or the next; muster_next() goes on. May be called
 * from any thread and any signal handler, while the client exists.
 */
MUSTER_PUBLIC void muster_wake(struct muster_client *client);

/*
 * For a foreign loop: a descriptor that is readable when muster_turn() has something to do, a
 * timeout or a new request included. It is the client's and stays the same: poll it, do not read or
 * close it. Calling this once costs every later turn a little. Negative: MUSTER_E_RESOURCE.
 */
MUSTER_PUBLIC int muster_client_fd(struct muster_client *client);

/*
 * One turn of the loop without waiting. 0: there are results, use muster_take() until it has no
 * more and make another turn. MUSTER_LATER: there is none, poll the descriptor. MUSTER_IDLE, and
 * negative, as muster_wait().
 */
MUSTER_PUBLIC int muster_turn(struct muster_client *client);

/* What a client has done so far. Members are appended in later versions, never moved. */
struct muster_client_stats {
        uint64_t n_submitted;
        uint64_t n_finished;  /* have a result, taken or not */
        uint64_t n_in_flight; /* hold a slot now */
        uint64_t n_queued;    /* wait for a slot or in back-off now */
        uint64_t n_conns_opened;
        uint64_t n_conns_reused; /* requests on a connection that had served one before */
        uint64_t n_attempts;
        uint64_t n_retries;
        uint64_t n_redirects;
        uint64_t n_lookups;        /* names asked of DNS, /etc/hosts or --resolve */
        uint64_t n_tls_handshakes; /* full and abbreviated */
        uint64_t n_tls_resumed;
        uint64_t n_turns;
        uint64_t longest_turn_ns;    /* from one wait to the next; what the caller does counts */
        uint64_t n_processing;       /* with the workers now; no slot is held for them */
        uint64_t n_refused;          /* answers for which their origin was slowed down: 429, 503 */
        uint64_t n_retries_withheld; /* retries that the budget did not allow */
        /* nothing is in flight, and a server asked to wait so long still; 0: else */
        uint64_t hold_ns;
};

/* Copy the counters into `*ret_stats`, of which the caller says the size. */
MUSTER_PUBLIC void muster_client_stats(const struct muster_client *client,
        struct muster_client_stats *ret_stats, size_t size);

#ifdef __cplusplus
}
#endif

#endif
