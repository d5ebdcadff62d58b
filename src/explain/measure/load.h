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
 * them at once. So it is where a few come at a time, as many as the server works on, each time as much
 * later. And where several are served at a time the first ones wait the longer the later it is
 * their turn, and all that follow as long as the last of these: a row, at whose end each has to stand.
 *
 * On a machine whose processors are all in use, a server there looks like that without being full. And
 * in a run that was over soon, with more than a thousand answers a second, they are too close together
 * to say anything of what they waited for.
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
        uint64_t least_ns; /* the quickest answer; 0: there is none */
        uint64_t few_ns;   /* the middle one of few */
        uint64_t many_ns;  /* ... of many */
        double growth;     /* many over few, in the middle; 1: flat, or not known */
        bool is_paced;     /* one by one from the start, alone_ns apart */
        bool is_row;      /* the first ones one after another, all later ones as late as the last */
        double bunch_n;   /* answers that come at a time, evenly, alone_ns apart; 0: they do not */
        bool is_together; /* the first ones were answered together, after row_low_ns to row_high_ns */
        bool is_at_work; /* most were being worked on at once, if each takes what the quickest did */
        uint64_t took_ns; /* from the first request that was answered to the last answer */
        bool is_quick;    /* answers follow each other faster than one can be told from another */
        bool is_brisk;    /* over so soon, and answers so close together, that they say nothing */
        uint64_t row_low_ns, row_high_ns, row_later_ns; /* of the first: nine in ten; later ones */
        double full_per_s; /* answers a second while at least three quarters were out */
        /*
         * The best pace at the end, when fewer and fewer were out, and with how many. 0: no better
         * than when full.
         */
        double best_per_s, best_n;
};

/* Of the host with most of its requests in flight. Without memory the answer is unknown. */
void load_measure(struct load *load, const struct facts *facts);
/*
 * For facts_measure(): the answer of load_measure(), once for all rules that ask. *ret_load is to be
 * freed with mem_free(). MUSTER_E_RESOURCE.
 */
int load_new(struct load **ret_load, const struct facts *facts);
/* Of this one. */
void load_measure_host(struct load *load, const struct facts *facts, uint32_t origin);

/* Is that host full? It could give no more answers a second, however many waited. */
bool load_is_full(const struct load *load);

/*
 * With many its answers take longer, if not surely so, and what they take is the work of a processor of this
 * machine that may be full with it; or the run was brisk. Then it is not called slow, nor is more at once called for.
 */
bool load_may_fill_server(const struct load *load, const struct facts *facts);

/* Is it one that tells how long the host takes? Refusals are quick. */
bool load_is_answer(const struct load *load, const struct trace_attempt *attempt);

/*
 * By how much longer an answer takes when the limit is raised by this factor: at least by what
 * could not have been seen so far, and at most by that factor, as at a full server.
 */
double load_factor_when_raised(const struct load *load, double raise);

#endif
