/* SPDX-License-Identifier: MIT */
/*
 * muster compare: the same requests one by one, by threads and by an event loop, honestly timed
 */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include "exit_status.h"

/* The arguments behind "compare". Returns an exit status. */
int compare_main(int argc, char **argv);

#endif
