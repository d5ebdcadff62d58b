/* SPDX-License-Identifier: MIT */
/*
 * Sharing: is a slow rate each transfer's own, or do all of them share one?
 *
 * What each connection is allowed it gets, however many there are beside it. What all of them share
 * each gets the less of, the more there are. So the rates of transfers that had little company are
 * held against those of transfers that had much. Where all had the same company nobody can tell;
 * but to be as even as a limit of each keeps them, sharers would need a fair divider.
 */
#ifndef EXPLAIN_SHARING_H
#define EXPLAIN_SHARING_H

#include <explain/facts/facts.h>

enum sharing_whose {
        SHARING_UNKNOWN,
        SHARING_EACH, /* the rate is each connection's own */
        SHARING_ALL,  /* all share one rate */
};

struct sharing {
        enum sharing_whose whose;
        bool is_proved;      /* by transfers with little company and much; else by evenness alone */
        struct spread per_s; /* bytes a second, of transfers larger than the first window */
        double n_few,
                n_many; /* how many came at a time, beside a third of them; and beside another */
        double few_per_s, many_per_s; /* what each of these got */
        double together_per_s;        /* of all, while any came */
};

/* 0 or MUSTER_E_RESOURCE. */
int sharing_of(struct sharing *sharing, const struct facts *facts);

#endif
