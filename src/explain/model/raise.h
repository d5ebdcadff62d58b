/* SPDX-License-Identifier: MIT */
/*
 * Raising a limit: how far it pays
 *
 * By doubling, as far as a doubling still gains GAIN_NOTICED, and not beyond RAISE_MOST times what
 * was tried: how servers take more than that no run has shown. The replay knows the other limits:
 * the loop's thread, the link, the longest request.
 */
#ifndef EXPLAIN_RAISE_H
#define EXPLAIN_RAISE_H

#include "replay.h"
#include <explain/measure/load.h>

struct raise {
        uint64_t limit;           /* the one that is proposed; 0: raising gains nothing */
        uint64_t wall_ns;         /* expected, with times as they were */
        uint64_t low_ns, high_ns; /* high: with answers as slow as the load may make them */
};

/*
 * `limit` is a member of `replay`, which keeps what is proposed. `most`: more cannot be used. Servers that
 * fail at many requests are not asked for more at once.
 */
void raise_limit(struct raise *raise, struct replay *replay, uint64_t *limit, uint64_t most,
        const struct facts *facts);

/*
 * Is it the limit of all (`concurrency`), and not the server, for which the run took so long? Then
 * its slots were full most of the time, each took many requests in turn, these waited for answers,
 * and raising the limit gains something. A run with a few turns only is long because of the time of
 * each. A server on this machine that may have no processor left has to have shown that it takes more.
 * And while a server is not steady (timeline.h) nobody knows how it would take more.
 */
bool raise_is_called_for(struct raise *raise, const struct facts *facts);

/*
 * For facts_measure(): the answer, once for all rules that ask. *ret_raise is to be freed with
 * mem_free(). MUSTER_E_RESOURCE.
 */
int raise_measure(struct raise **ret_raise, const struct facts *facts);

#endif
