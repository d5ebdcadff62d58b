/* SPDX-License-Identifier: MIT */
#include "doubt.h"

#include <assert.h>

#define FIRST_TRIAL 4 /* holds before it: a limit is often known after fewer */
#define SLACK       2 /* 503 more than expected, that few requests may show by chance */

void doubt_paced(struct doubt *doubt, bool is_503)
{
        doubt->n_paced++;
        doubt->n_paced_503 += is_503;
}

int doubt_hold(struct doubt *doubt)
{
        assert(!doubt->is_trying && !doubt->is_chance);
        if (doubt->n_holds++ < FIRST_TRIAL + doubt->n_holds_more)
                return 0;
        doubt->is_trying = true;
        doubt->n_tried = doubt->n_tried_503 = 0;
        return DOUBT_TRY;
}

/*
 * Are the two shares of 503 alike, the one at a pace and the one in the trial? At least half as many
 * were let in, and at most three times as many were not. The first tells a limit from chance that
 * refuses much; the second, a limit that is nearly enough from chance that refuses little.
 */
static bool is_alike(const struct doubt *doubt)
{
        double share = (double)doubt->n_paced_503 / doubt->n_paced;
        unsigned n_let_in = doubt->n_tried - doubt->n_tried_503;

        return n_let_in >= doubt->n_tried * (1 - share) / 2 &&
               doubt->n_tried_503 <= doubt->n_tried * share * 3 + SLACK;
}

static int end_trial(struct doubt *doubt, bool is_chance)
{
        doubt->is_trying = false;
        doubt->is_chance = is_chance;
        doubt->n_holds_more = 2 * doubt->n_holds_more + FIRST_TRIAL;
        doubt->n_holds = doubt->n_paced = doubt->n_paced_503 = 0;
        return is_chance ? DOUBT_CHANCE : DOUBT_LIMIT;
}

int doubt_tried(struct doubt *doubt, bool is_503)
{
        assert(doubt->is_trying);
        doubt->n_tried++;
        doubt->n_tried_503 += is_503;
        if (doubt->n_tried == DOUBT_FIRST)
                return doubt->n_tried_503 < DOUBT_FIRST ? DOUBT_TRY : end_trial(doubt, false);
        if (doubt->n_tried < DOUBT_TRIAL)
                return 0;
        return end_trial(doubt, doubt->n_paced && is_alike(doubt));
}
