/* SPDX-License-Identifier: MIT */
/*
 * Hook: what an interpreter's hook wrote, from text to rows: hook_log.h
 *
 * A row that does not read as its kind says is left out, and so is what it would have told.
 */
#ifndef WATCH_HOOK_H
#define WATCH_HOOK_H

#include "watched.h"

#define HOOK_OTHER 1 /* it is no hook's log, or one of another version */

/*
 * Read the text of a log. It belongs to the process of that pid which had begun last before
 * `start_ns`; one that the shim did not see is added. HOOK_OTHER, MUSTER_E_RESOURCE.
 */
int hook_read(struct watched *all, struct muster_str text, uint64_t start_ns);

#endif
