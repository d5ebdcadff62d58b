/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <base/minmax.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_BYTES (1024 * 1024)
/* No moment or duration is beyond 73 years: sums of a few of them do not overflow. */
#define NS_MAX (UINT64_C(1) << 61)

/* --- the head -------------------------------------------------------------------------------- */

static void end_texts(struct watch_log *head)
{
        head->exe[sizeof(head->exe) - 1] = '\0';
        head->args[sizeof(head->args) - 1] = '\0';
        head->n_args_bytes = (uint32_t)min_size(head->n_args_bytes, sizeof(head->args) - 1);
}

static int judge_head(struct log *log, uint64_t size)
{
        struct watch_log *head = &log->head;
        uint64_t used = min_u64(head->used, head->capacity);

        if (memcmp(head->magic, WATCH_MAGIC, sizeof(head->magic)) != 0 ||
                head->version != WATCH_VERSION || head->header_size < sizeof(*head) ||
                head->header_size % 8 || head->header_size > size || head->start_ns > NS_MAX)
                return LOG_OTHER;
        end_texts(head);
        head->end_ns = min_u64(head->end_ns, NS_MAX);
        log->at = log->window_at = head->header_size;
        log->end = head->header_size + min_u64(used, size - head->header_size);
        log->is_torn = used > size - head->header_size;
        return 0;
}

/* As pread(), which may be interrupted, or reach the end of a file that was cut. */
static int read_bytes(const struct log *log, char *to, size_t n, uint64_t at, size_t *ret_n)
{
        size_t got = 0;

        if (log->fd < 0) {
                memcpy(to, log->bytes + at, n);
                *ret_n = n;
                return 0;
        }
        while (got < n) {
                ssize_t r = pread(log->fd, to + got, n - got, (off_t)(at + got));

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                if (r == 0)
                        break;
                got += (size_t)r;
        }
        *ret_n = got;
        return 0;
}

static int read_head(struct log *log, uint64_t size)
{
        size_t got = 0;
        int r;

        if (size < sizeof(log->head))
                return LOG_OTHER;
        r = read_bytes(log, (char *)&log->head, sizeof(log->head), 0, &got);
        if (r < 0)
                return r;
        return got == sizeof(log->head) ? judge_head(log, size) : LOG_OTHER;
}

int log_open(struct log *log, const char *path)
{
        struct stat status;
        int r;

        *log = (struct log){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) };
        if (log->fd < 0)
                return -errno;
        r = fstat(log->fd, &status) < 0 ? -errno : 0;
        if (r == 0)
                r = S_ISREG(status.st_mode) ? read_head(log, (uint64_t)status.st_size) : LOG_OTHER;
        if (r != 0)
                log_close(log);
        return r;
}

int log_open_bytes(struct log *log, struct muster_str bytes)
{
        *log = (struct log){ .fd = -1, .bytes = bytes.at };
        return read_head(log, bytes.len);
}

void log_close(struct log *log)
{
        if (log->fd >= 0)
                close(log->fd);
        buf_deinit(&log->window);
        *log = (struct log){ .fd = -1 };
}

/* --- events ---------------------------------------------------------------------------------- */

/* Copy the next bytes to the window, so that `n` of them are there. False: the file has no more. */
static int fill(struct log *log, size_t n, bool *ret_has)
{
        uint64_t skip = log->at - log->window_at;
        size_t want, got = 0;
        int r;

        *ret_has = skip + n <= log->window.len;
        if (*ret_has || n > log->end - log->at)
                return 0;
        log->window.len = 0;
        log->window_at = log->at;
        want = (size_t)min_u64(WINDOW_BYTES, log->end - log->at);
        if (buf_reserve(&log->window, WINDOW_BYTES) < 0)
                return MUSTER_E_RESOURCE;
        r = read_bytes(log, log->window.at, want, log->at, &got);
        log->window.len = r < 0 ? 0 : got;
        *ret_has = log->window.len >= n;
        return 0;
}

static const struct watch_event *here(const struct log *log)
{
        return (const struct watch_event *)(const void *)(log->window.at + log->at -
                                                          log->window_at);
}

static int stop(struct log *log)
{
        log->is_torn = log->is_torn || log->at < log->end;
        log->at = log->end;
        return LOG_END;
}

static bool makes_sense(const struct watch_event *event)
{
        return event->kind > WATCH_NONE && event->kind < WATCH_N_KINDS &&
               event->n_data <= event->size - sizeof(*event) && event->at_ns <= NS_MAX &&
               event->took_ns <= NS_MAX;
}

int log_next(struct log *log, const struct watch_event **ret_event)
{
        for (;;) {
                const struct watch_event *event;
                bool has;
                uint32_t size;

                if (fill(log, sizeof(*event), &has) < 0)
                        return MUSTER_E_RESOURCE;
                if (!has)
                        return stop(log);
                size = here(log)->size;
                if (size < sizeof(*event) || size % 8 || size > LOG_EVENT_BYTES_MAX)
                        return stop(log);
                if (fill(log, size, &has) < 0)
                        return MUSTER_E_RESOURCE;
                if (!has)
                        return stop(log);
                event = here(log);
                log->at += size;
                if (event->size == size && makes_sense(event)) {
                        *ret_event = event;
                        return 0;
                }
        }
}
