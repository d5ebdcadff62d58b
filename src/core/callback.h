/* SPDX-License-Identifier: MIT */
/*
 * Code of the caller's that we call (process, pull and rewind functions) may not call us back
 *
 * It runs in the middle of our work, or beside it on a worker. What it must not do is answered with
 * MUSTER_E_INVALID rather than found out the hard way.
 */
#ifndef CORE_CALLBACK_H
#define CORE_CALLBACK_H

#include <stdbool.h>

/* Around each call, in the thread that makes it. */
void callback_enter(void);
void callback_leave(void);

/* Is this thread inside of one? */
bool callback_is_running(void);

#endif
