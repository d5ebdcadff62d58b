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
 * A client belongs to one thread at a time; only muster_wake() may be called from other threads.
 * The only callbacks are those that a request was given: process functions, on threads of their
 * own, and pull functions (request.h).
 *
 * All work is done inside muster_next(), muster_wait(), muster_turn() and muster_result_read(). A
 * program that calls none of them for a while delays its requests. The delay shows as their `lag`,
 * but does not make them time out (see below).
 *
 * Timeouts are in milliseconds; 0 is the default, MUSTER_NO_TIMEOUT is none. Before a timeout
 * fires, everything that the kernel holds is read: a response that arrived in time counts, however
 * late the program reads it. If the program itself was busy elsewhere when a timeout ran out, the
 * peer gets that time back, once.
 *
 * Retries (max_retries) are limited by a budget, so that a server in trouble does not get many
 * times the load. A server that answers 429 (RFC 6585), or 503 with Retry-After (RFC 9110, 10.2.3),
 * is not in trouble: these retries do not count against the budget. Its origin gets no requests for
 * as long as it asked, and then only as many as it accepts. Other origins go on.
 */
#ifndef MUSTER_CLIENT_H
#define MUSTER_CLIENT_H

#include <muster/cookie.h>
#include <muster/hsts.h>
#include <muster/request.h>
#include <muster/result.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MUSTER_NO_TIMEOUT      UINT64_MAX
#define MUSTER_NO_LIMIT        UINT64_MAX
#define MUSTER_NO_RETRY_BUDGET UINT32_MAX
#define MUSTER_THREADS_AUTO    UINT32_MAX

/* Conditions: what the functions below return besides 0 and errors. */
enum muster_condition {
        MUSTER_FULL = 1,  /* muster_submit, muster_get: take a result, then submit again */
        MUSTER_IDLE = 2,  /* muster_wait, muster_turn: nothing is outstanding or can finish */
        MUSTER_LATER = 3, /* muster_wait, muster_turn, muster_result_read_now: nothing yet */
        MUSTER_WOKEN = 4, /* muster_wait: muster_wake() was called */
        MUSTER_END = 5,   /* muster_result_read, muster_result_read_now: the body is over */
};

