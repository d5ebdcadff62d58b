/* SPDX-License-Identifier: MIT */
/*
 * Vantage: are the times the servers', or this program's?
 *
 * All is seen from one place, the loop's thread. A loop that has work most of the time reads answers
 * late, sends late, and makes a server, a link or a limit look slow that is not. Every rule that says
 * something of what is not ours asks here first, so that none says it of a run in which another does
 * not. Of the processors that a server here shares with others, see processors.h.
 */
#ifndef EXPLAIN_VANTAGE_H
#define EXPLAIN_VANTAGE_H

#include <explain/facts/facts.h>

enum vantage {
        VANTAGE_CLEAR, /* what was measured is the others' time */
        /*
         * LOOP_BUSY: a server may still be called slow. But more at once gains nothing, and it may be
         * this program that answers, or bytes, wait for.
         */
        VANTAGE_BUSY,
        VANTAGE_BLOCKED, /* LOOP_IN_THE_WAY: answers wait for this program; nothing is said of servers */
};

enum vantage vantage_of(const struct facts *facts);

#endif
