/* SPDX-License-Identifier: MIT */
/*
 * Losses: which connections missed packets, and what that cost
 *
 * The kernel counts packets that it had to send again, and packets of the server that came after
 * one that was missing. A connection that has either may have been held up: by a round trip at the
 * least, and by 200 ms where only a timeout told that something was missing. The latter leaves no
 * other trace when the last packet of a body was lost. What was held up shows beside what is usual.
 */
#ifndef EXPLAIN_LOSSES_H
#define EXPLAIN_LOSSES_H

#include "transfers.h"

struct losses {
        size_t n_conns, n_conns_hit;
        uint64_t n_again;        /* packets of ours that were sent again */
        uint64_t n_out_of_order; /* packets of the server's that came after one that was missing */
        size_t n_held_up;        /* attempts that took longer than is usual by it */
        uint64_t held_up_ns;     /* by so much together */
        uint64_t shared_ns;      /* ... of those that shared their connection (HTTP/2) */
        /* What is usual: */
        uint64_t tcp_ns;     /* the median */
        uint64_t wait_ns[2]; /* ... on kept connections, and on new ones */
        /*
         * Of what a cold connection takes: the lowest tenth, as a loss slows down all that come
         * after it.
         */
        uint64_t receive_permille[TRANSFER_N_KINDS];
        uint64_t shared_receive_ns; /* the median, of those that share their connection */
};

/*
 * 0 or MUSTER_E_RESOURCE. n_conns_hit is 0 where nothing but first packets were lost: these are
 * dropped by a server that is full (causes_connect.c).
 */
int losses_of(struct losses *losses, const struct facts *facts);

/* By how much a step of an attempt took longer than is usual; 0 where that is no sign of a loss. */
uint64_t loss_of_tcp_ns(const struct losses *losses, const struct facts *facts,
        const struct trace_attempt *attempt);
uint64_t loss_of_wait_ns(const struct losses *losses, const struct facts *facts,
        const struct trace_attempt *attempt);
uint64_t loss_of_receive_ns(const struct losses *losses, const struct facts *facts,
        const struct trace_attempt *attempt);

/* Did they mostly hold up requests that shared a connection, one loss several of them? */
bool losses_hold_up_streams(const struct losses *losses);

/*
 * ... and so much that it matters? What holds up some of them slows down the others, too, as they
 * share a congestion window.
 */
bool losses_stop_streams(const struct losses *losses, const struct facts *facts);

/* Losses held up so much that answers come late by them, and not by the server. */
bool losses_come_first(const struct facts *facts);

#endif
