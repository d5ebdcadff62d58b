/* SPDX-License-Identifier: MIT */
/*
 * Throttle: the pace that a server accepts, learnt from its refusals
 *
 * A refusal (429, or 503 with Retry-After) says that the server has a limit, but not which one. So
 * an origin that refuses rests first, for as long as it asks, and then gets requests at a pace that
 * follows from what it let in:
 *
 *      refused ──▶ hold ──▶ probe ──▶ pace ──▶ refused, at a pace that was too much ...
 *                  asked    one at    faster with each one that is let in, up to just below
 *                  for      a time    what was too much before
 *
 * Two figures bound any limit from below. The first is what was let in from one refusal to the
 * next, over all of that time. It is the limit itself if unused requests are saved up (a bucket
 * that fills, a window that begins anew). The second is what was let in before the last refusal,
 * less what may come at once, over the time without the hold. It is the limit if nothing is saved
 * up. The pace at which a request was refused bounds the limit from above. The pace settles between
 * these bounds, at most a twentieth below what was refused. It is raised again when the gain is
 * worth the hold that a refusal would cost.
 *
 * Time is passed in, in ns of the loop's clock. Nothing here knows requests or connections.
 */
#ifndef CORE_THROTTLE_H
#define CORE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_STARTS_KEPT 64 /* the last ones that were let in: more would not tell more */

struct throttle {
        /* The pace. */
        double per_s;      /* starts a second, evenly spaced */
        uint64_t next_ns;  /* no start before this; also the end of a hold */
        uint64_t usual_ns; /* from a start to its response: a moving mean over those let in */
        bool is_probing;   /* after a hold, until a request is let in: one at a time */
        unsigned n_out;    /* probing requests under way */
        unsigned n_free;   /* starts that may happen at once, without a pace */

        /* What is known about the limit, in starts a second. */
        double floor_per_s;   /* the server lets in this many, as far as known */
        double ceiling_per_s; /* this many were too many; INFINITY: not known */
        unsigned at_once;     /* let in before the first refusal: it may let in this many at once */

        /* Since the last refusal. */
        /* in all; refusals of requests that were under way together count as one */
        unsigned n_refusals;
        unsigned n_lowered;              /* how often in a row the floor was wrong */
        uint64_t refused_ns, release_ns; /* the hold */
        uint64_t hold_ns;                /* the length of the hold */
        uint64_t own_hold_ns;            /* length of the next hold if the server gives none */
        uint64_t patience_ns; /* time without a refusal after which the ceiling is doubted */
        unsigned n_let_in;
        uint64_t starts[THROTTLE_STARTS_KEPT]; /* the last of these starts, as a ring */
};

/* A start, to be kept until its response is there. */
struct throttle_start {
        uint64_t at_ns;
        double per_s; /* the pace at that moment; INFINITY: none */
        bool is_free; /* by throttle_free_starts() */
};

/*
 * Make a throttle before its first refusal. Until now the origin was asked without a limit, from
 * `since_ns` on, and let in `n_let_in` requests.
 */
void throttle_init(struct throttle *throttle, uint64_t since_ns, unsigned n_let_in);

/* Let the next `n` starts happen at once, without a pace, which goes on after them. */
void throttle_free_starts(struct throttle *throttle, unsigned n);

/* The moment of the next start; UINT64_MAX: not before the one under way is over. */
uint64_t throttle_next_ns(const struct throttle *throttle);

/* Start a request now. */
struct throttle_start throttle_begin(struct throttle *throttle, uint64_t now_ns);

/* A start was refused. `asked_ns` is the wait that the server asks for, 0 if it gives none. */
void throttle_refused(struct throttle *throttle, const struct throttle_start *start,
        uint64_t now_ns, uint64_t asked_ns);

/* A start was let in. */
void throttle_let_in(struct throttle *throttle, const struct throttle_start *start,
        uint64_t now_ns);

/* A start's response says nothing about a limit. This ends probing. */
void throttle_go_on(struct throttle *throttle, const struct throttle_start *start);

/* A start is over, with or without a response. */
void throttle_end(struct throttle *throttle, const struct throttle_start *start);

#endif
