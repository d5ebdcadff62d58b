/* SPDX-License-Identifier: MIT */
/*
 * As whom requests are made: the options, and how their secrets are kept out of sight
 */
#ifndef CLI_OPTION_LOGIN_H
#define CLI_OPTION_LOGIN_H

#include "option.h"

/* A part of a command's settings; zeroed is none. */
struct login_options {
        char *user;     /* "USER:PASSWORD" split: this is the user name */
        char *password; /* NULL: to be asked for */
        char *bearer;
        char *netrc_path; /* of the netrc file that was asked for without a name */
        bool wants_netrc;
};

void login_options_deinit(struct login_options *login);

/* Setters: the member at option->offset is a struct login_options. */
int login_set_user(void *settings, const struct option *option, const char *value,
        struct muster_error *error);
int login_set_bearer(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/*
 * All is parsed: ask for a password on the terminal if there is one to be asked for, and say where
 * the user's netrc file is. MUSTER_E_INVALID with *error: there is no terminal.
 */
int login_finish(struct login_options *login, struct muster_error *error);

/* Is what follows the option of this name a secret, or ends in one as "user:password" does? */
bool login_is_secret(const char *option_name);
#endif
