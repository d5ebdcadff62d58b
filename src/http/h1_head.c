/* SPDX-License-Identifier: MIT */
#include "h1_head.h"

#include "h1_error.h"
#include "h1_framing.h"
#include <assert.h>
#include <base/error.h>

size_t h1_head_end(struct muster_str text, size_t *scanned)
{
        size_t at = *scanned;

        while (at < text.len) {
                const char *lf = memchr(text.at + at, '\n', text.len - at);
                size_t next;

                if (!lf) {
                        *scanned = text.len;
                        return 0;
                }
                next = (size_t)(lf - text.at) + 1;
                if (next < text.len && text.at[next] == '\n')
                        return next + 1;
                if (next + 1 < text.len && text.at[next] == '\r' && text.at[next + 1] == '\n')
                        return next + 2;
                if (text.len - next < 2) {
                        *scanned = next - 1; /* one or two more bytes are needed to decide */
                        return 0;
                }
                at = next;
        }
        *scanned = at;
        return 0;
}

struct muster_str h1_take_line(struct muster_str *rest)
{
        const char *lf = memchr(rest->at, '\n', rest->len);
        struct muster_str line = { rest->at, (size_t)(lf - rest->at) };

        rest->at += line.len + 1;
        rest->len -= line.len + 1;
        if (line.len && line.at[line.len - 1] == '\r')
                line.len--;
        return line;
}

/*
 * Parse the version. Any HTTP/1.x counts, as later ones would be compatible with 1.1. Some servers
 * write 2.0 or 0.9 and then speak HTTP/1: other clients accept these, and so do we, once for each
 * connection.
 */
static int parse_version(struct muster_str line, struct http_head *head, struct muster_error *error)
{
        if (line.len < 5 || !h1_may_begin(line))
                return h1_not_http(error, head->raw);
        if (line.len < 8 || !char_is_digit(line.at[5]) || line.at[6] != '.' ||
                !char_is_digit(line.at[7]))
                return h1_protocol_error(error, "not a version of HTTP/1", line);
        head->version = line.at[7] == '0' ? 10 : 11;
        if (line.at[5] == '1')
                return 0;
        if (memcmp(line.at + 5, "2.0", 3) != 0 && memcmp(line.at + 5, "0.9", 3) != 0)
                return h1_protocol_error(error, "not a version of HTTP/1", line);
        head->version = line.at[5] == '2' ? 11 : 10;
        head->is_in_doubt = true;
        return 0;
}

/*
 * Refuse a reason with a bare CR, which some take for a line's end, or a NUL. Anything else in it
 * does no harm, as nobody reads it.
 */
static int check_reason(struct muster_str reason, struct muster_str line,
        struct muster_error *error)
{
        if (field_is_value(reason))
                return 0;
        if (str_has_char(reason, '\0'))
                return h1_protocol_error(error, "a NUL byte in the head", line);
        if (str_has_char(reason, '\r') && h1_names_framing(reason))
                return h1_protocol_error(error,
                        "a bare CR before Content-Length or Transfer-Encoding", line);
        return 0;
}

/*
 * Parse "HTTP/1.1 200 OK". Some servers leave out the space before an empty reason, or write two
 * before the status.
 */
static int parse_status_line(struct muster_str line, struct http_head *head,
        struct muster_error *error)
{
        int r = parse_version(line, head, error);
        size_t at = 8;

        if (r < 0)
                return r;
        while (at < line.len && line.at[at] == ' ')
                at++;
        if (at == 8 || line.len < at + 3 || !char_is_digit(line.at[at]) ||
                !char_is_digit(line.at[at + 1]) || !char_is_digit(line.at[at + 2]) ||
                (line.len > at + 3 && line.at[at + 3] != ' ' && line.at[at + 3] != '\t' &&
                        line.at[at + 3] != '\r'))
                return h1_protocol_error(error, "the status is not three digits", line);
        head->status =
                (line.at[at] - '0') * 100 + (line.at[at + 1] - '0') * 10 + (line.at[at + 2] - '0');
        if (head->status < 100)
                return h1_protocol_error(error, "the status is below 100", line);
        head->reason = (struct muster_str){ "", 0 };
        if (line.len > at + 4)
                head->reason = (struct muster_str){ line.at + at + 4, line.len - at - 4 };
        return check_reason(head->reason, line, error);
}

int h1_status_line_parse(struct http_head *head, struct muster_str *ret_rest,
        struct muster_error *error)
{
        *ret_rest = head->raw;
        return parse_status_line(h1_take_line(ret_rest), head, error);
}

/* Say why a line has no name of a field at its front. */
static int refuse_name(struct muster_str line, struct muster_error *error)
{
        if (line.len && char_is_blank(line.at[0]))
                return h1_protocol_error(error, "a folded field line (RFC 9112 section 5.2)", line);
        return h1_protocol_error(error,
                str_has_char(line, ':') ? "not a valid field name" : "a field line without a colon",
                line);
}

int h1_field_parse(struct muster_str line, struct muster_str *ret_name,
        struct muster_str *ret_value, struct muster_error *error)
{
        size_t n = field_token_length(line);

        if (n == 0 || n == line.len || line.at[n] != ':')
                return refuse_name(line, error);
        *ret_name = (struct muster_str){ line.at, n };
        *ret_value = str_trim((struct muster_str){ line.at + n + 1, line.len - n - 1 });
        if (!field_is_value(*ret_value))
                return h1_protocol_error(error, "a control character in a field's value", line);
        return 0;
}

void h1_field_put(struct field *field, const char *head_at, struct muster_str name,
        struct muster_str value)
{
        assert(name.at >= head_at && value.at >= head_at);
        *field = (struct field){ .name_at = (uint32_t)(name.at - head_at),
                .name_len = (uint32_t)name.len,
                .value_at = (uint32_t)(value.at - head_at),
                .value_len = (uint32_t)value.len };
}

int h1_too_many_fields(struct muster_error *error)
{
        return error_set(error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_RECEIVE, 0,
                "too_large: the head has more than %d fields", H1_FIELDS_MAX);
}

int h1_fields_parse(struct muster_str rest, const char *head_at, struct h1_scratch *scratch,
        struct fields *ret_fields, struct muster_error *error)
{
        size_t n = 0;

        for (;;) {
                struct muster_str line = h1_take_line(&rest), name, value;
                int r;

                if (!line.len)
                        break;
                if (n == H1_FIELDS_MAX)
                        return h1_too_many_fields(error);
                r = h1_field_parse(line, &name, &value, error);
                if (r < 0)
                        return r;
                h1_field_put(&scratch->fields[n++], head_at, name, value);
        }
        *ret_fields = (struct fields){ .head = head_at, .list = scratch->fields, .n = n };
        return 0;
}

int h1_head_parse(struct muster_str raw, struct h1_scratch *scratch, struct http_head *ret_head,
        struct muster_error *error)
{
        struct muster_str rest;
        int r;

        *ret_head = (struct http_head){ .raw = raw };
        r = h1_status_line_parse(ret_head, &rest, error);
        if (r < 0)
                return r;
        /* This is no error yet, so no text is made: that takes longer than parsing. */
        r = h1_fields_parse(rest, raw.at, scratch, &ret_head->fields, NULL);
        return r < 0 ? H1_UNTIDY : 0;
}
