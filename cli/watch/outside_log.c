/* SPDX-License-Identifier: MIT */
#include "outside_log.h"

#include "proc_status.h"
#include <base/clock.h>
#include <base/fd.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define FLUSH_BYTES (256 * 1024)
#define BYTES_MAX   (UINT64_C(1) << 30)

/* --- the head -------------------------------------------------------------------------------- */

static void read_words(struct watch_log *head)
{
        char path[40];
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/exe", head->pid);
        n = readlink(path, head->exe, sizeof(head->exe) - 1);
        head->exe[n > 0 ? n : 0] = '\0';
        snprintf(path, sizeof(path), "/proc/%d/cmdline", head->pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd >= 0 ? read(fd, head->args, sizeof(head->args) - 1) : -1;
        fd_close(&fd);
        head->n_args_bytes = n > 0 ? (uint32_t)n : 0;
}

void outside_log_begin(struct outside_log *log, const char *folder, pid_t pid,
        enum watch_language language, uint64_t now_ns)
{
        *log = (struct outside_log){ .is_begun = true,
                .start_ns = now_ns,
                .folder = folder,
                .head = { .version = WATCH_VERSION,
                        .header_size = sizeof(struct watch_log),
                        .pid = pid,
                        .ppid = proc_parent_of(pid),
                        .start_ns = now_ns,
                        .start_wall_ns = clock_ns_of(CLOCK_REALTIME),
                        .capacity = BYTES_MAX,
                        .unseen = WATCH_UNSEEN_CALLS,
                        .language = language } };
        memcpy(log->head.magic, WATCH_MAGIC, sizeof(log->head.magic));
        read_words(&log->head);
}

/* --- events ---------------------------------------------------------------------------------- */

static void write_at(int fd, const void *from, size_t n, uint64_t at)
{
        const char *bytes = from;

        while (n) {
                ssize_t r = pwrite(fd, bytes, n, (off_t)at);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0)
                        return;
                bytes += r;
                at += (uint64_t)r;
                n -= (size_t)r;
        }
}

static int open_file(const struct outside_log *log)
{
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/outside.%d.%llu", log->folder, (int)log->head.pid,
                (unsigned long long)log->start_ns);
        return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* `used` counts what was written: the head says so at the end. */
static void flush(struct outside_log *log, int fd)
{
        write_at(fd, log->events.at, log->events.len, log->head.header_size + log->head.used);
        log->head.used += log->events.len;
        log->events.len = 0;
}

void outside_log_add(struct outside_log *log, const struct outside_event *event)
{
        size_t size = (sizeof(struct watch_event) + event->n_data + 7) / 8 * 8;
        struct watch_event row = { .size = (uint32_t)size,
                .kind = (uint16_t)event->kind,
                .tid = log->head.pid,
                .fd = event->fd,
                .at_ns = event->at_ns,
                .took_ns = event->took_ns,
                .value = event->value,
                .extra = event->extra,
                .n_data = (uint32_t)event->n_data };
        static const char filler[8];

        if (!log->is_begun)
                return;
        if (log->head.used + log->events.len + size > BYTES_MAX ||
                buf_reserve(&log->events, size) < 0) {
                log->head.n_dropped++;
                return;
        }
        buf_add(&log->events, &row, sizeof(row));
        buf_add(&log->events, event->n_data ? event->data : filler, event->n_data);
        buf_add(&log->events, filler, size - sizeof(row) - event->n_data);
        if (log->events.len >= FLUSH_BYTES) {
                int fd = open_file(log);

                flush(log, fd);
                fd_close(&fd);
        }
}

void outside_log_end(struct outside_log *log, uint64_t now_ns)
{
        int fd;

        if (!log->is_begun)
                return;
        fd = open_file(log);
        flush(log, fd);
        log->head.end_ns = now_ns;
        write_at(fd, &log->head, sizeof(log->head), 0);
        fd_close(&fd);
        buf_deinit(&log->events);
        log->is_begun = false;
}
