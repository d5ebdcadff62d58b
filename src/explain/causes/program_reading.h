/* SPDX-License-Identifier: MIT */
/*
 * Watched programs: responses that are read to their end, and were not
 *
 * What had come of a response is thrown away with its connection. To keep the connection the rest has
 * to be read as well, and what is more than a cold connection sends at once takes more round trips.
 * On a connection that was used before the server may send more at once, or all of it: nobody knows
 * beforehand. Where the length is not known either it may be no more than that, or another round trip.
 */
#ifndef EXPLAIN_PROGRAM_READING_H
#define EXPLAIN_PROGRAM_READING_H

#include <explain/model/replay.h>

enum reading {
        READING_EXPECTED,
        READING_LEAST,
        READING_MOST,
};

/* Changes a request of a replay. is_warm: its connection was used before. */
void reading_add(struct replay_request *request, const struct facts *facts, bool is_warm,
        enum reading reading);

/* Has it to be reckoned with at all? */
bool reading_matters(const struct facts *facts);

#endif
