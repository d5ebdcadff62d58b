/* SPDX-License-Identifier: MIT */
/*
 * What the caller asks for
 *
 * Make a request, set it up, and submit it: muster_submit() takes it. All text given here is
 * copied. A setter that gets an unusable value returns a negative code, leaves the request as it
 * was, and puts the reason into muster_request_error(). If memory is out it does the same with
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

struct muster_client;
struct muster_form;
struct muster_jar;
struct muster_request;
struct muster_result;

/*
 * How user name and password are used: a set of schemes. Basic alone is sent with every request. In
 * any other case the server is asked first, and the strongest scheme of the set that it offers is
 * taken. What an origin said is kept: later requests send their credentials at once.
 */
#define MUSTER_AUTH_BASIC  1u /* RFC 7617 */
#define MUSTER_AUTH_DIGEST 4u /* RFC 7616 */
#define MUSTER_AUTH_ANY    (MUSTER_AUTH_BASIC | MUSTER_AUTH_DIGEST)

/*
 * Which HTTP to speak. By default https:// URLs offer HTTP/2 and HTTP/1.1 to the server, which
 * chooses (ALPN), and http:// URLs use HTTP/1.1. Several requests share an HTTP/2 connection.
 */
enum muster_http {
        MUSTER_HTTP_ANY = 0,  /* the default */
        MUSTER_HTTP_1_0 = 10, /* no connection is kept */
        MUSTER_HTTP_1_1 = 11,
        MUSTER_HTTP_2 = 20, /* HTTP/2 over https if the server has it; as the default */
        /* the same, and http:// URLs use HTTP/2 at once: the server must speak it */
        MUSTER_HTTP_2_PRIOR_KNOWLEDGE = 21,
};

/*
 * Options in which one request differs from its client. Zero means: as the client has it. What the
 * client has set to true a request cannot unset, except for retries. Timeouts: MUSTER_NO_TIMEOUT is
 * none. `size` is sizeof *this; 0 means the members of version 0.1.
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
        bool no_retries;     /* none, even if the client has some */
        bool retry_unsafe;   /* retry methods that are not idempotent, too (RFC 9110, 9.2.2) */
        bool no_redirects;   /* return a redirect as the result */
        bool no_decoding;    /* send no Accept-Encoding, leave the body as it came */
        bool discard_body;   /* count the body's bytes, keep none */
        bool fail_on_status; /* status 400 and above is MUSTER_E_STATUS; its body is in memory */
        bool http_1_0;       /* speak HTTP/1.0: no connection is kept */
        bool stream; /* the result is there with the head: muster_result_read() has the body */
        /* run the process function in the client's thread, which does nothing else meanwhile */
        bool process_inline;
        /* like fail_on_status, but the body goes where other bodies go */
        bool fail_with_body;
        bool no_cookies; /* neither send nor keep any, whatever jar there is */
        struct muster_jar
                *cookies; /* instead of the client's jar; held until the result is freed */
        unsigned http;    /* enum muster_http; 0: as the client has it */
};

/*
 * Make a request. `method` NULL is GET; methods are case-sensitive (RFC 9110 section 9.1). Both
 * strings are copied. An unusable method or URL is not an error here: it becomes the request's
 * result, so that a list with one bad line has as many results as lines. NULL if memory is out; the
 * setters and muster_submit() return MUSTER_E_INVALID for NULL, so it is enough to check there.
 */
MUSTER_PUBLIC struct muster_request *muster_request_new(const char *method, const char *url);

/* Free a request that was not submitted. NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_request *muster_request_free(struct muster_request *request);

/* A pointer of the caller's that comes back in the result. muster never looks at it. */
MUSTER_PUBLIC void muster_request_set_userdata(struct muster_request *request, void *userdata);

/*
 * Add a header field (RFC 9110 section 5). A field that muster writes itself (Host, User-Agent,
 * Accept, Accept-Encoding, Authorization) is replaced by the first one given here; an empty value
 * sends the field empty, and a NULL value keeps it from being sent. MUSTER_E_INVALID for a name
 * that is not a token, a value with a control character, the 257th field, and for Content-Length,
 * Transfer-Encoding and Connection, which muster sets itself, and for a second Host or one that is no
 * host with an optional port. Where there is a jar of cookies, the
 * cookies of a Cookie field are sent behind those of the jar, and instead of those of their names;
 * a NULL value sends none of the jar's.
 *
 * After a redirect to another origin (scheme, host, port) no such field is sent, whatever its name,
 * unless the client has credentials_to_any_origin; only those go along that the request would be
 * wrong without: fields that describe a body that is sent again (Content-Type, Content-Encoding and
 * the like), Range and Expect. muster_result_warning() names what was left behind.
 */