/* Options of a client; zero is the default of each. */
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
        bool insecure_no_verify;      /* accept any certificate: others can read, change all */

        /* Where names lead. */
        const char *dns_server;     /* "ADDRESS[:PORT],..."; NULL: the system's */
        const char *const *resolve; /* "HOST:PORT:ADDRESS[,ADDRESS]", ..., NULL; "*" is any host;
                                       the last one that matches goes before DNS */

        bool no_redirects;   /* return a redirect as the result */
        bool no_decoding;    /* send no Accept-Encoding, leave bodies as they came */
        bool discard_body;   /* count the bodies' bytes, keep none */
        bool fail_on_status; /* status 400 and above is MUSTER_E_STATUS; its body is in memory */
        bool retry_unsafe;   /* retry methods that are not idempotent (RFC 9110, 9.2.2), too */
        bool allow_https_to_http; /* follow a redirect from https to http */
        bool http_1_0;            /* speak HTTP/1.0: no connection is kept */

        struct muster_error *error; /* where to say why muster_client_new() failed; may be NULL */

        /*
         * Worker threads besides the loop. 0: none, unless a request has a process function: then
         * one per processor. With a number, the workers also decode bodies, from the point where a
         * body exceeds decode_threshold_bytes.
         */
        unsigned workers;
        uint64_t decode_threshold_bytes; /* 0: 64 KiB */

        /*
         * Requests started per second, in total and per origin, evenly spaced; 0: no limit. The
         * k-th start is planned at t0 + k / rate. If it is late, because no slot was free or the
         * loop was busy, it starts as soon as possible and keeps its planned time
         * (muster_result_planned_ns()); the plan goes on. After a time in which no request waited,
         * the plan begins anew: starts are not saved up. Retries and redirects are starts, too. An
         * origin that waits for its next start does not delay other origins.
         */
        double rate_per_s;
        double rate_per_host_per_s;

        bool no_reuse; /* a new connection for each request, which says "Connection: close" */

        /* Like fail_on_status, but the body of such a response goes where other bodies go. */
        bool fail_with_body;

        bool fail_on_redirect; /* a redirect is not followed, it is MUSTER_E_REDIRECT */

        /*
         * Loops that share the work, each in a thread of its own. 0, 1: none, all work is done in
         * the caller's thread. MUSTER_THREADS_AUTO: one per processor that this process may use, by
         * its affinity and the quota of its control group, or fewer if the hard limit of open files
         * is too low for them; none if that is one. At most 128, and not more than `concurrency`.
         *
         * The functions below are used as without threads. Limits apply to all threads together,
         * except the retry budget, of which each thread has its own. Requests go on while the
         * caller does something else. Pull functions (request.h) are called in one of these
         * threads; the calls for one request never overlap. `workers` are divided among the
         * threads, at least one for each. Cancelling waits for the threads: a fraction of a
         * millisecond, or as long as a process function runs inline.
         */
        unsigned threads;

        /*
         * Cookies (cookie.h). NULL: none are sent or kept, unless a request has a jar of its own.
         * The client holds the jar as long as it exists; the caller may free its own hold at once.
         */
        struct muster_jar *cookies;

        /*
         * Every retry waits this long, instead of a time that is random and grows; 0: it is random.
         * What a server asks for (Retry-After) takes precedence in both cases.
         */
        uint64_t retry_fixed_delay_ms;
        uint64_t retry_max_time_ms; /* no retry is begun later than this after the first slot; 0:
                                       no limit */

        /* As whom. */
        unsigned auth; /* set of MUSTER_AUTH_* (request.h) for user names and passwords; 0: Basic */
        /*
         * A file with user names and passwords by host, read as curl reads ~/.netrc; NULL: none. It
         * is for requests that were given no credentials, on every host that they come to. What it
         * has for a user name in the URL takes the place of the URL's password.
         */
        const char *netrc_file;
        bool netrc_optional; /* the file may be missing, and a password in the URL comes before it */
        /*
         * Send credentials and the header fields of requests wherever a redirect leads; otherwise
         * they stay with the origin of the request's URL (request.h).
         */
        bool credentials_to_any_origin;
        /* names of header fields that are secrets, in any request; NULL-ended; NULL: none */
        const char *const *secret_headers;

        unsigned http; /* enum muster_http */

        /*
         * HTTP/2 connections to one origin; 0: another one whenever the server allows no more
         * streams on those that are open. With a number, requests wait for a stream then, and those
         * to one origin stay in one thread.
         */
        unsigned h2_conns;

        /*
         * Expect: 100-continue (RFC 9110, 10.1.1): over HTTP/1.1, a body of more than
         * `expect_above_bytes` and one of unknown size is sent only when the server says 100, or has
         * said nothing for `expect_timeout_ms`. A final status that comes before takes its place. A
         * server that answers 417 gets the request again, without this. A request's own Expect field
         * decides for that request: "100-continue", or NULL for none.
         */
        uint64_t expect_timeout_ms;  /* 0: 1 s */
        uint64_t expect_above_bytes; /* 0: 1 MiB; MUSTER_NO_LIMIT: never */

        /*
         * Hosts that want https only (hsts.h). NULL: the URL decides, and nothing is learnt. The
         * client holds the list as long as it exists.
         */
        struct muster_hsts *hsts;

        /*
         * Proxies, as curl has them: "[scheme://][user:password@]host[:port]", where scheme is http
         * (the default), https, socks4, socks4a, socks5 or socks5h; the port is 1080, or 443 for
         * https. NULL: none, or that of the environment; "": none at all. https URLs, and all URLs
         * with SOCKS, go through a tunnel; http URLs are asked for at the proxy. Redirects choose
         * anew. Credentials for the proxy are sent to no server, nor those for a server to the proxy.
         */
        const char *proxy;
        const char *proxy_user; /* "user:password"; those in `proxy` come first */
        /*
         * hosts that are reached without: domains, addresses, "10.0.0.0/8", separated by commas;
         * "*": all
         */
        const char *no_proxy;
        const char *const *proxy_headers; /* "Name: value", ..., NULL: sent to HTTP proxies only */
        unsigned proxy_auth;              /* set of MUSTER_AUTH_*; 0: Basic */
        bool proxy_tunnel;                /* tunnel through HTTP proxies for http URLs, too */
        /*
         * read http_proxy, https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY, no_proxy, NO_PROXY, once
         */
        bool proxy_from_environment;
        bool proxy_insecure_no_verify;      /* accept any certificate of an https proxy */
        const char *proxy_ca_file;          /* PEM, for the proxy; NULL: the system's trust store */
        const char *proxy_client_cert_file; /* PEM, shown to the proxy, with its chain */
        const char *proxy_client_key_file;  /* PEM; NULL: in proxy_client_cert_file */

        /* Other ways. */
        const char *unix_socket;          /* connect to this path instead of any host or proxy */
        const char *abstract_unix_socket; /* the same in the abstract namespace; without "@" */
        /* "HOST1:PORT1:HOST2:PORT2", ..., NULL: connect to HOST2:PORT2 instead; each may be empty */
        const char *const *connect_to;
        /*
         * our own end: the name of an interface, an address or a host name of this machine, which
         * is looked up once; "if!NAME" is only an interface, "host!NAME" none; NULL: any
         */
        const char *interface;
        const char *local_port; /* "N" or "N-M": connections come from one of these ports */
        unsigned ip_version;    /* 4, 6: use only such addresses; 0: both */

        bool keep_heads; /* keep the heads of requests and responses: muster_result_heads() */

        /*
         * servers must staple to the handshake what their certificate's issuer says of it (OCSP, RFC
         * 6066 section 8), and it must be good; else MUSTER_E_TLS_VERIFY
         */
        bool cert_status;

        /*
         * What may be reached, for URLs of strangers. The address that is connected is the one that
         * is checked, on every connection, and so after every redirect. A forbidden one is left out;
         * where none is left, the request is MUSTER_E_DENIED, and not retried. A Unix socket, and a
         * name that a proxy looks up (http, https, socks4a, socks5h), cannot be checked and are
         * forbidden, too; the proxy itself is not checked.
         *
         * deny_private: no address but those of the internet. Forbidden are this machine, its
         * networks and its cloud's metadata services: all of the registries of RFC 6890 that are not
         * globally reachable, also inside addresses of IPv6. It cannot know a public address of this
         * machine, nor a NAT64 prefix other than 64:ff9b::/96.
         *
         * allow_hosts: "example.com" (also all names beneath), addresses, "10.0.0.0/8", ..., NULL.
         * Exceptions with deny_private, and alone the only ones allowed. A name is that of the URL,
         * and allowed wherever it leads.
         *
         * allow_ports: "443", "8000-8999", ..., NULL: the only ports that URLs may have; NULL: any.
         */
        bool deny_private;
        const char *const *allow_hosts;
        const char *const *allow_ports;

        /*
         * A response that brings fewer bytes than this, on average over `low_speed_time_ms`, is
         * MUSTER_E_TIMEOUT. The time begins with its first byte and again whenever it is over; while
         * the reader of a sink or a stream is slow, it does not run. 0, 0: 16 bytes a second over 10
         * minutes, and not for streams (request.h); 0 beside the other: 1 byte, 30 s, as curl.
         */
        uint64_t low_speed_bytes_per_s; /* MUSTER_NO_LIMIT: however slow it is */
        uint64_t low_speed_time_ms;

        /*
         * What the bodies of all responses may take in memory: those that are received, decoded, or
         * in results that the caller has not freed; not what goes to a sink or a stream. 0: a quarter
         * of the machine's memory, or of its control group's limit; or MUSTER_NO_LIMIT.
         *
         * At the cap nothing fails, it waits: no request starts, and a body of 64 KiB or more is not
         * read on until there is room for it; no read timeout runs meanwhile, the others do. Where
         * all wait for each other, the first goes on: at most one body at a time is held beyond the
         * cap, and what servers had sent already (up to 128 KiB a connection, a window a stream), and
         * what workers decode. Only where the caller itself holds that much, and waits in
         * muster_next() or muster_wait() without a time limit, a request is MUSTER_E_TOO_LARGE.
         */
        uint64_t body_memory_bytes;

        /*
         * A ramp: for `rate_ramp_ms` from the first start on, the rate of all starts changes evenly
         * from `rate_from_per_s`, which may be 0, to `rate_per_s`, and stays there. With a = from, b =
         * to and T = the ramp's time in seconds, start k is planned when a t + (b - a) t^2 / 2T = k.
         * The ramp goes by time: a plan that begins anew goes on with the rate of that moment.
         * `rate_per_host_per_s` has no ramp. MUSTER_E_INVALID: one of the members without the others,
         * or more than a week.
         */
        double rate_from_per_s;
        uint64_t rate_ramp_ms; /* 0: no ramp */
};

