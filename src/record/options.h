/* SPDX-License-Identifier: MIT */
/*
 * The client's options in a record, by name
 */
#ifndef RECORD_OPTIONS_H
#define RECORD_OPTIONS_H

#include "record.h"
#include <core/settings.h>
#include <muster/record.h>

enum option_kind {
        OPTION_NUMBER,
        OPTION_REAL,
        OPTION_SWITCH, /* 0 or 1 */
        OPTION_INPUT,  /* a word for an enum muster_input; the first one: not known */
        OPTION_OUTPUT, /* a word for an enum muster_output; the first one: not known */
};

struct option_type {
        const char *name; /* of the member of struct record_options; NULL ends the table */
        enum option_kind kind;
        size_t at;
        double max; /* no client has a larger value */
};

extern const struct option_type option_types[];

/* Fill in options from a client's settings; 0 stands for no timeout and no limit. */
void options_of_settings(struct record_options *options, const struct settings *settings);

/* The word for it. */
const char *option_input_word(enum muster_input input);
const char *option_output_word(enum muster_output output);

/* What the word stands for; UNKNOWN for words of a later version. */
enum muster_input option_input_of(struct muster_str word);
enum muster_output option_output_of(struct muster_str word);

/* The place of an option. */
static inline void *option_at(struct record_options *options, const struct option_type *type)
{
        return (char *)options + type->at;
}

#endif
