/* SPDX-License-Identifier: MIT */
/*
 * An invocation of `muster fetch`: taken apart into its options, changed, and put together again
 *
 * Who proves a remedy runs the same words with one option changed, and a record keeps the words
 * that its run was started with. Options are known by their long names, whichever way they were
 * written; operands (URLs) come last.
 */
#ifndef CLI_EXPLAIN_INVOCATION_H
#define CLI_EXPLAIN_INVOCATION_H

#include <base/buf.h>
#include <muster/error.h>

struct invocation_word {
        const char *name; /* of an option, without dashes; NULL: an operand */
        char *value;      /* NULL: an option without argument */
};

/* Zeroed: `muster fetch` and nothing else. */
struct invocation {
        struct invocation_word *words;
        size_t n;
};

/*
 * Take apart what stands behind "muster fetch"; all is copied. MUSTER_E_INVALID, MUSTER_E_RESOURCE
 * with *error.
 */
int invocation_parse(struct invocation *invocation, int argc, char **argv,
        struct muster_error *error);
int invocation_copy(struct invocation *invocation, const struct invocation *from,
        struct muster_error *error);
void invocation_deinit(struct invocation *invocation);

/*
 * Apply a remedy: "--concurrency 64" takes the place of what was said about that option, "without
 * --per-host" leaves it away. Several may follow each other. MUSTER_E_INVALID when it is nothing of
 * that kind.
 */
int invocation_change(struct invocation *invocation, const char *remedy,
        struct muster_error *error);

/* Leave out all that was said about an option; NULL: the operands. */
void invocation_leave_out(struct invocation *invocation, const char *name);

/*
 * Add an option behind the others, so that it counts; `value` NULL: it has none. MUSTER_E_RESOURCE.
 */
int invocation_add(struct invocation *invocation, const char *name, const char *value,
        struct muster_error *error);

/*
 * What was said about an option last; NULL: nothing, or it has no argument (see invocation_has()).
 */
const char *invocation_value(const struct invocation *invocation, const char *name);
bool invocation_has(const struct invocation *invocation, const char *name);

/*
 * "muster", "fetch" and the words, NULL-ended, to be freed with mem_free(); the words stay the
 * invocation's. NULL: memory is out.
 */
char **invocation_argv(const struct invocation *invocation);

/*
 * All of it as a JSON array, to be kept in a record that is shown to others: without passwords,
 * request bodies, and the values of header fields that may be secret. MUSTER_E_RESOURCE.
 */
int invocation_to_json(const struct invocation *invocation, struct buf *json);

/*
 * From such an array. MUSTER_E_INPUT when it is no invocation of `muster fetch`, or when something
 * was left out of it.
 */
int invocation_from_json(struct invocation *invocation, const char *json,
        struct muster_error *error);

#endif
