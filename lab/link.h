/* SPDX-License-Identifier: MIT */
/*
 * A network path with conditions of one's choice, in user space
 *
 *      ┌─ network namespace ─┐      ┌── this process ──┐      ┌─ network namespace ─┐
 *      │ COMMAND   192.0.2.2 │ TUN  │  delay, rate,    │ TUN  │ 192.0.2.1    server │
 *      │         2001:db8::2 ├──────┤  queue, loss     ├──────┤ 2001:db8::1         │
 *      └─────────────────────┘      └──────────────────┘      └─────────────────────┘
 *
 * Both ends are the kernel's own TCP, so that slow start, lost SYNs, retransmissions and windows
 * are what they are on a real path of that kind. COMMAND has no other way out. It asks the lab for
 * names, too. A user who is not root gets all this where the kernel allows user namespaces.
 */
#ifndef LAB_LINK_H
#define LAB_LINK_H

#include "forward.h"

#define LINK_LAB_IPV4     "192.0.2.1" /* RFC 5737: used by nobody else */
#define LINK_COMMAND_IPV4 "192.0.2.2"
#define LINK_LAB_IPV6     "2001:db8::1" /* RFC 3849 */
#define LINK_COMMAND_IPV6 "2001:db8::2"

/* The two ends. All functions but `warn` are called in a process of their own. */
struct link_sides {
        /*
         * The server: writes a byte to `ready_fd` when it listens, and answers its exit status when
         * `stop_fd` is readable. It ignores SIGINT, SIGTERM and SIGHUP, so that COMMAND can come
         * to an orderly end.
         */
        int (*serve)(void *data, int stop_fd, int ready_fd);
        /* Executes COMMAND; returns an exit status, 127 or so, only when that failed. */
        int (*command)(void *data);
        /* NULL: nobody is told of what is amiss but does not keep the link from working. */
        void (*warn)(void *data, const char *text);
        void *data;
};

/*
 * Run both sides until COMMAND ends, and answer its exit status: 128 and the signal when it was
 * killed, as shells do. SIGINT, SIGTERM and SIGHUP meanwhile go to COMMAND. `shared_stats` is in
 * memory that the server shares (mmap(2) with MAP_SHARED). Call it without threads.
 * MUSTER_E_RESOURCE with what is not to be had and what to do.
 */
int link_run(const struct link_spec *spec, const struct link_sides *sides,
        struct link_stats *shared_stats, int *ret_status, struct muster_error *error);

#endif
