/* SPDX-License-Identifier: MIT */
/*
 * Command-line options from a table
 *
 * Const tables say all that there is to an option: its names, argument, help and what sets it.
 * Parsing, --help and the words for mistakes come from them. A command has a list of tables, so
 * that commands can share some.
 */
#ifndef CLI_OPTION_OPTION_H
#define CLI_OPTION_OPTION_H

#include <muster/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct option;

/*
 * Put a value (NULL for an option without argument) into the settings. MUSTER_E_INVALID or
 * MUSTER_E_RESOURCE with the reason in *error, without the option's name.
 */
typedef int (*option_set)(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

struct option {
        const char *group;    /* a heading in --help; NULL, or the same: as the one before */
        char letter;          /* 0: none */
        const char *name;     /* without dashes; NULL ends the table */
        const char *argument; /* what to call it in --help; NULL: takes none */
        const char *help;
        option_set set;
        size_t offset; /* of the member that the setters below fill */
};

/* Setters for members of these types: set.c. */
int option_set_flag(void *settings, const struct option *option, const char *value,
        struct muster_error *error);
int option_clear_flag(void *settings, const struct option *option, const char *value,
        struct muster_error *error);
int option_set_text(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/* `unsigned`, at least 1. */
int option_set_count(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/* The same, with bounds: for setters. */
int option_set_between(void *settings, const struct option *option, const char *value,
        unsigned least, unsigned most, struct muster_error *error);

/*
 * `uint64_t` milliseconds: "500ms", "2s", "1.5m", "1h"; a plain number is seconds, as curl has it;
 * 0: no timeout.
 */
int option_set_duration(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/* `uint64_t` bytes: "10", "10k", "10M", "10G", powers of 1024, as curl has it. */
int option_set_size(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/* `double` a second: "500/s", "30/m", "10/h"; a plain number is a second's; 0: no limit. */
int option_set_rate(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/*
 * Go through the arguments with a NULL-ended list of tables; what is no option goes to `operand`.
 * After "--" all are operands. MUSTER_E_INVALID with *error naming the option, its value and what
 * is accepted; MUSTER_E_RESOURCE. OPTION_HELP: --help was there.
 */
#define OPTION_HELP 1
int option_parse(const struct option *const *tables, void *settings, int argc, char **argv,
        option_set operand, struct muster_error *error);

/* The tables as text for --help. */
void option_help(const struct option *const *tables, FILE *to);

#endif
