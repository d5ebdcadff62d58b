/* SPDX-License-Identifier: MIT */
/*
 * A shim's log while it is being read: event.h
 *
 * The program that wrote it may have been killed in the middle of an event, may still be running,
 * and may have scribbled into its own mapping. So nothing in it is trusted: bytes are copied before
 * they are looked at, every length is checked against the room that is left, and the log ends where
 * it stops to make sense.
 */
#ifndef WATCH_LOG_H
#define WATCH_LOG_H

#include "event.h"
#include <base/buf.h>

#define LOG_EVENT_BYTES_MAX (64 * 1024) /* texts and addresses are far below it */

struct log {
        struct watch_log head; /* its texts end with a NUL */
        int fd;                /* -1: the bytes are borrowed memory */
        const char *bytes;
        uint64_t end;      /* offset behind the last byte of events */
        uint64_t at;       /* offset of the next event */
        struct buf window; /* a copy of the bytes from window_at on */
        uint64_t window_at;
        bool is_torn; /* it ended before its end */
};

#define LOG_OTHER 1 /* it is no log, or one of another version */
#define LOG_END   2 /* there are no more events */

/* Open a file. LOG_OTHER; a negative errno. */
int log_open(struct log *log, const char *path);
/* The same with bytes in memory, borrowed until log_close(). */
int log_open_bytes(struct log *log, struct muster_str bytes);
/* Zeroed is not allowed, but it may be called twice. */
void log_close(struct log *log);

/*
 * The next event that was finished, borrowed until the next call; its data, n_data bytes, are
 * there. LOG_END, MUSTER_E_RESOURCE.
 */
int log_next(struct log *log, const struct watch_event **ret_event);

static inline struct muster_str event_data(const struct watch_event *event)
{
        return (struct muster_str){ (const char *)event->data, event->n_data };
}

/* When the call was over. */
static inline uint64_t event_end_ns(const struct watch_event *event)
{
        return event->at_ns + event->took_ns;
}

#endif
