/* SPDX-License-Identifier: MIT */
#include "options.h"

int explain_options_add_assertion(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        return assertions_add((struct assertions *)(void *)((char *)settings + option->offset),
                value, error);
}

int explain_options_set_rounds(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        return option_set_between(settings, option, value, 1, CONFIRM_ROUNDS_MAX, error);
}

void explain_options_deinit(struct explain_options *options)
{
        assertions_deinit(&options->assertions);
}
