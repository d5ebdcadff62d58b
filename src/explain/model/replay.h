/* SPDX-License-Identifier: MIT */
/*
 * Replay: the same run with one thing changed
 *
 * A discrete-event simulation (simulate.h). Each request takes what it was measured to take, part
 * by part, and waits for slots, the loop's thread, the workers, the link and the rate. What changes
 * is one of these resources, or what each request takes. The answer is scaled by how well the
 * simulation of the unchanged run fits the measured wall time. Where that is off by more than
 * REPLAY_OFF, the time that the simulation does not account for stays as it is.
 *
 * Requests come as they did where the input decided that; at once, where the client was full; and
 * after the result that the program waited for, where it goes on with results (intake.h). How the
 * server takes more at once is not known here: give a range.
 *
 * Of more than REPLAY_MOST requests a sample is simulated: of every so many runs of REPLAY_RUN in
 * their order the last. So a request that goes on with the result of another mostly finds it in the
 * sample, and time is shorter by as much. What only one request took long for is told as it was if
 * that is in the sample, as those at the end are. One in the middle counts as often as others, or
 * not at all.
 */
#ifndef EXPLAIN_REPLAY_H
#define EXPLAIN_REPLAY_H

#include <explain/facts/facts.h>

#define REPLAY_MOST 100000
#define REPLAY_RUN  1000

/* A request as the simulation sees it: durations, all attempts together. */
struct replay_request {
        uint64_t submit_ns; /* when it comes, counted from the start of the run */
        uint64_t follow_ns; /* where it follows a result (rehearsal.h): so long after it */
        uint32_t origin;
        /* that had a slot: visits of equal length, with back-off between them */
        uint32_t n_attempts;
        uint32_t n_conns; /* connections that it opened */
        uint64_t slot_ns
                /* what it took, of the parts during which it holds a slot: DNS to RECEIVE */
                [PART_N];
        uint64_t loop_ns;    /* of the loop's thread: handling, decoding, processing inline */
        uint64_t backoff_ns; /* without a slot */
        uint64_t process_ns; /* of a worker, without the wait for one */
        uint64_t wire_bytes;
        /* for whoever changes it: it comes at submit_ns, and not after the result that it followed */
        bool is_free;
        const struct trace_attempt *last; /* ... where it came from */
};

struct replay {
        /* Resources; as the run had them by replay_init(). 0 in each: no limit. */
        uint64_t concurrency, per_host; /* per_host 0: no limit */
        double rate_per_s, rate_per_host_per_s;
        uint64_t workers;
        /* of all together, and instead of what was measured in `receive`; 0: as measured */
        double link_bytes_per_s;
        double server_per_s; /* answers a second that the servers can give together; 0: no limit */
        /*
         * Change what a request takes; NULL: nothing. Called for each, in the order of submission.
         */
        void (*change)(struct replay_request *request, const struct facts *facts, void *argument);
        void *argument;
        bool all_at_once; /* submitted at the start, all of them */
        bool is_alone;    /* not scaled, whatever is asked for: as replay_alone_ns() says */
};

/* The run as it was. */
void replay_init(struct replay *replay, const struct facts *facts);

/* The wall time with the change, scaled. UINT64_MAX: out of memory. */
uint64_t replay_wall_ns(const struct replay *replay, const struct facts *facts);

/*
 * The same with requests drawn anew a few dozen times (draw.h): between which nine in ten wall times
 * lie of runs that differ in nothing else, and the wall time to be expected. The order in which
 * requests came is one of many. All are replay_wall_ns() where there are so many requests that their
 * number evens them out; UINT64_MAX: out of memory.
 */
struct replay_range {
        uint64_t wall_ns, low_ns, high_ns;
};

#define REPLAY_DRAWN_MOST 2500 /* all draws together take some 30 ms then */

void replay_range_of(struct replay_range *range, const struct replay *replay,
        const struct facts *facts);

/*
 * The same, not scaled: for a change that takes away what no simulation knows, as a reader that does
 * not take the results. UINT64_MAX: out of memory.
 */
uint64_t replay_alone_ns(const struct replay *replay, const struct facts *facts);

/*
 * What the simulation says of the run as it was, not scaled: for facts_measure(). UINT64_MAX: out
 * of memory.
 */
uint64_t replay_unchanged_ns(const struct facts *facts);

#endif
