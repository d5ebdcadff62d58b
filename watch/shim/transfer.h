/* SPDX-License-Identifier: MIT */
/*
 * A call that sends or receives, from before the real one to after it
 */
#ifndef SHIM_TRANSFER_H
#define SHIM_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "slot.h"
#include "text.h"

struct transfer {
        int fd;
        uint32_t bits;            /* of its slot, as it was before */
        bool waits;               /* the call may wait */
        uint64_t at_ns, stamp_ns; /* 0: it has none */
};

/* False: the descriptor is not followed, and there is nothing to do. */
static inline bool transfer_begin(struct transfer *t, int fd, uint32_t bits, int flags)
{
        if (LIKELY(!slot_is_followed(bits)) || !shim_watches())
                return false;
        *t = (struct transfer){ .fd = fd, .bits = bits, .at_ns = shim_now() };
        t->waits = !(bits & SLOT_NONBLOCK || flags & MSG_DONTWAIT);
        return true;
}

/* The real call has returned n, with errno; of that the parts were sent. errno is kept. */
void transfer_sent(const struct transfer *t, ssize_t n, const struct iovec *parts, size_t n_parts);

/* The same for one that received. With no bytes because there was no room for any it is not to be called. */
void transfer_received(const struct transfer *t, ssize_t n, const struct iovec *parts,
        size_t n_parts);

#endif
