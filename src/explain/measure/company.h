/* SPDX-License-Identifier: MIT */
/*
 * TLS handshakes in company: made together, and held against those that were made alone
 *
 * Handshakes that are computed one after the other need not end one after the other. A server that
 * answers each one's first message before it goes on with any ends them all at about the same time,
 * after what all of them take. No ramp shows it then. But one that had the server to itself shows
 * what a handshake takes: those in company took many times as long, and no longer than computing
 * one after the other does. Where each waits for something else, a far server or a lost packet, the
 * one alone takes as long, or the others take longer than that.
 */
#ifndef EXPLAIN_COMPANY_H
#define EXPLAIN_COMPANY_H

#include <explain/facts/facts.h>

struct company {
        size_t n_alone, n;     /* handshakes with one origin: beside no other; begun together */
        uint64_t alone_ns;     /* the longest of those alone */
        struct spread took_ns; /* of those together */
        uint64_t each_ns;      /* what each of them adds */
        bool is_queue;         /* they were computed one after the other */
};

/* Of the origin of the first connection. Zero where memory is out. */
void company_of(struct company *company, const struct record *record);

#endif
