/* SPDX-License-Identifier: MIT */
#include "output.h"

#include "../option/standard.h"
#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char *name_of(const struct output *output)
{
        return output->path ? output->path : "standard output";
}

/* --- opening --------------------------------------------------------------------------------- */

/* A new file, or one as it is. */
static int open_file(struct output *output, enum output_way way)
{
        int flags = (way == OUTPUT_GO_ON ? O_RDWR : O_WRONLY) | O_CREAT | O_CLOEXEC;
        int fd = open(output->path, flags | O_EXCL, 0666);

        output->is_new = fd >= 0;
        return fd >= 0 ? fd : open(output->path, flags, 0666);
}

static int fail_to_open(const struct output *output, int sys, struct muster_error *error)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                "cannot write to %s: %s", output->path, strerrordesc_np(sys));
}

/* A run that ends may have put another file in its place since it was opened. */
static bool is_still_there(const struct output *output, const struct stat *opened)
{
        struct stat named;

        return stat(output->path, &named) < 0 ||
               (named.st_dev == opened->st_dev && named.st_ino == opened->st_ino);
}

/* Where a file system has no locks there is none. */
static int lock_file(const struct output *output, const struct stat *opened,
        struct muster_error *error)
{
        if ((flock(output->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
                is_still_there(output, opened))
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, EWOULDBLOCK,
                "another run of muster is writing to %s; wait for its end, or write to another file",
                output->path);
}

/* Does it end in the middle of a line? Who may not read it cannot tell. */
static bool ends_torn(const char *path, off_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        char last = '\n';

        if (fd < 0)
                return false;
        (void)!pread(fd, &last, 1, size - 1);
        close(fd);
        return last != '\n';
}

void output_go_on(struct output *output, uint64_t begin_at)
{
        output->begin_at = output->n_bytes = output->whole_at = begin_at;
}

/* Lines go behind what is there. */
static int begin_behind(struct output *output, off_t size, struct muster_error *error)
{
        if (!output->format && ends_torn(output->path, size))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_DELIVER, 0,
                        "--append: the last line of %s is not whole; --resume goes on with the run that wrote it, or write to another file",
                        output->path);
        output_go_on(output, (uint64_t)size);
        return 0;
}

/* It has something, which is somebody's work. */
static int meet_old(struct output *output, off_t size, enum output_way way,
        struct muster_error *error)
{
        switch (way) {
        case OUTPUT_NEW:
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_DELIVER, 0,
                        "%s is there and not empty; --resume goes on with that run, --append adds to it, --force replaces it",
                        output->path);
        case OUTPUT_REPLACE:
        case OUTPUT_GO_ON:
                return 0;
        case OUTPUT_APPEND:
                return begin_behind(output, size, error);
        }
        return 0;
}

int output_open(struct output *output, const char *path, enum output_way way,
        const struct write_out *borrow_format, struct muster_error *error)
{
        struct stat status = { 0 };
        int r;

        *output = (struct output){ .fd = STDOUT_FILENO, .format = borrow_format };
        if (path && !path_is_standard(path)) {
                output->path = path;
                output->fd = open_file(output, way);
        }
        if (output->fd < 0)
                return fail_to_open(output, errno, error);
        if (!output->path && (fcntl(output->fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, EBADF,
                        "standard output is closed, and results go there; give a file with -o FILE");
        channel_open(&output->channel, output->fd);
        output->is_terminal = isatty(output->fd);
        output->is_file =
                output->path && fstat(output->fd, &status) == 0 && S_ISREG(status.st_mode);
        if (!output->is_file)
                return 0;
        r = lock_file(output, &status, error);
        return r == 0 && status.st_size ? meet_old(output, status.st_size, way, error) : r;
}

enum muster_output output_kind(const struct output *output)
{
        struct stat status;

        if (fstat(output->fd, &status) < 0)
                return MUSTER_OUTPUT_UNKNOWN;
        switch (status.st_mode & S_IFMT) {
        case S_IFREG:
        case S_IFBLK:
                return MUSTER_OUTPUT_FILE;
        case S_IFIFO:
                return MUSTER_OUTPUT_PIPE;
        case S_IFSOCK:
                return MUSTER_OUTPUT_SOCKET;
        }
        if (output->is_terminal)
                return MUSTER_OUTPUT_TERMINAL;
        /* /dev/null: Documentation/admin-guide/devices.txt */
        return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3) ? MUSTER_OUTPUT_NONE
                                                                          : MUSTER_OUTPUT_DEVICE;
}

/* --- writing --------------------------------------------------------------------------------- */

/* What is to go of what the file had goes; an errno, or 0. */
static int begin_file(struct output *output)
{
        if (output->is_begun)
                return 0;
        output->is_begun = true;
        if (!output->is_file)
                return 0;
        return ftruncate(output->fd, (off_t)output->begin_at) < 0 ||
                               lseek(output->fd, (off_t)output->begin_at, SEEK_SET) < 0
                       ? errno
                       : 0;
}

static int fail_to_sync(const struct output *output, int sys, struct muster_error *error)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                "cannot bring %s to the disk (--sync): %s", name_of(output), strerrordesc_np(sys));
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

