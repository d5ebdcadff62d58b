/* SPDX-License-Identifier: MIT */
/*
 * A list that is repeated: kept in memory while it is read, and parsed once more each time
 *
 * Plain lines are kept as the URLs that they are, others as their text, as a request can be made
 * from it again and again. What is no request fails once, where it is read, and is not kept.
 */
#ifndef CLI_INPUT_REPEAT_H
#define CLI_INPUT_REPEAT_H

#include "input.h"

#define REPEAT_BYTES_MAX (256u << 20) /* of a list: some millions of lines */

/* Keep an item that was read. What does not fit any more leaves repeat->is_too_long. */
void repeat_keep(struct repeat *repeat, const struct input_item *item);

/*
 * The next item of the list, from its beginning again after its end. INPUT_END: nothing was kept.
 * MUSTER_E_INPUT with *error: it is too long.
 */
int repeat_next(struct repeat *repeat, struct buf *scratch, struct input_item *item,
        struct muster_error *error);

void repeat_deinit(struct repeat *repeat);

#endif
