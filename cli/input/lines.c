/* SPDX-License-Identifier: MIT */
/*
 * One URL a line
 */
#include "input.h"

#include <base/error.h>

static bool fits(struct muster_str line, const struct input_options *options)
{
        (void)line;
        (void)options;
        return true;
}

static int parse(struct muster_str line, struct buf *scratch, struct input_item *item)
{
        line = str_trim(line);
        if (memchr(line.at, '\0', line.len))
                return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                                 "input: line %llu has a NUL; is this a text file?",
                                 (unsigned long long)item->line);
        scratch->len = 0;
        if (buf_add_str(scratch, line) < 0 || buf_terminate(scratch) < 0)
                return error_set_memory(&item->error, MUSTER_PHASE_QUEUE);
        item->url = scratch->at;
        return 0;
}

const struct input_format input_lines = { .name = "lines", .parse = parse, .fits = fits };
