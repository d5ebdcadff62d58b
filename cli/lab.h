/* SPDX-License-Identifier: MIT */
/*
 * muster lab: the server with adjustable conditions, and a command run against it
 */
#ifndef CLI_LAB_H
#define CLI_LAB_H

#include "exit_status.h"

/* The arguments behind "lab". Returns an exit status: COMMAND's where there is one. */
int lab_main(int argc, char **argv);

#endif
