/* SPDX-License-Identifier: MIT */
/*
 * The private folder of a watched program: the parts that it loads, and the logs that come
 *
 *      shim.so, python, node   links to the parts
 *      shim.PID.START          written by each process, as is hook.PID.START
 *
 * It is in memory where it can be (/dev/shm), because what is written there must not wait for a
 * disk. Its path has neither blanks nor colons, at which LD_PRELOAD is split. A lock on it says that
 * it is in use.
 *
 * Processes may be left when the program is over. They still look for the parts whenever they start
 * another one, and the loader would complain: so the links stay, and nothing can be written there
 * any more. Folders that nobody has in its environment go when another place is made.
 */
#ifndef CLI_WATCH_PLACE_H
#define CLI_WATCH_PLACE_H

#include "../temporary.h"
#include "parts.h"
#include <stddef.h>
#include <sys/types.h>

struct place {
        char folder[TEMPORARY_PATH_MAX]; /* empty: there is none */
        int lock_fd;
        bool has_python, has_node;
};

/* Make it, with the hooks unless `no_hooks`. MUSTER_E_RESOURCE with *error; nothing is left then. */
int place_init(struct place *place, const struct parts *parts, bool no_hooks,
        struct muster_error *error);

/*
 * Call `visit` for each process that is watched from here and lives. Returns how many there are;
 * `visit` may be NULL.
 */
size_t place_each_process(const struct place *place, void (*visit)(pid_t pid, void *data),
        void *data);

/* Remove it, but for links that somebody still needs. May be called twice, and from any thread. */
void place_deinit(struct place *place);

#endif
