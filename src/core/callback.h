/* SPDX-License-Identifier: MIT */
/*
 * Guard: the caller's process, pull and rewind functions must not call us back
 *
 * They run in the middle of our work, or beside it on a worker. Calls that they must not make
 * return MUSTER_E_INVALID.
 */
#ifndef CORE_CALLBACK_H
#define CORE_CALLBACK_H

#include <stdbool.h>

/* Call these around each such function, in the same thread. */
void callback_enter(void);
void callback_leave(void);

/* Is this thread inside such a function? */
bool callback_is_running(void);

#endif
