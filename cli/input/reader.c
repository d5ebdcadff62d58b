/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)

void reader_init(struct reader *reader, int take_fd)
{
        struct stat status;

        *reader = (struct reader){ .fd = take_fd };
        if (fstat(take_fd, &status) == 0 && S_ISREG(status.st_mode)) {
                reader->is_regular = true;
                reader->bytes_total = (uint64_t)status.st_size;
        }
}

void reader_deinit(struct reader *reader)
{
        if (reader->fd > STDIN_FILENO)
                close(reader->fd);
        buf_deinit(&reader->buf);
        *reader = (struct reader){ .fd = -1, .has_ended = true };
}

/* Read some more behind what is there, after moving that to the front. */
static int fill(struct reader *reader, int *ret_sys)
{
        struct pollfd poll_fd = { .fd = reader->fd, .events = POLLIN };
        ssize_t n;

        if (!reader->is_regular && poll(&poll_fd, 1, 0) == 0)
                return READER_WAIT;
        buf_drop_front(&reader->buf, reader->at);
        reader->scanned -= reader->at;
        reader->at = 0;
        *ret_sys = ENOMEM;
        if (buf_reserve(&reader->buf, READ_BYTES) < 0)
                return MUSTER_E_INPUT;
        n = read(reader->fd, reader->buf.at + reader->buf.len, READ_BYTES);
        if (n < 0) {
                *ret_sys = errno;
                return errno == EINTR || errno == EAGAIN ? READER_WAIT : MUSTER_E_INPUT;
        }
        reader->has_ended = n == 0;
        reader->buf.len += (size_t)n;
        reader->bytes_read += (uint64_t)n;
        return 0;
}

static struct muster_str take(struct reader *reader, size_t end, size_t next)
{
        struct muster_str line = { reader->buf.at + reader->at, end - reader->at };

        reader->at = reader->scanned = next;
        reader->n_lines++;
        if (line.len && line.at[line.len - 1] == '\r')
                line.len--;
        return line;
}

static bool find_line(struct reader *reader, struct muster_str *ret_line)
{
        size_t n = reader->buf.len - reader->scanned;
        const char *lf = n ? memchr(reader->buf.at + reader->scanned, '\n', n) : NULL;

        if (lf) {
                size_t end = (size_t)(lf - reader->buf.at);

                *ret_line = take(reader, end, end + 1);
                return true;
        }
        reader->scanned = reader->buf.len;
        if (!reader->has_ended || reader->at == reader->buf.len)
                return false;
        *ret_line = take(reader, reader->buf.len, reader->buf.len);
        return true;
}

static void drop_all(struct reader *reader)
{
        reader->buf.len = reader->at = reader->scanned = 0;
}

int reader_next(struct reader *reader, struct muster_str *ret_line, int *ret_sys)
{
        for (;;) {
                int r;

                if (find_line(reader, ret_line)) {
                        if (!reader->is_skipping)
                                return 0;
                        reader->is_skipping = false;
                        reader->n_lines--;
                        continue;
                }
                if (reader->has_ended)
                        return READER_END;
                if (reader->is_skipping) {
                        drop_all(reader);
                } else if (reader->buf.len - reader->at > LINE_BYTES_MAX) {
                        drop_all(reader);
                        reader->is_skipping = true;
                        reader->n_lines++;
                        return READER_TOO_LONG;
                }
                r = fill(reader, ret_sys);
                if (r != 0)
                        return r;
        }
}
