/* SPDX-License-Identifier: MIT */
/*
 * What findings about watched programs have in common: how a line is told, and what a limit of
 * theirs would gain when it is raised
 */
#ifndef EXPLAIN_PROGRAM_TOLD_H
#define EXPLAIN_PROGRAM_TOLD_H

#include "finding.h"
#include "library_words.h"
#include <explain/facts/program.h>
#include <explain/model/raise.h>

/* " (fetch.py:12)", to be put behind what was done there; "" where it is not known. */
struct library_text told_at(const struct facts *facts, uint32_t site);

/* Is the part at least that share of the whole? */
static inline bool told_is_part(uint64_t part_ns, uint64_t whole_ns, double share)
{
        return whole_ns && (double)part_ns >= (double)whole_ns * share;
}

/* Is it most of them? */
static inline bool told_are_most(size_t n, size_t n_all)
{
        return n && (double)n >= (double)n_all * MOST_OF_THEM;
}

static inline bool told_is_gain(uint64_t wall_ns, const struct facts *facts)
{
        return (double)wall_ns <= (double)facts->wall_ns * (1 - GAIN_NOTICED);
}

/*
 * An option of our own client is of no use to a program that was watched: it is taken away, and what
 * it is in the words of the program's library stands behind the remedy. For all findings.
 */
void program_reword(struct finding *finding, const struct facts *facts);

/* In which function requests are made, where the line to change is the one that calls it. */
void told_made_at(struct finding *finding, const struct facts *facts, uint32_t site);

/* Where only connections were seen: what that takes for a request. It lowers the grade. */
void told_from_outside(struct finding *finding, const struct facts *facts);

/* How long the loop was busy, where that is known. */
void told_busy(struct finding *finding, const struct facts *facts);

/*
 * Requests that were made one by one come together, when the first of them did. What their program
 * did between two of them it still has to do, one after the other. For a replay's change(); true: it
 * was one of them.
 */
struct told_release {
        double work; /* of what the loop did for each, what it has to do then */
        bool has_begun;
        uint64_t from_ns;
};
bool told_release(struct told_release *release, struct replay_request *request,
        const struct facts *facts);

/*
 * How many are under way where one comes as another ends, by a semaphore or as there are so many
 * workers; then when they came says nothing of a run in which they take less. 0: it is not so, or
 * the replay knows whom each followed.
 */
uint64_t told_taking_turns(const struct facts *facts);

/*
 * Where these are let through by a semaphore or a pool of threads: how long each keeps its place
 * beyond its request, on average, as a thread that does something with the answer does, or waits.
 */
uint64_t told_holds_on_ns(const struct facts *facts);

/* Were more connections opened than were in use, at a price? Then reusing them comes first. */
bool told_opens_most(const struct facts *facts);

/*
 * Would the run be faster if more were under way than what bounds them allows (program.h), or, where
 * nobody has said what that is, than there ever were? Not where the loop or the server is full, where
 * requests open connections rather than wait, nor with a few requests for each place. Lowers the
 * finding's grade where the server's part is not known; NULL: there is none.
 */
bool told_limit_matters(struct raise *raise, struct finding *finding, const struct facts *facts);

/* Most of the time one request was under way, and the next came when it had ended. */
bool told_is_one_by_one(const struct facts *facts);

/*
 * How long a request that went out in pieces waited beyond the quickest answer of all; false: it did
 * not, or not for as long as an acknowledgement is held back.
 */
bool told_measure_held_back(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value);

/* Did that take a part of requests' time that matters? */
bool told_is_held_back(struct spread *held, const struct facts *facts);

/*
 * Do they have fewer under way than would be of use, by any of these or by batches? Then it is not
 * the server that made the run long.
 */
bool told_holds_back(const struct facts *facts);

#endif
