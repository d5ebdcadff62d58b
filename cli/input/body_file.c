/* SPDX-License-Identifier: MIT */
#include "body_file.h"

#include "../option/standard.h"
#include <base/error.h>
#include <base/file.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)

static int fail_to_read(const char *path, int sys, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, sys, "cannot read %s: %s", path,
                strerrordesc_np(sys));
}

static int read_all(int fd, const char *path, struct buf *to, struct muster_error *error)
{
        for (;;) {
                ssize_t n;

                if (buf_reserve(to, READ_BYTES) < 0)
                        return error_set_memory(error, MUSTER_PHASE_QUEUE);
                n = read(fd, to->at + to->len, READ_BYTES);
                if (n == 0)
                        return 0;
                if (n > 0)
                        to->len += (size_t)n;
                else if (errno != EINTR)
                        return fail_to_read(path, errno, error);
        }
}

int file_read(const char *path, struct buf *to, struct muster_error *error)
{
        int fd, r;

        if (path_is_standard(path))
                return read_all(STDIN_FILENO, "standard input", to, error);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return fail_to_read(path, errno, error);
        r = read_all(fd, path, to, error);
        close(fd);
        return r;
}

/* Its bytes are somebody else's: the list's, or those of an option that names it. */
static bool is_standard_input(const char *path, const struct stat *status)
{
        struct stat standard;

        if (path_is_standard(path))
                return true;
        return !S_ISREG(status->st_mode) && fstat(STDIN_FILENO, &standard) == 0 &&
               standard.st_dev == status->st_dev && standard.st_ino == status->st_ino;
}

static int refuse(struct muster_error *error, const char *path, const char *kind,
        const char *advice)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "cannot send %s: it is %s; %s", path, kind, advice);
}

int body_file_check(const char *path, bool takes_pipe, struct muster_error *error)
{
        struct stat status = { 0 };

        if (!path_is_standard(path) && stat(path, &status) < 0)
                return fail_to_read(path, errno, error);
        if (is_standard_input(path, &status))
                return refuse(error, path, "standard input",
                        "a line can name only files (-T - sends standard input)");
        if (S_ISDIR(status.st_mode))
                return fail_to_read(path, EISDIR, error);
        if (!S_ISREG(status.st_mode) && !takes_pipe)
                return refuse(error, path, file_kind(status.st_mode),
                        "put the bytes into a file, or allow such bodies with --body-pipes");
        return access(path, R_OK) < 0 ? fail_to_read(path, errno, error) : 0;
}

int body_from_file(struct muster_request *request, const char *path, bool takes_pipe,
        struct muster_error *error)
{
        int r = body_file_check(path, takes_pipe, error);

        if (r < 0)
                return r;
        r = takes_pipe ? muster_request_set_body_pipe(request, path)
                       : muster_request_set_body_file(request, path);
        return r < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE) : 0;
}
