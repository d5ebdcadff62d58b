/* SPDX-License-Identifier: MIT */
#include "body_file.h"

#include "../option/standard.h"
#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
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

int body_from_file(struct muster_request *request, const char *path, struct muster_error *error)
{
        struct buf body = { 0 };
        int r;

        /* Looked at now, so that the line with the mistake is told; read when it is sent. */
        if (!path_is_standard(path)) {
                if (access(path, R_OK) < 0)
                        return fail_to_read(path, errno, error);
                r = muster_request_set_body_file(request, path);
                return r < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE) : 0;
        }
        r = file_read(path, &body, error);
        if (r == 0)
                r = muster_request_set_body(request, body.at ? body.at : "", body.len);
        buf_deinit(&body);
        return r == MUSTER_E_RESOURCE ? error_set_memory(error, MUSTER_PHASE_QUEUE) : r;
}
