/* SPDX-License-Identifier: MIT */
#include "header_options.h"

#include "../input/body_file.h"
#include <base/error.h>
#include <base/mem.h>
#include <base/str.h>
#include <stdio.h>
#include <string.h>

static struct request_options *of(void *settings)
{
        return settings;
}

static int refuse_value(struct muster_error *error, const char *what, const char *value)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%s\" %s", value, what);
}

static int add_own_header(struct request_options *options, char *take_line,
        struct muster_error *error)
{
        if (request_options_keep(options, take_line) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return texts_add(&options->headers, take_line, error);
}

static int add_field(struct request_options *options, const char *name, const char *value,
        struct muster_error *error)
{
        size_t size = strlen(name) + strlen(value) + 1;
        char *line = mem_alloc(size);

        if (!line)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        snprintf(line, size, "%s%s", name, value);
        return add_own_header(options, line, error);
}

int header_options_set_referer(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        const char *semicolon = strrchr(value, ';');

        (void)option;
        if (semicolon && strcmp(semicolon, ";auto") == 0)
                return refuse_value(error,
                        "asks for a Referer that follows redirects (;auto), which is not supported",
                        value);
        return add_field(of(settings), *value ? "Referer: " : "Referer:", value, error);
}

/* RFC 9110 section 14.1.2, without the unit: "0-499", "500-", "-500", or several. */
static bool are_ranges(const char *value)
{
        struct muster_str rest = str_of(value), range;

        while (str_split(&rest, ',', &range)) {
                size_t dash = 0;

                while (dash < range.len && char_is_digit(range.at[dash]))
                        dash++;
                if (dash == range.len || range.at[dash] != '-' || range.len == 1)
                        return false;
                for (size_t i = dash + 1; i < range.len; i++)
                        if (!char_is_digit(range.at[i]))
                                return false;
        }
        return *value;
}

int header_options_set_range(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        if (!are_ranges(value))
                return refuse_value(error,
                        "is no range of bytes; write 0-499, 500-, -500, or several with commas",
                        value);
        return add_field(of(settings), "Range: bytes=", value, error);
}

int header_options_add_lines(struct request_options *options, struct texts *to, const char *path,
        struct muster_error *error)
{
        struct buf text = { 0 };
        struct muster_str rest, line;
        int r = file_read(path, &text, error);

        rest = buf_str(&text);
        while (r == 0 && str_split(&rest, '\n', &line)) {
                char *copy;

                if (line.len && line.at[line.len - 1] == '\r')
                        line.len--;
                if (!str_trim(line).len)
                        continue;
                copy = mem_strndup(line.at, line.len);
                r = copy && request_options_keep(options, copy) == 0
                            ? texts_add(to, copy, error)
                            : error_set_memory(error, MUSTER_PHASE_QUEUE);
        }
        buf_deinit(&text);
        return r;
}

static bool is_connection(const char *line)
{
        return str_is_nocase((struct muster_str){ line, strcspn(line, ":;") }, "Connection");
}

/*
 * Command lines that browsers copy say that connections are kept, which they are. The field itself is
 * the client's: "close" is an option of it.
 */
static int set_connection(struct request_options *options, const char *line,
        struct muster_error *error)
{
        struct muster_str value = str_of(line + strcspn(line, ":;") + 1);

        value = str_trim(value);
        if (str_is_nocase(value, "close"))
                options->client.no_reuse = true;
        else if (value.len && !str_is_nocase(value, "keep-alive"))
                return refuse_value(error,
                        "is neither Connection: close nor Connection: keep-alive", line);
        return 0;
}

int header_options_set(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        if (value[0] == '@')
                return header_options_add_lines(of(settings), &of(settings)->headers, value + 1,
                        error);
        if (!strpbrk(value, ":;"))
                return refuse_value(error,
                        "is not \"Name: value\", \"Name;\" (empty) or \"Name:\" (not sent)", value);
        if (is_connection(value))
                return set_connection(of(settings), value, error);
        return texts_add(&of(settings)->headers, value, error);
}
