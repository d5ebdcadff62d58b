/* SPDX-License-Identifier: MIT */
#include "rewrite.h"

#include "../output/sync.h"
#include "by_number.h"
#include "old_line.h"
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (256 * 1024)

/* The line that stays for a number. */
struct kept {
        uint64_t at, len; /* in the file, with its end; len 0: none yet */
        bool is_result;
};

struct rewrite {
        int from, to;
        struct by_number table; /* of struct kept, by number */
        struct kept *kept;      /* the same in the order to be written */
        size_t n_kept;
        struct buf buf;
        char path[PATH_MAX], temporary[PATH_MAX];
};

/* --- which lines ----------------------------------------------------------------------------- */

/* The last one, but a cancelled request's never takes the place of a result. */
static int note_line(struct rewrite *rewrite, struct muster_str text, uint64_t at)
{
        struct old_line line;
        struct kept *kept;
        bool is_result;

        if (!old_line_read(&line, text, false))
                return EBADMSG; /* somebody else wrote to it meanwhile */
        kept = by_number_get(&rewrite->table, line.n);
        if (!kept)
                return ENOMEM;
        is_result = line.kind != OLD_CANCELLED;
        if (kept->len && kept->is_result && !is_result)
                return 0;
        rewrite->n_kept += !kept->len;
        *kept = (struct kept){ at, text.len + 1, is_result };
        return 0;
}

/* The whole lines of the buffer, which begins at `at` in the file; what is left stays in it. */
static int note_lines(struct rewrite *rewrite, uint64_t *at)
{
        struct muster_str rest = buf_str(&rewrite->buf);
        const char *end;
        int sys = 0;

        while (!sys && rest.len && (end = memchr(rest.at, '\n', rest.len))) {
                struct muster_str line = { rest.at, (size_t)(end - rest.at) };

                sys = note_line(rewrite, line, *at);
                *at += line.len + 1;
                rest.at += line.len + 1;
                rest.len -= line.len + 1;
        }
        buf_drop_front(&rewrite->buf, rewrite->buf.len - rest.len);
        return sys;
}

static int find_lines(struct rewrite *rewrite)
{
        uint64_t at = 0, read_at = 0;
        int sys = 0;

        while (!sys) {
                ssize_t n;

                if (buf_reserve(&rewrite->buf, BLOCK_BYTES) < 0)
                        return ENOMEM;
                n = pread(rewrite->from, rewrite->buf.at + rewrite->buf.len, BLOCK_BYTES,
                        (off_t)read_at);
                if (n == 0)
                        return rewrite->buf.len ? EBADMSG : 0;
                if (n < 0 && errno != EINTR)
                        return errno;
                rewrite->buf.len += n > 0 ? (size_t)n : 0;
                read_at += n > 0 ? (uint64_t)n : 0;
                sys = note_lines(rewrite, &at);
        }
        return sys;
}

static int compare_places(const void *a, const void *b)
{
        const struct kept *one = a, *other = b;

        return one->at < other->at ? -1 : one->at > other->at;
}

static int order_lines(struct rewrite *rewrite, bool is_in_order)
{
        const struct kept *kept;
        size_t n = 0;

        rewrite->kept = mem_array(rewrite->n_kept ? rewrite->n_kept : 1, sizeof(struct kept));
        if (!rewrite->kept)
                return ENOMEM;
        for (uint64_t i = 1; (kept = by_number_next(&rewrite->table, &i)); i++)
                if (kept->len)
                        rewrite->kept[n++] = *kept;
        if (!is_in_order)
                qsort(rewrite->kept, n, sizeof(struct kept), compare_places);
        return 0;
}

/* --- writing --------------------------------------------------------------------------------- */

static int write_all(int fd, const char *at, size_t len)
{
        while (len) {
                ssize_t n = write(fd, at, len);

                if (n < 0 && errno != EINTR)
                        return errno;
                at += n > 0 ? n : 0;
                len -= n > 0 ? (size_t)n : 0;
        }
        return 0;
}

