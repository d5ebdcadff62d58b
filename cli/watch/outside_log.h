/* SPDX-License-Identifier: MIT */
/*
 * A log of a process that is seen from outside, in the shape of the shim's (src/watch/event.h)
 *
 * It is kept in memory, and written now and then and at its end. Its file is open only meanwhile: a
 * shell may start more processes than we may have descriptors.
 */
#ifndef CLI_WATCH_OUTSIDE_LOG_H
#define CLI_WATCH_OUTSIDE_LOG_H

#include <base/buf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <watch/event.h>

struct outside_log {
        bool is_begun;
        uint64_t start_ns; /* of its name */
        const char *folder;
        struct watch_log head;
        struct buf events; /* not written yet */
};

/* Begin the log of a process that lives. `folder` is borrowed until the end. */
void outside_log_begin(struct outside_log *log, const char *folder, pid_t pid,
        enum watch_language language, uint64_t now_ns);

struct outside_event {
        enum watch_kind kind;
        int fd;
        uint64_t at_ns, took_ns;
        int64_t value;
        uint64_t extra;
        const void *data;
        size_t n_data;
};

void outside_log_add(struct outside_log *log, const struct outside_event *event);

/* Write what is left, and close it. May be called twice. */
void outside_log_end(struct outside_log *log, uint64_t now_ns);

#endif