MUSTER_PUBLIC int muster_request_add_header(struct muster_request *request, const char *name,
        const char *value);

/*
 * The source of the body: one of these; the last one set counts.
 *
 * Memory, which is copied. It is sent with a Content-Length.
 */
MUSTER_PUBLIC int muster_request_set_body(struct muster_request *request, const void *body,
        size_t size);

/*
 * A regular file, opened again for each attempt, so that a retry or redirect can send it again. It
 * is sent with its size as Content-Length. Memory stays flat. The path is copied. A file that cannot
 * be read, is not regular, or whose size changes while it is sent, is MUSTER_E_INPUT in the result.
 */
MUSTER_PUBLIC int muster_request_set_body_file(struct muster_request *request, const char *path);

/*
 * The same, of a file of any kind: a pipe, a terminal, a device as well. Anything but a regular file
 * is sent in chunks, as it has bytes; while it has none only this request waits, within its
 * timeouts. What a pipe gave is gone: a retry or redirect cannot send it again.
 */
MUSTER_PUBLIC int muster_request_set_body_pipe(struct muster_request *request, const char *path);

#define MUSTER_SIZE_UNKNOWN UINT64_MAX

/*
 * Put up to `size` bytes into `buffer` and their number into *ret_n; 0 is the end. Return 0;
 * negative: the request fails.
 */
typedef int (*muster_pull_fn)(void *argument, void *buffer, size_t size, size_t *ret_n);

/* Go back to the start of the body. Return 0; negative: the request fails. */
typedef int (*muster_rewind_fn)(void *argument);

/*
 * A function that is called whenever the connection takes more, in the client's thread or, with
 * `threads`, in one of those. It should not block. With `size` unknown the body is sent in chunks
 * (RFC 9112 section 7.1), which HTTP/1.0 does not have. Without `rewind` the body can be sent only
 * once: after it was begun there is no retry, and a redirect that keeps the body is
 * MUSTER_E_REDIRECT. Neither function may call any function of the client.
 */
MUSTER_PUBLIC int muster_request_set_body_pull(struct muster_request *request, uint64_t size,
        muster_pull_fn pull, muster_rewind_fn rewind, void *argument);

/*
 * A form of several parts (form.h), which cannot be changed from then on, and stays the caller's:
 * free it when no more requests get it. Its length is known if those of its files are; else it is
 * sent in chunks. Content-Type is sent with its boundary, unless the caller adds that field. A form
 * with a pull function can be given to one request only: MUSTER_E_INVALID.
 */
MUSTER_PUBLIC int muster_request_set_form(struct muster_request *request, struct muster_form *form);

/*
 * JSON text, which is copied as it stands. "application/json" is sent as Content-Type and as
 * Accept, unless the caller adds these fields.
 */
MUSTER_PUBLIC int muster_request_set_json(struct muster_request *request, const char *json,
        size_t size);

/*
 * Add NAME=VALUE to a body of urlencoded pairs, as a web form without files sends them. Both are
 * encoded, and pairs are joined by "&". Any other body is replaced. `name` NULL: the value alone.
 * "application/x-www-form-urlencoded" is sent as Content-Type, unless the caller adds that field.
 */
MUSTER_PUBLIC int muster_request_add_urlencoded(struct muster_request *request, const char *name,
        const void *value, size_t size);

/*
 * Add NAME=VALUE to the query of the URL, encoded in the same way. `name` NULL: the value is a piece
 * of a query that is encoded already.
 */
MUSTER_PUBLIC int muster_request_add_query(struct muster_request *request, const char *name,
        const void *value, size_t size);

/*
 * Where the response's body goes, instead of the result's memory: one of these. It is written
 * decoded; muster_result_body() is empty, muster_result_body_bytes() returns its size. Memory stays
 * flat. With fail_on_status the body of a status of 400 and above stays in memory and nothing is
 * written; without it, it is a body like any other.
 *
 * A descriptor, which stays the caller's; keep it open until the result is there. Writing begins at
 * its current offset. A descriptor that is not ready (a pipe that nobody reads) delays only its own
 * request, up to the server. If the body ends in an error, a part of it was written.
 */
MUSTER_PUBLIC int muster_request_set_sink_fd(struct muster_request *request, int fd);

/*
 * A file, whole or not at all: it is written under a temporary name beside `path` (copied). When
 * the body is complete it is renamed to `path` and replaces what was there.
 */
