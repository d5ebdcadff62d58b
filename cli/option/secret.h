/* SPDX-License-Identifier: MIT */
/*
 * What of a command's arguments is a secret, and how it is kept out of sight
 *
 * Others on the machine see a program's arguments, and read its records. Secrets are passwords and
 * tokens, cookies, fields that are named like them or by --secret-header, bodies, and the user part
 * of URLs. What comes from a file is none of this: only the file's name is an argument.
 */
#ifndef CLI_OPTION_SECRET_H
#define CLI_OPTION_SECRET_H

#include "request_options.h"

/*
 * The part of an option's value that is secret, borrowed; empty: none is. `option_name` NULL: an
 * operand, which is a URL. `names`: those of --secret-header.
 */
struct muster_str secret_in(const char *option_name, const char *value, const struct texts *names);

/* Is the value a URL, of which the user part may be secret? As secret_in(). */
bool secret_is_of_url(const char *option_name);

/* A command's arguments, zeroed is none: ours, which nobody sees. */
struct arguments {
        int argc;
        char **argv;
};

/*
 * Copy the arguments, and blank what is secret in those that the program was started with: the
 * list of processes shows these. MUSTER_E_RESOURCE with *error.
 */
int arguments_take(struct arguments *arguments, const struct option *const *tables, int argc,
        char **argv, struct muster_error *error);

/* Once nothing points into them. May be called twice. */
void arguments_deinit(struct arguments *arguments);

#endif
