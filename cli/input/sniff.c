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
        behind = str_trim((struct muster_str){ line.at + 1, line.len - 1 });
        return !behind.len || behind.at[0] == '{' || behind.at[0] == '"';
}

const char *sniff(struct muster_str first_line)
{
        static const char utf16[] = "it is UTF-16; iconv -f UTF-16 -t UTF-8 makes it readable";

        if (str_starts(first_line, "\xff\xfe") || str_starts(first_line, "\xfe\xff") ||
                has_every_other_nul(first_line))
                return utf16;
        if (str_starts(first_line, "\x1f\x8b"))
                return "it is compressed with gzip; gzip -dc FILE | muster ... -i - reads it";
        if (str_starts(first_line, "\x28\xb5\x2f\xfd"))
                return "it is compressed with zstd; zstd -dc FILE | muster ... -i - reads it";
        if (str_starts(first_line, "PK\x03\x04"))
                return "it is a zip archive, or a spreadsheet (xlsx, ods); save that as CSV";
        if (is_list_of_json(first_line))
                return "it is one list in JSON, where one object a line is needed; jq -c '.[]' makes lines of objects, jq -r '.[]' of URLs";
        if (str_is(str_trim(first_line), "{"))
                return "its JSON is laid out over several lines; jq -c . makes a line of each object";
        return NULL;
}
