/* SPDX-License-Identifier: MIT */
#include "pauses.h"

#include <assert.h>

uint64_t pauses_over_ns(const struct pauses *pauses, uint64_t at_ns)
{
        uint64_t ns = at_ns - pauses->since_ns, into_ns;

        assert(pauses->for_ns < pauses->every_ns || !pauses->every_ns);
        if (!pauses->every_ns || at_ns < pauses->since_ns || ns < pauses->every_ns)
                return at_ns;
        into_ns = ns % pauses->every_ns;
        return into_ns < pauses->for_ns ? at_ns + (pauses->for_ns - into_ns) : at_ns;
}
