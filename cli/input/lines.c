/* SPDX-License-Identifier: MIT */
/*
 * One URL a line
 *
 * Blanks around it belong to the line. What else stands there is the URL, to the letter: characters
 * that would be lost on the way are told, and so is what is no URL but another format's.
 */
#include "input.h"
#include "untrusted.h"

#include <base/error.h>
#include <stdio.h>

static bool fits_any(struct muster_str line, const struct input_options *options)
{
        (void)line;
        (void)options;
        return true;
}

static int refuse_line(struct input_item *item, const char *what)
{
        return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0, "input: line %llu%s",
                (unsigned long long)item->line, what);
}

/* --- characters ------------------------------------------------------------------------------ */

/* At a place of the line, blanks at its front included; told in characters, as editors do. */
static int bad_at(struct input_item *item, size_t at, const char *what)
{
        size_t column = 1;

        for (size_t i = 0; i < at; i++)
                column += ((unsigned char)item->text.at[i] & 0xc0) != 0x80;
        return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: line %llu, column %zu: %s", (unsigned long long)item->line, column, what);
}

static int check_control(struct input_item *item, size_t at)
{
        char what[80];

        if (item->text.at[at] == '\t')
                return bad_at(item, at,
                        "a tab in the URL; use --input-format tsv for columns, or write %09 for a tab");
        if (item->text.at[at] == '\r')
                return bad_at(item, at,
                        "a carriage return in the URL; if lines end in one, convert them with tr '\\r' '\\n'");
        snprintf(what, sizeof(what), "a control character (0x%02x) in the URL; remove it",
                (unsigned char)item->text.at[at]);
        return bad_at(item, at, what);
}

/* A blank would be sent as %20, and what is behind a # not at all. */
static int check_blank(struct input_item *item, struct muster_str rest, size_t at)
{
        struct muster_str behind = str_trim(rest);

        if (str_starts(behind, "http://") || str_starts(behind, "https://"))
                return bad_at(item, at, "a second URL; write one URL per line");
        if (str_starts(behind, "#"))
                return bad_at(item, at, "a space before #; put comments on lines of their own");
        return 0;
}

static int check_characters(struct input_item *item, struct muster_str url)
{
        size_t before = (size_t)(url.at - item->text.at);
        int r = 0;

        for (size_t i = 0; i < url.len && r == 0; i++) {
                unsigned char c = (unsigned char)url.at[i];

                if (c == ' ' && i && url.at[i - 1] != ' ')
                        r = check_blank(item, str_after(url, i), before + i);
                else if ((c < 0x20 && c != ' ') || c == 0x7f)
                        r = check_control(item, before + i);
        }
        return r;
}

/* --- other formats --------------------------------------------------------------------------- */

/* How many delimiters, outside quotes, stand before the URL. */
static size_t columns_before_url(struct muster_str line, char delimiter)
{
        bool in_quotes = false;
        size_t n = 0;

        for (size_t i = 0; i < line.len; i++) {
                struct muster_str rest = { line.at + i, line.len - i };

                if (str_starts(rest, "http://") || str_starts(rest, "https://"))
                        return n;
                in_quotes ^= line.at[i] == '"';
                n += !in_quotes && line.at[i] == delimiter;
        }
        return n;
}

/* A row of CSV: its URL is not the first thing, or in quotes, or it is the header. */
static int check_row(struct input_item *item, struct muster_str line)
{
        bool is_tabbed = str_has_char(line, '\t');
        char what[140];

        if (line.len > 2 && line.at[0] == '"' && memcmp(line.at + line.len - 2, "\",", 2) == 0 &&
                !memchr(line.at, ',', line.len - 1))
                return refuse_line(item, " is in quotes and ends in a comma; remove both");
        if (!is_tabbed && !str_has_char(line, ','))
                return 0;
        if (!str_has(line, "http://") && !str_has(line, "https://")) {
                struct muster_str name, rest = line;

                while (str_split(&rest, is_tabbed ? '\t' : ',', &name))
                        if (str_is_nocase(str_trim(name), "url"))
                                return refuse_line(item,
                                        is_tabbed
                                                ? " looks like the header of a table; use --input-format tsv"
                                                : " looks like the header of a table; use --input-format csv");
                return 0;
        }
        snprintf(what, sizeof(what),
                " looks like a row of a table; use --input-format %s --url-column %zu",
                is_tabbed ? "tsv" : "csv", 1 + columns_before_url(line, is_tabbed ? '\t' : ','));
        return refuse_line(item, what);
}

static int check_format(struct input_item *item, struct muster_str line)
{
        if (line.at[0] == '{')
                return refuse_line(item,
                        " is a JSON object in a list of URLs; for JSON Lines use --input-format jsonl");
        if (str_is_nocase(line, "url"))
                return refuse_line(item,
                        " looks like the header of a table; use --input-format csv");
        return check_row(item, line);
}

/* --- the line -------------------------------------------------------------------------------- */

/* No blank and no control character: of nearly all URLs, so eight bytes at a time. */
static bool is_plain(struct muster_str url)
{
        const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
        size_t i = 0;

        for (; i + 8 <= url.len; i += 8) {
                uint64_t word, del;

                memcpy(&word, url.at + i, 8);
                del = word ^ (ones * 0x7f);
                if (((word - ones * 0x21) & ~word & high) || ((del - ones) & ~del & high))
                        return false;
        }
        for (; i < url.len; i++)
                if ((unsigned char)url.at[i] <= 0x20 || url.at[i] == 0x7f)
                        return false;
        return true;
}

static bool begins_as_url(struct muster_str line)
{
        struct muster_str begin = str_first(line, 5);

        return str_is_nocase(begin, "http:") || str_is_nocase(begin, "https");
}

static int parse_url(struct muster_str line, struct buf *scratch, struct input_item *item)
{
        bool is_clean;
        int r = 0;

        line = str_trim(line);
        is_clean = is_plain(line);
        if (!is_clean && str_has_char(line, '\0'))
                return refuse_line(item, " contains a NUL; is this a text file?");
        if (!begins_as_url(line))
                r = check_format(item, line);
        else if (!is_clean)
                r = check_characters(item, line);
        if (r < 0)
                return r;
        scratch->len = 0;
        if (buf_add_str(scratch, line) < 0 || buf_terminate(scratch) < 0)
                return error_set_memory(&item->error, MUSTER_PHASE_QUEUE);
        if (item->is_untrusted && untrusted_check_url(item, scratch->at) < 0)
                return item->error.code;
        item->url = scratch->at;
        return 0;
}

const struct input_format input_lines = { .name = "lines", .parse = parse_url, .fits = fits_any };
