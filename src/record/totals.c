/* SPDX-License-Identifier: MIT */
#include "totals.h"

static void add_outcome(struct totals *totals, const struct trace_attempt *attempt)
{
        if (attempt->outcome < TRACE_N_OUTCOMES)
                totals->n_outcomes[attempt->outcome]++;
        if (!attempt->stamps.slot_ns)
                return;
        totals->n_attempts++;
        totals->wire_bytes += attempt->wire_bytes;
        totals->n_conns_opened +=
                attempt->conn && !attempt->is_reused && attempt->stamps.tcp_end_ns != 0;
}

static void add_request(struct totals *totals, const struct trace_attempt *last)
{
        unsigned code = last->code < 0 ? (unsigned)-last->code : (unsigned)last->code;

        totals->n_requests++;
        totals->n_failed += code != 0;
        if (code < TOTALS_N_CODES)
                totals->n_codes[code]++;
        if (!code && last->status >= 0 && last->status < TOTALS_N_STATUSES)
                totals->n_statuses[last->status]++;
        totals->n_unsafe += !last->is_safe;
        if (!totals->first_ns || last->submitted_ns < totals->first_ns)
                totals->first_ns = last->submitted_ns;
        if (last->taken_ns > totals->last_ns)
                totals->last_ns = last->taken_ns;
}

void totals_add(struct totals *totals, const struct trace_attempt *attempt)
{
        add_outcome(totals, attempt);
        if (attempt->is_last)
                add_request(totals, attempt);
}

uint64_t totals_n_statuses(const struct totals *totals, int least, int most)
{
        uint64_t n = 0;

        for (int status = least; status <= most && status < TOTALS_N_STATUSES; status++)
                n += totals->n_statuses[status];
        return n;
}
