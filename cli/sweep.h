/* SPDX-License-Identifier: MIT */
/*
 * muster sweep: throughput and latency against concurrency, and the limit to use
 */
#ifndef CLI_SWEEP_H
#define CLI_SWEEP_H

#include "exit_status.h"

/* The arguments behind "sweep". Returns an exit status. */
int sweep_main(int argc, char **argv);

#endif
