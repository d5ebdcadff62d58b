/* SPDX-License-Identifier: MIT */
#include "facts.h"

static const struct trace_attempt *attempt_at(const struct facts *facts, size_t at)
{
        return &facts->record->attempts[facts->by_request[at]];
}

size_t facts_request_end(const struct facts *facts, size_t from)
{
        uint64_t request = attempt_at(facts, from)->request;
        size_t to = from + 1;

        while (to < facts->record->n_attempts && attempt_at(facts, to)->request == request)
                to++;
        return to;
}

uint64_t facts_backoff_ns(const struct facts *facts, size_t from, size_t to)
{
        uint64_t backoff_ns = 0;

        for (size_t at = from + 1; at < to; at++) {
                uint64_t end_ns = attempt_at(facts, at - 1)->stamps.end_ns;
                uint64_t start_ns = attempt_at(facts, at)->stamps.start_ns;

                if (start_ns > end_ns)
                        backoff_ns += start_ns - end_ns;
        }
        return backoff_ns;
}
