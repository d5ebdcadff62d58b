/* SPDX-License-Identifier: MIT */
/*
 * What the hooks of the shim share
 *
 * A hook is a function of the C library or of libssl that a watched program calls and gets ours: it
 * calls the real one (next.h), and writes down what came of it (log.h). It allocates nothing, takes
 * no lock, keeps errno, makes system calls of its own only by raw.h, and may be called by a signal
 * handler wherever the real one may.
 *
 *      init.c                    whether there is anything to do
 *      next.[ch]                 the real functions
 *      log.[ch]                  the log of this process, and the one of a child after fork()
 *      thread.[ch]               what is kept for each thread
 *      clock.[ch]                the time
 *      slot.[ch]                 what is known of each descriptor
 *      library.[ch], session.[ch] libssl: which one, and what is below each connection
 *      stamp.[ch]                when an answer had come
 *      outside.[ch]              programs that it runs, and into which nothing can be loaded
 *      text.[ch]                 what begins a message of HTTP
 *      hook_*.c                  the hooks
 */
#ifndef SHIM_SHIM_H
#define SHIM_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "clock.h"

/* Of a function that the program is to find. */
#define HOOK __attribute__((visibility("default")))

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

/* What this process image found when it began; fork() hands it on. */
struct shim {
        bool is_on;      /* it is watched */
        bool is_sealed;  /* it restricts its own system calls: none of ours any more */
        uint32_t unseen; /* enum watch_unseen, also from before there is a log; atomic */
        long page_size;
        char folder[384]; /* where logs go */
};
extern struct shim shim;

#endif
