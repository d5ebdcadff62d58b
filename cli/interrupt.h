/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C: the first one is counted and wakes the client, the second one ends the program at once
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <muster/client.h>

/*
 * Catch SIGINT, SIGTERM and SIGHUP (unless that is ignored) for this client from now on, and ignore
 * SIGPIPE. NULL: they are only counted.
 */
void interrupt_begin(struct muster_client *client);

/* As it was before; the client may be freed then. */
void interrupt_end(void);

/* Has there been one? */
bool interrupt_has_come(void);

/* What the first one was, as people call it; a constant. */
const char *interrupt_name(void);

#endif
