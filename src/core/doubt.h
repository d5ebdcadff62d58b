/* SPDX-License-Identifier: MIT */
/*
 * Doubt: is a 503 without Retry-After a limit at all?
 *
 * A server in trouble, or one broken resource, answers 503 by chance, however slowly it is asked. To
 * slow down helps nothing there, and each 503 would seem to say that the pace is still too fast. So
 * after a few holds (throttle.h) there is a trial: instead of one more hold, some requests are sent at
 * once, without a pace. A limit that was just reached refuses nearly all of them; chance refuses as
 * many as it did at the slow pace. Then 503 is never taken for a limit of this origin again.
 *
 * A trial that shows a limit costs some refusals. The next one comes after twice as many holds.
 *
 * Nothing here knows requests, and time does not matter.
 */
#ifndef CORE_DOUBT_H
#define CORE_DOUBT_H

#include <stdbool.h>

#define DOUBT_FIRST 8  /* requests of a trial that may show that it is a limit */
#define DOUBT_TRIAL 32 /* requests of a whole one: so many tell shares of a half and less apart */

struct doubt {
        bool is_chance;        /* settled: its 503 say nothing about a limit */
        bool is_trying;        /* a trial is on */
        unsigned n_paced;      /* responses at a pace, since the last trial */
        unsigned n_paced_503;  /* those of them that were 503 */
        unsigned n_holds;      /* since the last trial */
        unsigned n_holds_more; /* that the next trial takes beyond the first one's; doubled */
        unsigned n_tried, n_tried_503; /* responses in the trial */
};

/* A response at a pace has come. */
void doubt_paced(struct doubt *doubt, bool is_503);

/* A 503 would begin a hold. DOUBT_TRY: a trial begins instead. */
#define DOUBT_TRY 1
int doubt_hold(struct doubt *doubt);

/*
 * A response of the trial has come. 0: others are under way; DOUBT_TRY: the first ones let it go on;
 * DOUBT_LIMIT: it is a limit, hold; DOUBT_CHANCE: it is none.
 */
#define DOUBT_LIMIT  2
#define DOUBT_CHANCE 3
int doubt_tried(struct doubt *doubt, bool is_503);

#endif
