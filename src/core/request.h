/* SPDX-License-Identifier: MIT */
/*
 * A request: what was asked, its state, and its result
 *
 * It is one object from muster_request_new() to muster_result_free(). The result is its first
 * member, so nothing is allocated in between. A later request of the same client reuses its
 * buffers.
 *
 *      NEW ──▶ QUEUED ──▶ RUNNING ──▶ PROCESSING ──▶ FINISHED ──▶ TAKEN
 *                ▲           │           (if any)
 *                ├─ redirect ┤
 *                └─ BACKOFF ◀┘
 */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include "attempt.h"
#include "body_memory.h"
#include "credentials.h"
#include "exchange.h"
#include "expect.h"
#include "result.h"
#include "retry.h"
#include "sink.h"
#include "throttle.h"
#include "tracing.h"
#include "upload.h"
#include "work.h"
#include <http/auth.h>
#include <http/url.h>
#include <muster/request.h>
#include <net/loop.h>

struct muster_client;
struct relay;
struct engine;
struct origin;

enum request_state {
        REQUEST_NEW,        /* the caller is building it */
        REQUEST_QUEUED,     /* waits in its origin's queue for a slot */
        REQUEST_RUNNING,    /* holds a slot and has a connection, or one is being made for it */
        REQUEST_BACKOFF,    /* waits for its next try; holds nothing */
        REQUEST_PROCESSING, /* its response is complete and with a worker; holds nothing */
        REQUEST_FINISHED,   /* waits to be taken */
        REQUEST_TAKEN,      /* the caller has it again, as a result */
};

/* What an arriving response is used for; decided when its head is there. */
enum response_use {
        USE_AS_RESULT,
        USE_AS_REDIRECT,    /* its body is dropped, the request goes on to `next_url` */
        USE_TO_RETRY,       /* its body is dropped, the request is tried again */
        USE_TO_LOG_IN,      /* its body is dropped, the request is made again with credentials */
        USE_WITHOUT_EXPECT, /* the same, at once and without the expectation that was refused */
};

/* What may have become of a request whose attempt failed. */
enum request_fate {
        FATE_UNKNOWN,     /* the server may have acted on it */
        FATE_UNANSWERED,  /* no byte of a response had come on a connection that was used before */
        FATE_UNPROCESSED, /* the server has certainly done nothing */
        FATE_LEFT_OVER,   /* the same; it took others first, and no more on that connection */
};

/* A header field that the caller set, as places in request->text. */
struct request_field {
        uint32_t name_at, name_len;
        uint32_t value_at, value_len;
        bool is_removed; /* do not send this field at all */
        bool is_secret;  /* show its value to nobody */
};

/* As whom the request is made, and how far that got: see credentials.h and login.h. */
struct request_auth {
        enum credentials_kind kind; /* what `given` is; NONE: nothing was given */
        struct buf given;           /* user name and password, or a bearer token */
        size_t n_user;              /* length of the user name in it */
        unsigned schemes;           /* set of enum auth_scheme; 0: as the client has it */

        /* Of the present attempt. */
        struct buf value;      /* of Authorization; empty: none is sent */
        enum auth_scheme used; /* which that is */
        uint64_t session;      /* of its origin, by number; 0: none */
        bool is_asking;        /* sends no credentials, to be told what is wanted */
        bool withholds_body;   /* because of that */
        bool leads;            /* the others of its origin wait for what it is told */

        /* Of all attempts at the present URL. */
        bool must_send_body; /* nothing was wanted of an attempt without it */
        uint8_t n_answers;   /* to challenges */
};

/* Limits of this request, from its own options and its client's. */
struct request_limits {
        uint64_t queue_timeout_ns, connect_timeout_ns, read_timeout_ns, total_timeout_ns,
                deadline_ns;
        uint64_t max_body_bytes;
        unsigned max_retries;
        bool retry_unsafe, no_redirects, no_decoding, discard_body, fail_on_status, fail_with_body,
                http_1_0, no_reuse;
        unsigned http; /* enum muster_http */
};

struct muster_request {
        struct muster_result result;

        /* What was asked; does not change after submission. */
        struct buf asked_url; /* as given, zero-terminated */
        /* method and field texts, each zero-terminated; the method is first */
        struct buf text;
        struct buf fields; /* of struct request_field */
        struct buf body;
        struct request_auth auth;
        bool has_body;
        struct muster_form *form; /* that the body is; NULL: none. A reference to it */
        /* what the body says of itself, and what is asked for with it; NULL: nothing */
        const char *body_type, *accept;
        struct muster_request_options options; /* `cookies` is held */
        void *userdata;
        muster_process_fn process; /* NULL: none */
        void *process_argument;

