/* SPDX-License-Identifier: MIT */
/*
 * The environment of a watched program: ours, and where its parts are
 *
 *      MUSTER_WATCH=FOLDER
 *      LD_PRELOAD=FOLDER/shim.so:...            before what was there
 *      PYTHONPATH=FOLDER/python:...
 *      NODE_OPTIONS=--require FOLDER/node/hook.js ...
 *
 * Where muster watch itself is watched, the parts of the outer one are left out: one watcher is
 * enough, and the inner one is nearer.
 */
#ifndef CLI_WATCH_SURROUNDINGS_H
#define CLI_WATCH_SURROUNDINGS_H

#include "place.h"

struct surroundings {
        char **list; /* NULL-ended: for execvpe() */
};

/* `no_shim`: it would not fit. MUSTER_E_RESOURCE with *error. */
int surroundings_init(struct surroundings *surroundings, const struct place *place, bool no_shim,
        struct muster_error *error);
void surroundings_deinit(struct surroundings *surroundings);

#endif
