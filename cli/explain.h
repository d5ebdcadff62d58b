/* SPDX-License-Identifier: MIT */
/*
 * muster explain: from a record to why it took so long
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "exit_status.h"

/* The arguments behind "explain". Returns an exit status. */
int explain_main(int argc, char **argv);

#endif
