/* SPDX-License-Identifier: MIT */
/*
 * What the caller asks for
 *
 * A request is built, submitted, and gone: muster_submit() takes it. All text given here is copied.
 * A setter that is given something unusable answers a negative code, leaves the request as it was,
 * and puts the reason into muster_request_error(); so does one that has no memory, with
 * MUSTER_E_RESOURCE. Nothing here touches the network.
 */
#ifndef MUSTER_REQUEST_H
#define MUSTER_REQUEST_H

#include <muster/error.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_request;
struct muster_result;

/*
 * What one request may differ in from its client. Zero means: as the client has it; what the client
 * has set to true a request cannot unset, except for retries. Timeouts: MUSTER_NO_TIMEOUT is none.
 * `size` is sizeof *this; 0 means the members of version 0.1.
 */
struct muster_request_options {
        size_t size;
        uint64_t queue_timeout_ms;   /* submit to first slot */
        uint64_t connect_timeout_ms; /* slot of each attempt to connection ready: DNS, TCP, TLS */
        uint64_t read_timeout_ms;    /* connection ready or bytes to next bytes */
        uint64_t total_timeout_ms;   /* first slot to result, over all attempts */
        uint64_t deadline_ms;        /* submit to result */
        uint64_t max_body_bytes;     /* after decoding; more is MUSTER_E_TOO_LARGE */
        unsigned max_retries;
        bool no_retries;     /* none, although the client has some */
        bool retry_unsafe;   /* retry methods that are not idempotent, too (RFC 9110, 9.2.2) */
        bool no_redirects;   /* a redirect is the result */
        bool no_decoding;    /* send no Accept-Encoding, leave the body as it came */
        bool discard_body;   /* count the body's bytes, keep none */
        bool fail_on_status; /* status 400 and above is MUSTER_E_STATUS; its body is in memory */
        bool http_1_0;       /* speak HTTP/1.0: no connection is kept */
        bool stream; /* the result is there with the head: muster_result_read() has the body */
        /* run the process function in the client's thread, where it holds up all else */
        bool process_inline;
        /* as fail_on_status, and its body goes where that of a good response does */
        bool fail_with_body;
};

/*
 * Make a request. `method` NULL is GET; case counts (RFC 9110 section 9.1). Both strings are
 * copied; an unusable method or URL is no error here but becomes the request's result, so that a
 * list with one bad line has as many results as lines. NULL when memory is out, which the setters
 * and muster_submit() answer with MUSTER_E_INVALID: checking once, there, will do.
 */
MUSTER_PUBLIC struct muster_request *muster_request_new(const char *method, const char *url);

/* Drop a request that was not submitted. NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_request *muster_request_free(struct muster_request *request);

/* A pointer of the caller's that comes back in the result. muster never looks at it. */
MUSTER_PUBLIC void muster_request_set_userdata(struct muster_request *request, void *userdata);

/*
 * Add a header field (RFC 9110 section 5). A field that muster writes itself (Host, User-Agent,
 * Accept, Accept-Encoding, Authorization) is replaced by the first one given here; an empty value
 * sends the field empty, and a NULL value keeps it from being sent. MUSTER_E_INVALID for a name
 * that is no token, a value with a control character, the 257th field, and for Content-Length,
 * Transfer-Encoding and Connection, which follow from the request.
 */
MUSTER_PUBLIC int muster_request_add_header(struct muster_request *request, const char *name,
        const char *value);

/*
 * Where the body comes from: one of these; the last one set counts.
 *
 * Memory, copied; it is sent with a Content-Length.
 */
MUSTER_PUBLIC int muster_request_set_body(struct muster_request *request, const void *body,
        size_t size);

/*
 * A file, opened anew for each attempt, so that it can be sent again on a retry or redirect. A
 * regular file is sent with a Content-Length, its size at that moment; anything else in chunks.
 * Memory stays flat. The path is copied; a file that cannot be read, or that changes its size
 * meanwhile, is MUSTER_E_INPUT in the result.
 */
