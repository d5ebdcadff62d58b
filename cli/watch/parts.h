/* SPDX-License-Identifier: MIT */
/*
 * The parts that a watched program is given: the shim, and the hooks of interpreters
 *
 *      FOLDER/libmuster-watch.so  in a build folder FOLDER/watch/shim/libmuster-watch.so
 *      FOLDER/watch/python/       put into PYTHONPATH
 *      FOLDER/watch/node/hook.js  required by Node
 *
 * FOLDER is where the command is, in a build folder; installed, it is muster/ in the folder of
 * libraries, found from where the command is, so that the whole may be moved.
 */
#ifndef CLI_WATCH_PARTS_H
#define CLI_WATCH_PARTS_H

#include <limits.h>
#include <muster/error.h>
#include <stdbool.h>

struct parts {
        char shim[PATH_MAX];
        char python[PATH_MAX], node[PATH_MAX]; /* folders; empty: there is none */
};

/* MUSTER_E_RESOURCE with *error, which names the places: there is no shim in any of them. */
int parts_find(struct parts *parts, struct muster_error *error);

#endif
