/* SPDX-License-Identifier: MIT */
/*
 * Descriptors; -1 is none
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <unistd.h>

/* Close it if it is open, and set it to -1. */
static inline void fd_close(int *fd)
{
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}

#endif
