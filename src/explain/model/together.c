/* SPDX-License-Identifier: MIT */
#include "together.h"

#include <explain/judgement.h>

static bool are_small(const struct facts *facts)
{
        return (double)facts->wire_bytes <= (double)facts->n_attempts * (double)FIRST_WINDOW;
}

double together_factor(const struct facts *facts, double times)
{
        uint64_t work_ns = facts->loop_ns[TRACE_WORK_IO] + facts->loop_ns[TRACE_WORK_CALLER];
        double each_ns = (double)work_ns / (double)(facts->n_attempts ? facts->n_attempts : 1);
        double itself_ns = (double)ENGINE_WORK_NS;

        if (facts->program || !are_small(facts) || each_ns <= itself_ns || times <= 1)
                return 1;
        return (itself_ns + (each_ns - itself_ns) / times) / each_ns;
}
