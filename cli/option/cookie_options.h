/* SPDX-License-Identifier: MIT */
/*
 * Cookies: the jar of a run, what it begins with, and where it ends
 *
 *      -b FILE ──▶ jar ──┬─▶ all requests share it (--cookie-scope run) ──▶ --cookie-jar FILE
 *                        └─▶ each line has a copy (--cookie-scope line)
 *      -b NAME=VALUE ──▶ a Cookie field of each request
 */
#ifndef CLI_OPTION_COOKIE_OPTIONS_H
#define CLI_OPTION_COOKIE_OPTIONS_H

#include "option.h"
#include <base/buf.h>
#include <muster/muster.h>

/* Zeroed: there are none. */
struct cookie_options {
        struct buf pairs;              /* what -b gives as text, joined by ";" */
        struct buf files;              /* of const char *: what -b gives as files */
        const char *jar_file;          /* --cookie-jar; NULL: none */
        bool drops_session;            /* -j */
        bool has_scope, is_line_scope; /* --cookie-scope: it was given; each line has its own jar */
        struct muster_jar *jar;        /* NULL: cookies are not kept */
};

/* What every command accepts; and --cookie-jar, which is of those that have an end. */
extern const struct option cookie_option_table[], cookie_jar_option_table[];

/*
 * All is parsed: see whether it goes together, and read the files. `stdin_is_input` tells that
 * requests come from standard input. Says on standard error what is odd about a file.
 * MUSTER_E_INVALID, MUSTER_E_INPUT, MUSTER_E_RESOURCE with *error.
 */
int cookie_options_finish(struct cookie_options *options, bool stdin_is_input,
        struct muster_error *error);
void cookie_options_deinit(struct cookie_options *options);

/* Does each request get something: a field, or a jar of its own? */
bool cookie_options_add_to_requests(const struct cookie_options *options);

/*
 * Give a request its field, unless `has_field`: it has one from elsewhere. Negative: as a setter of
 * requests.
 */
int cookie_options_apply(const struct cookie_options *options, struct muster_request *request,
        bool has_field);

/* A jar for one line, which the caller lets go of; NULL: it has none of its own, or no memory. */
struct muster_jar *cookie_options_jar_of_line(const struct cookie_options *options);

/* Is the file of --cookie-jar standard output? */
bool cookie_options_use_stdout(const struct cookie_options *options);

/* The run is over: write the file, if there is one. MUSTER_E_RESOURCE with *error. */
int cookie_options_save(const struct cookie_options *options, struct muster_error *error);

#endif
