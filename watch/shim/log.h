/* SPDX-License-Identifier: MIT */
/*
 * The log of this process (watch/event.h)
 *
 * It is made at the first event, so that a process that does nothing of interest costs nothing. The
 * file is mapped and closed at once: no descriptor is left that the program could close. All of
 * it is mapped without access at first; a step of it is made accessible and filled with pages before
 * events go there, so that neither a full disk nor mlockall() does harm (no SIGBUS, no gigabyte).
 *
 * A child of fork() must not write into the log of its parent. What a process has of its own lies in
 * a page that the kernel empties for the child (MADV_WIPEONFORK): who finds it empty is a new process.
 */
#ifndef SHIM_LOG_H
#define SHIM_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch/event.h"

#include "shim.h"

/* What the process has of its own; atomic throughout. */
struct process {
        uint32_t is_alive;
        uint32_t stage;      /* of making the log */
        uint32_t generation; /* one more than its parent's */
        uint32_t is_full;
        int32_t pid;
        uint64_t start_ns, start_wall_ns;
        struct watch_log *log;
        uint64_t ready;    /* bytes of events that can be written to */
        uint64_t n_missed; /* events before there was a log */
};
extern struct process *process;

/* Called once, before all others. */
void process_init(void);

/* This is a new process, but not yet known as one. */
void process_adopt(void);

/* This is the child of a fork(), which has just returned. */
void process_adopt_child(void);

/* This process's own; looks whether it is a new one. */
static inline struct process *process_own(void)
{
        if (UNLIKELY(!__atomic_load_n(&process->is_alive, __ATOMIC_RELAXED)))
                process_adopt();
        return process;
}

/* Whether memory is ours alone: not so in a child that shares it with its parent (vfork, clone). */
bool process_is_itself(void);

/* Whether there is a log; log_make() makes one, where it can. */
struct watch_log *log_get(void);
struct watch_log *log_make(void);

/*
 * Room for an event with so many bytes of data, of which all but data is filled in; NULL: there is none.
 * log_finish() lets readers see it.
 */
struct watch_event *log_begin(enum watch_kind kind, int fd, uint64_t at_ns, uint64_t took_ns,
        uint32_t n_data);

static inline void log_finish(struct watch_event *event, enum watch_kind kind)
{
        __atomic_store_n(&event->kind, (uint16_t)kind, __ATOMIC_RELEASE);
}

/* An event without data. */
void log_event(enum watch_kind kind, int fd, uint64_t at_ns, uint64_t took_ns, int64_t value,
        uint64_t extra);

/* One with. */
void log_data(enum watch_kind kind, int fd, uint64_t at_ns, uint64_t took_ns, int64_t value,
        const void *data, size_t size);

/* Something that cannot be seen here: enum watch_unseen; or can be after all. */
void log_unseen(uint32_t what);
void log_seen(uint32_t what);

/* The process ends by exit(). */
void log_end(void);

/*
 * Most system calls are about to be forbidden: what is ready is all that will be. Where it is strict, even the
 * clock cannot be read any more, and nothing is done from now on.
 */
void log_seal(bool is_strict);

#endif
