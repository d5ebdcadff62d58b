/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <base/error.h>
#include <base/str.h>

static void *member(void *settings, const struct option *option)
{
        return (char *)settings + option->offset;
}

int explain_options_add_assertion(void *settings, const struct option *option, const char *value,
                                  struct muster_error *error)
{
        return assertions_add(member(settings, option), value, error);
}

int explain_options_set_rounds(void *settings, const struct option *option, const char *value,
                               struct muster_error *error)
{
        uint64_t n;

        if (!str_to_u64(str_of(value), &n) || n < 1 || n > CONFIRM_ROUNDS_MAX)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                 "\"%s\" is not a number from 1 to %d", value, CONFIRM_ROUNDS_MAX);
        *(unsigned *)member(settings, option) = (unsigned)n;
        return 0;
}

void explain_options_deinit(struct explain_options *options)
{
        assertions_deinit(&options->assertions);
}
