/* SPDX-License-Identifier: MIT */
/*
 * Requests of a hook as numbers: what stands behind a row "requests" (hook_log.h)
 *
 * Making text of numbers is most of what a request's row would cost the watched program. A block
 * may be torn as a row may be.
 */
#ifndef WATCH_HOOK_PACKED_H
#define WATCH_HOOK_PACKED_H

#include <base/str.h>
#include <stdbool.h>
#include <stdint.h>

/* It borrows the block. */
struct hook_packed {
        uint64_t start_ns, end_ns, queued_ns, connecting_ns;
        uint64_t status, flags, client, site, tid;
        uint64_t method, origin, error; /* numbers of words; 0: empty */
        struct muster_str path;
};

/*
 * Take the next request of a block; one with a number that cannot be is passed over. False: there is
 * none, or what follows was torn.
 */
bool hook_packed_next(struct muster_str *block, struct hook_packed *ret_request);

#endif