struct muster_client;

/*
 * Make a client. `options` may be NULL; all text in it is copied. Raises this process's soft limit
 * of open files as far as `concurrency` needs. MUSTER_E_INVALID for invalid options,
 * MUSTER_E_RESOURCE if this machine does not allow that concurrency, MUSTER_E_TLS for a trust store
 * or certificate that cannot be used, MUSTER_E_INPUT for a netrc file; options->error has the
 * reason.
 */
MUSTER_PUBLIC int muster_client_new(struct muster_client **ret_client,
        const struct muster_client_options *options);

/*
 * Free a client, its connections and its requests. Results that were taken stay the caller's.
 * Waits for process functions that are running. NULL is allowed. Returns NULL.
 */
MUSTER_PUBLIC struct muster_client *muster_client_free(struct muster_client *client);

/*
 * Hand over a request; it will have exactly one result. Takes `take_request`, even on failure;
 * only after MUSTER_FULL does the caller still own it. `ret_id`, unless NULL, gets the request's
 * number, counted from 1. Never blocks, and sends nothing yet. MUSTER_E_INVALID for NULL, and for a
 * request that was submitted before, which is not changed.
 */
MUSTER_PUBLIC int muster_submit(struct muster_client *client, struct muster_request *take_request,
        uint64_t *ret_id);

