/* SPDX-License-Identifier: MIT */
#include "words.h"

#include "clock.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define N_UNITS(units) (sizeof(units) / sizeof((units)[0]))

struct unit {
        const char *name;
        double size;
};

static const struct unit time_units[] = {
        { "ns", 1 },
        { "us", 1e3 },
        { "ms", 1e6 },
        { "s", 1e9 },
};

static const struct unit byte_units[] = {
        { "bytes", 1 },
        { "KiB", 1024 },
        { "MiB", 1024.0 * 1024 },
        { "GiB", 1024.0 * 1024 * 1024 },
        { "TiB", 1024.0 * 1024 * 1024 * 1024 },
};

/* Round to three digits: 12.3, 2.5, 190. */
static double round_off(double value)
{
        double step = value >= 100 ? 1 : value >= 10 ? 0.1 : 0.01;

        return round(value / step) * step;
}

static struct words in_units(double value, const struct unit *units, size_t n, double most)
{
        struct words words;
        size_t i = 0;

        while (i + 1 < n && round_off(value / units[i].size) >= most)
                i++;
        snprintf(words.text, sizeof(words.text), "%.4g %s", round_off(value / units[i].size),
                units[i].name);
        return words;
}

static struct words two_units(uint64_t whole, const char *large, uint64_t rest, const char *small)
{
        struct words words;

        if (rest)
                snprintf(words.text, sizeof(words.text), "%llu %s %llu %s",
                        (unsigned long long)whole, large, (unsigned long long)rest, small);
        else
                snprintf(words.text, sizeof(words.text), "%llu %s", (unsigned long long)whole,
                        large);
        return words;
}

struct words words_ns(uint64_t ns)
{
        uint64_t seconds = ns / NS_PER_S + (ns % NS_PER_S >= NS_PER_S / 2);
        uint64_t minutes = seconds / 60 + (seconds % 60 >= 30);

        if (seconds < 60)
                return in_units((double)ns, time_units, N_UNITS(time_units), 1000);
        if (seconds < 3600)
                return two_units(seconds / 60, "min", seconds % 60, "s");
        return two_units(minutes / 60, "h", minutes % 60, "min");
}

/* A figure and one unit, as all are below a minute. */
static bool have_one_unit(const struct words *one, const struct words *other)
{
        const char *unit = strchr(one->text, ' '), *other_unit = strchr(other->text, ' ');

        return unit && other_unit && strcmp(unit, other_unit) == 0 && !strchr(unit + 1, ' ');
}

struct words words_range_ns(uint64_t low_ns, uint64_t high_ns)
{
        struct words low = words_ns(low_ns), high = words_ns(high_ns), range;

        if (strcmp(low.text, high.text) == 0)
                return low;
        if (have_one_unit(&low, &high))
                *strchr(low.text, ' ') = '\0';
        snprintf(range.text, sizeof(range.text), "%.25s to %.25s", low.text, high.text);
        return range;
}

struct words words_bytes(uint64_t bytes)
{
        if (bytes == 1)
                return (struct words){ "1 byte" };
        return in_units((double)bytes, byte_units, N_UNITS(byte_units), 1000);
}

struct words words_share(double part, double whole)
{
        double percent = whole > 0 ? 100 * part / whole : 0;
        struct words words;

        if (percent > 0 && percent < 0.1)
                return (struct words){ "under 0.1 %" };
        if (percent >= 99.5 && percent < 100)
                return (struct words){ "over 99 %" };
        snprintf(words.text, sizeof(words.text), percent < 9.95 ? "%.2g %%" : "%.0f %%", percent);
        return words;
}

struct words words_count(uint64_t n)
{
        char digits[24];
        struct words words = { "" };
        size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
        size_t at = 0;

        for (size_t i = 0; i < len; i++) {
                if (i > 0 && (len - i) % 3 == 0)
                        words.text[at++] = ',';
                words.text[at++] = digits[i];
        }
        return words;
}

struct words words_rate(double per_s)
{
        struct words words;

        if (per_s >= 1000 && per_s < 1e18)
                return words_count((uint64_t)per_s);
        snprintf(words.text, sizeof(words.text), "%.4g", per_s);
        return words;
}

struct words words_counted(uint64_t n, const char *one, const char *many)
{
        struct words words;

        snprintf(words.text, sizeof(words.text), "%.27s %.35s", words_count(n).text,
                n == 1 ? one : many);
        return words;
}
