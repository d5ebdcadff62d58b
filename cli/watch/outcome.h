/* SPDX-License-Identifier: MIT */
/*
 * What came of a watched program, as it is shown: a page for people, an object for machines
 */
#ifndef CLI_WATCH_OUTCOME_H
#define CLI_WATCH_OUTCOME_H

#include "../text/layout.h"
#include "executable.h"
#include "subject.h"
#include <base/buf.h>
#include <muster/explain.h>

struct replay;
struct changed;

struct outcome {
        const struct subject *subject;
        const struct executable *executable;
        const struct lookout *lookout;          /* what was seen from outside, and what was not */
        struct muster_explanation *explanation; /* NULL: there is nothing to explain, see `why` */
        struct muster_error why;                /* MUSTER_E_INPUT: it sent no request */
        size_t n_alive;                         /* processes that it has left behind */
};

/* What was made of it afterwards. */
struct proofs {
        const struct replay *replay; /* NULL: not asked for */
        const struct changed *changed;
};

void outcome_print(const struct outcome *outcome, const struct page *page);

/* One JSON object and a line end. MUSTER_E_RESOURCE. */
int outcome_json(const struct outcome *outcome, const struct proofs *proofs, struct buf *to);

/* The command in words, parted by blanks; cut where it is long. */
#define OUTCOME_WORDS 80
void outcome_words(char *const *argv, char text[OUTCOME_WORDS]);

#endif
