/* SPDX-License-Identifier: MIT */
/*
 * What a link is asked to be like: rtt=80ms,jitter=5ms,rate=20mbit,loss=1%,queue=100
 *
 *      rtt=80ms        the way there and back, half of it each way
 *      jitter=5ms      each packet takes up to this much longer, all equally likely; order is kept
 *      rate=20mbit     bytes of IP packets that pass in a second, in each direction; "unlimited" lifts it
 *      up=1mbit        of the direction from COMMAND to the lab only; down=20mbit of the other one
 *      loss=1%         share of packets that vanish, each for itself; loss-up=, loss-down= for one direction
 *      queue=100       packets that may wait for the rate in each direction; the newest is dropped beyond
 *      mtu=1500        the longest packet; below 1280 there is no IPv6
 *      seed=7          another run of the dice
 *
 * With at=5s in front it is a change: what it names becomes so at that moment after COMMAND's
 * start. A link is given by as many such texts as one likes; a zeroed spec is a link without delay,
 * rate and loss.
 */
#ifndef LAB_LINK_SPEC_H
#define LAB_LINK_SPEC_H

#include "pipe.h"

#define LINK_CHANGES_MAX   256  /* a schedule by hand is shorter, and the spec has one size */
#define LINK_QUEUE_DEFAULT 1000 /* what Linux gives a network card */
#define LINK_QUEUE_MAX     100000
#define LINK_MTU_DEFAULT   1500
#define LINK_MTU_MIN       576
#define LINK_MTU_MAX       9000

/* A change at a moment, of the members whose bits are in `named`. */
struct link_change {
        unsigned named;
        uint64_t at_ns; /* after COMMAND's start */
        uint64_t rtt_ns, jitter_ns;
        uint64_t up_bits_per_s, down_bits_per_s; /* 0: unlimited */
        double loss_up, loss_down;
        uint64_t queue;
        uint64_t mtu, seed; /* only at the start */
};

struct link_spec {
        struct link_change changes[LINK_CHANGES_MAX]; /* in order of time */
        size_t n_changes;
        uint64_t mtu; /* 0: LINK_MTU_DEFAULT */
        uint64_t seed;
};

struct link_conditions {
        struct pipe_conditions up; /* from COMMAND to the lab */
        struct pipe_conditions down;
};

/*
 * Add what a text asks for. Of two texts for one moment the later one counts. MUSTER_E_INVALID with
 * the word, what is wrong and what is accepted; the spec is as it was then.
 */
int link_spec_parse(struct link_spec *spec, struct muster_str text, struct muster_error *error);

/* The longest packet. */
size_t link_spec_mtu(const struct link_spec *spec);

/* The default conditions of a link. */
struct link_conditions link_conditions_default(void);

/* Apply a change. */
void link_change_apply(const struct link_change *change, struct link_conditions *conditions);

#endif
