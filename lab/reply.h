/* SPDX-License-Identifier: MIT */
/*
 * From a plan to the bytes of a response, step by step
 *
 * Knows no socket: the caller asks for the next step until told that it is over, and does each one:
 * send, wait, hang, cut.
 *
 * In HTTP/2 a head is a step of its own, for the caller to compress, and only bytes of the body
 * count for where a response stops. Chunks are pieces there, and a length that is not told is just
 * not told.
 */
#ifndef LAB_REPLY_H
#define LAB_REPLY_H

#include "plan.h"
#include <sys/uio.h>

enum reply_step_kind {
        REPLY_SEND,
        REPLY_HEAD, /* HTTP/2: send a head; the piece is its field lines */
        REPLY_WAIT,
        REPLY_DONE,
        REPLY_HANG,
        REPLY_CLOSE,
        REPLY_RESET,
};

struct reply_step {
        enum reply_step_kind kind;
        struct iovec pieces[2]; /* SEND, HEAD: borrowed until the next step is asked for */
        unsigned n_pieces;
        int status;       /* HEAD */
        bool is_last;     /* HEAD: no body follows */
        uint64_t wait_ns; /* WAIT */
};

/* What differs between responses of the same plan. */
struct reply_manner {
        bool is_head;              /* the request's method */
        bool keeps_alive;          /* the connection stays open */
        int version;               /* of the request: 10, 11 or 20 */
        struct muster_str date;    /* a whole Date field line */
        struct muster_str filling; /* letters, as many as are sent at once, */
        size_t filling_period;     /* the same again after so many; 0: never */
        uint64_t write_bytes;      /* at once, where the plan says nothing; 0: any number */
        struct spread body_delay;  /* between head and body, beside the plan's */
};

enum reply_state { REPLY_AT_INTERIM, REPLY_AT_HEAD, REPLY_AT_BODY, REPLY_AT_END };

struct reply {
        enum reply_state state;
        const struct plan *plan;
        struct reply_manner manner;
        struct buf out;      /* a head, or a chunk */
        uint64_t body_bytes; /* to be sent */
        uint64_t body_sent;
        uint64_t n_sent; /* bytes of all kinds */
        uint64_t stop_at;
        unsigned n_interim;
        bool is_chunked;
        bool is_pausing; /* a wait comes before the next piece */
        bool is_holding; /* ... before the body */
};

/* `plan` and what `manner` borrows stay until the reply is over. Keeps memory of an earlier one. */
void reply_begin(struct reply *reply, const struct plan *plan, const struct reply_manner *manner);
void reply_deinit(struct reply *reply);

/* The next step. 0 or MUSTER_E_RESOURCE. */
int reply_next(struct reply *reply, struct rand *rand, struct reply_step *ret_step);

/* Is all of it sent, so that the next step is REPLY_DONE? */
bool reply_is_over(const struct reply *reply);

#endif
