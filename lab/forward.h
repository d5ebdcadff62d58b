/* SPDX-License-Identifier: MIT */
/*
 * The forwarder: two TUN devices, a pipe each way between them, and the schedule of their
 * conditions
 *
 *      COMMAND's TUN ── read ──▶ up ── due ──▶ write ── the lab's TUN
 *                    ◀─ write ── due ◀── down ◀── read ─
 *
 * A packet is stamped when it is read, and written at the first turn of the loop after it is due.
 * Packets to more than one receiver (what IPv6 says to its neighbourhood by itself) are left out:
 * they would take part in the draw of losses.
 */
#ifndef LAB_FORWARD_H
#define LAB_FORWARD_H

#include "link_spec.h"
#include <net/loop.h>

/* The counts of both directions. They only grow, and each may be read while it is written. */
struct link_stats {
        struct pipe_stats up; /* from COMMAND to the lab */
        struct pipe_stats down;
};

struct forward_way {
        struct forward *forward;
        struct pipe pipe;
        struct loop_watch watch; /* of the TUN that packets come from */
        struct loop_timer timer; /* when the next packet is due */
        int to_fd;
};

struct forward {
        struct loop *loop;
        const struct link_spec *spec;
        struct link_conditions conditions;
        struct forward_way up, down;
        struct loop_timer change_timer;
        size_t n_changes; /* that have come true */
        uint64_t start_ns;
};

/*
 * Begin to forward between two descriptors, which stay the caller's and open until
 * forward_deinit(), under the conditions at the start of `spec`; it and `stats` outlive this.
 * MUSTER_E_RESOURCE.
 */
int forward_init(struct forward *forward, struct loop *loop, const struct link_spec *spec,
        int lab_fd, int command_fd, struct link_stats *stats);

/* Start the schedule: its changes count from now. MUSTER_E_RESOURCE. */
int forward_start_schedule(struct forward *forward);

/* Stop, and drop packets under way. May be called twice. */
void forward_deinit(struct forward *forward);

#endif
