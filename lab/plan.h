/* SPDX-License-Identifier: MIT */
/*
 * What is to be done for one request: decided by its path and query (route.h), carried out by
 * reply.h
 *
 * One for a connection, used again and again.
 */
#ifndef LAB_PLAN_H
#define LAB_PLAN_H

#include "blob.h"
#include "spread.h"

enum plan_framing { PLAN_LENGTH, PLAN_CHUNKED, PLAN_UNTIL_CLOSE };

/* What happens when the response reaches its `stop_at`. */
enum plan_stop { PLAN_GOES_ON, PLAN_HANGS, PLAN_CLOSES, PLAN_RESETS };

/* The place of `stop_at`. */
enum plan_stop_where { PLAN_AT_BYTE, PLAN_IN_HEAD, PLAN_IN_BODY };

/* What to do with the request's body. */
enum plan_upload { PLAN_DROPS, PLAN_COUNTS, PLAN_ECHOES };

struct plan {
        int status;
        const char *type;        /* Content-Type; NULL: none */
        struct buf fields;       /* further field lines, each with its end */
        struct buf text;         /* the body, unless there is a blob or a filling */
        const struct blob *blob; /* borrowed */
        uint64_t filling_bytes;  /* a body of that many letters */
        bool has_filling;
        enum plan_framing framing;
        uint64_t piece_bytes;     /* sent at once: a chunk, with PLAN_CHUNKED; 0: all */
        struct spread gap;        /* between two pieces */
        struct spread delay;      /* before the response */
        struct spread body_delay; /* between its head and its body */
        int interim_status;       /* of 1xx responses before it */
        unsigned n_interim;
        enum plan_stop stop;
        enum plan_stop_where stop_where;
        uint64_t stop_at;
        uint32_t reset_code; /* of PLAN_RESETS, in HTTP/2 */
        enum plan_upload upload;
        bool closes;      /* the connection is closed after it, and that is said */
        bool is_http_1_0; /* it is an HTTP/1.0 response */
        bool is_exempt;   /* from the listener's conditions: what the lab says of itself */
};

/* Reset to a 200 without body; keeps memory. */
void plan_begin(struct plan *plan);
void plan_deinit(struct plan *plan);

/* Set a text as the body. Without memory for it the body is cut. */
__attribute__((format(printf, 3, 4))) void plan_say(struct plan *plan, int status,
        const char *format, ...);

/* Add a field. A value that may not stand there (control characters) becomes empty. */
void plan_add_field(struct plan *plan, const char *name, struct muster_str value);

/* The size of the body in bytes. */
uint64_t plan_body_bytes(const struct plan *plan);

/*
 * The reason phrase of a status (RFC 9110 section 15 and its registry); "" for one that is not
 * known.
 */
const char *status_reason(int status);

#endif
