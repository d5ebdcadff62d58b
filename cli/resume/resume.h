/* SPDX-License-Identifier: MIT */
/*
 * Resume: a run that goes on with the output of one that ended before its list did
 *
 *      out.jsonl ──▶ old_output: what is finished ──┐
 *      list ──▶ items, numbered from 1 ─────────────┴─▶ stands │ to be done ──▶ requests ──▶ lines
 *                                                                                behind the old ones
 *      at the end, where lines count no more:  out.jsonl ──▶ rewrite ──▶ out.jsonl
 *
 * The output alone says what is finished; there is no file beside it that could be lost, or say
 * something else. A line has the number of its input item, so any source that gives the same items
 * again will do: a list, rows of CSV, arguments, a pipe. Whether it is the same list is told by the
 * request that a line is of: method and URL stand there, and what the line leaves out of its request,
 * fields and body, is in its `digest` (muster_request_digest()). A journal would know the same, but
 * what is copied, moved, sorted or cut with other tools is the file of results. So outputs without
 * numbers (-w, standard output) cannot be gone on with, and are refused with what to do instead.
 *
 * What stands: results, failed ones as well unless they are to be done again. A request that was
 * cancelled, and one whose body's file is not there any more, have none.
 *
 * Nothing of the old file changes until the run has a line of its own. Then a torn last line is
 * cut, and lines are only added. Where an item that has an old line gets another one, both stand
 * until the end: whoever kills the run before loses nothing, and the next one takes the younger
 * line. At the end the file is written anew without those that count no more, and takes the old
 * one's place in one step (rename).
 */
#ifndef CLI_RESUME_RESUME_H
#define CLI_RESUME_RESUME_H

#include "../output/body_files.h"
#include "old_output.h"

struct resume_options {
        bool goes_on;        /* --resume: do what has no result */
        bool repeats_failed; /* --failed-only: do what failed; and nothing else without the above */
        bool keeps_lines;    /* --append: lines that count no more stay */
        bool is_in_order;
        bool fails_on_status;          /* --fail: a status of 400 and above is a failure */
        struct body_files *body_files; /* where bodies go; those that are there are looked at */
};

/* Zeroed is none. */
struct resume {
        struct resume_options options;
        const char *path;
        bool is_there;
        struct old_output old;
        uint64_t n_standing, n_standing_failed; /* met so far, and not done again */
        uint64_t n_missing;                     /* have no result, and are not to be done */
};

static inline bool resume_is_wanted(const struct resume_options *options)
{
        return options->goes_on || options->repeats_failed;
}

/*
 * Read what the file `fd`, open for reading, has. MUSTER_E_INPUT with *error: it is no output of
 * ours, or damaged; MUSTER_E_RESOURCE.
 */
int resume_open(struct resume *resume, const struct resume_options *options, int fd,
        const char *borrow_path, struct muster_error *error);
void resume_close(struct resume *resume);

/* How many bytes of it are whole lines; what is behind is to be cut. */
static inline uint64_t resume_whole_at(const struct resume *resume)
{
        return resume->old.whole_at;
}

/* An item, as it is now. */
struct resume_item {
        uint64_t n, line;
        const char *input;     /* the name of its file; NULL: an argument */
        const char *method;    /* of its request */
        struct muster_str url; /* `at` NULL: it has none, because of: */
        const char *why_none;
        uint64_t digest;
};

/*
 * An item was read. 0: it is to be done. RESUME_STANDS: not. MUSTER_E_INPUT with *error: its result
 * is of another request, so the list was changed; MUSTER_E_RESOURCE.
 */
#define RESUME_STANDS 1
int resume_meet(struct resume *resume, const struct resume_item *item, struct muster_error *error);

/*
 * The list ended after so many items. MUSTER_E_INPUT with *error: there are results of more.
 */
int resume_end_of_list(const struct resume *resume, uint64_t n_items, struct muster_error *error);

/* The line of an item is written. */
void resume_wrote(struct resume *resume, uint64_t n);

/*
 * All is written to `fd`: where lines count no more, write the file anew without them.
 * MUSTER_E_RESOURCE with *error: it is as it was.
 */
int resume_finish(struct resume *resume, int fd, struct muster_error *error);

#endif
