/* SPDX-License-Identifier: MIT */
/*
 * A request as the lab's server sees it (RFC 9112 sections 3 and 6): the head parsed, and how its
 * body is framed
 */
#ifndef LAB_REQUEST_H
#define LAB_REQUEST_H

#include <http/h1_read.h>

#define REQUEST_HEAD_BYTES_MAX (64 * 1024)

enum request_framing { REQUEST_NO_BODY, REQUEST_LENGTH, REQUEST_CHUNKED };

/* All text is borrowed from the head it was parsed from. */
struct request {
        struct muster_str method;
        struct muster_str target; /* as it came */
        struct muster_str path;   /* of the target, still percent-encoded */
        struct muster_str query;  /* without "?"; at NULL: there is none */
        struct fields fields;
        int version; /* 10 or 11 */
        enum request_framing framing;
        uint64_t length; /* REQUEST_LENGTH */
        bool is_head;
        bool keeps_alive;
        bool expects_continue; /* RFC 9110 section 10.1.1 */
};

/* Parse a whole head, empty line included. MUSTER_E_PROTOCOL, MUSTER_E_TOO_LARGE with *error. */
int request_parse(struct request *request, struct muster_str head, struct h1_scratch *scratch,
        struct muster_error *error);

/* Point path and query into a target of origin or absolute form (RFC 9112 section 3.2). */
void request_cut_target(struct request *request, struct muster_str target);

/* The body of a request, as it comes */
enum request_body_state {
        BODY_IS_OVER,
        BODY_AT_DATA,
        BODY_AT_SIZE,
        BODY_AT_DATA_END,
        BODY_AT_TRAILER,
};

struct request_body {
        enum request_body_state state;
        bool is_chunked;
        uint64_t left;  /* of the body or the chunk */
        char line[256]; /* a chunk size or trailer line so far */
        size_t n_line;
};

void request_body_begin(struct request_body *body, const struct request *request);

#define REQUEST_MORE 1

/*
 * Take the next piece of the body off `in`. 0: *ret_data has it, borrowed from `in`. REQUEST_MORE:
 * all of `in` is taken. When it is over (state BODY_IS_OVER) what is left of `in` is the next
 * request. MUSTER_E_PROTOCOL: framing is broken.
 */
int request_body_next(struct request_body *body, struct muster_str *in,
        struct muster_str *ret_data);

#endif
