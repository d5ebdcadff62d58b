/* SPDX-License-Identifier: MIT */
/*
 * How often this program was stopped (Ctrl-Z, SIGSTOP) and went on
 *
 * A program cannot see that it is stopped, but SIGCONT tells that it goes on.
 */
#ifndef CLI_STOPS_H
#define CLI_STOPS_H

/* Count from now on. */
void stops_begin(void);

unsigned stops_count(void);

#endif
