/* SPDX-License-Identifier: MIT */
#include "form_spec.h"

#include "../input/body_file.h"
#include <base/error.h>
#include <base/mem.h>

/* Where we are in the text, which is cut into words by zero bytes. */
struct cursor {
        char *at;
        char separator; /* what ended the last word: ';', ',' or '\0' */
        bool has_list;  /* a comma separates, too */
        struct form_spec *spec;
        struct muster_error *error;
};

void form_spec_deinit(struct form_spec *spec)
{
        for (size_t i = 0; i < form_spec_n_parts(spec); i++)
                buf_deinit(&form_spec_part(spec, i)->headers);
        for (size_t i = 0; i < spec->files.len / sizeof(char *); i++)
                mem_free(((char **)(void *)spec->files.at)[i]);
        buf_deinit(&spec->parts);
        buf_deinit(&spec->files);
        mem_free(spec->text);
        *spec = (struct form_spec){ 0 };
}

static int refuse(struct cursor *cursor, const char *word, const char *why)
{
        return error_set(cursor->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%.60s\" %s",
                word, why);
}

/* --- words ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static char *skip_blanks(char *at)
{
        while (is_blank(*at))
                at++;
        return at;
}

static bool is_separator(const struct cursor *cursor, char c)
{
        return c == '\0' || c == ';' || (cursor->has_list && c == ',');
}

static bool is_escape(const char *at)
{
        return at[0] == '\\' && (at[1] == '\\' || at[1] == '"');
}

/* The quote that closes the one at `at`; NULL: none does. */
static char *closing_quote(char *at)
{
        for (at++; *at && *at != '"'; at++)
                if (is_escape(at))
                        at++;
        return *at ? at : NULL;
}

/* Terminate the text before `end`, and go on behind the separator at `stop`. */
static void cut(struct cursor *cursor, char *end, char *stop)
{
        cursor->separator = *stop;
        cursor->at = stop + (*stop != '\0');
        *end = '\0';
}

static int take_quoted(struct cursor *cursor, char *quote, const char **ret_word)
{
        char *end = closing_quote(quote), *to = quote + 1, *stop = skip_blanks(end + 1);

        if (!is_separator(cursor, *stop))
                return refuse(cursor, stop,
                        "follows the quote that ends a word; a ; must be there");
        for (char *from = to; from < end; from++) {
                from += is_escape(from);
                *to++ = *from;
        }
        *ret_word = quote + 1;
        cut(cursor, to, stop);
        return 0;
}

/* A word in quotes, or all up to the next separator, without blanks around it. */
static int take_word(struct cursor *cursor, const char **ret_word)
{
        char *begin = skip_blanks(cursor->at), *stop = begin, *end;

        if (*begin == '"' && closing_quote(begin))
                return take_quoted(cursor, begin, ret_word);
        while (!is_separator(cursor, *stop))
                stop++;
        end = stop;
        while (end > begin && is_blank(end[-1]))
                end--;
        *ret_word = begin;
        cut(cursor, end, stop);
        return 0;
}

/* --- what follows a content ------------------------------------------------------------------ */

static int add_header(struct cursor *cursor, struct form_spec_part *part, const char *line)
{
        return buf_add(&part->headers, &line, sizeof(line)) < 0
                       ? error_set_memory(cursor->error, MUSTER_PHASE_QUEUE)
                       : 0;
}

/*
 * Cut the text of a file into lines of headers. A line that begins with "#" is a remark, one that
 * begins with a blank goes on with the line before.
 */
static int add_header_lines(struct cursor *cursor, struct form_spec_part *part, char *text)
{
        char *line = NULL, *end = text;
        int r = 0;

        for (char *next; r == 0 && *text; text = next) {
                size_t len = strcspn(text, "\n");

                next = text + len + (text[len] == '\n');
                while (len && is_blank(text[len - 1]))
                        len--;
                if (!len || text[0] == '#')
                        continue;
                if (line && is_blank(text[0])) {
                        memmove(end, text, len);
                        end += len;
                        *end = '\0';
                        continue;
                }
                line = text;
                end = text + len;
                *end = '\0';
                r = add_header(cursor, part, line);
        }
        return r;
}

static int read_headers(struct cursor *cursor, struct form_spec_part *part, const char *path)
{
        struct buf text = { 0 };
        int r = file_read(path, &text, cursor->error);

        if (r == 0 && (buf_terminate(&text) < 0 ||
                              buf_add(&cursor->spec->files, &text.at, sizeof(text.at)) < 0))
                r = error_set_memory(cursor->error, MUSTER_PHASE_QUEUE);
        if (r < 0) {
                buf_deinit(&text);
                return r;
        }
        return add_header_lines(cursor, part, text.at);
}

static int take_headers(struct cursor *cursor, struct form_spec_part *part)
{
        bool is_file = *cursor->at == '@' || *cursor->at == '<';
        const char *word;
        int r;

        cursor->at += is_file;
        r = take_word(cursor, &word);
        if (r < 0)
                return r;
        return is_file ? read_headers(cursor, part, word) : add_header(cursor, part, word);
}

enum what { WHAT_TYPE, WHAT_FILENAME, WHAT_HEADERS, WHAT_ENCODER, WHAT_ELSE };

static enum what what_comes(const char *at, size_t *ret_len)
{
        static const char *const names[] = { "type=", "filename=", "headers=", "encoder=" };

        for (int i = WHAT_TYPE; i < WHAT_ELSE; i++)
                if (str_starts(str_of(at), names[i])) {
                        *ret_len = strlen(names[i]);
                        return (enum what)i;
                }
        return WHAT_ELSE;
}

