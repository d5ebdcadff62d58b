/* SPDX-License-Identifier: MIT */
#ifndef CLI_WATCH_PROC_STATUS_H
#define CLI_WATCH_PROC_STATUS_H

#include <sys/types.h>

/* Which processes and threads belong to which, as /proc/PID/status tells; 0: it is gone. */
pid_t proc_parent_of(pid_t pid);
pid_t proc_process_of(pid_t tid);

#endif
