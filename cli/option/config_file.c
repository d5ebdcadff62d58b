/* SPDX-License-Identifier: MIT */
#include "config_file.h"

#include "../input/body_file.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

static struct muster_str skip_blanks(struct muster_str text)
{
        while (text.len && is_blank(*text.at)) {
                text.at++;
                text.len--;
        }
        return text;
}

static struct muster_str rest_from(struct muster_str text, size_t n)
{
        return str_after(text, n);
}

/* --- a line ---------------------------------------------------------------------------------- */

/* Take the option's name: up to a blank, or without dashes also up to "=" or ":". */
static struct muster_str take_name(struct muster_str *line)
{
        bool has_dash = line->len && *line->at == '-';
        struct muster_str name = { line->at, 0 };

        while (name.len < line->len && !is_blank(line->at[name.len]) &&
                (has_dash || !strchr("=:", line->at[name.len])))
                name.len++;
        *line = skip_blanks(rest_from(*line, name.len));
        if (!has_dash && line->len && strchr("=:", *line->at))
                *line = skip_blanks(rest_from(*line, 1));
        return name;
}

static char unescaped(char c)
{
        return c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'v' ? '\v' : c;
}

/* The text behind an opening quote. MUSTER_E_INVALID: it is not closed. */
static int add_quoted(struct buf *to, struct muster_str text, struct muster_error *error)
{
        for (size_t i = 1; i < text.len; i++) {
                char c = text.at[i];

                if (c == '"')
                        return 0;
                if (c == '\\' && i + 1 < text.len)
                        c = unescaped(text.at[++i]);
                if (buf_add_char(to, c) < 0)
                        return error_set_memory(error, MUSTER_PHASE_QUEUE);
        }
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "the closing \" is missing");
}

/* A value without quotes ends at white space; what follows may only be a comment. */
static int add_plain(struct buf *to, struct muster_str text, struct muster_error *error)
{
        size_t len = 0;
        struct muster_str rest;

        while (len < text.len && !is_blank(text.at[len]))
                len++;
        rest = skip_blanks(rest_from(text, len));
        if (rest.len && *rest.at != '#')
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "a value with white space needs double quotes: \"%.*s\"",
                        STR_ARGS(str_first(text, 80)));
        return buf_add(to, text.at, len) < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE) : 0;
}

static bool is_letter(const struct buf *words)
{
        return words->len == 2 && words->at[1] != '-';
}

/*
 * The option as on the command line: "--name=value", so that an option without a value notices one;
 * with one dash "-n" and, behind its zero byte, the value.
 */
static int read_words(struct muster_str line, struct buf *words, int *ret_n,
        struct muster_error *error)
{
        struct muster_str name = take_name(&line);
        int r = name.len && *name.at == '-' ? 0 : buf_add_text(words, "--");

        if (!name.len)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "an option's name is missing");
        if (str_is(name, "http") || str_is(name, "https"))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "a URL needs an option here: url = \"...\"; for a list of URLs use -i");
        if (r == 0)
                r = buf_add_str(words, name);
        *ret_n = 1;
        if (r == 0 && (!line.len || *line.at == '#'))
                return 0;
        if (r == 0 && is_letter(words)) {
                *ret_n = 2;
                r = buf_add_char(words, '\0');
        } else if (r == 0) {
                r = buf_add_char(words, '=');
        }
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return *line.at == '"' ? add_quoted(words, line, error) : add_plain(words, line, error);
}

/* What stands behind an option with one dash that takes no value. */
static int refuse_operand(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)settings;
        (void)option;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%s\" follows an option that takes no value", value);
}

static int apply_line(const struct config_file *config, struct muster_str line,
        struct muster_error *error)
{
        struct buf words = { 0 };
        char *argv[2];
        int n = 0, r = read_words(line, &words, &n, error);

        if (r == 0 && buf_add_char(&words, '\0') < 0)
                r = error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (r < 0) {
                buf_deinit(&words);
                return r;
        }
        argv[0] = words.at;
        argv[1] = n == 2 ? words.at + strlen(words.at) + 1 : NULL;
        if (config->keep(config->settings, words.at) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        r = option_parse(config->tables, config->settings, n, argv, refuse_operand, error);
        if (r == OPTION_HELP)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--help is for the command line");
        return r;
}

/* --- a file ---------------------------------------------------------------------------------- */

static int fail_line(struct muster_error *error, int r, const char *path, unsigned number)
{
        struct muster_error why = *error;

        error_clear(error);
        return error_set(error, r, MUSTER_PHASE_QUEUE, 0, "%s, line %u: %s",
                strcmp(path, "-") == 0 ? "standard input" : path, number, why.text);
}

static int apply_lines(const struct config_file *config, const char *path, struct muster_str text,
        struct muster_error *error)
{
        struct muster_str line;
        unsigned number = 0;

        while (str_split(&text, '\n', &line)) {
                int r = 0;

                number++;
                line = skip_blanks(line);
                if (line.len && *line.at != '#')
                        r = apply_line(config, line, error);
                if (r < 0)
                        return fail_line(error, r, path, number);
        }
        return 0;
}

/* The files that are being read, the innermost first; options are parsed by one thread. */
struct open_file {
        const char *path;
        const struct open_file *outer;
};
static const struct open_file *innermost;

static bool is_open(const char *path)
{
        for (const struct open_file *file = innermost; file; file = file->outer)
                if (strcmp(file->path, path) == 0)
                        return true;
        return false;
}

int config_file_read(const struct config_file *config, const char *path, struct muster_error *error)
{
        const struct open_file file = { path, innermost };
        struct buf text = { 0 };
        int r;

        if (is_open(path))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "the file %s names itself", path);
        r = file_read(path, &text, error);
        innermost = &file;
        if (r == 0)
                r = apply_lines(config, path, buf_str(&text), error);
        innermost = file.outer;
        buf_deinit(&text);
        return r;
}
