/* SPDX-License-Identifier: MIT */
#include "unsent.h"

bool unsent_is_one(const struct trace_attempt *attempt)
{
        return attempt->is_last && attempt->code == MUSTER_E_TIMEOUT && !attempt->stamps.slot_ns;
}

size_t unsent_count(const struct facts *facts)
{
        const struct record *record = facts->record;
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                n += unsent_is_one(&record->attempts[i]);
        return n;
}
