/* SPDX-License-Identifier: MIT */
/*
 * What the kernel did with the present thread: on a processor, or ready to run without one
 *
 * The rest of the time the thread waited for something. So a long time that it took for its work
 * can be divided: it computed, others had the processor, or it was blocked.
 */
#ifndef BASE_THREAD_TIME_H
#define BASE_THREAD_TIME_H

#include <stdint.h>

/* Of one thread, since it began. */
struct thread_time {
        uint64_t cpu_ns;
        /* ready to run, and no processor was free for it; -1: not known (no /proc, old kernel) */
        int64_t run_delay_ns;
        int64_t n_forced;       /* how often the processor was taken away from it; -1: not known */
        int64_t n_major_faults; /* pages that had to come from a disk first; -1: not known */
};

/*
 * Keeps /proc/thread-self/schedstat open, so that reading is one system call. That file stays that
 * of the thread which opened it; so another thread that reads opens its own. Zeroed has opened
 * nothing.
 */
struct thread_meter {
        const void *thread; /* which has opened it; NULL: none */
        int fd;             /* -1: there is no such file */
};

/* Closes it. May be called twice, and on a zeroed meter. */
void thread_meter_deinit(struct thread_meter *meter);

/*
 * Read the times of the thread that calls; three system calls. THREAD_METER_NEW: it is the first
 * reading of this thread, and what was read before is not to be compared with it.
 */
int thread_meter_read(struct thread_meter *meter, struct thread_time *ret_time);

#define THREAD_METER_NEW 1

/* The growth of what may be not known: -1 where one of both is not. */
static inline int64_t thread_time_growth(int64_t before, int64_t after)
{
        return before < 0 || after < before ? -1 : after - before;
}

/* for tests: the second number of a line of schedstat; -1: it has none */
int64_t thread_time_parse(const char *text);

#endif