/* A type goes on over each ";" behind which comes a parameter of its own, such as "charset=". */
static void take_type(struct cursor *cursor, struct form_spec_part *part)
{
        char *begin = skip_blanks(cursor->at), *stop = begin, *end;
        size_t len;
        enum what what;

        for (;;) {
                while (!is_separator(cursor, *stop))
                        stop++;
                if (*stop != ';')
                        break;
                what = what_comes(skip_blanks(stop + 1), &len);
                if (what != WHAT_ELSE && what != WHAT_TYPE)
                        break;
                stop++;
        }
        end = stop;
        while (end > begin && is_blank(end[-1]))
                end--;
        part->type = begin;
        cut(cursor, end, stop);
}

static int take_unknown(struct cursor *cursor)
{
        const char *word;
        int r = take_word(cursor, &word);

        if (r < 0 || !*word)
                return r;
        return refuse(cursor, word,
                "is none of type=, filename=, headers=, encoder=; put a content that has a ; into double quotes, or use --form-string");
}

static int take_attribute(struct cursor *cursor, struct form_spec_part *part)
{
        size_t len = 0;

        cursor->at = skip_blanks(cursor->at);
        switch (what_comes(cursor->at, &len)) {
        case WHAT_TYPE:
                cursor->at += len;
                take_type(cursor, part);
                return 0;
        case WHAT_FILENAME:
                cursor->at += len;
                return take_word(cursor, &part->filename);
        case WHAT_HEADERS:
                cursor->at += len;
                return take_headers(cursor, part);
        case WHAT_ENCODER:
                cursor->at += len;
                return take_word(cursor, &part->encoder);
        case WHAT_ELSE:
                break;
        }
        return take_unknown(cursor);
}

/* --- a part ---------------------------------------------------------------------------------- */

static int take_part(struct cursor *cursor)
{
        struct form_spec_part part = { 0 };
        int r = take_word(cursor, &part.content);

        while (r == 0 && cursor->separator == ';')
                r = take_attribute(cursor, &part);
        if (r == 0 && buf_add(&cursor->spec->parts, &part, sizeof(part)) < 0)
                r = error_set_memory(cursor->error, MUSTER_PHASE_QUEUE);
        if (r < 0)
                buf_deinit(&part.headers);
        return r;
}

/* "@a,b": each has its own type and so on. */
static int take_files(struct cursor *cursor)
{
        int r;

        cursor->has_list = true;
        do
                r = take_part(cursor);
        while (r == 0 && cursor->separator == ',');
        for (size_t i = 0; r == 0 && i < form_spec_n_parts(cursor->spec); i++)
                if (!*form_spec_part(cursor->spec, i)->content)
                        r = refuse(cursor, "@", "without the name of a file");
        return r;
}

static int take_literal(struct cursor *cursor)
{
        struct form_spec_part part = { .content = cursor->at };

        return buf_add(&cursor->spec->parts, &part, sizeof(part)) < 0
                       ? error_set_memory(cursor->error, MUSTER_PHASE_QUEUE)
                       : 0;
}

/* A part of which some attributes make no sense. */
static int take_plain_part(struct cursor *cursor, bool may_be_encoded)
{
        const struct form_spec_part *part;
        int r = take_part(cursor);

        if (r < 0)
                return r;
        part = form_spec_part(cursor->spec, 0);
        if (part->filename)
                return refuse(cursor, part->filename,
                        "is the name of no file: filename= has no place there; use NAME=@FILE");
        if (part->encoder && !may_be_encoded)
                return refuse(cursor, part->encoder,
                        "is for no content: encoder= has no place there; give it to the parts");
        return 0;
}

static int take_begin(struct cursor *cursor)
{
        int r = take_plain_part(cursor, false);

        if (r == 0 && strcmp(form_spec_part(cursor->spec, 0)->content, "(") != 0)
                r = refuse(cursor, form_spec_part(cursor->spec, 0)->content,
                        "begins with (, which begins a part of parts; put it into double quotes, or use --form-string");
        return r;
}

static enum form_spec_kind kind_of(const struct form_spec *spec, const char *content)
{
        switch (content[0]) {
        case '@':
                return FORM_SPEC_FILES;
        case '<':
                return FORM_SPEC_CONTENT;
        case '(':
                return FORM_SPEC_BEGIN;
        case ')':
                return !spec->name && !content[1] ? FORM_SPEC_END : FORM_SPEC_TEXT;
        }
        return FORM_SPEC_TEXT;
}

static int take_content(struct cursor *cursor)
{
        switch (cursor->spec->kind = kind_of(cursor->spec, cursor->at)) {
        case FORM_SPEC_TEXT:
                return take_part(cursor);
        case FORM_SPEC_FILES:
                cursor->at++;
                return take_files(cursor);
        case FORM_SPEC_CONTENT:
                cursor->at++;
                return take_plain_part(cursor, true);
        case FORM_SPEC_BEGIN:
                return take_begin(cursor);
        case FORM_SPEC_END:
                break;
        }
        return 0;
}

int form_spec_parse(struct form_spec *spec, const char *argument, bool is_literal,
        struct muster_error *error)
{
        struct cursor cursor = { .spec = spec, .error = error };
        char *equals;

        *spec = (struct form_spec){ .text = mem_strdup(argument) };
        if (!spec->text)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        equals = strchr(spec->text, '=');
        if (!equals)
                return refuse(&cursor, argument, "is not NAME=CONTENT, NAME=@FILE or NAME=<FILE");
        *equals = '\0';
        if (equals > spec->text)
                spec->name = spec->text;
        cursor.at = equals + 1;
        return is_literal ? take_literal(&cursor) : take_content(&cursor);
}