static int copy_piece(struct rewrite *rewrite, uint64_t at, uint64_t len)
{
        while (len) {
                size_t size = len < BLOCK_BYTES ? (size_t)len : BLOCK_BYTES;
                ssize_t n = pread(rewrite->from, rewrite->buf.at, size, (off_t)at);
                int sys;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? errno : EBADMSG;
                sys = write_all(rewrite->to, rewrite->buf.at, (size_t)n);
                if (sys)
                        return sys;
                at += (uint64_t)n;
                len -= (uint64_t)n;
        }
        return 0;
}

/* Lines that stand one behind the other go in one piece. */
static int copy_lines(struct rewrite *rewrite)
{
        int sys = 0;

        rewrite->buf.len = 0;
        if (buf_reserve(&rewrite->buf, BLOCK_BYTES) < 0)
                return ENOMEM;
        for (size_t i = 0; !sys && i < rewrite->n_kept;) {
                uint64_t at = rewrite->kept[i].at, end = at;

                while (i < rewrite->n_kept && rewrite->kept[i].at == end)
                        end += rewrite->kept[i++].len;
                sys = copy_piece(rewrite, at, end - at);
        }
        return sys;
}

/* A link stays one: its target is replaced. */
static int name_files(struct rewrite *rewrite, const char *path)
{
        char folder[PATH_MAX], name[PATH_MAX];
        int n;

        if (!realpath(path, rewrite->path))
                return errno;
        memcpy(folder, rewrite->path, sizeof(folder));
        memcpy(name, rewrite->path, sizeof(name));
        n = snprintf(rewrite->temporary, sizeof(rewrite->temporary), "%s/.%s.muster",
                dirname(folder), basename(name));
        return n < PATH_MAX ? 0 : ENAMETOOLONG;
}

/* As the old one in all but its lines; with a lock, as whoever waits for the old one's may come. */
static int make_file(struct rewrite *rewrite)
{
        struct stat old;

        if (fstat(rewrite->from, &old) < 0)
                return errno;
        unlink(rewrite->temporary); /* of a run that was killed */
        rewrite->to = open(rewrite->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (rewrite->to < 0)
                return errno;
        (void)flock(rewrite->to, LOCK_EX | LOCK_NB);
        (void)!fchown(rewrite->to, old.st_uid, old.st_gid);
        return fchmod(rewrite->to, old.st_mode & 07777) < 0 ? errno : 0;
}

static int put_in_place(struct rewrite *rewrite)
{
        int sys = fsync(rewrite->to) < 0 ? errno : 0;

        if (!sys && rename(rewrite->temporary, rewrite->path) < 0)
                sys = errno;
        if (!sys)
                sync_name(rewrite->path);
        return sys;
}

static int write_file(struct rewrite *rewrite)
{
        int sys = make_file(rewrite);

        if (!sys)
                sys = copy_lines(rewrite);
        if (!sys)
                sys = put_in_place(rewrite);
        if (rewrite->to >= 0)
                close(rewrite->to);
        if (sys && rewrite->to >= 0)
                unlink(rewrite->temporary);
        return sys;
}

int rewrite_output(const char *path, int fd, bool is_in_order, struct muster_error *error)
{
        struct rewrite *rewrite = mem_zalloc(sizeof(*rewrite));
        int sys;

        if (!rewrite)
                return error_set_memory(error, MUSTER_PHASE_DELIVER);
        rewrite->from = fd;
        rewrite->to = -1;
        rewrite->table.size = sizeof(struct kept);
        sys = name_files(rewrite, path);
        if (!sys)
                sys = find_lines(rewrite);
        if (!sys)
                sys = order_lines(rewrite, is_in_order);
        if (!sys)
                sys = write_file(rewrite);
        by_number_deinit(&rewrite->table);
        mem_free(rewrite->kept);
        buf_deinit(&rewrite->buf);
        mem_free(rewrite);
        if (!sys)
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                "cannot leave out the lines of %s that count no more: %s; it has all results, and the next run with --resume leaves them out",
                path, strerrordesc_np(sys));
}
