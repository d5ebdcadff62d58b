/* SPDX-License-Identifier: MIT */
/*
 * Onset: did the server become slower while the first requests came in?
 *
 * A client that asks for many things at once fills a server within moments, but the server takes
 * them in one after the other. Its first answers are made while few are there, the next ones while
 * more are. So where the pace of the answers falls from the first ones to the next, and falls on
 * until as many are there as ever were, more at once slow the server down: it is past its knee. And
 * the first pace is one that it has with few.
 *
 * A server that is merely full keeps its pace from the start. One that lets a burst through and
 * holds the rest to a rate has two paces, and does not fall from step to step.
 */
#ifndef EXPLAIN_ONSET_H
#define EXPLAIN_ONSET_H

#include "load.h"

struct onset {
        bool is_falling;    /* and else nothing below means anything */
        double few_per_s;   /* of the first answers, and ... */
        double least_per_s; /* ... up to twice as many of them: the lesser */
        double later_per_s; /* when as many were there as ever were */
        double all_per_s;   /* of all answers */
};

/* Of the host of the load. Zeroed where memory is out. */
void onset_of(struct onset *onset, const struct load *load, const struct facts *facts);

#endif
