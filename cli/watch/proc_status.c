/* SPDX-License-Identifier: MIT */
#include "proc_status.h"

#include <base/fd.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number in its line, which begins with this text. */
static pid_t number_behind(pid_t pid, const char *line)
{
        char path[40], text[1024];
        const char *at;
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
        fd_close(&fd);
        if (n <= 0)
                return 0;
        text[n] = '\0';
        at = strstr(text, line);
        return at ? (pid_t)strtol(at + strlen(line), NULL, 10) : 0;
}

pid_t proc_parent_of(pid_t pid)
{
        return number_behind(pid, "\nPPid:");
}

pid_t proc_process_of(pid_t tid)
{
        return number_behind(tid, "\nTgid:");
}