MUSTER_PUBLIC int muster_request_set_sink_file(struct muster_request *request, const char *path);

/*
 * A header field that is a secret: keep_heads (client.h) leaves its value out. As
 * muster_request_add_header() in everything else. The fields of these names are secrets anyway:
 * Authorization, Proxy-Authorization, Cookie, Api-Key, X-Api-Key, X-Api-Token, X-Auth-Key,
 * X-Auth-Token, X-Access-Token, X-Subject-Token, X-Amz-Security-Token, X-Goog-Api-Key,
 * Ocp-Apim-Subscription-Key, X-Functions-Key, Private-Token, Job-Token, X-Vault-Token,
 * X-Shopify-Access-Token, DD-API-KEY, DD-APPLICATION-KEY.
 */
MUSTER_PUBLIC int muster_request_add_secret_header(struct muster_request *request, const char *name,
        const char *value);

/*
 * User name and password, sent only to the origin of the URL. `schemes` is a set of MUSTER_AUTH_*;
 * 0: the client's `auth`. `password` NULL is an empty one. A user name in the URL takes precedence.
 *
 * With Digest, an attempt that asks what the server wants has no body, as with curl: a request with
 * a body says Content-Length: 0 then. If the server does not want credentials, the request is made
 * again with its body. A password that is wrong is tried once: the answer of 401 is the result.
 * Answers to challenges count in muster_result_n_attempts(), not as retries.
 *
 * MUSTER_E_INVALID for a colon or a control character in the user name, for more than 8 KiB, and for
 * unknown schemes. The last of these three functions counts.
 */
MUSTER_PUBLIC int muster_request_set_credentials(struct muster_request *request, const char *user,
        const char *password, unsigned schemes);

/* The same with MUSTER_AUTH_BASIC (RFC 7617). */
MUSTER_PUBLIC int muster_request_set_basic_auth(struct muster_request *request, const char *user,
        const char *password);

/*
 * A bearer token (RFC 6750), sent with every attempt, but only to the origin of the URL. It takes
 * precedence over a user name in the URL. MUSTER_E_INVALID for an empty token, one with a blank or
 * a control character, and for more than 8 KiB.
 */
MUSTER_PUBLIC int muster_request_set_bearer(struct muster_request *request, const char *token);

/*
 * Process a response on one of the client's worker threads while the loop goes on. `process` is
 * called when the response is complete and not an error, before its result can be taken. It may
 * read the result and call muster_result_set_processed() and muster_result_fail(); it must not call
 * any function of the client. Several may run at the same time, also with the same `argument`,
 * which is the caller's and must live until the result is there. 0: the result is a success;
 * anything else makes it MUSTER_E_PROCESS. Its time, the wait for a worker included, is
 * MUSTER_PHASE_PROCESS. A running function is never interrupted: a timeout or muster_cancel() that
 * comes while it runs decides the result when it returns, and what it made is dropped. The function
 * can ask muster_result_time_left_ns().
 */
typedef int (*muster_process_fn)(struct muster_result *result, void *argument);
MUSTER_PUBLIC void muster_request_set_process(struct muster_request *request,
        muster_process_fn process, void *argument);

/* Set the options, see above. Replaces all that were set before; NULL clears them. */
MUSTER_PUBLIC int muster_request_set_options(struct muster_request *request,
        const struct muster_request_options *options);

/* The method as it was given; valid until the next call. */
MUSTER_PUBLIC const char *muster_request_method(const struct muster_request *request);

/* The URL as it was given, with what was added to its query; valid until the next call. */
MUSTER_PUBLIC const char *muster_request_url(const struct muster_request *request);

/*
 * A digest of what is asked beside method and URL, the same in every run: of header fields, and of
 * the body, or the path of its file. Secrets are left out: credentials, fields added as secret ones,
 * those of the names above, and the client's `secret_headers` (`client` NULL: none). So is a form's
 * boundary. Whoever knows all the rest of a request can tell by its digest whether a guess at the
 * rest is right. *ret_digest is 0 where nothing is asked beside method and URL. MUSTER_E_INVALID: it
 * was submitted, or is NULL; MUSTER_E_RESOURCE.
 */
MUSTER_PUBLIC int muster_request_digest(const struct muster_request *request,
        const struct muster_client *client, uint64_t *ret_digest);

/*
 * Why the last setter failed; valid until the next call on this request. code is MUSTER_OK if none
 * failed.
 */
MUSTER_PUBLIC const struct muster_error *muster_request_error(const struct muster_request *request);

#ifdef __cplusplus
}
#endif

#endif
