/* SPDX-License-Identifier: MIT */
/*
 * The result of a request
 *
 * Every submitted request has exactly one result. The caller owns it from muster_next() or
 * muster_take() on, and frees it with muster_result_free(), before or after the client, in the
 * client's thread. Everything that these functions return is valid until then. Only
 * muster_result_free() takes NULL. The result of a failed request has all that was known when it
 * failed.
 */
#ifndef MUSTER_RESULT_H
#define MUSTER_RESULT_H

#include <muster/error.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_result;

/* Free a result. NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_result *muster_result_free(struct muster_result *result);

/* What muster_get() or muster_request_set_userdata() was given. */
MUSTER_PUBLIC void *muster_result_userdata(const struct muster_result *result);

/* The number that muster_submit() gave the request. */
MUSTER_PUBLIC uint64_t muster_result_id(const struct muster_result *result);

/*
 * NULL when the request succeeded: a response arrived whole, whatever its status (but see
 * fail_on_status), and its process function, if any, returned 0.
 */
MUSTER_PUBLIC const struct muster_error *muster_result_error(const struct muster_result *result);

/* The error's text, "" when there is none. */
MUSTER_PUBLIC const char *muster_result_error_text(const struct muster_result *result);

/* The method of the request as submitted. */
MUSTER_PUBLIC const char *muster_result_method(const struct muster_result *result);

/* The URL as it was submitted; terminated. */
MUSTER_PUBLIC const char *muster_result_url(const struct muster_result *result);

/*
 * The URL of the last attempt, normalised, without user name and password; "" when the URL was
 * unusable.
 */
MUSTER_PUBLIC const char *muster_result_final_url(const struct muster_result *result);

/* The status of the last attempt's response, 0 when there was none. */
MUSTER_PUBLIC int muster_result_status(const struct muster_result *result);

/*
 * The HTTP version of that response: 10 for HTTP/1.0, 11 for HTTP/1.1, 20 for HTTP/2, 0 when there
 * was none.
 */
MUSTER_PUBLIC int muster_result_http_version(const struct muster_result *result);

/*
 * The value of a response header field by name, in any case; the first of several. `at` is NULL if
 * there is none. The value is not terminated.
 */
MUSTER_PUBLIC struct muster_str muster_result_header(const struct muster_result *result,
        const char *name);

/*
 * All header fields of that response in the order received, names as the server spelt them. `at` is
 * NULL beyond the last.
 */
MUSTER_PUBLIC size_t muster_result_n_headers(const struct muster_result *result);
MUSTER_PUBLIC struct muster_str muster_result_header_name(const struct muster_result *result,
        size_t index);
MUSTER_PUBLIC struct muster_str muster_result_header_value(const struct muster_result *result,
        size_t index);

/*
 * The number of lines in that response's head that were ignored because they are not fields: a name
 * with a space in it, or a line without a colon. None of the above has them. Folded lines are not
 * counted: they are one field, each fold one space.
 */
MUSTER_PUBLIC unsigned muster_result_n_dropped_fields(const struct muster_result *result);

/* The body, decoded. Never NULL, and always followed by a zero byte that is not counted. */
MUSTER_PUBLIC const void *muster_result_body(const struct muster_result *result);

/* The size of muster_result_body() in bytes. */
MUSTER_PUBLIC size_t muster_result_body_size(const struct muster_result *result);

/*
 * Read the body of a request with the option `stream`, whose result is there as soon as the head of
 * the response is. Both functions put up to `size` bytes into `buffer` and their number into
 * *ret_n. 0: at least one byte. MUSTER_END: the body is over. Negative: the body broke off;
 * muster_result_error() has the reason. muster_result_read() works, for all requests of the client,
 * until there are bytes; muster_result_read_now() never waits and returns MUSTER_LATER. A slow
 * reader delays only its own request, up to the server. muster_result_free() ends the request.
 * Sizes, phases and attempts are complete after the end.
 */
MUSTER_PUBLIC int muster_result_read(struct muster_result *result, void *buffer, size_t size,
        size_t *ret_n);
MUSTER_PUBLIC int muster_result_read_now(struct muster_result *result, void *buffer, size_t size,
        size_t *ret_n);

/*
 * The content codings (RFC 9110 section 8.4.1) that the body still has because muster does not know
 * them: "aws-chunked". Several are separated by commas, in the order in which they were applied.
 * Codings applied after them are undone. "" if there are none, and with the option no_decoding.
 */
MUSTER_PUBLIC const char *muster_result_undecoded(const struct muster_result *result);

/*
 * With the client's option keep_heads: what was sent and received before the bodies, for all
 * attempts, as text for people. A line begins with "> " for what was sent, "< " for what came, and
 * "* " for anything else, such as which connection it was. The values of fields that hold
 * credentials or cookies are left out. At most about 256 KiB; "" without the option.
 */
MUSTER_PUBLIC const char *muster_result_heads(const struct muster_result *result);

/*
 * A warning about a result, in words, besides its error: bytes after the end of a compressed body
 * were dropped, or why a response such as a 503 was not retried. "" if there is none. Complete when
 * the body is over; valid until muster_result_free(), for a stream until the next call that reads
 * from it.
 */
