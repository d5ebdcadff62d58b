/* SPDX-License-Identifier: MIT */
/*
 * TLS handshakes: how many, how dear, and what made them so
 *
 * A handshake is round trips and computing, the server's and ours. A resumed one spares the
 * certificate and, before TLS 1.3, one of two round trips. All but the first with a host can be
 * resumed.
 */
#ifndef EXPLAIN_HANDSHAKES_H
#define EXPLAIN_HANDSHAKES_H

#include <explain/facts/facts.h>

struct handshakes {
        size_t n, n_resumed;
        size_t n_later,
                /* begun when one with the same host was complete; of these full ones */
                n_later_full;
        size_t n_refused;       /* full ones although a session had been offered */
        struct spread took_ns;  /* all of them */
        uint64_t round_trip_ns; /* the median of their connections' */
        uint64_t work_ns;       /* ours, over all */
        /* What is to be told, one of these at most: */
        bool are_full; /* nearly none was resumed, and that cost a round trip each */
        bool are_work; /* computing is what they took */
};

/* Zero where there were none. */
void handshakes_of(struct handshakes *handshakes, const struct facts *facts);

#endif
