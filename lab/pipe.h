/* SPDX-License-Identifier: MIT */
/*
 * One direction of a link: packets go in, and come out when they are due
 *
 *      push ──▶ lost? ──▶ queue ──▶ serialiser ──▶ propagation ──▶ pop
 *                         (bound)   bytes * 8 / rate  delay + jitter, order kept
 *
 * No descriptor and no clock: moments are passed in and never go back. A packet leaves the
 * serialiser under the conditions of that moment and keeps what it was given then, so that
 * conditions may change while packets are under way: those that wait go at the new rate, those in
 * propagation arrive as they would have.
 *
 * Every packet draws twice, whatever the conditions are: the n-th packet meets the same luck in
 * every run with one seed.
 */
#ifndef LAB_PIPE_H
#define LAB_PIPE_H

#include <base/list.h>
#include <base/rand.h>
#include <base/str.h>

/*
 * The most bytes in queue and propagation of one direction: a second of 2 gbit. Beyond it packets
 * are dropped as if the queue were full.
 */
#define PIPE_BYTES_MAX (256 * 1024 * 1024)

/* Zeroed but for `queue`: everything passes at once. */
struct pipe_conditions {
        uint64_t delay_ns;   /* propagation */
        uint64_t jitter_ns;  /* up to this much more for each packet, all equally likely */
        uint64_t bits_per_s; /* 0: unlimited */
        double loss;         /* share of packets that vanish before the queue */
        /* packets that wait for the serialiser or are in it; the newest is dropped beyond */
        size_t queue;
};

struct pipe_stats {
        uint64_t n_packets, n_bytes; /* that came out */
        uint64_t n_lost, n_overflowed;
        uint64_t most_queued; /* packets in queue and serialiser */
};

struct pipe {
        struct pipe_conditions conditions;
        struct pipe_stats *stats;
        struct rand rand;
        struct list waiting; /* the first one is in the serialiser */
        struct list flying;  /* in propagation, in order of when they are due */
        struct list unused;
        size_t n_waiting, n_allocated, n_allocated_max;
        size_t slot_bytes;
        uint64_t finish_ns;   /* when the first of `waiting` leaves the serialiser */
        uint64_t free_ns;     /* when the one before it did */
        uint64_t carry;       /* what is left below a nanosecond, in parts of bits_per_s */
        uint64_t last_due_ns; /* of the one that left the serialiser last: none overtakes it */
};

enum pipe_fate { PIPE_QUEUED, PIPE_LOST, PIPE_OVERFLOWED };

/* An empty pipe for packets of up to `longest` bytes. It counts into `stats`, which outlives it. */
void pipe_init(struct pipe *pipe, const struct pipe_conditions *conditions, uint64_t seed,
        size_t longest, struct pipe_stats *stats);

/* Forget all packets and release the memory. May be called twice. */
void pipe_deinit(struct pipe *pipe);

/* Change the conditions at this moment. */
void pipe_configure(struct pipe *pipe, const struct pipe_conditions *conditions, uint64_t now_ns);

/*
 * Put a packet in; it is copied. One that is longer than the longest, or has no memory, counts as
 * overflowed.
 */
enum pipe_fate pipe_push(struct pipe *pipe, struct muster_str packet, uint64_t now_ns);

/* When the next packet comes out, unless conditions change before; UINT64_MAX: there is none. */
uint64_t pipe_next_ns(const struct pipe *pipe);

/* Take out the next packet that is due, borrowed until the pipe is used again. False: none is. */
bool pipe_pop(struct pipe *pipe, uint64_t now_ns, struct muster_str *ret_packet);

#endif
