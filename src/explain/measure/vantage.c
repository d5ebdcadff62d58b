/* SPDX-License-Identifier: MIT */
#include "vantage.h"

#include <explain/judgement.h>

enum vantage vantage_of(const struct facts *facts)
{
        double busy_ns = (double)facts->loop_busy_ns, wall_ns = (double)facts->wall_ns;

        if (busy_ns > wall_ns * LOOP_IN_THE_WAY)
                return VANTAGE_BLOCKED;
        return busy_ns > wall_ns * LOOP_BUSY ? VANTAGE_BUSY : VANTAGE_CLEAR;
}
