/* SPDX-License-Identifier: MIT */
#include "repeat.h"

#include <base/error.h>

struct kept {
        size_t at, len; /* of its text, which is terminated */
        uint64_t line;
        const struct input_format *format; /* that reads it; NULL: it is a URL */
};

static bool keep(struct repeat *repeat, struct muster_str text, struct kept kept)
{
        kept.at = repeat->texts.len;
        kept.len = text.len;
        return buf_add_str(&repeat->texts, text) == 0 && buf_add_char(&repeat->texts, '\0') == 0 &&
               buf_add(&repeat->list, &kept, sizeof(kept)) == 0;
}

void repeat_keep(struct repeat *repeat, const struct input_item *item)
{
        struct kept kept = { .line = item->line };
        struct muster_str text = item->text;

        if (item->error.code || repeat->is_too_long)
                return;
        if (item->url)
                text = str_of(item->url);
        else
                kept.format = item->format;
        if (repeat->texts.len + repeat->list.len + text.len <= REPEAT_BYTES_MAX &&
                keep(repeat, text, kept))
                return;
        repeat_deinit(repeat); /* a part of the list is another list */
        repeat->is_too_long = true;
}

int repeat_next(struct repeat *repeat, struct buf *scratch, struct input_item *item,
        struct muster_error *error)
{
        struct kept kept;

        if (repeat->is_too_long)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: the list ended before the run, and is too long to be repeated (%u MiB); ask for fewer --requests, or take a part of the list",
                        REPEAT_BYTES_MAX >> 20);
        if (!repeat->list.len)
                return INPUT_END;
        if (repeat->next == repeat->list.len)
                repeat->next = 0;
        memcpy(&kept, repeat->list.at + repeat->next, sizeof(kept));
        repeat->next += sizeof(kept);
        item->line = kept.line;
        item->format = kept.format;
        if (!kept.format) {
                item->url = repeat->texts.at + kept.at;
                return 0;
        }
        kept.format->parse((struct muster_str){ repeat->texts.at + kept.at, kept.len },
                kept.format->delimiter ? NULL : scratch, item);
        return 0;
}

void repeat_deinit(struct repeat *repeat)
{
        buf_deinit(&repeat->texts);
        buf_deinit(&repeat->list);
        repeat->texts.len = repeat->list.len = repeat->next = 0;
}
