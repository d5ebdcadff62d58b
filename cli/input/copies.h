/* SPDX-License-Identifier: MIT */
/*
 * Copies of what was read, to be read again
 *
 * Standard input can be read but once, and files change. A copy is made of each input by itself, so
 * that what its lines are is told as it was the first time.
 */
#ifndef CLI_INPUT_COPIES_H
#define CLI_INPUT_COPIES_H

#include "input.h"
#include <stdio.h>

struct input_copy {
        FILE *file;       /* without a name; children inherit it */
        const char *name; /* of the input; borrowed */
};

/* Zeroed: none. */
struct input_copies {
        struct input_copy *list;
        size_t n;
};

/*
 * Keep an item's line; `input` has just read it. Arguments are not copied. MUSTER_E_RESOURCE with
 * *error.
 */
int input_copies_add(struct input_copies *copies, const struct input *input,
        const struct input_item *item, struct muster_error *error);

/* All was added: from now on they can be read. As above. */
int input_copies_end(struct input_copies *copies, struct muster_error *error);
void input_copies_deinit(struct input_copies *copies);

#endif
