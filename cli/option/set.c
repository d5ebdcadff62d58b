/* SPDX-License-Identifier: MIT */
/*
 * What sets a member of the settings to an option's value, for the types that are common
 */
#include "option.h"

#include <base/error.h>
#include <base/quantity.h>
#include <muster/client.h>

static void *member(void *settings, const struct option *option)
{
        return (char *)settings + option->offset;
}

static int refuse_value(struct muster_error *error, const char *value, const char *why)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%s\" is %s", value,
                why);
}

/* --- flags and text -------------------------------------------------------------------------- */

int option_set_flag(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)value;
        (void)error;
        *(bool *)member(settings, option) = true;
        return 0;
}

int option_clear_flag(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)value;
        (void)error;
        *(bool *)member(settings, option) = false;
        return 0;
}

int option_set_text(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)error;
        *(const char **)member(settings, option) = value;
        return 0;
}

/* --- numbers --------------------------------------------------------------------------------- */

int option_set_count(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        uint64_t count;

        if (!str_to_u64(str_of(value), &count) || count < 1 || count > UINT32_MAX)
                return refuse_value(error, value, "not a number of 1 or more");
        *(unsigned *)member(settings, option) = (unsigned)count;
        return 0;
}

int option_set_between(void *settings, const struct option *option, const char *value,
        unsigned least, unsigned most, struct muster_error *error)
{
        uint64_t number;

        if (!str_to_u64(str_of(value), &number) || number < least || number > most)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "\"%s\" is not a number from %u to %u", value, least, most);
        *(unsigned *)member(settings, option) = (unsigned)number;
        return 0;
}

int option_set_duration(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        static const struct quantity_unit units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 },
                { "m", 60000 }, { "h", 3600000 }, { 0 } };
        double ms;

        if (!quantity_parse(str_of(value), units, &ms) || ms > 1e15)
                return refuse_value(error, value,
                        "not a duration; write 500ms, 2s, 1.5m or plain seconds");
        /* Nothing is shorter than a millisecond, and 0 means none. */
        *(uint64_t *)member(settings, option) = ms == 0  ? MUSTER_NO_TIMEOUT
                                                : ms < 1 ? 1
                                                         : (uint64_t)(ms + 0.5);
        return 0;
}

int option_set_size(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        static const struct quantity_unit units[] = { { "", 1 }, { "k", 1024 },
                { "m", 1024 * 1024 }, { "g", 1024.0 * 1024 * 1024 },
                { "t", 1024.0 * 1024 * 1024 * 1024 }, { 0 } };
        double bytes;

        if (!quantity_parse(str_of(value), units, &bytes))
                return refuse_value(error, value, "not a size; write 4096, 10k, 1.5M, 1G or 1T");
        if (bytes > 1e18 || bytes < 1)
                return refuse_value(error, value, "too large or too small");
        *(uint64_t *)member(settings, option) = (uint64_t)bytes;
        return 0;
}

int option_set_rate(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        static const struct quantity_unit units[] = { { "", 1 }, { "/s", 1 }, { "/m", 1.0 / 60 },
                { "/h", 1.0 / 3600 }, { 0 } };
        double per_s;

        if (!quantity_parse(str_of(value), units, &per_s) ||
                (per_s > 0 && (per_s < 1e-6 || per_s > 1e6)))
                return refuse_value(error, value,
                        "not a rate; write 500/s, 30/m or a plain number per second");
        *(double *)member(settings, option) = per_s;
        return 0;
}
