/* SPDX-License-Identifier: MIT */
#include "h1_head.h"

#include "h1_error.h"
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
                        *scanned = next - 1; /* the decision needs one or two bytes more */
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

static int parse_version(struct muster_str line, struct h1_head *head, struct muster_error *error)
{
        if (line.len < 5 || !h1_may_begin(line))
                return h1_not_http(error, head->raw);
        if (line.len < 8 || line.at[5] != '1' || line.at[6] != '.' || !char_is_digit(line.at[7]))
                return h1_protocol_error(error, "this version was not asked for", line);
        head->version = line.at[7] == '0' ? 10 : 11;
        return 0;
}

/* "HTTP/1.1 200 OK"; servers leave out the space before an empty reason. */
static int parse_status_line(struct muster_str line, struct h1_head *head,
                             struct muster_error *error)
{
        int r = parse_version(line, head, error);

        if (r < 0)
                return r;
        if (line.len < 12 || line.at[8] != ' ' || !char_is_digit(line.at[9]) ||
            !char_is_digit(line.at[10]) || !char_is_digit(line.at[11]) ||
            (line.len > 12 && line.at[12] != ' '))
                return h1_protocol_error(error, "the status is not three digits", line);
        head->status = (line.at[9] - '0') * 100 + (line.at[10] - '0') * 10 + (line.at[11] - '0');
        if (head->status < 100)
                return h1_protocol_error(error, "no status is below 100", line);
        head->reason = (struct muster_str){ "", 0 };
        if (line.len > 13)
                head->reason = (struct muster_str){ line.at + 13, line.len - 13 };
        if (!field_is_value(head->reason))
                return h1_protocol_error(error, "a control character in the status line", line);
        return 0;
}

int h1_field_parse(struct muster_str line, struct muster_str *ret_name,
                   struct muster_str *ret_value, struct muster_error *error)
{
        const char *colon = line.len ? memchr(line.at, ':', line.len) : NULL;

        if (line.len && (line.at[0] == ' ' || line.at[0] == '\t'))
                return h1_protocol_error(error, "a folded field line (RFC 9112 section 5.2)", line);
        if (!colon)
                return h1_protocol_error(error, "a field line without a colon", line);
        *ret_name = (struct muster_str){ line.at, (size_t)(colon - line.at) };
        if (!field_is_token(*ret_name))
                return h1_protocol_error(error, "not a field's name", line);
        *ret_value = str_trim((struct muster_str){ colon + 1, line.len - ret_name->len - 1 });
        if (!field_is_value(*ret_value))
                return h1_protocol_error(error, "a control character in a field's value", line);
        return 0;
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
                        return error_set(error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_RECEIVE, 0,
                                         "too_large: the head has more than %d fields",
                                         H1_FIELDS_MAX);
                r = h1_field_parse(line, &name, &value, error);
                if (r < 0)
                        return r;
                scratch->fields[n++] = (struct field){ .name_at = (uint32_t)(name.at - head_at),
                                                       .name_len = (uint32_t)name.len,
                                                       .value_at = (uint32_t)(value.at - head_at),
                                                       .value_len = (uint32_t)value.len };
        }
        *ret_fields = (struct fields){ .head = head_at, .list = scratch->fields, .n = n };
        return 0;
}

int h1_head_parse(struct muster_str raw, struct h1_scratch *scratch, struct h1_head *ret_head,
                  struct muster_error *error)
{
        struct muster_str rest = raw;
        int r;

        *ret_head = (struct h1_head){ .raw = raw };
        r = parse_status_line(h1_take_line(&rest), ret_head, error);
        if (r < 0)
                return r;
        return h1_fields_parse(rest, raw.at, scratch, &ret_head->fields, error);
}
