/* SPDX-License-Identifier: MIT */
/*
 * Files: how many may be open at once, which bounds threads and connections
 */
#ifndef CORE_FILES_H
#define CORE_FILES_H

#include "settings.h"

/* MUSTER_THREADS_AUTO is no more threads than may have their files. */
void files_fit_threads(struct settings *settings);

/*
 * Raise the limit of open files. `concurrency` connections must fit. More room is for idle ones, so
 * that a batch over several origins need not close one connection to open another. Each thread may
 * use all of `concurrency`, and has its own idle connections.
 *
 * MUSTER_E_RESOURCE: the limit does not allow that; *error says what to do.
 */
int files_make_room(const struct settings *settings, unsigned *ret_n_conns_max,
        struct muster_error *error);

#endif
