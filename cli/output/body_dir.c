/* SPDX-License-Identifier: MIT */
#include "body_dir.h"

#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int body_dir_open(const char *path, int *ret_fd, struct muster_error *error)
{
        int fd;

        if (mkdir(path, 0777) < 0 && errno != EEXIST)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, errno,
                                 "cannot make the directory %s: %s", path, strerrordesc_np(errno));
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, errno,
                                 "cannot use the directory %s: %s", path, strerrordesc_np(errno));
        *ret_fd = fd;
        return 0;
}

static int write_all(int fd, struct muster_str body)
{
        while (body.len) {
                ssize_t n = write(fd, body.at, body.len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno;
                body.at += n;
                body.len -= (size_t)n;
        }
        return 0;
}

static int write_file(int dir_fd, const char *temporary, const char *name, struct muster_str body)
{
        int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        int sys;

        if (fd < 0)
                return errno;
        sys = write_all(fd, body);
        if (close(fd) < 0 && !sys)
                sys = errno;
        if (!sys && renameat(dir_fd, temporary, dir_fd, name) < 0)
                sys = errno;
        if (sys)
                unlinkat(dir_fd, temporary, 0);
        return sys;
}

int body_dir_write(int dir_fd, uint64_t n, struct muster_str body, char name[32],
                   struct muster_error *error)
{
        char temporary[40];
        int sys;

        snprintf(name, 32, "%06" PRIu64 ".body", n);
        snprintf(temporary, sizeof(temporary), ".%s.part", name);
        sys = write_file(dir_fd, temporary, name, body);
        if (sys)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                                 "resource: cannot write the body to %s: %s", name,
                                 strerrordesc_np(sys));
        return 0;
}
