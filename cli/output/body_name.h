/* SPDX-License-Identifier: MIT */
/*
 * The name of a body's file, made of a template with words in braces
 *
 *      out/{host}/{id}.html  ──▶  out/example.com:8080/東京.html
 *
 * What a word stands for becomes a part of a name: it cannot leave its folder, hide, or be taken
 * for another. UTF-8 is kept; "/", control characters, a dot at the beginning, bytes that are no
 * UTF-8 and "%" itself are written as %XX, so different stays different; only in {remote_name},
 * which has escapes of its own, "%" is kept. Where a name would be longer than file systems take,
 * the beginning of the word stands for it, with a hash of all of it.
 */
#ifndef CLI_OUTPUT_BODY_NAME_H
#define CLI_OUTPUT_BODY_NAME_H

#include <base/buf.h>
#include <stdbool.h>
#include <muster/error.h>

#define BODY_NAME_WORDS "{n}, {id}, {host}, {sha256} and {remote_name}"

/* Which words a template has: */
#define BODY_NAME_N           1u
#define BODY_NAME_ID          2u
#define BODY_NAME_HOST        4u
#define BODY_NAME_SHA256      8u
#define BODY_NAME_REMOTE_NAME 16u

/* MUSTER_E_INVALID with *error for a word that does not exist. */
int body_name_check(const char *template, unsigned *ret_words, struct muster_error *error);

/* What they stand for. */
struct body_name {
        uint64_t n;
        bool pads_n;          /* to six digits */
        struct muster_str id; /* empty: the number */
        struct muster_str host, sha256, remote_name;
};

/*
 * Append the name, terminated. BODY_NAME_TOO_LONG: a part of it is more than file systems take, and
 * what is constant in it is to blame. MUSTER_E_RESOURCE.
 */
#define BODY_NAME_TOO_LONG 1
int body_name_add(struct buf *to, const char *template, const struct body_name *name);

#endif
