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
static int read_more(struct reader *reader, int *ret_sys)
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

/* A row may be several lines. */
static uint64_t count_lines(const struct reader *reader, size_t next)
{
        uint64_t n = 0;

        if (!reader->delimiter)
                return 1;
        for (size_t i = reader->at; i < next; i++)
                n += reader->buf.at[i] == '\n';
        return n + (next == reader->at || reader->buf.at[next - 1] != '\n');
}

static struct muster_str take_line(struct reader *reader, size_t end, size_t next)
{
        struct muster_str line = { reader->buf.at + reader->at, end - reader->at };

        reader->line = reader->n_lines + 1;
        reader->n_lines += count_lines(reader, next);
        reader->at = reader->scanned = next;
        reader->place = READER_AT_FIELD;
        if (line.len && line.at[line.len - 1] == '\r')
                line.len--;
        return line;
}

/* Is this byte the end of the row? */
static bool ends_row(struct reader *reader, char c)
{
        switch (reader->place) {
        case READER_AT_FIELD:
                if (c == '"') {
                        reader->place = READER_IN_QUOTES;
                        return false;
                }
                break;
        case READER_IN_FIELD:
                break;
        case READER_IN_QUOTES:
                if (c == '"')
                        reader->place = READER_BEHIND_QUOTE;
                return false;
        case READER_BEHIND_QUOTE:
                if (c == '"') {
                        reader->place = READER_IN_QUOTES;
                        return false;
                }
                break;
        }
        reader->place = c == reader->delimiter ? READER_AT_FIELD : READER_IN_FIELD;
        return c == '\n';
}

/*
 * The place of the line end that ends the line or row, looking at no byte twice; buf.len: not there
 * yet.
 */
static size_t find_end(struct reader *reader)
{
        size_t n = reader->buf.len - reader->scanned;

        if (!reader->delimiter || reader->is_skipping) {
                const char *lf = n ? memchr(reader->buf.at + reader->scanned, '\n', n) : NULL;

                return lf ? (size_t)(lf - reader->buf.at) : reader->buf.len;
        }
        for (size_t i = reader->scanned; i < reader->buf.len; i++)
                if (ends_row(reader, reader->buf.at[i]))
                        return i;
        return reader->buf.len;
}

static bool find_line(struct reader *reader, struct muster_str *ret_line)
{
        size_t end = find_end(reader);

        if (end < reader->buf.len) {
                *ret_line = take_line(reader, end, end + 1);
                return true;
        }
        reader->scanned = reader->buf.len;
        if (!reader->has_ended || reader->at == reader->buf.len ||
                (reader->place == READER_IN_QUOTES && !reader->is_skipping))
                return false;
        *ret_line = take_line(reader, reader->buf.len, reader->buf.len);
        return true;
}

/*
 * A quote swallowed what follows: take the row's first line by itself, so that the others are read.
 */
static void take_first_line(struct reader *reader, struct muster_str *ret_line)
{
        const char *lf = memchr(reader->buf.at + reader->at, '\n', reader->buf.len - reader->at);
        size_t end = lf ? (size_t)(lf - reader->buf.at) : reader->buf.len;

        *ret_line = take_line(reader, end, lf ? end + 1 : end);
}

/* False: more has to be read to know whether a byte order mark is there. */
static bool skip_mark(struct reader *reader)
{
        static const char mark[] = "\xef\xbb\xbf";
        size_t n = reader->buf.len < 3 ? reader->buf.len : 3;

        if (reader->has_begun)
                return true;
        if (n < 3 && !reader->has_ended && (!n || memcmp(reader->buf.at, mark, n) == 0))
                return false;
        reader->has_begun = true;
        if (n == 3 && memcmp(reader->buf.at, mark, 3) == 0)
                reader->at = reader->scanned = 3;
        return true;
}

static void drop_all(struct reader *reader)
{
        reader->buf.len = reader->at = reader->scanned = 0;
}

static int too_long(struct reader *reader)
{
        drop_all(reader);
        reader->is_skipping = true;
        reader->place = READER_AT_FIELD;
        reader->line = ++reader->n_lines;
        return READER_TOO_LONG;
}

/* What is there has no end: is that all that will be said of it? 0: read on. */
static int without_end(struct reader *reader, struct muster_str *ret_line)
{
        bool is_too_long = reader->buf.len - reader->at > LINE_BYTES_MAX;
        bool is_quoted = reader->place == READER_IN_QUOTES;

        if (reader->is_skipping) {
                drop_all(reader);
        } else if (is_quoted && (is_too_long || reader->has_ended)) {
                take_first_line(reader, ret_line);
                return READER_QUOTED;
        } else if (is_too_long) {
                return too_long(reader);
        }
        return reader->has_ended ? READER_END : 0;
}

int reader_next(struct reader *reader, struct muster_str *ret_line, int *ret_sys)
{
        for (;;) {
                int r = 0;

                if (skip_mark(reader)) {
                        if (find_line(reader, ret_line)) {
                                if (!reader->is_skipping)
                                        return 0;
                                reader->is_skipping = false;
                                reader->n_lines--;
                                continue;
                        }
                        r = without_end(reader, ret_line);
                }
                if (r == 0)
                        r = read_more(reader, ret_sys);
                if (r != 0)
                        return r;
        }
}
