/* SPDX-License-Identifier: MIT */
/*
 * How much a server lets in, learnt from what it refuses
 *
 * A refusal (429, or 503 with Retry-After) says that the server counts, not what it counts. So an
 * origin that refuses is first left alone, for as long as it asks, and then asked at a pace that is
 * told by what it let in:
 *
 *      refused ──▶ hold ──▶ probe ──▶ pace ──▶ refused, at a pace that was too much ...
 *                  asked    one at    faster with each one that is let in, up to just below
 *                  for      a time    what was too much before
 *
 * Whatever a limit is made of, two figures bound it from below. What was let in from one refusal to
 * the next, over all of that time, is no more than the limit allows; it is the limit itself where
 * requests that were not made meanwhile could be made later (a bucket that fills up, a window that
 * begins anew). And what was let in before the last refusal, less what may come at once, over the
 * time without the hold, is the limit where nothing is saved up. The pace at which a request was
 * refused bounds it from above. Between these the pace settles, at most a twentieth below what was
 * refused; it is raised again when the gain pays for the hold that a refusal would cost.
 *
 * Time is passed in; nothing here knows of requests or connections. Moments are ns of the loop's
 * clock.
 */
#ifndef CORE_THROTTLE_H
#define CORE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_STARTS_KEPT 64 /* of those let in: longer runs say no more than they do */

struct throttle {
        /* The pace. */
        double per_s;      /* starts a second, evenly spaced */
        uint64_t next_ns;  /* nobody starts before; also the end of a hold */
        uint64_t usual_ns; /* from a start to its answer: a moving mean of those let in */
        bool is_probing;   /* after a hold, until one is let in: one at a time */
        unsigned n_out;    /* of those that probe: under way */

        /* What is known of the limit, in starts a second. */
        double floor_per_s;   /* it lets in as many, as far as told */
        double ceiling_per_s; /* so many were too much; INFINITY: not known */
        unsigned at_once;     /* let in before the first refusal: it may let in as many at once */

        /* Since the last refusal. */
        unsigned n_refusals;             /* in all; those of one flight are one */
        unsigned n_lowered;              /* how often in a row the floor turned out to be wrong */
        uint64_t refused_ns, release_ns; /* the hold */
        uint64_t hold_ns;                /* its length */
        uint64_t own_hold_ns; /* of the next one, where the server does not say how long */
        uint64_t patience_ns; /* without a refusal: then the ceiling is doubted */
        unsigned n_let_in;
        uint64_t starts[THROTTLE_STARTS_KEPT]; /* of the last of these, as a ring */
};

/* One start, as it is to be remembered until its answer is there. */
struct throttle_start {
        uint64_t at_ns;
        double per_s; /* the pace; INFINITY: there was none */
};

/*
 * Begin, with the first refusal still to be told: since `since_ns` the origin was asked freely, and
 * let in `n_let_in`.
 */
void throttle_init(struct throttle *throttle, uint64_t since_ns, unsigned n_let_in);

/* The moment of the next start; UINT64_MAX: not before one that is under way is over. */
uint64_t throttle_next_ns(const struct throttle *throttle);

/* One starts now. */
struct throttle_start throttle_begin(struct throttle *throttle, uint64_t now_ns);

/* It was refused; `asked_ns` is what the server asks to wait, 0 where it does not say. */
void throttle_refused(struct throttle *throttle, const struct throttle_start *start,
        uint64_t now_ns, uint64_t asked_ns);

/* It was let in. */
void throttle_let_in(struct throttle *throttle, const struct throttle_start *start,
        uint64_t now_ns);

/* Its answer says nothing of a limit: one at a time is no longer called for. */
void throttle_go_on(struct throttle *throttle, const struct throttle_start *start);

/* It is over, whether it was answered or not. */
void throttle_end(struct throttle *throttle, const struct throttle_start *start);

#endif
