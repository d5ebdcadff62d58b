/* SPDX-License-Identifier: MIT */
/*
 * What the client was told to do, by name
 */
#ifndef RECORD_OPTIONS_H
#define RECORD_OPTIONS_H

#include "record.h"
#include <core/settings.h>

enum option_kind {
        OPTION_NUMBER,
        OPTION_REAL,
        OPTION_SWITCH, /* 0 or 1 */
};

struct option_type {
        const char *name; /* of the member of struct record_options; ends the table when NULL */
        enum option_kind kind;
        size_t at;
        double max; /* no client has more */
};

extern const struct option_type option_types[];

/* A client's settings; a timeout that never comes is 0, as is what has no limit. */
void options_of_settings(struct record_options *options, const struct settings *settings);

/* Of one of them: its place. */
static inline void *option_at(struct record_options *options, const struct option_type *type)
{
        return (char *)options + type->at;
}

#endif
