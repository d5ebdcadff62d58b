/* SPDX-License-Identifier: MIT */
/*
 * The options of `muster fetch`
 */
#ifndef CLI_FETCH_OPTIONS_H
#define CLI_FETCH_OPTIONS_H

#include "option.h"
#include "process/process.h"
#include <base/buf.h>
#include <muster/muster.h>

/* A growing NULL-ended list of borrowed texts. */
struct texts {
        const char **list;
        size_t n;
};

struct fetch_options {
        struct muster_client_options client;
        struct process_options process;
        struct texts urls, files, resolve;

        /* What every request is given beside its URL. */
        const char *method;   /* NULL: GET, or POST with data */
        struct texts headers; /* as on the command line: "Name: value", "Name:", "Name;" */
        struct buf data;
        const char *upload;     /* a file that is the body of each; NULL: none */
        bool has_data, is_form; /* the latter: -d, which says that it is a form */
        char *user;             /* "user:password" split: this is the user name */
        const char *password;

        const char *input_format; /* NULL: tell by the first line */
        const char *output;       /* NULL: standard output */
        const char *body;         /* "inline", "none", or a directory */
        bool in_order, is_silent, wants_summary, no_progress;
};

extern const struct option fetch_option_table[];

/* Parse; as option_parse(). */
int fetch_options_parse(struct fetch_options *options, int argc, char **argv,
                        struct muster_error *error);
void fetch_options_deinit(struct fetch_options *options);

/* Are starts planned? */
bool fetch_options_have_rate(const struct fetch_options *options);

/* Does every request get more than its URL? */
bool fetch_options_add_to_requests(const struct fetch_options *options);

/* Give a request what the options say, except what it has itself. Negative with *error. */
int fetch_options_apply(const struct fetch_options *options, struct muster_request *request,
                        bool is_plain, struct muster_error *error);

#endif
