/* SPDX-License-Identifier: MIT */
/*
 * The use of the link: was it full?
 *
 * Transfers that share a full link get the same bytes a second together, however many there are,
 * and hardly ever less than at best. That tells it from packets that are lost at random, where each
 * connection stands still in its own time. Packets wait in a queue before a full link, so that
 * answers begin later while others are coming; or, where that queue is short, they are dropped
 * there. A server that sends slowly does neither.
 */
#ifndef EXPLAIN_LINK_USE_H
#define EXPLAIN_LINK_USE_H

#include <explain/facts/facts.h>

struct link_use {
        bool is_full, may_be_full;
        bool has_queue; /* packets waited before it */
        /* answers began while others came: these would have had to wait there */
        bool is_queue_known;
        double bytes_per_s; /* of all together, while anything came */
        double most_per_s;  /* at best */
        double evenness;    /* in the middle of the time, of what it was in the best tenth */
        double growth;      /* of round trips, to times their least, while much else came */
};

/* Zeroed where all is on this machine. 0 or MUSTER_E_RESOURCE. */
int link_use_of(struct link_use *use, const struct facts *facts);

#endif
