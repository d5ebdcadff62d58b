/* SPDX-License-Identifier: MIT */
#include "intake.h"

#include "life.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <explain/judgement.h>

struct merge {
        const struct facts *facts;
        struct intake *intake;
        struct sort_pair *submits; /* value: index of the first attempt */
        size_t n_submits;
        uint64_t queue_size;
        uint64_t right_after_ns;
        /* submissions that are the first ones after a result, though there was room */
        size_t n_after;
        size_t n_right_after; /* of these, right after it */
};

static const struct trace_attempt *attempt_at(const struct facts *facts, size_t at)
{
        return &facts->record->attempts[facts->by_request[at]];
}

/* --- moments --------------------------------------------------------------------------------- */

static void collect(struct merge *merge)
{
        const struct facts *facts = merge->facts;
        struct intake *intake = merge->intake;

        for (size_t from = 0, to; from < facts->record->n_attempts; from = to) {
                const struct trace_attempt *last;

                to = facts_request_end(facts, from);
                last = attempt_at(facts, to - 1);
                merge->submits[merge->n_submits++] =
                        (struct sort_pair){ life_submit_ns(attempt_at(facts, from)),
                                facts->by_request[from] };
                if (last->is_last && last->taken_ns)
                        intake->takes[intake->n_takes++] =
                                (struct sort_pair){ last->taken_ns, facts->by_request[to - 1] };
        }
        sort_pairs(merge->submits, merge->n_submits);
        sort_pairs(intake->takes, intake->n_takes);
}

/* --- what they depended on ------------------------------------------------------------------- */

/*
 * Counts as the client does: once full, it is full until it is half empty, as a caller fills it up
 * while results are taken.
 */
static bool is_still_full(bool is_full, uint64_t n_held, uint64_t queue_size)
{
        return n_held >= queue_size || (is_full && n_held >= queue_size / 2);
}

static void note_submit(struct merge *merge, const struct sort_pair *submit,
        const struct sort_pair *take, bool is_full)
{
        assert(submit->value < merge->facts->record->n_attempts);
        if (is_full)
                merge->intake->why[submit->value] = INTAKE_ROOM;
        if (is_full || !take)
                return;
        merge->n_after++;
        merge->n_right_after += submit->key - take->key <= merge->right_after_ns;
}

/* Go through submissions and results in the order in which they happened. */
static void go_through(struct merge *merge)
{
        const struct intake *intake = merge->intake;
        uint64_t n_held = 0;
        bool is_full = false;
        size_t n_taken = 0;

        assert(merge->n_submits > 0 && intake->n_takes <= merge->n_submits);
        merge->n_after = merge->n_right_after = 0;
        for (size_t i = 0; i < merge->n_submits; i++) {
                const struct sort_pair *take = NULL;

                while (n_taken < intake->n_takes &&
                        intake->takes[n_taken].key <= merge->submits[i].key) {
                        take = &intake->takes[n_taken++];
                        n_held -= n_held > 0;
                        is_full = is_still_full(is_full, n_held, merge->queue_size);
                }
                note_submit(merge, &merge->submits[i], take, is_full);
                n_held++;
                is_full = is_still_full(is_full, n_held, merge->queue_size);
        }
}

/*
 * "Right after" a result is made so short that at most RIGHT_AFTER of those submissions are right
 * after one which do not wait for results. Of those that wait, nearly all are.
 */
static void judge(struct merge *merge)
{
        go_through(merge);
        if (!merge->n_after)
                return;
        merge->right_after_ns =
                whole_of((double)(merge->facts->wall_ns / merge->n_after) * RIGHT_AFTER);
        if (merge->right_after_ns > RIGHT_AFTER_NS)
                merge->right_after_ns = RIGHT_AFTER_NS;
        go_through(merge);
        assert(merge->n_right_after <= merge->n_after);
        merge->intake->follows =
                (double)merge->n_right_after > (double)merge->n_after * MOST_OF_THEM;
}

/* --- all of it ------------------------------------------------------------------------------- */

int intake_init(struct intake **ret_intake, const struct facts *facts)
{
        size_t n = facts->record->n_attempts;
        uint64_t queue_size = facts->record->run.options.queue_size;
        struct merge merge = { .facts = facts, .queue_size = queue_size ? queue_size : UINT64_MAX };

        assert(facts->by_request && facts->wall_ns > 0);
        merge.intake = mem_zalloc(sizeof(*merge.intake));
        merge.submits = mem_array(n, sizeof(*merge.submits));
        if (merge.intake) {
                merge.intake->takes = mem_array(n, sizeof(*merge.intake->takes));
                merge.intake->why = mem_array(n, sizeof(*merge.intake->why));
        }
        if (!merge.intake || !merge.submits || !merge.intake->takes || !merge.intake->why) {
                mem_free(merge.submits);
                intake_free(merge.intake);
                return MUSTER_E_RESOURCE;
        }
        collect(&merge);
        judge(&merge);
        mem_free(merge.submits);
        *ret_intake = merge.intake;
        return 0;
}

struct intake *intake_free(struct intake *intake)
{
        if (!intake)
                return NULL;
        mem_free(intake->takes);
        mem_free(intake->why);
        return mem_free(intake);
}

enum intake_why intake_why(const struct facts *facts, const struct trace_attempt *first)
{
        enum intake_why why = facts->intake->why[first - facts->record->attempts];

        if (why == INTAKE_INPUT && facts->intake->follows)
                return INTAKE_RESULT;
        return why;
}

const struct trace_attempt *intake_taken_before(const struct facts *facts, uint64_t moment_ns)
{
        const struct intake *intake = facts->intake;
        size_t low = 0, high = intake->n_takes;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (intake->takes[middle].key <= moment_ns)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low ? &facts->record->attempts[intake->takes[low - 1].value] : NULL;
}