        /* Its state. */
        /* whose it is, for the caller's side; NULL when the client is gone */
        struct muster_client *client;
        struct engine *engine; /* works on it */
        enum request_state state;
        uint64_t id;
        /* QUEUED: in origin->queue or ->planned. FINISHED, TAKEN: in the lists of these names. */
        struct list link;
        bool is_due;          /* QUEUED: in origin->queue */
        struct list all_link; /* in engine->outstanding.list, from submit to finish */
        struct muster_request *next_of_id;
        struct origin *origin;    /* of `url`; held while QUEUED and RUNNING */
        struct exchange exchange; /* while RUNNING */
        struct request_limits limits;
        struct url url;           /* of this attempt */
        struct url next_url;      /* of the next attempt, while USE_AS_REDIRECT */
        struct attempt attempt;   /* the present one */
        struct trace_notes notes; /* about the present attempt */
        enum response_use use;
        bool is_get_now;        /* a redirect turned the method into GET and dropped the body */
        bool has_left_origin;   /* a redirect crossed origins: what was given stays behind */
        enum request_fate fate; /* of the last attempt, if it failed */
        bool wants_fresh_conn;  /* because of that; done once, then it counts as a failure */
        uint8_t n_unprocessed;  /* attempts that were repeated as the server had done nothing */
        /* the proxy refused for a reason that another try does not change */
        bool was_denied;
        bool had_proxy_login;   /* this attempt sent credentials to the proxy */
        uint8_t n_proxy_logins; /* attempts made because of a 407 */
        unsigned n_retries;
        bool is_retry;                /* the next attempt is a retry */
        uint64_t retry_wait_ns;       /* how long to wait before the next try */
        enum retry_withheld withheld; /* why there was no retry after the last attempt */
        struct throttle_start start;  /* of this attempt: see throttle.h */
        /* requests that were redirected: a line with method and URL for each */
        struct buf visited;
        struct expect expect; /* whether the body waits for the server's word */
        bool uses_sink;       /* for the arriving response */
        bool is_announced;    /* a stream: the result was available with the head */
        bool is_with_caller;  /* a stream that was taken */
        uint8_t dealt_to;     /* the lane, from 1, that it was dealt to; 0: none (lanes.c) */
        /* carries its body to the caller's thread; NULL: the engine is in that thread */
        struct relay *relay;

        /* Its deadlines as moments; UINT64_MAX: never. */
        struct loop_timer timer; /* set to the earliest of them, or before */
        uint64_t queue_until_ns, connect_until_ns, read_until_ns, total_until_ns, deadline_ns;
        uint64_t retry_at_ns, retry_until_ns; /* the next retry; no retry begins after the latter */
        uint64_t drain_until_ns;              /* for an unwanted body */
        /* until then its response has to bring enough bytes beyond these */
        uint64_t speed_until_ns, speed_from_bytes;
        bool was_late; /* it was given extra time once, as this program was away */
        /* at the last check of the read timeout: a send that goes on is not silence */
        size_t unsent_bytes;

        /* Of most requests not used at all: who empties a request does not touch them then. */
        struct upload upload; /* the body, if it is not in memory */
        struct sink sink;     /* where the response's body goes */
        struct work work;     /* what to do when the response is complete */
        struct body_hold
                hold; /* what its body takes of the memory for all bodies; zeroed when it ends */
};

static inline struct muster_request *request_of_link(struct list *link)
{
        return LIST_OWNER(link, struct muster_request, link);
}

static inline struct muster_request *request_of_all_link(struct list *link)
{
        return LIST_OWNER(link, struct muster_request, all_link);
}

static inline struct muster_request *request_of_exchange_link(struct list *link)
{
        return LIST_OWNER(link, struct muster_request, exchange.link);
}

static inline struct muster_request *request_of_hold(struct body_hold *hold)
{
        return LIST_OWNER(hold, struct muster_request, hold);
}

/* The result is the first member. Nothing in the request is changed through a const result. */
static inline struct muster_request *request_of_result(const struct muster_result *result)
{
        _Static_assert(offsetof(struct muster_request, result) == 0, "the result comes first");
        return (struct muster_request *)(uintptr_t)result;
}

/*
 * Give a zeroed or recycled request its URL and method, both copied; NULL is GET.
 * MUSTER_E_RESOURCE.
 */
int request_begin(struct muster_request *request, const char *method, const char *url);

/* Free a request in any state, when nobody holds it any more. Takes NULL, returns NULL. */
struct muster_request *request_destroy(struct muster_request *request);

/* Free all requests in a list of their `link`. */
void requests_destroy(struct list *list);

/* Empty it, and keep its small buffers for the next request. */
void request_recycle(struct muster_request *request);

/* For setters: does the request still belong to the caller, as it was not submitted? */
bool request_is_new(const struct muster_request *request);

/* For setters: where to say what is wrong; and "invalid: WHAT OF", always MUSTER_E_INVALID. */
struct muster_error *request_fresh_error(struct muster_request *request);
int request_invalid(struct muster_request *request, const char *what, const char *of);

/* The method as submitted, and the method of the present attempt. */
struct muster_str request_asked_method(const struct muster_request *request);
struct muster_str request_method(const struct muster_request *request);

/* The jar that it uses; NULL: none. */
struct muster_jar *request_jar(const struct muster_request *request);

/* Did the caller say that header fields of this name are secrets? */
bool request_is_secret(const struct muster_request *request, struct muster_str name);

/* Does the present attempt send a body, and does it send one that is not in memory? */
bool request_sends_body(const struct muster_request *request);
bool request_has_upload(const struct muster_request *request);

/* Can it be sent again, as far as its bodies are concerned? */
bool request_can_repeat(const struct muster_request *request);

#endif
