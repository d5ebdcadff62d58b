/* SPDX-License-Identifier: MIT */
#include "amount.h"

#include <stdio.h>
#include <string.h>

const char *amount_ns(uint64_t ns, char text[24])
{
        double us = (double)ns / 1e3;

        if (ns < 1000)
                snprintf(text, 24, "%u ns", (unsigned)ns);
        else if (us < 999.5)
                snprintf(text, 24, "%.0f us", us);
        else if (us < 999.5e3)
                snprintf(text, 24, "%.*f ms", us < 9995 ? 2 : us < 99950 ? 1 : 0, us / 1e3);
        else if (us < 120e6)
                snprintf(text, 24, "%.2f s", us / 1e6);
        else
                snprintf(text, 24, "%.1f min", us / 60e6);
        return text;
}

const char *amount_bytes(uint64_t n, char text[24])
{
        static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
        double value = (double)n;
        int unit = 0;

        while (value >= 1024 && unit < 4) {
                value /= 1024;
                unit++;
        }
        snprintf(text, 24, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
        return text;
}

const char *amount_count(uint64_t n, char text[32])
{
        char digits[24];
        int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
        char *at = text;

        for (int i = 0; i < len; i++) {
                if (i && (len - i) % 3 == 0)
                        *at++ = ',';
                *at++ = digits[i];
        }
        *at = '\0';
        return text;
}
