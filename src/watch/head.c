/* SPDX-License-Identifier: MIT */
#include "head.h"

/* --- first lines ------------------------------------------------------------------------------ */

static bool is_token_char(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || char_is_digit(c) || c == '-' ||
               c == '_';
}

static bool read_version(struct muster_str text, uint8_t *ret_version)
{
        if (!str_starts(text, "HTTP/1.") || text.len < 8)
                return false;
        *ret_version = text.at[7] == '0' ? 10 : 11;
        return true;
}

static bool read_status_line(struct head *head, struct muster_str line)
{
        if (!read_version(line, &head->version) || line.len < 12 || line.at[8] != ' ')
                return false;
        for (size_t i = 9; i < 12; i++) {
                if (!char_is_digit(line.at[i]))
                        return false;
                head->status = (int16_t)(head->status * 10 + line.at[i] - '0');
        }
        return head->status >= 100;
}

/* A line that was cut has no version. */
static bool read_request_line(struct head *head, struct muster_str line, bool is_cut)
{
        struct muster_str rest = line, version = { "", 0 };

        if (!str_split(&rest, ' ', &head->method) || !head->method.len || head->method.len > 20 ||
                !str_split(&rest, ' ', &head->target) || !head->target.len)
                return false;
        for (size_t i = 0; i < head->method.len; i++)
                if (!is_token_char(head->method.at[i]))
                        return false;
        str_split(&rest, ' ', &version);
        head->version = 11;
        return read_version(version, &head->version) || is_cut;
}

/* --- fields ----------------------------------------------------------------------------------- */

/* What libraries and browsers send by themselves: a request without others can be made again. */
static const char *const usual_fields[] = { "host", "user-agent", "accept", "accept-encoding",
        "accept-language", "connection", "keep-alive", "content-length", "transfer-encoding",
        "content-type", "expect", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-dest", "te",
        "priority", "cache-control", "pragma", "upgrade-insecure-requests", "dnt",
        "proxy-connection", "traceparent", "tracestate" };

bool head_is_usual(struct muster_str name)
{
        for (size_t i = 0; i < sizeof(usual_fields) / sizeof(usual_fields[0]); i++)
                if (str_is_nocase(name, usual_fields[i]))
                        return true;
        return false;
}

static bool has_word(struct muster_str list, const char *word)
{
        struct muster_str part;

        while (str_split(&list, ',', &part))
                if (str_is_nocase(str_trim(part), word))
                        return true;
        return false;
}

static void note_field(struct head *head, struct muster_str name, struct muster_str value)
{
        uint64_t number;

        if (str_is_nocase(name, "host"))
                head->host = value;
        else if (str_is_nocase(name, "content-length") && str_to_u64(value, &number) &&
                 number < INT64_MAX)
                head->length = number;
        else if (str_is_nocase(name, "transfer-encoding"))
                head->is_chunked = head->is_chunked || has_word(value, "chunked");
        else if (str_is_nocase(name, "content-encoding"))
                head->is_encoded = value.len && !str_is_nocase(value, "identity");
        else if (str_is_nocase(name, "connection")) {
                head->closes = head->closes || has_word(value, "close");
                head->keeps_alive = head->keeps_alive || has_word(value, "keep-alive");
        } else if (str_is_nocase(name, "expect"))
                head->expects = str_is_nocase(value, "100-continue");
        else if (str_is_nocase(name, "location"))
                head->location = value;
        else if (str_is_nocase(name, "retry-after") && str_to_u64(value, &number))
                head->retry_after_s = number < 86400 ? number : 86400;
        head->has_own = head->has_own || !head_is_usual(name);
}

static void read_field(struct head *head, struct muster_str line)
{
        struct muster_str rest = line, name;

        if (str_split(&rest, ':', &name) && name.len < line.len)
                note_field(head, name, str_trim(rest));
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Cut off a line without its end. False: its end is not there, and the line is what is. */
static bool take_line(struct muster_str *rest, struct muster_str *ret_line)
{
        const char *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
        size_t n = end ? (size_t)(end - rest->at) : rest->len;

        *ret_line = (struct muster_str){ rest->at, n };
        *rest = str_after(*rest, end ? n + 1 : n);
        if (ret_line->len && ret_line->at[ret_line->len - 1] == '\r')
                ret_line->len--;
        return end;
}

bool head_read(struct head *head, struct muster_str text)
{
        struct muster_str rest = text, line;
        bool has_end = take_line(&rest, &line);

        *head = (struct head){ .length = HEAD_LENGTH_UNKNOWN };
        if (str_starts(text, "HTTP/") ? !read_status_line(head, line)
                                      : !read_request_line(head, line, !has_end))
                return false;
        while (has_end && !head->is_whole) {
                has_end = take_line(&rest, &line);
                if (has_end && !line.len)
                        head->is_whole = true;
                else if (has_end)
                        read_field(head, line);
        }
        head->bytes = text.len - rest.len;
        return true;
}

enum trace_method head_method(struct muster_str method)
{
        if (str_is(method, "GET"))
                return TRACE_METHOD_GET;
        if (str_is(method, "HEAD"))
                return TRACE_METHOD_HEAD;
        return str_is(method, "OPTIONS") ? TRACE_METHOD_OPTIONS : TRACE_METHOD_OTHER;
}
