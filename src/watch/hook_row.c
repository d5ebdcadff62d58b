/* SPDX-License-Identifier: MIT */
#include "hook_row.h"

#include <string.h>

struct muster_str hook_row_text(const struct hook_row *row, size_t i)
{
        return i < row->n ? row->fields[i] : (struct muster_str){ "", 0 };
}

uint64_t hook_row_number(struct hook_row *row, size_t i, uint64_t max)
{
        uint64_t number = 0;

        if (!str_to_u64(hook_row_text(row, i), &number) || number > max)
                row->is_good = false;
        return row->is_good ? number : 0;
}

uint64_t hook_row_ns(struct hook_row *row, size_t i)
{
        return hook_row_number(row, i, HOOK_ROW_NS_MAX);
}

uint32_t hook_row_count(struct hook_row *row, size_t i)
{
        return (uint32_t)hook_row_number(row, i, UINT32_MAX);
}

int64_t hook_row_known(struct hook_row *row, size_t i)
{
        return str_starts(hook_row_text(row, i), "-") ? -1 : (int64_t)hook_row_ns(row, i);
}

int hook_row_unescape(struct muster_str text, struct buf *to)
{
        to->len = 0;
        for (size_t i = 0; i < text.len; i++) {
                int high = -1, low = -1;

                if (text.at[i] == '%' && i + 2 < text.len) {
                        high = char_hex(text.at[i + 1]);
                        low = char_hex(text.at[i + 2]);
                }
                if (buf_add_char(to, high >= 0 && low >= 0 ? (char)(high << 4 | low) : text.at[i]) <
                        0)
                        return MUSTER_E_RESOURCE;
                i += high >= 0 && low >= 0 ? 2 : 0;
        }
        return 0;
}

void hook_row_cut(struct hook_row *row, struct muster_str line)
{
        *row = (struct hook_row){ .is_good = true };
        for (;;) {
                const char *tab = line.len ? memchr(line.at, '\t', line.len) : NULL;
                size_t n = tab ? (size_t)(tab - line.at) : line.len;

                if (row->n == HOOK_ROW_FIELDS_MAX)
                        return;
                row->fields[row->n++] = (struct muster_str){ line.at, n };
                if (!tab)
                        return;
                line = str_after(line, n + 1);
        }
}