MUSTER_PUBLIC const char *muster_result_warning(const struct muster_result *result);

/* Bytes of the decoded body, even if it was discarded. */
MUSTER_PUBLIC uint64_t muster_result_body_bytes(const struct muster_result *result);

/* Bytes of the body as received, before decoding. */
MUSTER_PUBLIC uint64_t muster_result_wire_bytes(const struct muster_result *result);

/*
 * For a process function: keep what it made of the body with the result. muster_result_free() calls
 * `free_processed`, unless NULL, with it. What was set before is freed and replaced.
 */
MUSTER_PUBLIC void muster_result_set_processed(struct muster_result *result, void *processed,
        void (*free_processed)(void *processed));

/* What muster_result_set_processed() has set; NULL: nothing. */
MUSTER_PUBLIC void *muster_result_processed(const struct muster_result *result);

/*
 * For a process function: the nanoseconds left until its request's total timeout or deadline. 0:
 * none, or the request was cancelled; what the function makes will be dropped. UINT64_MAX: no
 * limit. A function that may take long should check it now and then, because it is not interrupted.
 */
MUSTER_PUBLIC uint64_t muster_result_time_left_ns(const struct muster_result *result);

/*
 * For a process function: set the error text of its failure. Returns MUSTER_E_PROCESS, for the
 * function to return.
 */
MUSTER_PUBLIC int muster_result_fail(struct muster_result *result, const char *text);

/*
 * The number of attempts, and how many of them followed a redirect. 0 if the request never left the
 * queue.
 */
MUSTER_PUBLIC unsigned muster_result_n_attempts(const struct muster_result *result);
MUSTER_PUBLIC unsigned muster_result_n_redirects(const struct muster_result *result);

/*
 * Nanoseconds that the request spent in a phase, over all attempts. The phases add up to
 * muster_result_total_ns().
 */
MUSTER_PUBLIC uint64_t muster_result_phase_ns(const struct muster_result *result,
        enum muster_phase phase);

/* Nanoseconds from muster_submit() until the caller took the result. */
MUSTER_PUBLIC uint64_t muster_result_total_ns(const struct muster_result *result);

/* When the request was submitted, in nanoseconds of CLOCK_MONOTONIC. */
MUSTER_PUBLIC uint64_t muster_result_submitted_ns(const struct muster_result *result);

/*
 * When the first attempt was planned to start, by the same clock; 0 if the request ended before its
 * turn. With a rate (rate_per_s, rate_per_host_per_s) the plan decides, which does not wait for
 * servers: a latency that counts from here includes every delay of the start. The time can then be
 * before the submission, if a full queue delayed that. Without a rate it is when the request got
 * its slot.
 */
MUSTER_PUBLIC uint64_t muster_result_planned_ns(const struct muster_result *result);

/* One attempt: one try at one hop. Members are appended in later versions, never moved. */
struct muster_attempt {
        enum muster_code code;                /* a redirect that was followed is MUSTER_OK */
        int status;                           /* 0 when no response arrived */
        uint64_t start_ns;                    /* when it entered the queue, by CLOCK_MONOTONIC */
        uint64_t end_ns;                      /* when it was over */
        uint64_t phase_ns[MUSTER_PHASES_MAX]; /* add up to end_ns - start_ns; backoff is 0 here */
        uint64_t backoff_ns; /* between this attempt's end and the next one's start */
        uint64_t conn_id;    /* 0 when it never had a connection */
};

/*
 * Copy what is known of attempt `index` (from 0) into `*ret_attempt`; `size` is sizeof
 * *ret_attempt. Only the last MUSTER_ATTEMPTS_KEPT attempts are kept one by one; the phases of the
 * request include all. MUSTER_E_INVALID if there is no such attempt.
 */
#define MUSTER_ATTEMPTS_KEPT 16
MUSTER_PUBLIC int muster_result_attempt(const struct muster_result *result, unsigned index,
        struct muster_attempt *ret_attempt, size_t size);

/*
 * The connection that the last attempt used. Members are appended in later versions, never moved.
 */
struct muster_conn_info {
        uint64_t id;            /* counts a client's connections from 1; 0 when there was none */
        unsigned reuse_count;   /* requests that it served before this one */
        uint64_t idle_ns;       /* how long it had been idle before this one */
        unsigned n_addresses;   /* addresses tried to open it */
        unsigned rtt_us;        /* the kernel's smoothed estimate; 0 when not known */
        unsigned min_rtt_us;    /* the smallest that the kernel measured */
        unsigned n_retransmits; /* segments, over the connection's life */
        bool tls_resumed;       /* the handshake was an abbreviated one */
        char remote[64];        /* "192.0.2.1:443", "[2001:db8::1]:443", "" when there was none */
        char tls_version[16];   /* "TLSv1.3", "" without TLS */
        char tls_cipher[48];    /* "" without TLS */
        char proxy[128]; /* "http://proxy.test:3128", whose address `remote` is; "" without */
};

/* Copy what is known of the connection into `*ret_info`; `size` is sizeof *ret_info. */
MUSTER_PUBLIC void muster_result_conn(const struct muster_result *result,
        struct muster_conn_info *ret_info, size_t size);

#ifdef __cplusplus
}
#endif

#endif
