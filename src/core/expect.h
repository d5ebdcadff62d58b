/* SPDX-License-Identifier: MIT */
/*
 * Expect: 100-continue (RFC 9110 section 10.1.1): ask before a large body is sent
 *
 * The head goes out alone. The body follows when the server says 100 (Continue), or when it has
 * said nothing for a while: not every server knows the expectation. A final status that comes before
 * takes the place of the body, which is not sent; the connection cannot be used again then.
 *
 *      NONE ─▶ ASKED ─▶ WAITING ─┬─ 100, time is up ─▶ NONE      the body is sent
 *                │ 100           └─ final status ────▶ UNWANTED  it is not
 *                └──▶ MET ─▶ NONE
 *
 * A server that answers 417 gets the request again, without the expectation.
 */
#ifndef CORE_EXPECT_H
#define CORE_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

struct muster_request;

enum expect_state {
        EXPECT_NONE,     /* the body can be sent, or is being sent */
        EXPECT_ASKED,    /* the head with the expectation is being sent */
        EXPECT_WAITING,  /* the head is sent */
        EXPECT_MET,      /* 100 came before we knew that the head was sent */
        EXPECT_UNWANTED, /* a final status came: the body is not sent */
};

/* Embedded in a request; zeroed is none. */
struct expect {
        enum expect_state state;
        bool is_held;      /* the body is in memory, and has to be sent yet */
        bool is_sent;      /* the present attempt has the field */
        bool is_refused;   /* the server said 417: not again */
        uint64_t until_ns; /* WAITING: send the body then */
};

/*
 * Decide whether the present attempt, which is about to be written, asks first, if its protocol lets
 * a body wait: for bodies above the client's bound and of unknown size, unless the origin
 * refused it before; and where the caller added the field.
 */
void expect_begin(struct muster_request *request, bool can_wait);

/* Is the caller's own field of that name left out of the present attempt? */
static inline bool expect_drops_field(const struct expect *expect)
{
        return expect->is_refused;
}

/* Is the body to stay behind for now? */
static inline bool expect_holds_body(const struct expect *expect)
{
        return expect->state != EXPECT_NONE;
}

/*
 * All that was written is sent, so the head is: begin to wait, or go on with that. False: there is
 * nothing to wait for.
 */
bool expect_waits(struct muster_request *request, uint64_t now_ns);

/* The wait is over, by 100 or by time. True: send the body now; false: not yet, or no more. */
bool expect_over(struct muster_request *request, uint64_t now_ns);

/*
 * A final status has come. True: it refuses the expectation, and the request can be made again
 * without.
 */
bool expect_answered(struct muster_request *request, int status);

#endif
