/* SPDX-License-Identifier: MIT */
/*
 * The options of `muster fetch`
 */
#ifndef CLI_FETCH_OPTIONS_H
#define CLI_FETCH_OPTIONS_H

#include "../load/plan.h"
#include "../option/request_options.h"
#include "../output/body_files.h"
#include "../output/output.h"
#include "../output/write_out.h"
#include "../process/process.h"
#include "../resume/resume.h"
#include "account.h"
#include "kept.h"
#include "remote.h"

struct fetch_options {
        struct request_options request; /* first: see there */
        struct process_options process;
        struct account_options account;
        struct kept_options kept;
        const char *output;     /* NULL: standard output */
        bool appends, replaces; /* what is in that */
        struct resume_options resume;
        enum sync_way sync;
        enum output_way output_way;   /* what is meant by these */
        struct write_out write_out;   /* what is written of each result, instead of JSON */
        const char *body;             /* as given; NULL: inline */
        struct remote_options remote; /* that say what `body` is, and more of its files */
        enum body_place body_place;
        struct texts configs; /* the files of -K */
        const char *trace;    /* a file for the story of each request; NULL: none */
        bool is_verbose, in_order, is_silent, wants_summary, no_progress;
        struct load_options load;
        bool leaves_lines_out; /* a load run whose page is all that was asked for */
        bool stdout_is_taken;  /* by something else than that page */
};

/* NULL-ended. */
extern const struct option *const fetch_option_tables[];

/* Parse; as option_parse(). */
int fetch_options_parse(struct fetch_options *options, int argc, char **argv,
        struct muster_error *error);

/* Say on standard error what is allowed and may not be what was meant. */
void fetch_options_warn(const struct fetch_options *options);

/*
 * All is parsed: settle what follows from it. MUSTER_E_INVALID with *error: options that do not go
 * together; MUSTER_E_RESOURCE.
 */
int fetch_options_finish(struct fetch_options *options, struct muster_error *error);

void fetch_options_deinit(struct fetch_options *options);

/* Are starts planned? */
bool fetch_options_have_rate(const struct fetch_options *options);

#endif
