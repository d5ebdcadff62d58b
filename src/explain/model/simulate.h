/* SPDX-License-Identifier: MIT */
/*
 * A discrete-event simulation of a client
 *
 *      arrives ─ rate ─ due ─ slot ─ [ the way, the server ─ answers a second ─ link ─ loop ] ─ slot given back ─┬─ back-off ─ arrives
 *                                                                                                                 └─ worker ─ over
 *
 * A visit, in brackets, is an attempt: the slot is held for it. Slots go to the origins in turn,
 * and an origin may have what core/fair_share.h lets it have. The moments of the rate of all also
 * go to the origins in turn, among those whose own moment has come (core/pace.h). The server's
 * answers, the link and the loop each take one job after the other, in the order of arrival. Each
 * job has one event at a time: the next thing that happens to it. The simulation knows nothing of
 * records.
 *
 * Jobs may be a sample, each standing for so many. Then everything takes as many times longer, but
 * for the time that a job takes longer than the others: that happens once.
 */
#ifndef EXPLAIN_SIMULATE_H
#define EXPLAIN_SIMULATE_H

#include <base/heap.h>
#include <stdint.h>

#define SIMULATE_NONE UINT32_MAX

struct simulate_job {
        /* What it is; all durations but `arrives_ns`. Those of a visit are the same in each. */
        uint64_t arrives_ns; /* a moment, from 0; with `after`: so long after that one is over */
        uint32_t after;      /* index of an earlier job; SIMULATE_NONE */
        uint32_t origin;     /* below n_origins */
        uint32_t n_visits;   /* 0: is over after backoff_ns */
        uint64_t way_ns, receive_ns, loop_ns, link_bytes;
        uint64_t backoff_ns; /* after each visit but the last */
        uint64_t process_ns;
        bool is_answered;
        /* The simulation's own; zeroed. */
        struct heap_node node;
        unsigned char step;
        uint32_t n_visited;
        uint32_t next;                     /* in one of its origin's queues */
        uint32_t followers, next_follower; /* who comes after it */
};

struct simulate {
        uint64_t concurrency, per_host, workers; /* 0: no limit */
        double rate_per_s, rate_per_host_per_s, link_bytes_per_s, server_per_s;
        double n_each; /* how many a job stands for; 1: itself alone */
        struct simulate_job *jobs;
        uint32_t n_jobs, n_origins;
};

/* From 0 to when the last job is over, of all that they stand for. MUSTER_E_RESOURCE. */
int simulate_run(const struct simulate *what, uint64_t *ret_end_ns);

#endif
