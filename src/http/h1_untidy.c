/* SPDX-License-Identifier: MIT */
#include "h1_untidy.h"

#include "h1_error.h"
#include "h1_framing.h"
#include "h1_head.h"

#define DROPPED 1 /* the line is no field and does no harm */

enum fold {
        FOLD_NONE,
        FOLD_BLANK, /* only lines of blanks, which do not change the value */
        FOLD_TEXT,
};

static bool is_folded(struct muster_str line)
{
        return line.len && (line.at[0] == ' ' || line.at[0] == '\t');
}

/*
 * Append the folded lines to the line they belong to. Text only moves towards the front, as each
 * fold has at least a line end and a blank.
 */
static enum fold unfold(char *text, struct muster_str *line, struct muster_str *rest)
{
        enum fold fold = FOLD_NONE;

        while (is_folded(*rest)) {
                struct muster_str more = str_trim(h1_take_line(rest));
                char *end;

                line->len -= line->len - str_trim(*line).len;
                end = text + (line->at - text) + line->len;
                if (fold == FOLD_NONE)
                        fold = FOLD_BLANK;
                if (!more.len)
                        continue;
                *end = ' ';
                memmove(end + 1, more.at, more.len);
                line->len += more.len + 1;
                fold = FOLD_TEXT;
        }
        return fold;
}

/*
 * The line leaves the response's end in doubt. That is an error, unless the response ends with its
 * head.
 */
static int doubt(struct http_head *head, const char *what, struct muster_str line,
        struct muster_error *error)
{
        if (head->has_body)
                return h1_protocol_error(error, what, line);
        head->is_in_doubt = true;
        return DROPPED;
}

/*
 * Judge a line that is no field. Some clients stop reading at a line without a colon, so what
 * follows is in doubt.
 */
static int judge_stray(struct http_head *head, struct muster_str line, struct muster_str name,
        struct muster_error *error)
{
        if (str_has_char(line, '\r'))
                return h1_protocol_error(error, "a bare CR in a line that is not a field", line);
        if (str_starts(line, "HTTP/"))
                return h1_protocol_error(error, "a status line among the fields", line);
        if (name.len < line.len ? h1_is_like_framing(name) : h1_names_framing(line))
                return doubt(head,
                        "this looks like a malformed Content-Length or Transfer-Encoding", line,
                        error);
        head->is_in_doubt |= name.len == line.len;
        return DROPPED;
}

/* Judge the form of a Content-Length or Transfer-Encoding; its value is checked later. */
static int judge_framing(struct http_head *head, struct muster_str line, struct muster_str value,
        enum fold fold, bool is_length, struct muster_error *error)
{
        if (fold == FOLD_TEXT || (fold == FOLD_BLANK && !is_length))
                return doubt(head,
                        is_length ? "a folded Content-Length" : "a folded Transfer-Encoding", line,
                        error);
        if (!field_is_value(value))
                return doubt(head, "a control character in a field's value", line, error);
        return 0;
}

/* Parse one unfolded line. 0, DROPPED, MUSTER_E_PROTOCOL with *error. */
static int parse_line(char *text, struct http_head *head, struct muster_str line, enum fold fold,
        struct muster_str *ret_name, struct muster_str *ret_value, struct muster_error *error)
{
        const char *colon = memchr(line.at, ':', line.len);
        struct muster_str name = { line.at, colon ? (size_t)(colon - line.at) : line.len }, value;
        bool is_length = str_is_nocase(name, "Content-Length");

        if (str_has_char(line, '\0'))
                return h1_protocol_error(error, "a NUL byte in the head", line);
        if (!colon || !field_is_token(name))
                return judge_stray(head, line, name, error);
        value = str_trim((struct muster_str){ colon + 1, line.len - name.len - 1 });
        *ret_name = name;
        *ret_value = value;
        if (is_length || str_is_nocase(name, "Transfer-Encoding"))
                return judge_framing(head, line, value, fold, is_length, error);
        if (!str_has_char(value, '\r'))
                return 0;
        if (h1_names_framing(value))
                return doubt(head, "a bare CR before Content-Length or Transfer-Encoding", line,
                        error);
        for (char *at = text + (value.at - text); at < value.at + value.len; at++)
                if (*at == '\r')
                        *at = ' ';
        *ret_value = str_trim(value);
        return 0;
}

static int parse_fields(char *text, struct muster_str rest, struct h1_scratch *scratch,
        struct http_head *head, struct muster_error *error)
{
        struct muster_str line, name, value;
        size_t n = 0;

        if (is_folded(rest))
                return h1_protocol_error(error, "a folded line before the first field",
                        h1_take_line(&rest));
        while ((line = h1_take_line(&rest)).len) {
                enum fold fold = unfold(text, &line, &rest);
                int r = parse_line(text, head, line, fold, &name, &value, error);

                if (r < 0)
                        return r;
                if (r == DROPPED)
                        head->n_dropped++;
                else if (n == H1_FIELDS_MAX)
                        return h1_too_many_fields(error);
                else
                        h1_field_put(&scratch->fields[n++], text, name, value);
        }
        head->fields = (struct fields){ .head = text, .list = scratch->fields, .n = n };
        return 0;
}

int h1_untidy_parse(char *text, size_t len, bool is_head, struct h1_scratch *scratch,
        struct http_head *ret_head, struct muster_error *error)
{
        struct muster_str rest;
        int r;

        *ret_head = (struct http_head){ .raw = { text, len } };
        r = h1_status_line_parse(ret_head, &rest, error);
        if (r < 0)
                return r;
        ret_head->has_body = h1_has_body(ret_head->status, is_head);
        return parse_fields(text, rest, scratch, ret_head, error);
}

bool h1_untidy_is_harmless(struct muster_str line)
{
        return !str_has_char(line, '\0') && !str_has_char(line, '\r') && !str_starts(line, "HTTP/");
}
