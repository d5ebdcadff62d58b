/* SPDX-License-Identifier: MIT */
/*
 * --replay: the same requests by our own engine
 *
 * What a program asked for that can be asked for again, GET and HEAD without a body or header fields
 * of its own, is asked for by `muster fetch`: so many at a time as the program had at most, or as
 * fetch has by itself. What that takes is what the servers and the network need; the rest is the
 * program's.
 */
#ifndef CLI_WATCH_REPLAY_H
#define CLI_WATCH_REPLAY_H

#include "../text/layout.h"
#include "place.h"
#include <base/buf.h>
#include <muster/explain.h>

#define REPLAY_ROUNDS 3

struct replay {
        unsigned n_rounds; /* 0: there was nothing to ask for */
        uint64_t wall_ns[REPLAY_ROUNDS], median_ns;
        uint64_t program_ns; /* the same of the program: first request to last result */
        uint64_t cpu_ns, program_cpu_ns;
        uint64_t n_requests, n_left_out; /* of one round */
        uint64_t n_failed, n_refused;    /* of the last round; n_refused: 4xx, 5xx */
        uint64_t n_program_refused;
        uint64_t concurrency;
        bool is_cut; /* only the first were asked for */
};

/*
 * Ask for what is in `record`, which `explanation` explains. Files are made in `place`.
 * MUSTER_E_RESOURCE, MUSTER_E_INPUT with *error.
 */
int replay_run(struct replay *replay, const struct place *place, const char *record,
        const struct muster_explanation *explanation, struct muster_error *error);

void replay_print(const struct replay *replay, const struct page *page);

/* A member "replay" of an object. MUSTER_E_RESOURCE. */
int replay_json(const struct replay *replay, struct buf *to);

#endif
