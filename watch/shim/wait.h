/* SPDX-License-Identifier: MIT */
/*
 * A call in which a thread waits for descriptors, and what it did since the last one
 */
#ifndef SHIM_WAIT_H
#define SHIM_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct wait {
        uint64_t at_ns;
        bool was_away;
};

/* False: there is nothing to do. With nothing to wait for but time it is a sleep: wait_slept() ends it. */
bool wait_begin(struct wait *w, bool is_sleep);

/*
 * The real call has returned n, with errno, which is kept. fd: what was waited on, if it was one.
 * timeout_ns: negative for none.
 */
void wait_end(const struct wait *w, int fd, int n, int64_t timeout_ns);

/* It waited for nothing but time. */
void wait_slept(const struct wait *w);

#endif
