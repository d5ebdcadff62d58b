/* SPDX-License-Identifier: MIT */
/*
 * The options that compare and sweep share, beside those of all requests
 */
#ifndef CLI_MEASURE_OPTIONS_H
#define CLI_MEASURE_OPTIONS_H

#include "../option/request_options.h"

/* The settings of each of the two begin with this. */
struct measure_options {
        struct request_options request; /* first: see there */
        bool allows_unsafe;
        bool wants_json;
        bool is_silent;
};

extern const struct option measure_option_table[];

#define MEASURE_CONCURRENCY_MAX 1000000 /* as muster_client_options has it */
#define MEASURE_LIST_MAX        32

/* A setter for a `struct measure_list`: numbers from 1 on with commas between. */
struct measure_list {
        unsigned values[MEASURE_LIST_MAX]; /* ascending, each once */
        size_t n;
};
int measure_set_list(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/* Put a number into its place, unless it is there. False: there is no room. */
bool measure_list_add(struct measure_list *list, unsigned value);

#endif
