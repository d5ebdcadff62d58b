/* SPDX-License-Identifier: MIT */
/*
 * What is kept for each thread
 *
 * It lies in the static block of thread-local memory (initial-exec), where also a signal handler may
 * look; no memory is allocated for it.
 *
 * A child of vfork() has the memory of its parent, this as well: is_vforked says that nothing is to
 * be done until the parent goes on.
 */
#ifndef SHIM_THREAD_H
#define SHIM_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "shim.h"

#define N_HELLOS 64 /* as many connections may one turn of a loop begin */

struct session;

struct thread {
        uint32_t generation; /* of the process in which all of this is right */
        int32_t tid;
        bool is_vforked, is_making; /* the log is being made by it */
        int32_t received_fd;        /* from which it received last, + 1 */
        uint64_t wait_end_ns;       /* when its last wait was over */
        uint64_t idle_ns;           /* until then it waited for something, or sent */
        uint64_t cpu_ns,            /* its processor time at cpu_at_ns */
                cpu_at_ns;
        uint64_t delay_ns, /* for how long it was ready and had no processor, at delay_at_ns */
                delay_at_ns;

        /* Of TLS. */
        bool is_in_tls;    /* within a call of libssl */
        int32_t used_fd;   /* what was sent or received by within that, + 1 */
        uint32_t n_hellos; /* begun by it, and still in memory */
        struct session *hellos[N_HELLOS];
};

extern _Thread_local struct thread this_thread __attribute__((tls_model("initial-exec")));

/* Forgets what was of another process, finds out its id, and tells that there is one more. */
void thread_know(void);

static inline struct thread *thread_own(void)
{
        if (UNLIKELY(this_thread.generation != process_own()->generation))
                thread_know();
        return &this_thread;
}

/* Whether hooks have anything to do here: each asks this first. */
static inline bool shim_watches(void)
{
        return shim.is_on && !this_thread.is_vforked;
}

#endif
