/* SPDX-License-Identifier: MIT */
#include "sniff.h"

/* Every other byte is zero: what Windows calls Unicode, without the mark at the front. */
static bool has_every_other_nul(struct muster_str line)
{
        return line.len >= 4 && (!line.at[0] ^ !line.at[1]) && !line.at[0] == !line.at[2] &&
               !line.at[1] == !line.at[3];
}

static bool is_list_of_json(struct muster_str line)
{
        struct muster_str behind;

        line = str_trim(line);
        if (!str_starts(line, "["))
                return false;
        behind = str_trim(str_after(line, 1));
        return !behind.len || behind.at[0] == '{' || behind.at[0] == '"';
}

const char *sniff(struct muster_str first_line)
{
        static const char utf16[] = "it is UTF-16; convert it with iconv -f UTF-16 -t UTF-8";

        if (str_starts(first_line, "\xff\xfe") || str_starts(first_line, "\xfe\xff") ||
                has_every_other_nul(first_line))
                return utf16;
        if (str_starts(first_line, "\x1f\x8b"))
                return "it is compressed with gzip; use gzip -dc FILE | muster ... -i -";
        if (str_starts(first_line, "\x28\xb5\x2f\xfd"))
                return "it is compressed with zstd; use zstd -dc FILE | muster ... -i -";
        if (str_starts(first_line, "PK\x03\x04"))
                return "it is a zip archive or a spreadsheet (xlsx, ods); save a spreadsheet as CSV";
        if (is_list_of_json(first_line))
                return "it is a JSON array, but one object per line is needed; use jq -c '.[]' for objects, jq -r '.[]' for URLs";
        if (str_is(str_trim(first_line), "{"))
                return "its JSON objects span several lines; use jq -c . to put each on one line";
        return NULL;
}