/*
 * Make and submit a GET. Returns 0, MUSTER_FULL (no request was made: take a result, then call
 * again), MUSTER_E_RESOURCE if memory is out, or MUSTER_E_INVALID for NULL. An unusable URL is not
 * an error here: it becomes the request's result.
 */
MUSTER_PUBLIC int muster_get(struct muster_client *client, const char *url, void *userdata);

/*
 * Cancel a request. Its result can be taken at once, or as soon as a process function that is
 * running on it returns. It is MUSTER_E_CANCELLED, unless the request had finished before.
 * MUSTER_E_INVALID if no request with this number is outstanding.
 */
MUSTER_PUBLIC int muster_cancel(struct muster_client *client, uint64_t id);

/*
 * Cancel all requests that wait for a slot or for their next try. Requests in flight go on.
 */
MUSTER_PUBLIC void muster_cancel_queued(struct muster_client *client);

/* Cancel every outstanding request. */
MUSTER_PUBLIC void muster_cancel_all(struct muster_client *client);

/*
 * Work until there is a result, and take it. Results come in the order of completion. NULL if
 * nothing is outstanding, or if the kernel refuses to wait (muster_wait() tells which). The caller
 * frees the result with muster_result_free().
 */
MUSTER_PUBLIC struct muster_result *muster_next(struct muster_client *client);

/* Take a result if there is one, else NULL. Does no work and never waits. */
MUSTER_PUBLIC struct muster_result *muster_take(struct muster_client *client);

