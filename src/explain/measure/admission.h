/* SPDX-License-Identifier: MIT */
/*
 * Admission: does the server close or refuse connections beyond a number?
 *
 * A connection was admitted when a request on it was answered, and turned away when it was refused
 * or reset, or ended before any answer. A server with a limit turns away those that come while as
 * many are open as it ever admitted at once, and no others. One that is in trouble does so however
 * many are open.
 */
#ifndef EXPLAIN_ADMISSION_H
#define EXPLAIN_ADMISSION_H

#include <explain/facts/facts.h>

/* Of the host with most requests. */
struct admission {
        bool is_limited; /* and else nothing below means anything */
        uint64_t most;   /* connections that were admitted and open at once */
        size_t n_admitted, n_turned_away;
        size_t n_beyond; /* of those turned away: while as many as `most` were open */
        size_t n_failed; /* requests whose last attempt was turned away */
};

void admission_of(struct admission *admission, const struct facts *facts);

#endif
