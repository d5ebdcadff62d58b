/* SPDX-License-Identifier: MIT */
/*
 * --confirm: the program once more, changed, beside how it was and what was predicted
 */
#ifndef CLI_WATCH_CHANGED_H
#define CLI_WATCH_CHANGED_H

#include "../text/layout.h"
#include "counts.h"

struct changed {
        const char *command; /* a shell's */
        struct counts before, after;
        struct muster_finding finding; /* the first of before; its texts are the explanation's */
        bool has_finding;
        bool was_interrupted;
        char title[200]; /* of the first finding that is left; "": none */
};

/*
 * Run `command` and compare it with what `before` did. MUSTER_E_RESOURCE, MUSTER_E_INPUT with
 * *error.
 */
int changed_run(struct changed *changed, const char *command, const struct session *before,
        const struct parts *parts, const struct session_options *options,
        struct muster_error *error);

void changed_print(const struct changed *changed, const struct page *page);

/* A member "changed" of an object. MUSTER_E_RESOURCE. */
int changed_json(const struct changed *changed, struct buf *to);

#endif