/* Lines that end in the first `n` bytes of the buffer are results that were written. */
static void note_lines(struct output *output, size_t n)
{
        const char *begin = output->buf.at, *end = begin + n;

        for (const char *at = begin; (at = memchr(at, '\n', (size_t)(end - at))); at++) {
                output->n_written++;
                output->whole_at = output->n_bytes + (uint64_t)(at + 1 - begin);
        }
}

/* The first `n` bytes of the buffer are written. */
static void note_written(struct output *output, size_t n)
{
        if (n) /* else there may be no buffer */
                note_lines(output, n);
        output->n_bytes += n;
        buf_drop_front(&output->buf, n);
        if (output->buf.len)
                return;
        output->n_written = output->n_added;
        output->whole_at = output->n_bytes;
}

/* No more can be written: let there be no half line. */
static int give_up(struct output *output, int sys, struct muster_error *error)
{
        if (output->is_file)
                (void)!ftruncate(output->fd, (off_t)output->whole_at);
        return fail_to_write(output, sys, error);
}

static int write_out_all(struct output *output, bool waits, struct muster_error *error)
{
        size_t at = 0;
        int sys = output->buf.len ? begin_file(output) : 0, r = 0;

        if (sys)
                return fail_to_write(output, sys, error);
        while (r == 0 && at < output->buf.len) {
                ssize_t n =
                        channel_write(&output->channel, output->buf.at + at, output->buf.len - at);

                sys = errno;
                if (n >= 0)
                        at += (size_t)n;
                else if (sys == EAGAIN && !waits)
                        r = OUTPUT_STALLS;
                else if (sys == EAGAIN)
                        (void)channel_has_room(&output->channel, true);
                else if (sys != EINTR)
                        r = MUSTER_E_RESOURCE;
        }
        note_written(output, at);
        if (r < 0)
                return give_up(output, sys, error);
        sys = at ? sync_written(&output->sync) : 0;
        return sys ? fail_to_sync(output, sys, error) : r;
}

int output_flush(struct output *output, struct muster_error *error)
{
        return write_out_all(output, true, error);
}

int output_offer(struct output *output, struct muster_error *error)
{
        return write_out_all(output, false, error);
}

int output_check_reader(const struct output *output, struct muster_error *error)
{
        return channel_is_left(&output->channel) ? fail_to_write(output, EPIPE, error) : 0;
}

bool output_is_full(const struct output *output)
{
        return output->buf.len >= OUTPUT_FLUSH_BYTES;
}

int output_begin(struct output *output, struct muster_error *error)
{
        int sys = begin_file(output);

        return sys ? fail_to_write(output, sys, error) : 0;
}

int output_add(struct output *output, const struct result_line *line, struct muster_error *error)
{
        int r = output->format ? write_out_add(&output->buf, output->format, line)
                               : result_line_add(&output->buf, line);

        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_DELIVER);
        output->n_added++;
        return output_is_full(output) ? OUTPUT_FULL : 0;
}

int output_close(struct output *output, const char *folder, struct muster_error *error)
{
        int r = output_flush(output, error);

        if (r == 0)
                r = output_begin(output, error);
        if (r == 0) {
                int sys = sync_end(&output->sync, folder);

                r = sys ? fail_to_sync(output, sys, error) : 0;
        }
        sync_deinit(&output->sync);
        channel_close(&output->channel);
        if (output->path && close(output->fd) < 0 && r == 0)
                r = fail_to_write(output, errno, error);
        output->fd = -1;
        buf_deinit(&output->buf);
        return r;
}

void output_abandon(struct output *output)
{
        sync_deinit(&output->sync);
        channel_close(&output->channel);
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
