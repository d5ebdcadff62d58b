/* SPDX-License-Identifier: MIT */
#include "h1_framing.h"

#include "h1_error.h"

static int read_length(const struct fields *fields, struct h1_head *head,
                       struct muster_error *error)
{
        struct field_members iter = { 0 };
        struct muster_str member;

        while (fields_next_member(fields, "Content-Length", &iter, &member)) {
                uint64_t length;

                if (!str_to_u64(member, &length) || length > INT64_MAX)
                        return h1_protocol_error(error, "Content-Length is no length", member);
                if (head->has_length && length != head->length)
                        return h1_protocol_error(error, "several lengths that differ", member);
                head->has_length = true;
                head->length = length;
        }
        return 0;
}

/* True when the body is chunked. Anything else that Transfer-Encoding may say makes the framing ambiguous. */
static int read_transfer_encoding(const struct fields *fields, const struct h1_head *head,
                                  bool *ret_is_chunked, struct muster_error *error)
{
        struct muster_str value = fields_find(fields, "Transfer-Encoding"), member;
        struct field_members iter = { 0 };
        int n = 0;

        *ret_is_chunked = false;
        if (!value.at)
                return 0;
        if (head->version == 10)
                return h1_protocol_error(
                        error, "Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)", value);
        if (fields_find(fields, "Content-Length").at)
                return h1_protocol_error(
                        error, "both Transfer-Encoding and Content-Length (RFC 9112 section 6.3)",
                        value);
        while (fields_next_member(fields, "Transfer-Encoding", &iter, &member))
                if (n++ > 0 || !str_is_nocase(member, "chunked"))
                        return h1_protocol_error(error, "a Transfer-Encoding other than chunked",
                                                 member);
        if (n == 0)
                return h1_protocol_error(error, "an empty Transfer-Encoding", value);
        *ret_is_chunked = true;
        return 0;
}

static bool keeps_alive(const struct h1_head *head)
{
        if (fields_has_token(&head->fields, "Connection", "close"))
                return false;
        return head->version == 11 || fields_has_token(&head->fields, "Connection", "keep-alive");
}

int h1_framing_read(struct h1_head *head, bool is_head, enum h1_framing *ret_framing,
                    struct muster_error *error)
{
        bool is_chunked;
        int r = read_transfer_encoding(&head->fields, head, &is_chunked, error);

        if (r == 0)
                r = read_length(&head->fields, head, error);
        if (r < 0)
                return r;
        head->keeps_alive = keeps_alive(head);
        head->has_body = !is_head && head->status != 204 && head->status != 304;
        if (!head->has_body)
                *ret_framing = H1_NO_BODY;
        else if (is_chunked)
                *ret_framing = H1_CHUNKED;
        else if (head->has_length)
                *ret_framing = H1_LENGTH;
        else
                *ret_framing = H1_CLOSE;
        if (*ret_framing == H1_CLOSE)
                head->keeps_alive = false;
        return 0;
}
