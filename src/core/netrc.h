/* SPDX-License-Identifier: MIT */
/*
 * Netrc: a file with user names and passwords by host
 *
 *      machine api.example.com
 *              login ada
 *              password "two words"
 *      default login anonymous password me@example.com
 *
 * It is read as curl reads it. Words are separated by blanks and line ends. A line that begins with
 * # is a comment. A word in double quotes may have blanks, and the escapes \" \\ \n \r \t. A macro
 * (macdef) is skipped up to the next empty line, an account is read and not used, and so are words
 * that nobody knows. The first entry that fits counts; `default` fits every host. The permissions
 * of the file are not checked.
 *
 * What was read does not change, so threads share it.
 */
#ifndef CORE_NETRC_H
#define CORE_NETRC_H

#include <base/buf.h>
#include <muster/error.h>

/* An entry; places in the text of all entries. A login or password that is missing is empty. */
struct netrc_entry {
        uint32_t host_at, host_len; /* of `default`: empty */
        uint32_t login_at, login_len;
        uint32_t password_at, password_len;
};

struct netrc {
        struct buf text;
        struct buf entries; /* of struct netrc_entry */
};

/*
 * Read the text of a file into an empty netrc; `path` is what errors call it. MUSTER_E_INPUT with
 * path and line in *error; MUSTER_E_RESOURCE. Deinit it in any case.
 */
int netrc_parse(struct netrc *netrc, struct muster_str text, const char *path,
        struct muster_error *error);

/* Read a file. As netrc_parse(); MUSTER_E_INPUT also if it cannot be read, with error->sys. */
int netrc_read(struct netrc *netrc, const char *path, struct muster_error *error);

void netrc_deinit(struct netrc *netrc);

/*
 * Find login and password for a host, and for this user if `user` is not empty. What is found is
 * borrowed from the netrc, and *ret_login is `user` where the entry has no login. False: there is
 * none.
 */
bool netrc_find(const struct netrc *netrc, struct muster_str host, struct muster_str user,
        struct muster_str *ret_login, struct muster_str *ret_password);

#endif
