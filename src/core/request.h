/* SPDX-License-Identifier: MIT */
/*
 * A request: what was asked, where it is, and what came of it
 *
 * One object from muster_request_new() to muster_result_free(): the result is a member of the
 * request, so that nothing is allocated in between, and its buffers are used again for a later
 * request of the same client.
 *
 *      NEW ──▶ QUEUED ──▶ RUNNING ──▶ PROCESSING ──▶ FINISHED ──▶ TAKEN
 *                ▲           │           (if any)
 *                ├─ redirect ┤
 *                └─ BACKOFF ◀┘
 */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include "attempt.h"
#include "exchange.h"
#include "result.h"
#include "retry.h"
#include "sink.h"
#include "throttle.h"
#include "tracing.h"
#include "upload.h"
#include "work.h"
#include <http/h1_write.h>
#include <muster/request.h>
#include <net/loop.h>

struct muster_client;
struct relay;
struct engine;
struct origin;

enum request_state {
        REQUEST_NEW,        /* the caller's, being built */
        REQUEST_QUEUED,     /* waits in its origin's queue for a slot */
        REQUEST_RUNNING,    /* holds a slot and has a connection, or one is being made for it */
        REQUEST_BACKOFF,    /* waits to be tried again, holds nothing */
        REQUEST_PROCESSING, /* its response is whole and with a worker; holds nothing */
        REQUEST_FINISHED,   /* waits to be taken */
        REQUEST_TAKEN,      /* the caller's again, as a result */
};

/* What to do with the response that is arriving; decided when its head is there. */
enum response_use {
        USE_AS_RESULT,
        USE_AS_REDIRECT, /* its body is dropped, the request goes on to `next_url` */
        USE_TO_RETRY,    /* its body is dropped, the request is tried again */
};

/* A header field of the caller's: places in request->text. */
struct request_field {
        uint32_t name_at, name_len;
        uint32_t value_at, value_len;
        bool is_removed; /* do not send this field at all */
};

/* What holds for this request, out of its own options and its client's. */
struct request_limits {
        uint64_t queue_timeout_ns, connect_timeout_ns, read_timeout_ns, total_timeout_ns,
                deadline_ns;
        uint64_t max_body_bytes;
        unsigned max_retries;
        bool retry_unsafe, no_redirects, no_decoding, discard_body, fail_on_status, fail_with_body,
                http_1_0, no_reuse;
};

struct muster_request {
        struct muster_result result;

        /* What was asked; constant once submitted. */
        struct buf asked_url; /* as given, terminated */
        struct buf text;      /* method and field texts, each terminated; the method stands first */
        struct buf fields;    /* of struct request_field */
        struct buf body;
        struct buf auth; /* the value of Authorization from muster_request_set_basic_auth() */
        bool has_body;
        struct muster_request_options options;
        void *userdata;
        muster_process_fn process; /* NULL: none */
        void *process_argument;

        /* Where it is. */
        struct muster_client
                *client;       /* whose it is; NULL when that is gone: for the caller's side */
        struct engine *engine; /* that works on it */
        enum request_state state;
        uint64_t id;
        /*
         * QUEUED: in origin->queue or ->planned; FINISHED, TAKEN: in the client's lists of these
         * names.
         */
        struct list link;
        bool is_due;          /* QUEUED: in origin->queue */
        struct list all_link; /* in client->outstanding, from submit to finish */
        struct muster_request *next_of_id;
        struct origin *origin;    /* of `url`; held while QUEUED and RUNNING */
        struct exchange exchange; /* while RUNNING */
        struct request_limits limits;
        struct url url;           /* of this attempt */
        struct url next_url;      /* of the next one, while USE_AS_REDIRECT */
        struct attempt attempt;   /* the one that runs */
        struct trace_notes notes; /* of that */
        enum response_use use;
        bool is_get_now;      /* a redirect turned the method into GET and dropped the body */
        bool has_left_origin; /* a redirect crossed origins: credentials are dropped */
        /* the last attempt ended on a reused connection before any byte of the response */
        bool was_unprocessed;
        bool wants_fresh_conn; /* because of that; it is done once, then it counts as a failure */
        unsigned n_retries;
        bool is_retry;                /* the attempt that is to come */
        uint64_t retry_wait_ns;       /* while USE_TO_RETRY: how long to wait */
        enum retry_withheld withheld; /* why the attempt that is over is the last */
        struct throttle_start start;  /* of this attempt: see throttle.h */
        struct buf visited;           /* that redirected: method and URL, a line each */
        struct upload upload;         /* the body, where it is not in memory */
        struct sink sink;             /* where the response's body goes */
        bool uses_sink;               /* the response that is arriving does */
        bool is_announced;            /* a stream: the result was there with the head */
        bool is_with_caller;          /* and was taken */
        uint8_t dealt_to; /* the lane, from 1, that it was dealt to; 0: none (lanes.c) */
        /* the way of its body to another thread; NULL: the engine is in the caller's */
        struct relay *relay;
        struct work work; /* what is to be done when the response is whole */

        /* Its moments, absolute; UINT64_MAX: never. */
        struct loop_timer timer; /* the earliest of them, or earlier */
        uint64_t queue_until_ns, connect_until_ns, read_until_ns, total_until_ns, deadline_ns;
        uint64_t retry_at_ns;
        uint64_t drain_until_ns; /* for a body that nobody wants */
        bool was_late;           /* it got back the time that this program was away, once */
        /* when the read timeout was looked at last: a send that moves is no silence */
        size_t unsent_bytes;
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

/* The result is the first member; nothing of the request is changed through a const result. */
static inline struct muster_request *request_of_result(const struct muster_result *result)
{
        _Static_assert(offsetof(struct muster_request, result) == 0, "the result comes first");
        return (struct muster_request *)(uintptr_t)result;
}

/*
 * A zeroed or recycled request is given its URL and method, both copied; NULL is GET.
 * MUSTER_E_RESOURCE.
 */
int request_begin(struct muster_request *request, const char *method, const char *url);

/* Free it, in whatever state; nobody holds it any more. NULL is allowed. Returns NULL. */
struct muster_request *request_destroy(struct muster_request *request);

/* Free all that are in a list by their `link`. */
void requests_destroy(struct list *list);

/* Empty it, keeping its buffers for the next as far as they are small. */
void request_recycle(struct muster_request *request);

/* The method as submitted, and that of the present attempt. */
struct muster_str request_asked_method(const struct muster_request *request);
struct muster_str request_method(const struct muster_request *request);

/* Is there a body to be sent with the present attempt that has to be pulled? */
bool request_has_upload(const struct muster_request *request);

/* May it be sent from its beginning, as far as its body goes? */
bool request_can_repeat(const struct muster_request *request);

/* Append the head of the present attempt to `to`. As h1_write_head(). */
int request_write_head(const struct muster_request *request, const char *user_agent, struct buf *to,
        struct muster_error *error);

#endif