/*
 * Work until a result can be taken, and return 0; or MUSTER_LATER after `timeout_ms` (0: one turn
 * without waiting; MUSTER_NO_TIMEOUT: no limit). Also returns MUSTER_IDLE, MUSTER_WOKEN, and
 * MUSTER_E_RESOURCE if the kernel refuses to wait.
 */
MUSTER_PUBLIC int muster_wait(struct muster_client *client, uint64_t timeout_ms);

/*
 * Make muster_wait() return: the call that is running, or the next one. muster_next() goes on. May
 * be called from any thread and any signal handler while the client exists.
 */
MUSTER_PUBLIC void muster_wake(struct muster_client *client);

/*
 * For an event loop of your own: a descriptor that is readable when muster_turn() has something to
 * do, a timeout or a new request included. It belongs to the client and stays the same: poll it, do
 * not read or close it. After this call every turn costs a little more. Negative:
 * MUSTER_E_RESOURCE.
 */
MUSTER_PUBLIC int muster_client_fd(struct muster_client *client);

/*
 * One turn of the loop without waiting. 0: there are results; call muster_take() until it returns
 * NULL, then turn again. MUSTER_LATER: there is none; poll the descriptor. MUSTER_IDLE and errors
 * as with muster_wait().
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
        uint64_t n_lookups;        /* names looked up in DNS, /etc/hosts or `resolve` */
        uint64_t n_tls_handshakes; /* full and abbreviated */
        uint64_t n_tls_resumed;
        uint64_t n_turns;
        uint64_t longest_turn_ns;    /* from one wait to the next, the caller's work included */
        uint64_t n_processing;       /* with the workers now; they hold no slot */
        uint64_t n_refused;          /* answers that slowed down their origin: 429, 503 */
        uint64_t n_retries_withheld; /* retries that the budget did not allow */
        /* how long a server still asks to wait while nothing is in flight; 0: otherwise */
        uint64_t hold_ns;
        /*
         * results of another origin than the one asked, to which a redirect led, and which did not
         * get all header fields or credentials that were given; the result's warning names them
         */
        uint64_t n_left_behind;
        uint64_t body_bytes;     /* of bodies in memory now, as body_memory_bytes counts them */
        uint64_t n_body_waiting; /* responses that wait for memory now */
        uint64_t n_body_waits;   /* how often one had to */
        /*
         * attempts that waited for a free slot, of `concurrency`, `per_host` or their origin's share;
         * with a rate: after their planned start
         */
        uint64_t n_slot_waits;
        uint64_t first_start_ns; /* the first muster_result_planned_ns() of all; 0: none yet */
        /* results 401 of requests that had sent credentials of a kind that the server asks for */
        uint64_t n_logins_refused;
};

/* Copy the counters into `*ret_stats`; `size` is sizeof *ret_stats. */
MUSTER_PUBLIC void muster_client_stats(const struct muster_client *client,
        struct muster_client_stats *ret_stats, size_t size);

/*
 * TLS sessions across runs: a client that knows a server from an earlier run resumes there at once.
 * Load them before the first request is submitted, save them after the last result was taken. A
 * session counts only where the server's certificate was checked against the same trust store, and
 * not at all with a client certificate. Those with an https proxy are among them. Each ticket of TLS 1.3 is used once, and is not in the file
 * any more when that is saved again; what was not used, is. The form is that of curl 8.12 and later
 * (--ssl-sessions); whoever can read the file can read what these connections carry.
 *
 * Loading: 0, also if there is no such file; MUSTER_E_INPUT for a file that is damaged or cannot be
 * read, of which nothing is used then. Saving replaces the file, whole or not at all, with mode 0600:
 * MUSTER_E_RESOURCE if it cannot. Both: MUSTER_E_TLS, MUSTER_E_RESOURCE, MUSTER_E_INVALID. `error`
 * may be NULL.
 */
MUSTER_PUBLIC int muster_client_load_tls_sessions(struct muster_client *client, const char *path,
        struct muster_error *error);
MUSTER_PUBLIC int muster_client_save_tls_sessions(struct muster_client *client, const char *path,
        struct muster_error *error);

#ifdef __cplusplus
}
#endif

#endif
