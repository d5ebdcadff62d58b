/* SPDX-License-Identifier: MIT */
/*
 * A run against a server whose law is known
 *
 *      struct ground ground = { .n = 200, .slots = 4, .think = { THINK_RANDOM, 50 * NS_PER_MS } };
 *
 *      ground_run(&ground, 1, &record);        what a client would have recorded
 *      ground.slots = 64;
 *      truth_ns = ground_run(&ground, 2, NULL);  and how long it takes with the remedy
 *
 * Each slot takes one request after the other through stations, each of which serves so many at a
 * time, in the order of arrival: the handshakes of the server, its limit of requests a second, its
 * workers, its processors (in slices, so that they are shared), the link. This has no line in
 * common with src/explain/model/simulate.h, which it is there to judge. What requests take is drawn
 * anew from the same law in each run, by `seed`.
 */
#ifndef TESTS_UNIT_SIMULATED_GROUND_H
#define TESTS_UNIT_SIMULATED_GROUND_H

#include "record_maker.h"

#define GROUND_SLOTS_MOST 1024

enum think {
        THINK_FIXED,  /* each answer takes the same */
        THINK_EVEN,   /* from a half to one and a half of it */
        THINK_RANDOM, /* exponential: some next to nothing, some many times as long */
        THINK_SKEWED, /* log-normal: mostly less, a few far more */
};

struct ground {
        size_t n;
        uint64_t slots;
        bool no_reuse;
        uint64_t rtt_ns;
        uint64_t handshake_ns;  /* computing of a TLS handshake; 0: no TLS */
        uint64_t n_handshakers; /* 0: the processors that make answers, too */
        uint64_t think_ns;      /* of an answer that waits for nobody */
        enum think think;
        uint64_t n_workers;   /* answers that are made at a time; 0: no limit */
        double allowed_per_s; /* the server lets in no more, and keeps others waiting; 0: no limit */
        uint64_t cpu_ns;      /* of the server's processors, for each answer */
        uint64_t n_processors;
        uint64_t body_bytes;
        double link_bytes_per_s; /* 0: no limit */
        double pace_scatter;     /* by how much a whole run is slower or faster than another */
};

/* The wall time; fills `ret_record`, unless that is NULL, to be ended with record_deinit(). */
uint64_t ground_run(const struct ground *ground, uint64_t seed, struct record *ret_record);

#endif
