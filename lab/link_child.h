/* SPDX-License-Identifier: MIT */
/*
 * One side of a link: a child process in a network namespace of its own, with a TUN device as its
 * only way out
 *
 *      parent                                   child
 *      link_child_fork() ─────────────────────▶ enters a namespace, makes the TUN
 *                        ◀── hello: TUN or why not ──
 *      link_child_go()   ── one byte ─────────▶ run()
 *
 * The child dies with its parent. What it could not have comes to the parent as a sentence.
 */
#ifndef LAB_LINK_CHILD_H
#define LAB_LINK_CHILD_H

#include "tun.h"
#include <sys/types.h>

/* What a child is to be, and to do when told to go; `run` answers its exit status. */
struct link_child_plan {
        const char *noun; /* for error texts: "the lab's server" */
        struct tun_options tun;
        const char *resolve_at; /* the name server that it asks; NULL: /etc/resolv.conf's */
        int (*run)(void *data);
        void *data;
};

/* Zeroed but for descriptors of -1 is none. */
struct link_child {
        pid_t pid;
        int pid_fd;     /* readable when it is over */
        int control_fd; /* to its other end */
        int tun_fd;     /* the other end of its interface */
        /* What went wrong but does not keep it from running: it asks another name server. */
        struct muster_error warning;
};

#define LINK_CHILD_NONE ((struct link_child){ .pid_fd = -1, .control_fd = -1, .tun_fd = -1 })

/*
 * Start it and wait for its TUN device. MUSTER_E_RESOURCE with what is not to be had; there is no
 * child then.
 */
int link_child_fork(struct link_child *child, const struct link_child_plan *plan,
        struct muster_error *error);

/* Tell the child to run. */
int link_child_go(struct link_child *child, struct muster_error *error);

/* Has the child ended by this time (monotonic)? */
bool link_child_is_over(const struct link_child *child, uint64_t until_ns);

/* Wait for the child. Its exit status, or 128 plus the signal that killed it, as in shells. */
int link_child_wait(struct link_child *child);

/* Kill it if it is still there, and close everything. May be called twice. */
void link_child_deinit(struct link_child *child);

#endif
