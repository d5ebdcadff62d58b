/* SPDX-License-Identifier: MIT */
/*
 * Transfers: how long a body took, beside what its size and the round trip would let it take
 *
 * TCP begins with ten packets and doubles what is under way each round trip, so that a body of B
 * bytes on a cold connection takes ceil(log2(B / 14,480 + 1)) round trips; the first of them is the
 * one in which the first byte comes. On a warm connection it takes none or one. A connection is
 * cold when it is new, and again when its server has sent nothing for as long as it waits for a
 * missing acknowledgement (RFC 5681 section 4.1): 200 ms and a round trip at the least.
 */
#ifndef EXPLAIN_TRANSFERS_H
#define EXPLAIN_TRANSFERS_H

#include <explain/facts/facts.h>

struct transfer {
        uint64_t bytes;
        uint64_t took_ns; /* first byte to last, as the kernel had them */
        uint64_t round_trip_ns;
        /* after the first byte, on a cold connection; 0: it all fits into the first window */
        unsigned n_rounds;
        bool is_new;    /* the connection */
        bool was_quiet; /* an older one, for long enough to be cold again */
};

/*
 * False: it has no answer, its connection's round trip is not known, or other streams shared the
 * connection, so that nobody can tell what its window was to this one.
 */
bool transfer_of(struct transfer *transfer, const struct facts *facts,
        const struct trace_attempt *attempt);

/* The same of one that shares its connection, too: for what all of them together took. */
bool transfer_among_others(struct transfer *transfer, const struct facts *facts,
        const struct trace_attempt *attempt);

/* What it would take on a cold connection by the rule above. */
uint64_t transfer_cold_ns(const struct transfer *transfer);

/* How often a window of so many bytes must be doubled before all is sent; less the first. */
unsigned transfer_n_rounds(uint64_t bytes, uint64_t first_window);

/* All of those of one kind that are larger than the first window. */
enum transfer_kind { TRANSFER_NEW, TRANSFER_QUIET, TRANSFER_WARM, TRANSFER_N_KINDS };

enum transfer_kind transfer_kind(const struct transfer *transfer);

struct transfers {
        struct transfers_kind {
                size_t n;
                uint64_t sum_ns;
                struct spread took_ns, bytes;
                /* what it took, of what a cold connection takes by the rule above */
                struct spread permille;
                uint64_t round_trip_ns; /* median */
        } kinds[TRANSFER_N_KINDS];
};

/* 0 or MUSTER_E_RESOURCE. The second one counts those that share their connection, too. */
int transfers_of(struct transfers *transfers, const struct facts *facts);
int transfers_among_others(struct transfers *transfers, const struct facts *facts);

#endif
