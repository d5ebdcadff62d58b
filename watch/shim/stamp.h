/* SPDX-License-Identifier: MIT */
/*
 * When an answer had come: the kernel's receive stamp
 *
 * A program that was busy reads an answer later than it came. So a connection that it makes is set to
 * have its packets stamped, and a receive that comes late asks for the stamp: the
 * first one after a send, by a thread that has not been waiting for a while (LATE_NS). A receive by
 * a thread that waited until now costs nothing more, and its stamp would say nothing.
 *
 * The program must not find that out. The setting is not told to it, and is taken back where it would
 * see it: when it asks for stamps, or for control data, and before another program inherits the socket.
 */
#ifndef SHIM_STAMP_H
#define SHIM_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "transfer.h"

#define LATE_NS (300 * NS_PER_US)

/* The program makes a connection; the slot's bits from then on. */
uint32_t stamp_set(int fd, uint32_t bits);

/* From now on none; no more for this connection. */
void stamp_unset(int fd);

/* Before exec: of what the other program would have. */
void stamp_unset_inherited(void);

/* Whether this receive is to ask. */
static inline bool stamp_is_wanted(const struct transfer *t, size_t size, int flags)
{
        return UNLIKELY((t->bits & (SLOT_STAMPED | SLOT_ASKED)) == (SLOT_STAMPED | SLOT_ASKED)) &&
               size > 0 && t->at_ns - this_thread.idle_ns > LATE_NS && !shim.is_sealed &&
               !(flags & (MSG_PEEK | MSG_ERRQUEUE | MSG_TRUNC));
}

/*
 * Receives as recv() and readv() would, with their errno; the stamp is kept in t. ENOTSOCK: the descriptor was closed
 * behind our back and is another's, and is not followed any more; the real call is still to be made.
 */
ssize_t stamp_receive(struct transfer *t, const struct iovec *parts, size_t n_parts, int flags);

#endif