MUSTER_PUBLIC int muster_request_set_body_file(struct muster_request *request, const char *path);

#define MUSTER_SIZE_UNKNOWN UINT64_MAX

/*
 * Put up to `size` bytes into `buffer` and their number into *ret_n, 0 at the end. Negative: the
 * request fails.
 */
typedef int (*muster_pull_fn)(void *argument, void *buffer, size_t size, size_t *ret_n);

/* Begin the body anew. Negative: the request fails. */
typedef int (*muster_rewind_fn)(void *argument);

/*
 * A function, called in the client's thread, or in one of its own threads where it has such,
 * whenever the connection takes more; it should not block. With `size` unknown the body is sent in chunks (RFC 9112 section 7.1), which HTTP/1.0 does
 * not have. Without `rewind` the body can be sent once: there is no retry then after it was begun,
 * and a redirect that keeps the body is MUSTER_E_REDIRECT. Neither may call any function of the
 * client.
 */
MUSTER_PUBLIC int muster_request_set_body_pull(struct muster_request *request, uint64_t size,
        muster_pull_fn pull, muster_rewind_fn rewind, void *argument);

/*
 * Where the response's body goes: one of these instead of into the result's memory. It goes there
 * decoded; muster_result_body() is empty, muster_result_body_bytes() tells how much it was. Memory
 * stays flat. With fail_on_status the body of a status of 400 and above stays in memory, and
 * nothing is written; without it that is a body as any other.
 *
 * A descriptor, which stays the caller's and open until the result is there; it is written to from
 * its present place on. One that is not ready (a pipe nobody reads) holds up its own request only,
 * through to the server. A body that ends in an error was written in part.
 */
MUSTER_PUBLIC int muster_request_set_sink_fd(struct muster_request *request, int fd);

/*
 * A file, whole or not at all: it is written under a temporary name beside `path` (copied), which
 * it takes, replacing what was there, when the body is complete.
 */
MUSTER_PUBLIC int muster_request_set_sink_file(struct muster_request *request, const char *path);

/*
 * Basic credentials (RFC 7617); never sent to another origin than the URL's. `password` NULL is an
 * empty one. User name and password in the URL go before these. MUSTER_E_INVALID for a colon in the
 * user name, and above 8 KiB.
 */
MUSTER_PUBLIC int muster_request_set_basic_auth(struct muster_request *request, const char *user,
        const char *password);

/*
 * Work on a response, on one of the client's worker threads, while the loop goes on: `process` is
 * called when the response is whole and no error, and before its result can be taken. It may read
 * the result, set muster_result_set_processed(), and say muster_result_fail(); it must not call any
 * function of the client. Several run at the same time, maybe with the same `argument`, which is
 * the caller's and must live until the result is there. 0: the result is a success. Anything else
 * makes it MUSTER_E_PROCESS. What it takes, the wait for a worker included, is
 * MUSTER_PHASE_PROCESS. Once it runs it is never interrupted: a timeout or muster_cancel() that
 * comes meanwhile decides the result when it returns, and what it made is dropped;
 * muster_result_time_left_ns() tells it.
 */
typedef int (*muster_process_fn)(struct muster_result *result, void *argument);
MUSTER_PUBLIC void muster_request_set_process(struct muster_request *request,
        muster_process_fn process, void *argument);

/* Options by value; see above. Replaces all that were set before; NULL clears them. */
MUSTER_PUBLIC int muster_request_set_options(struct muster_request *request,
        const struct muster_request_options *options);

/*
 * Why the last setter refused; borrowed until the next call on this request. code is MUSTER_OK when
 * none did.
 */
MUSTER_PUBLIC const struct muster_error *muster_request_error(const struct muster_request *request);

#ifdef __cplusplus
}
#endif

#endif
