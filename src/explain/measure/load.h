/* SPDX-License-Identifier: MIT */
/*
 * How a server took it when more was asked of it at once
 *
 * A limit that is too low and a server that is full look alike while they last: all slots are in
 * use, requests wait. The time of an answer with few requests out and with many tells them apart. A
 * run has both: it begins with one request, then two, until all slots are in use. A server that is
 * not full answers the first ones as fast as the others. At a full one those that came when many
 * were there waited for each other.
 *
 * Where others had filled the server before, or where it answers at a fixed rate and keeps the rest
 * waiting, even the first ones have to wait. Then the pace shows it: requests that were made at
 * once are answered one by one, as evenly as all that follow. A server that is merely slow answers
 * them at once.
 */
#ifndef EXPLAIN_LOAD_H
#define EXPLAIN_LOAD_H

#include <explain/facts/facts.h>

enum load_answer {
        LOAD_UNKNOWN, /* too little to tell by, or neither clearly */
        LOAD_FLAT,    /* answers take as long with many out as with few */
        LOAD_GROWS,   /* even the fast ones of many take longer than those of few; or is_paced */
};

/*
 * The answers of one host, by how many of its requests were out when theirs began: FEW_OUT at most,
 * or MANY_OUT and more.
 */
struct load {
        enum load_answer answer;
        uint32_t origin; /* the host's number */
        size_t n_few, n_many;
        uint64_t most;     /* out at once */
        uint64_t alone_ns; /* of an answer with next to nobody else there: the mean */
        uint64_t few_ns;   /* the middle one of few */
        uint64_t many_ns;  /* ... of many */
        double growth;     /* many over few, in the middle; 1: flat, or not known */
        bool is_paced;     /* one by one from the start, alone_ns apart */
        double full_per_s; /* answers a second while at least three quarters were out */
        /*
         * The best pace at the end, when fewer and fewer were out, and with how many. 0: no better
         * than when full.
         */
        double best_per_s, best_n;
};

/* Of the host with most of its requests in flight. Without memory the answer is unknown. */
void load_measure(struct load *load, const struct facts *facts);
/* Of this one. */
void load_measure_host(struct load *load, const struct facts *facts, uint32_t origin);

/* Is that host full? It could give no more answers a second, however many waited. */
bool load_is_full(const struct load *load);

/* Is it one that tells how long the host takes? Refusals are quick. */
bool load_is_answer(const struct load *load, const struct trace_attempt *attempt);

/*
 * By how much longer an answer takes when the limit is raised by this factor: at least by what
 * could not have been seen so far, and at most by that factor, as at a full server.
 */
double load_factor_when_raised(const struct load *load, double raise);

#endif
