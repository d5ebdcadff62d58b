/* SPDX-License-Identifier: MIT */
/*
 * muster fetch: from a list of URLs to results
 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "exit_status.h"

/* The arguments behind "fetch". Returns an exit status. */
int fetch_main(int argc, char **argv);

#endif
