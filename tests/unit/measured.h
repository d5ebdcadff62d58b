/* SPDX-License-Identifier: MIT */
/*
 * What tests of measurements ask: is a figure near another, is something said of it?
 */
#ifndef TESTS_UNIT_MEASURED_H
#define TESTS_UNIT_MEASURED_H

#include "unit.h"

#include "measure/remarks.h"
#include <math.h>

static inline void assert_near(double value, double expected, double tolerance)
{
        if (!(fabs(value - expected) <= tolerance))
                fail_msg("%g instead of %g", value, expected);
}

static inline bool says(const struct remarks *remarks, const char *words)
{
        for (size_t i = 0; i < remarks->n; i++)
                if (strstr(remarks->list[i], words))
                        return true;
        return false;
}

#endif
