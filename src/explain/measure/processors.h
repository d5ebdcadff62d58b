/* SPDX-License-Identifier: MIT */
/*
 * What this machine's processors had to do during the run
 *
 * With the servers on the same machine all work is done by the same processors. Then it is known
 * what a request costs all together, and whether waits were for a processor.
 */
#ifndef EXPLAIN_PROCESSORS_H
#define EXPLAIN_PROCESSORS_H

#include <explain/facts/facts.h>

struct processors {
        bool is_known;    /* there are counters, and all servers are on this machine */
        double n;         /* processors */
        double busy;      /* of all of them, of the wall time: from 0 to 1, whoever it was */
        uint64_t each_ns; /* of a processor, for an attempt: ours, the server's and all others' */
        double others; /* processors that were busy with what is not ours: the servers and others */
};

/* Zeroed where it is not known. */
void processors_of(struct processors *processors, const struct facts *facts);

/*
 * So many answers a second the processors can give with what one costs here; 0: it is not known, or so
 * much was done that it may have been done for others.
 */
double processors_most_per_s(const struct facts *facts);

/*
 * Servers here and all processors full: then what an answer takes is a wait for one of them as well,
 * whoever has it. How evenly or how late answers come says nothing of the server alone.
 */
bool processors_are_full(const struct facts *facts);

/*
 * Servers here, and what is not ours kept one processor so busy that others wait for it; and an answer,
 * which takes `answer_ns` at least, is little more than the work for it. A server of one thread has no
 * time left then, and nobody knows of how many threads it is. Not where all processors are full: others
 * have them then, and nobody knows what the server does.
 */
bool processors_may_fill_server(const struct facts *facts, uint64_t answer_ns);

#endif
