/* SPDX-License-Identifier: MIT */
#include "output.h"

#include "../option/standard.h"
#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name_of(const struct output *output)
{
        return output->path ? output->path : "standard output";
}

/* A new file, or one as it is. */
static int open_file(struct output *output)
{
        int fd = open(output->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

        output->is_new = fd >= 0;
        return fd >= 0 ? fd : open(output->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
}

int output_open(struct output *output, const char *path, const struct write_out *borrow_format,
        struct muster_error *error)
{
        struct stat status;

        *output = (struct output){ .fd = STDOUT_FILENO, .format = borrow_format };
        if (path && !path_is_standard(path)) {
                output->path = path;
                output->fd = open_file(output);
        }
        if (output->fd < 0)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, errno,
                        "cannot write to %s: %s", path, strerrordesc_np(errno));
        output->is_terminal = isatty(output->fd);
        output->is_file =
                output->path && fstat(output->fd, &status) == 0 && S_ISREG(status.st_mode);
        return 0;
}

bool output_is(const struct output *output, const char *path)
{
        struct stat ours, theirs;

        return output->is_file && fstat(output->fd, &ours) == 0 && stat(path, &theirs) == 0 &&
               ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* What the file had goes. */
static int empty_file(struct output *output)
{
        if (output->is_begun)
                return 0;
        output->is_begun = true;
        return output->is_file && ftruncate(output->fd, 0) < 0 ? errno : 0;
}

static int fail_to_write(const struct output *output, int sys, struct muster_error *error)
{
        if (sys == EPIPE)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                        "the reader of %s closed it; %llu results were written before",
                        name_of(output), (unsigned long long)output->n_written);
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                "cannot write to %s: %s; %llu results were written before", name_of(output),
                strerrordesc_np(sys), (unsigned long long)output->n_written);
}

/*
 * No more can be written than the first `n` bytes of the buffer: let there be no half line.
 */
static int give_up(struct output *output, size_t n, int sys, struct muster_error *error)
{
        const char *begin = output->buf.at, *end = begin + n;

        for (const char *at = begin; (at = memchr(at, '\n', (size_t)(end - at))); at++) {
                output->n_written++;
                output->whole_at = output->n_bytes + (uint64_t)(at + 1 - begin);
        }
        output->n_bytes += n;
        if (output->is_file)
                (void)!ftruncate(output->fd, (off_t)output->whole_at);
        return fail_to_write(output, sys, error);
}

int output_flush(struct output *output, struct muster_error *error)
{
        size_t at = 0;
        int sys = output->buf.len ? empty_file(output) : 0;

        if (sys)
                return fail_to_write(output, sys, error);
        while (at < output->buf.len) {
                ssize_t n = write(output->fd, output->buf.at + at, output->buf.len - at);
                struct pollfd room = { .fd = output->fd, .events = POLLOUT };

                if (n < 0 && errno == EAGAIN)
                        poll(&room, 1, -1); /* somebody made the descriptor non-blocking */
                else if (n < 0 && errno != EINTR)
                        return give_up(output, at, errno, error);
                else if (n > 0)
                        at += (size_t)n;
        }
        output->buf.len = 0;
        output->n_written = output->n_added;
        output->n_bytes += at;
        output->whole_at = output->n_bytes;
        return 0;
}

int output_add(struct output *output, const struct result_line *line, struct muster_error *error)
{
        int r = output->format ? write_out_add(&output->buf, output->format, line)
                               : result_line_add(&output->buf, line);

        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_DELIVER);
        output->n_added++;
        return output->buf.len >= OUTPUT_FLUSH_BYTES ? OUTPUT_FULL : 0;
}

int output_close(struct output *output, struct muster_error *error)
{
        int r = output_flush(output, error), sys = r == 0 ? empty_file(output) : 0;

        if (output->path && close(output->fd) < 0 && !sys)
                sys = errno;
        output->fd = -1;
        buf_deinit(&output->buf);
        return r == 0 && sys ? fail_to_write(output, sys, error) : r;
}

void output_abandon(struct output *output)
{
        if (output->path && output->fd >= 0) {
                if (output->is_new && !output->is_begun)
                        unlink(output->path);
                close(output->fd);
        }
        output->fd = -1;
        buf_deinit(&output->buf);
}

int output_end_page(struct muster_error *error)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, errno,
                "cannot write to standard output: %s", strerrordesc_np(errno));
}
