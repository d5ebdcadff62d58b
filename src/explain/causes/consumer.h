/* SPDX-License-Identifier: MIT */
/*
 * Who takes the results, and for how long that held this program up
 *
 * Blocked is not the same as slow: a thread that is ready and has no processor, or that is stopped,
 * does not wait for a reader. And what results are written to may be nothing that can block.
 */
#ifndef EXPLAIN_CONSUMER_H
#define EXPLAIN_CONSUMER_H

#include <explain/facts/facts.h>

enum consumer {
        CONSUMER_NONE,   /* results go nowhere: nothing can block */
        CONSUMER_CALLER, /* the program that uses the library, whatever it does with them */
        CONSUMER_DISK,   /* files: of results, or of bodies */
        CONSUMER_READER, /* another program, or people, at the other end */
};

enum consumer consumer_of(const struct facts *facts);

#define STOPS_MOST 16 /* stops that are told apart from blocking; with more nobody can */

/*
 * For how long the run was blocked by it: less what this program had to wait for a processor, as
 * the reader had to. 0 where that is not known.
 */
uint64_t consumer_blocked_ns(const struct facts *facts);

#endif
