/* SPDX-License-Identifier: MIT */
/*
 * The body that requests of plain lines are given, and the pieces of a query that all are given
 *
 *      -d and its kin ─┬─▶ data ─┬─▶ body
 *      --json ─────────┘         └─▶ query (-G)
 *      -F ──────▶ form_spec ──────▶ form         -T ──▶ a file
 */
#ifndef CLI_OPTION_BODY_OPTIONS_H
#define CLI_OPTION_BODY_OPTIONS_H

#include "form_spec.h"
#include "option.h"
#include <muster/muster.h>

/* Zeroed: there is none. */
struct body_options {
        struct buf data; /* pieces that are joined by "&" */
        bool has_data;
        bool is_json;             /* --json was among them */
        bool is_query;            /* -G: the data goes into the URL */
        struct buf query;         /* --url-query: pieces that are joined by "&" */
        struct buf specs;         /* of struct form_spec: -F */
        bool form_escape;         /* names in it have backslashes */
        const char *upload;       /* -T: a file; NULL: none */
        struct muster_form *form; /* made of the specs */
        /* the header line that says what multipart body the form is; NULL: none does */
        const char *type_line;
};

/* What every command accepts; and "--json DATA", which is another option elsewhere. */
extern const struct option body_option_table[], body_json_option_table[];

/*
 * All is parsed: see whether it goes together, and make the form. `type_line` is a header that gives
 * it another type; NULL: none does. MUSTER_E_INVALID, MUSTER_E_RESOURCE with *error.
 */
int body_options_finish(struct body_options *options, const char *type_line,
        struct muster_error *error);
void body_options_deinit(struct body_options *options);

/* Is the file of -T standard input: "-", or "." as curl has it? */
bool body_is_standard(const struct body_options *options);

/* Is there a body for plain lines? And something for the URL of all requests? */
bool body_options_have_body(const struct body_options *options);
bool body_options_have_query(const struct body_options *options);

/* What the body makes of the method; NULL: nothing. */
const char *body_options_method(const struct body_options *options);

/* By the long name of an option: does it give requests a body? Is that one's value a file? */
bool body_option_has_body(const char *name);
bool body_option_is_file(const char *name, const char *value);

/* Give a request its body, or its query; `url` is what it is for. As a setter of requests. */
int body_options_apply(const struct body_options *options, struct muster_request *request,
        bool has_content_type);
int body_options_apply_query(const struct body_options *options, struct muster_request *request,
        bool is_plain);

/* --- body_form.c ----------------------------------------------------------------------------- */

/* Make the form of options->specs. As body_options_finish(). */
int body_options_make_form(struct body_options *options, struct muster_error *error);

#endif
