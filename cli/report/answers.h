/* SPDX-License-Identifier: MIT */
/*
 * How the server answered: counts by kind and by status
 *
 * An answer is not yet a success: "succeeded" is said of 2xx and 3xx alone. Of the statuses of 400
 * and above each is counted, and the first URL that got it is kept, so that the summary can name
 * them.
 */
#ifndef CLI_REPORT_ANSWERS_H
#define CLI_REPORT_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum answer_kind {
        ANSWER_2XX,
        ANSWER_NOT_MODIFIED, /* 304, which redirects nowhere */
        ANSWER_REDIRECT,     /* any other 3xx: it was not followed */
        ANSWER_4XX,
        ANSWER_5XX, /* and what no server should send, 600 and above: RFC 9110 section 15 */
        ANSWER_OTHER,
        ANSWER_NONE, /* no status came */
        ANSWER_N,
};

#define ANSWERS_STATUS_MIN 400
#define ANSWERS_N_STATUSES 600 /* 400 to 999 */

struct answers {
        uint64_t n[ANSWER_N];
        uint64_t n_of_status[ANSWERS_N_STATUSES];
        char *examples[ANSWERS_N_STATUSES]; /* the first URL of each */
};

void answers_deinit(struct answers *answers);

/* Status 0: there was none. `url` may be NULL. */
void answers_add(struct answers *answers, int status, const char *url);

enum answer_kind answer_of(int status);
const char *answer_name(enum answer_kind answer); /* "4xx", "redirects not followed" */

/* 2xx and 3xx. */
bool answer_is_success(enum answer_kind answer);

/*
 * The statuses of one kind, the most frequent first: into `statuses`, at most `max`. Returns how
 * many there are, which may be more.
 */
size_t answers_rank(const struct answers *answers, enum answer_kind kind, int *statuses,
        size_t max);

/* Of one status of 400 and above. */
uint64_t answers_n(const struct answers *answers, int status);
const char *answers_example(const struct answers *answers, int status); /* "": not known */

#endif
