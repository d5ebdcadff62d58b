/* SPDX-License-Identifier: MIT */
/*
 * The plan of a load run: how many requests, for how long, at which rate
 *
 * Without a rate there is no plan of starts: a request starts when a slot is free, so the server
 * decides when (a closed loop). With one, the plan says when (open arrivals), and a request that
 * finds no slot is late.
 */
#ifndef CLI_LOAD_PLAN_H
#define CLI_LOAD_PLAN_H

#include "../option/option.h"
#include <muster/muster.h>

struct load_plan {
        uint64_t n_requests;  /* in all; 0: no such limit */
        uint64_t duration_ns; /* nothing begins later than this; 0: no such limit */
        double per_s;         /* of all starts, behind the ramp; 0: no rate */
        double from_per_s;    /* what the ramp begins with */
        uint64_t ramp_ns;     /* 0: no ramp */
        unsigned concurrency;
        bool is_exact; /* nothing but this rate says when requests start */
};

struct load_options {
        uint64_t n_requests, duration_ms; /* as given; 0: not given */
        double ramp_from_per_s, ramp_to_per_s;
        uint64_t ramp_ms;
        const char *json; /* a file for the page as an object; NULL: none */
        bool wants_charts;
        struct load_plan plan; /* what follows from these and --rate */
};

/* Setters of --requests, --duration, --ramp: the settings begin with what holds load_options. */
int load_set_requests(void *settings, const struct option *option, const char *value,
        struct muster_error *error);
int load_set_duration(void *settings, const struct option *option, const char *value,
        struct muster_error *error);
int load_set_ramp(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/* Is this run one of load? */
bool load_is_wanted(const struct load_options *options);

/* All is parsed: make the plan, and tell the client of a ramp. MUSTER_E_INVALID with *error. */
int load_options_finish(struct load_options *options, struct muster_client_options *client,
        struct muster_error *error);

/* The starts that are planned in the first `ns`, the one at 0 included. With a rate. */
double load_plan_count(const struct load_plan *plan, uint64_t ns);

/* The rate at a time. */
double load_plan_rate(const struct load_plan *plan, uint64_t ns);

/* How many requests there will be at most; 0: that is not known. */
uint64_t load_plan_most(const struct load_plan *plan);

#endif
