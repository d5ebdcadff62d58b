/* SPDX-License-Identifier: MIT */
#include "file.h"

#include "error.h"
#include "fd.h"
#include "mem.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE_BYTES (64 * 1024)

static int fail(struct muster_error *error, enum muster_code code, const char *what,
        const char *path, int sys)
{
        return error_set(error, code, MUSTER_PHASE_QUEUE, sys, "%s: cannot %s %s: %s",
                muster_code_name(code), what, path, error_sys_text(sys));
}

/* --- opening --------------------------------------------------------------------------------- */

const char *file_kind(mode_t mode)
{
        switch (mode & S_IFMT) {
        case S_IFDIR:
                return "a directory";
        case S_IFIFO:
                return "a pipe";
        case S_IFSOCK:
                return "a socket";
        case S_IFCHR:
        case S_IFBLK:
                return "a device";
        }
        return "not a regular file";
}

static int check_kind(mode_t mode, bool takes_odd)
{
        if (S_ISDIR(mode))
                return -EISDIR;
        return S_ISREG(mode) || takes_odd ? 0 : FILE_IS_ODD;
}

/* It is looked at before, as opening a device may already do something to it. */
int file_open(const char *path, bool takes_odd, int *ret_fd, struct stat *ret_status)
{
        int r = stat(path, ret_status) < 0 ? -errno : check_kind(ret_status->st_mode, takes_odd);
        int fd;

        if (r != 0)
                return r;
        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = fstat(fd, ret_status) < 0 ? -errno : check_kind(ret_status->st_mode, takes_odd);
        if (r != 0)
                fd_close(&fd);
        else
                *ret_fd = fd;
        return r;
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_all(int fd, const char *path, size_t max_bytes, struct buf *to,
        struct muster_error *error)
{
        size_t before = to->len;

        for (;;) {
                ssize_t n;

                if (buf_reserve(to, PIECE_BYTES) < 0)
                        return error_set_memory(error, MUSTER_PHASE_QUEUE);
                n = read(fd, to->at + to->len, PIECE_BYTES);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return fail(error, MUSTER_E_INPUT, "read", path, errno);
                if (n == 0)
                        return 0;
                to->len += (size_t)n;
                if (to->len - before > max_bytes)
                        return error_set(error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_QUEUE, 0,
                                "too_large: %s has more than %zu bytes, so it is not the file that is meant",
                                path, max_bytes);
        }
}

int file_load(const char *path, size_t max_bytes, struct buf *to, struct muster_error *error)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC), r;

        assert(max_bytes > 0);
        if (fd < 0 && errno == ENOENT)
                return FILE_NONE;
        if (fd < 0)
                return fail(error, MUSTER_E_INPUT, "open", path, errno);
        r = read_all(fd, path, max_bytes, to, error);
        fd_close(&fd);
        return r;
}

/* --- writing --------------------------------------------------------------------------------- */

/* The file that is meant: a symbolic link is followed. The caller frees it. NULL: memory. */
static char *resolve_link(const char *path)
{
        char *target = realpath(path, NULL), *copy;

        if (!target)
                return mem_strdup(path);
        copy = mem_strdup(target);
        free(target); /* the C library's */
        return copy;
}

static bool write_all(int fd, struct muster_str bytes)
{
        while (bytes.len) {
                ssize_t n = write(fd, bytes.at, bytes.len);

                if (n < 0 && errno != EINTR)
                        return false;
                if (n > 0) {
                        bytes.at += n;
                        bytes.len -= (size_t)n;
                }
        }
        return true;
}

/* Write `temporary` and rename it. Returns errno, or 0. */
static int write_and_rename(int fd, const char *temporary, const char *path,
        struct muster_str bytes, mode_t mode)
{
        int sys = 0;

        if (fchmod(fd, mode) < 0 || !write_all(fd, bytes) || fsync(fd) < 0)
                sys = errno;
        if (close(fd) < 0 && !sys)
                sys = errno;
        if (!sys && rename(temporary, path) < 0)
                sys = errno;
        if (sys)
                unlink(temporary);
        return sys;
}

static int replace(const char *path, struct muster_str bytes, mode_t mode)
{
        struct buf temporary = { 0 };
        int fd, sys;

        if (buf_add_text(&temporary, path) < 0 || buf_add_text(&temporary, ".XXXXXX") < 0 ||
                buf_terminate(&temporary) < 0) {
                buf_deinit(&temporary);
                return ENOMEM;
        }
        fd = mkostemp(temporary.at, O_CLOEXEC); /* made with mode 0600 */
        sys = fd < 0 ? errno : write_and_rename(fd, temporary.at, path, bytes, mode);
        buf_deinit(&temporary);
        return sys;
}

int file_replace(const char *path, struct muster_str bytes, mode_t mode, struct muster_error *error)
{
        char *target = resolve_link(path);
        struct stat old;
        int sys = 0;

        if (!target)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (stat(target, &old) < 0)
                old.st_mode = S_IFREG | 0600;
        if (!S_ISREG(old.st_mode)) {
                mem_free(target);
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                        "resource: cannot write %s: it is not a regular file", path);
        }
        sys = replace(target, bytes, mode == FILE_MODE_AS_IS ? old.st_mode & 07777 : mode);
        mem_free(target);
        return sys ? fail(error, MUSTER_E_RESOURCE, "write", path, sys) : 0;
}
