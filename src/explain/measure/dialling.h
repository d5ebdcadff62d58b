/* SPDX-License-Identifier: MIT */
/*
 * Dialling: what connecting took beyond a round trip, where a time says why
 *
 *      a whole number of seconds when the first packet was lost or dropped, and sent again
 *
 * What other addresses took before is in races.h. Of a record that does not have them it is guessed
 * here: 250 ms for each that did not answer, and for one that refused what is more than a round trip.
 */
#ifndef EXPLAIN_DIALLING_H
#define EXPLAIN_DIALLING_H

#include <explain/facts/facts.h>

/* How often the first packet was sent again, where connecting takes `least_ns` else. */
unsigned conn_n_syns_again(const struct trace_conn *conn, uint64_t least_ns);

struct dialling {
        struct spread tcp_ns; /* connecting, of connections that came about */
        /*
         * Connections with first packets that were sent again. A server that takes in no more drops all
         * that come then; one or two may be lost anywhere.
         */
        size_t n_syns_again;
        uint64_t opening_ns;     /* dns, tcp and tls of all of them */
        uint64_t dns_ns;         /* of that */
        uint64_t lost_ns;        /* of that: other addresses, and packets sent again */
        uint64_t n_sent_again;   /* packets of ours on these, without those first ones */
        uint64_t n_out_of_order; /* packets that came after one that was missing */
};

void dialling_of(struct dialling *dialling, const struct facts *facts);

/*
 * How many connections to its host were there without an answer when the first packet of another
 * one was dropped.
 */
struct crowd {
        bool is_known;   /* false: none was dropped, or memory is out */
        uint64_t least;  /* of these numbers */
        size_t n_beyond; /* connections that came although more than that waited */
};

void crowd_of(struct crowd *crowd, const struct dialling *dialling, const struct facts *facts);

#endif
