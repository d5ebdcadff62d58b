/* SPDX-License-Identifier: MIT */
/*
 * A jar from a file, and into one
 *
 * Cookies are as good as passwords: a new file is its owner's alone, and one that is replaced keeps
 * its mode.
 */
#include "jar.h"

#include <base/error.h>
#include <base/file.h>
#include <errno.h>
#include <fcntl.h>
#include <http/cookie_file.h>
#include <muster/cookie.h>
#include <sys/stat.h>
#include <unistd.h>

/* larger than a full jar of usual cookies by a hundred times; more is another file */
#define FILE_BYTES_MAX (256u * 1024 * 1024)

/* --- reading --------------------------------------------------------------------------------- */

static int cannot(struct muster_error *error, enum muster_code code, const char *what,
        const char *path, int sys)
{
        return error_set(error, code, MUSTER_PHASE_QUEUE, sys, "%s: cannot %s %s: %s",
                muster_code_name(code), what, path, error_sys_text(sys));
}

int muster_jar_read(struct muster_jar *jar, const char *text, size_t size,
        struct muster_error *error)
{
        struct cookie_jar *cookies;
        size_t n_skipped = 0;
        int r;

        if (error)
                error_clear(error);
        if (!jar || (!text && size))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: no jar, or no text to read cookies from");
        cookies = jar_lock_to_change(jar);
        if (!cookies)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        r = cookie_file_read(cookies, (struct muster_str){ text, size }, jar_now_s(), &n_skipped);
        jar_unlock(jar);
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (!n_skipped)
                return 0;
        error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: %zu line%s no cookie in Netscape format, such as curl writes, and %s skipped",
                n_skipped, n_skipped == 1 ? " is" : "s are", n_skipped == 1 ? "was" : "were");
        return MUSTER_LINES_SKIPPED;
}

int muster_jar_load(struct muster_jar *jar, const char *path, struct muster_error *error)
{
        struct buf text = { 0 };
        int r;

        if (error)
                error_clear(error);
        if (!jar || !path || !*path)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: no jar, or no path of a cookie file");
        r = file_load(path, FILE_BYTES_MAX, &text, error);
        if (r == FILE_NONE)
                r = cannot(error, MUSTER_E_INPUT, "open", path, ENOENT);
        else if (r == 0)
                r = muster_jar_read(jar, text.at, text.len, error);
        buf_deinit(&text);
        return r;
}

/* --- writing --------------------------------------------------------------------------------- */

static int write_all(int fd, struct muster_str text)
{
        while (text.len) {
                ssize_t n = write(fd, text.at, text.len);

                if (n < 0 && errno != EINTR)
                        return errno;
                if (n > 0)
                        text = (struct muster_str){ text.at + n, text.len - (size_t)n };
        }
        return 0;
}

/* What is no regular file, such as a pipe, cannot be replaced. */
static int write_in_place(const char *path, struct muster_str text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC), sys;

        if (fd < 0)
                return errno;
        sys = write_all(fd, text);
        return close(fd) < 0 && !sys ? errno : sys;
}

static int write_file(const char *path, struct muster_str text, struct muster_error *error)
{
        struct stat status;
        bool is_there = stat(path, &status) == 0;
        int sys;

        if (!is_there || S_ISREG(status.st_mode))
                return file_replace(path, text, is_there ? status.st_mode & 0777 : 0600, error);
        sys = write_in_place(path, text);
        return sys ? cannot(error, MUSTER_E_RESOURCE, "write", path, sys) : 0;
}

int muster_jar_save(struct muster_jar *jar, const char *path, struct muster_error *error)
{
        struct muster_cookies *cookies;
        int r;

        if (error)
                error_clear(error);
        if (!jar || !path || !*path)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: no jar, or no path of a cookie file");
        cookies = muster_cookies_new(jar);
        if (!cookies)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        r = write_file(path, muster_cookies_text(cookies), error);
        muster_cookies_free(cookies);
        return r;
}
