/* SPDX-License-Identifier: MIT */
#include "answers.h"

#include <assert.h>
#include <base/mem.h>
#include <string.h>

#define EXAMPLE_BYTES_MAX 200 /* of a URL: more says no more */

void answers_deinit(struct answers *answers)
{
        for (size_t i = 0; i < ANSWERS_N_STATUSES; i++)
                answers->examples[i] = mem_free(answers->examples[i]);
}

enum answer_kind answer_of(int status)
{
        if (status == 304)
                return ANSWER_NOT_MODIFIED;
        switch (status / 100) {
        case 0:
                return ANSWER_NONE;
        case 2:
                return ANSWER_2XX;
        case 3:
                return ANSWER_REDIRECT;
        case 4:
                return ANSWER_4XX;
        case 1:
                return ANSWER_OTHER;
        default:
                return ANSWER_5XX;
        }
}

const char *answer_name(enum answer_kind answer)
{
        static const char *const names[ANSWER_N] = {
                [ANSWER_2XX] = "2xx",
                [ANSWER_NOT_MODIFIED] = "not modified",
                [ANSWER_REDIRECT] = "redirects not followed",
                [ANSWER_4XX] = "4xx",
                [ANSWER_5XX] = "5xx",
                [ANSWER_OTHER] = "other",
                [ANSWER_NONE] = "no response",
        };

        assert(answer < ANSWER_N);
        return names[answer];
}

bool answer_is_success(enum answer_kind answer)
{
        return answer == ANSWER_2XX || answer == ANSWER_NOT_MODIFIED || answer == ANSWER_REDIRECT;
}

static bool has_place(int status)
{
        return status >= ANSWERS_STATUS_MIN && status < ANSWERS_STATUS_MIN + ANSWERS_N_STATUSES;
}

void answers_add(struct answers *answers, int status, const char *url)
{
        size_t at = (size_t)(status - ANSWERS_STATUS_MIN);

        answers->n[answer_of(status)]++;
        if (!has_place(status))
                return;
        answers->n_of_status[at]++;
        if (!answers->examples[at] && url) /* without memory there is no example */
                answers->examples[at] = mem_strndup(url, strnlen(url, EXAMPLE_BYTES_MAX));
}

uint64_t answers_n(const struct answers *answers, int status)
{
        return has_place(status) ? answers->n_of_status[status - ANSWERS_STATUS_MIN] : 0;
}

const char *answers_example(const struct answers *answers, int status)
{
        const char *example =
                has_place(status) ? answers->examples[status - ANSWERS_STATUS_MIN] : NULL;

        return example ? example : "";
}

/* Put a status into its place among the most frequent ones. */
static void insert(const struct answers *answers, int status, int *statuses, size_t n, size_t max)
{
        size_t at = n < max ? n : max;

        while (at > 0 && answers_n(answers, statuses[at - 1]) < answers_n(answers, status)) {
                if (at < max)
                        statuses[at] = statuses[at - 1];
                at--;
        }
        if (at < max)
                statuses[at] = status;
}

size_t answers_rank(const struct answers *answers, enum answer_kind kind, int *statuses, size_t max)
{
        size_t n = 0;

        for (int i = 0; i < ANSWERS_N_STATUSES; i++) {
                int status = ANSWERS_STATUS_MIN + i;

                if (answer_of(status) == kind && answers_n(answers, status))
                        insert(answers, status, statuses, n++, max);
        }
        return n;
}
