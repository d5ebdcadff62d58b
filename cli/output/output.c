/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static const char *name_of(const struct output *output)
{
        return output->path ? output->path : "standard output";
}

int output_open(struct output *output, const char *path, struct muster_error *error)
{
        *output = (struct output){ .fd = STDOUT_FILENO };
        if (path && strcmp(path, "-") != 0) {
                output->path = path;
                output->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        }
        if (output->fd < 0)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, errno,
                                 "cannot write to %s: %s", path, strerrordesc_np(errno));
        output->is_terminal = isatty(output->fd);
        return 0;
}

static int fail(const struct output *output, int sys, struct muster_error *error)
{
        if (sys == EPIPE)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                                 "whoever read %s has closed it; %llu results were written before",
                                 name_of(output), (unsigned long long)output->n_written);
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                         "cannot write to %s: %s; %llu results were written before",
                         name_of(output), strerrordesc_np(sys),
                         (unsigned long long)output->n_written);
}

/* How many whole lines are in what was written last. */
static uint64_t count_lines(const char *at, size_t len)
{
        uint64_t n = 0;

        for (const char *end = at + len; (at = memchr(at, '\n', (size_t)(end - at))); at++)
                n++;
        return n;
}

int output_flush(struct output *output, struct muster_error *error)
{
        size_t at = 0;

        while (at < output->buf.len) {
                ssize_t n = write(output->fd, output->buf.at + at, output->buf.len - at);
                struct pollfd room = { .fd = output->fd, .events = POLLOUT };

                if (n < 0 && errno == EAGAIN) {
                        poll(&room, 1, -1); /* somebody made the descriptor non-blocking */
                } else if (n < 0 && errno != EINTR) {
                        return fail(output, errno, error);
                } else if (n > 0) {
                        output->n_written += count_lines(output->buf.at + at, (size_t)n);
                        at += (size_t)n;
                }
        }
        output->buf.len = 0;
        return 0;
}

int output_add(struct output *output, const struct result_line *line, struct muster_error *error)
{
        if (result_line_add(&output->buf, line) < 0)
                return error_set_memory(error, MUSTER_PHASE_DELIVER);
        output->n_added++;
        return output->buf.len >= OUTPUT_FLUSH_BYTES ? OUTPUT_FULL : 0;
}

int output_close(struct output *output, struct muster_error *error)
{
        int r = output_flush(output, error);

        if (output->path && close(output->fd) < 0 && r == 0)
                r = fail(output, errno, error);
        buf_deinit(&output->buf);
        return r;
}

int output_end_page(struct muster_error *error)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, errno,
                         "cannot write to standard output: %s", strerrordesc_np(errno));
}
