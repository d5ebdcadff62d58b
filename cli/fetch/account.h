/* SPDX-License-Identifier: MIT */
/*
 * The account that `muster fetch` gives of its run: the record, the verdict, assertions, and the
 * proof
 *
 * Where any of that is wanted the client records, into a file or in memory. When the run is over it
 * is explained.
 */
#ifndef CLI_FETCH_ACCOUNT_H
#define CLI_FETCH_ACCOUNT_H

#include "../option/login.h"
#include "../explain/options.h"
#include "../input/copies.h"
#include "../input/input.h"

struct account_options {
        struct explain_options explain;
        const char *record; /* a file; NULL: none */
};

struct account {
        struct account_options *options;
        struct muster_client *client; /* NULL: there is no account */
        bool shows_verdict;
        struct invocation invocation;
        struct input_copies copies;
        uint64_t first_unsafe_line; /* of the input: it cannot be asked again; 0: none */
        struct muster_explanation *explanation;
        struct confirmation confirmation;
        bool all_hold; /* the assertions */
        bool was_interrupted;
        bool is_too_long; /* to be explained without being asked for it */
};

/*
 * Record what this client does, where that is wanted. `input` is where its requests come
 * from, `output` where its results go, `argv` what
 * stands behind "fetch".
 * MUSTER_E_INVALID, MUSTER_E_RESOURCE with *error.
 */
int account_begin(struct account *account, struct account_options *options,
        struct muster_client *client, bool shows_verdict, enum muster_input input,
        enum muster_output output, int argc, char **argv, struct muster_error *error);

/*
 * A run that is repeated must not ask for the password again, so its invocation gets the one that
 * was typed. MUSTER_E_RESOURCE with *error.
 */
int account_set_login(struct account *account, const struct login_options *login,
        struct muster_error *error);

/* An item was read: it may have to be asked again. MUSTER_E_RESOURCE with *error. */
int account_input(struct account *account, const struct input *input, const struct input_item *item,
        struct muster_error *error);

/* What this run counted, for its record; before account_end(). */
void account_count(struct account *account, uint64_t output_stalled_us, unsigned n_stops);

/*
 * The run is over, of `n_requests`; `was_interrupted`: before its end. As account_begin(), and
 * MUSTER_E_INPUT: it cannot be explained.
 */
int account_end(struct account *account, uint64_t n_requests, bool was_interrupted,
        struct muster_error *error);

/*
 * Tell on standard error what there is to tell but the verdict, which is part of the summary: ""
 * where there is none.
 */
const char *account_verdict(const struct account *account);
void account_tell(const struct account *account);

/* Make the requests again, where that is wanted, and tell what came of it. As confirm_run(). */
int account_confirm(struct account *account, struct muster_error *error);

void account_deinit(struct account *account);

#endif
