/* SPDX-License-Identifier: MIT */
/*
 * What `muster watch` is told: its options, and the command behind them
 */
#ifndef CLI_WATCH_OPTIONS_H
#define CLI_WATCH_OPTIONS_H

#include "../option/option.h"

struct watch_options {
        char **command;      /* NULL-ended */
        const char *output;  /* where the page goes; NULL: standard error */
        const char *record;  /* NULL: none is kept */
        bool wants_json;     /* an object instead of the page */
        bool is_silent;      /* neither */
        bool replaces;       /* files that are there */
        bool no_hooks;       /* only the shim */
        bool no_filter;      /* nothing is seen of static programs */
        uint64_t for_ms;     /* then it is told to end; 0: never */
        bool replays;        /* the same requests by our own engine */
        const char *changed; /* a shell's command: the program after a change; NULL: none */
};

extern const struct option *const watch_option_tables[];

/* OPTION_HELP; MUSTER_E_INVALID, MUSTER_E_RESOURCE with *error. `argv` is NULL-ended. */
int watch_options_parse(struct watch_options *options, int argc, char **argv,
        struct muster_error *error);

#endif
