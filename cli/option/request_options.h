/* SPDX-License-Identifier: MIT */
/*
 * What to ask, of whom and how: the options that all commands share which make requests
 *
 * A command's own settings begin with a `struct request_options`, so that these tables fill it.
 */
#ifndef CLI_OPTION_REQUEST_OPTIONS_H
#define CLI_OPTION_REQUEST_OPTIONS_H

#include "../input/input.h"
#include "body_options.h"
#include "cookie_options.h"
#include "login.h"
#include "option.h"
#include <muster/muster.h>

/* A growing NULL-ended list of borrowed texts. */
struct texts {
        const char **list;
        size_t n;
};

struct request_options {
        struct muster_client_options client;
        struct texts urls, files, resolve;
        struct input_options input; /* what the files hold */

        /* What every request is given beside its URL. */
        const char *method;   /* NULL: GET, or POST with data */
        struct texts headers; /* as on the command line: "Name: value", "Name:", "Name;" */
        bool is_head;         /* -I */
        struct body_options body;
        struct cookie_options cookies;
        struct login_options login;
        struct texts secret_headers; /* names */
        struct texts kept;           /* memory that settings point into; owned */

        struct texts proxy_headers, connect_to; /* see way_options.h */
        struct buf socks;                       /* "socks5://..." of --socks5 and its like */

        struct texts allow_hosts, allow_ports; /* see guard_options.h */
};

/* The heading that the first group of request_option_table has: a command may have more of it. */
#define HOW_LONG "Time limits (500ms, 2s, 1.5m; plain numbers are seconds; 0 is no limit)"

/* The heading of its last group. */
#define WHAT_TO_ACCEPT "Response"

extern const struct option input_option_table[], request_option_table[];

/* Append a borrowed text. */
int texts_add(struct texts *texts, const char *text, struct muster_error *error);

/* A URL among the arguments: for option_parse(). */
int request_options_add_url(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/* Keep memory as long as the options, which point into it. MUSTER_E_RESOURCE: it is freed. */
int request_options_keep(void *settings, char *take_text);

/* All is parsed: settle what follows from it. MUSTER_E_INVALID, MUSTER_E_RESOURCE with *error. */
int request_options_finish(struct request_options *options, struct muster_error *error);

/* Is there neither an argument nor a file, and nothing to be read from a terminal? */
bool request_options_have_no_input(const struct request_options *options);

/* Say on standard error what is dangerous, or most likely not meant. */
void request_options_warn(const struct request_options *options);
void request_options_deinit(struct request_options *options);

/* The method of a plain line; NULL: GET. */
const char *request_options_method(const struct request_options *options);

/*
 * A line of input makes its request itself: the warning that it lacks what an option says of plain
 * URLs, such as --data; NULL: it lacks nothing.
 */
const char *request_options_warning(const struct request_options *options,
        const struct input *input, const struct input_item *item, char *text, size_t size);

/*
 * Make the request of a plain line. A URL that ends in "/" gets the name of the file that is sent
 * there. NULL: memory is out.
 */
struct muster_request *request_options_make(const struct request_options *options, const char *url);

/*
 * Give a request options of its own, if it needs some: a jar of cookies, and where its body is
 * processed. Negative with *error.
 */
int request_options_set(const struct request_options *options, struct muster_request *request,
        bool process_inline, struct muster_error *error);

/* Does every request get more than its URL? */
bool request_options_add_to_requests(const struct request_options *options);

/*
 * Give a request what the options say, except what it has itself. `has_login`: it has credentials.
 * `content_type` is that of the
 * body it has itself, unless a header says otherwise; NULL: not known. Negative with *error.
 */
int request_options_apply(const struct request_options *options, struct muster_request *request,
        bool is_plain, bool has_login, const char *content_type, struct muster_error *error);

#endif
