/* SPDX-License-Identifier: MIT */
/*
 * Files named as the server names them: -O and its kin
 *
 * -O is short for --body '{remote_name}', with --output-dir for --body 'DIR/{remote_name}'. What
 * else curl's options say of such files is held against what the run has.
 */
#ifndef CLI_FETCH_REMOTE_H
#define CLI_FETCH_REMOTE_H

#include "../output/body_files.h"

/* Zeroed is none. */
struct remote_options {
        bool is_wanted;         /* -O */
        const char *directory;  /* NULL: the current one */
        bool makes_directories; /* else `directory` has to be there */
        struct body_file_ways ways;
        char *pattern; /* what is meant by all of them; NULL: not -O */
};

void remote_options_deinit(struct remote_options *options);

/*
 * All options are there: *body, as --body has it, becomes what they mean. MUSTER_E_INVALID with
 * *error: they contradict each other, or ask for what there is not; MUSTER_E_RESOURCE.
 */
int remote_options_finish(struct remote_options *options, const char **body,
        struct muster_error *error);

#endif
