/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <base/error.h>
#include <http/h1_error.h>
#include <http/h1_head.h>

/* --- head ------------------------------------------------------------------------------------ */

/* "http://host/path?query" without what stands before the path, which may be missing. */
static struct muster_str cut_authority(struct muster_str target)
{
        const char *mark = memmem(target.at, target.len, "://", 3);
        size_t at = mark ? (size_t)(mark - target.at) + 3 : 0;

        while (mark && at < target.len && target.at[at] != '/' && target.at[at] != '?')
                at++;
        return str_after(target, at);
}

void request_cut_target(struct request *request, struct muster_str target)
{
        struct muster_str rest = { target.at ? target.at : "", target.len };

        if (rest.len && rest.at[0] != '/')
                rest = cut_authority(rest);
        str_split(&rest, '?', &request->path);
        if (!request->path.len)
                request->path = str_of("/");
        request->query = rest;
}

static int parse_request_line(struct request *request, struct muster_str line,
        struct muster_error *error)
{
        struct muster_str rest = line, version;

        if (!str_split(&rest, ' ', &request->method) || !field_is_token(request->method) ||
                !str_split(&rest, ' ', &request->target) || !request->target.len ||
                !str_split(&rest, ' ', &version) || rest.len)
                return h1_protocol_error(error, "not a request line", line);
        if (str_is(version, "HTTP/1.1"))
                request->version = 11;
        else if (str_is(version, "HTTP/1.0"))
                request->version = 10;
        else
                return h1_protocol_error(error, "not HTTP/1", line);
        request->is_head = str_is(request->method, "HEAD");
        request_cut_target(request, request->target);
        return 0;
}

/* A length that is said again must be the same (RFC 9112 section 6.3). */
static bool parse_length(const struct fields *fields, uint64_t *ret_length)
{
        struct field_members members = { 0 };
        struct muster_str member;
        bool is_first = true;

        while (fields_next_member(fields, "Content-Length", &members, &member)) {
                uint64_t length;

                if (!str_to_u64(member, &length) || (!is_first && length != *ret_length))
                        return false;
                *ret_length = length;
                is_first = false;
        }
        return !is_first;
}

/* The lab accepts only this coding in a request, and only once. */
static bool is_chunked(const struct fields *fields)
{
        struct field_members members = { 0 };
        struct muster_str member;

        return fields_next_member(fields, "Transfer-Encoding", &members, &member) &&
               str_is_nocase(member, "chunked") &&
               !fields_next_member(fields, "Transfer-Encoding", &members, &member);
}

static int frame(struct request *request, struct muster_error *error)
{
        struct muster_str length = fields_find(&request->fields, "Content-Length");
        struct muster_str coding = fields_find(&request->fields, "Transfer-Encoding");

        if (coding.at) {
                if (!is_chunked(&request->fields) || length.at)
                        return h1_protocol_error(error, "a body with ambiguous length", coding);
                request->framing = REQUEST_CHUNKED;
        } else if (length.at) {
                if (!parse_length(&request->fields, &request->length))
                        return h1_protocol_error(error, "an invalid Content-Length", length);
                request->framing = request->length ? REQUEST_LENGTH : REQUEST_NO_BODY;
        }
        return 0;
}

int request_parse(struct request *request, struct muster_str head, struct h1_scratch *scratch,
        struct muster_error *error)
{
        struct muster_str rest = head;
        int r;

        *request = (struct request){ 0 };
        r = parse_request_line(request, h1_take_line(&rest), error);
        if (r == 0)
                r = h1_fields_parse(rest, head.at, scratch, &request->fields, error);
        if (r == 0)
                r = frame(request, error);
        if (r < 0)
                return r;
        request->keeps_alive =
                request->version == 11
                        ? !fields_has_token(&request->fields, "Connection", "close")
                        : fields_has_token(&request->fields, "Connection", "keep-alive");
        request->expects_continue = request->framing != REQUEST_NO_BODY &&
                                    fields_has_token(&request->fields, "Expect", "100-continue");
        return 0;
}

/* --- body ------------------------------------------------------------------------------------ */

void request_body_begin(struct request_body *body, const struct request *request)
{
        body->n_line = 0;
        body->is_chunked = request->framing == REQUEST_CHUNKED;
        body->left = request->length;
        body->state = body->is_chunked                     ? BODY_AT_SIZE
                      : request->framing == REQUEST_LENGTH ? BODY_AT_DATA
                                                           : BODY_IS_OVER;
}

/* Collect a line; 0 when it is complete, without its end. */
static int take_line(struct request_body *body, struct muster_str *in, struct muster_str *ret_line)
{
        while (in->len) {
                char c = in->at[0];

                in->at++;
                in->len--;
                if (c == '\n') {
                        *ret_line = (struct muster_str){ body->line, body->n_line };
                        if (body->n_line && body->line[body->n_line - 1] == '\r')
                                ret_line->len--;
                        body->n_line = 0;
                        return 0;
                }
                if (body->n_line == sizeof(body->line))
                        return MUSTER_E_PROTOCOL;
                body->line[body->n_line++] = c;
        }
        return REQUEST_MORE;
}

static bool parse_size(struct muster_str line, uint64_t *ret_size)
{
        uint64_t size = 0;
        size_t n = 0;

        while (n < line.len && char_hex(line.at[n]) >= 0) {
                if (n == 15)
                        return false;
                size = size << 4 | (unsigned)char_hex(line.at[n++]);
        }
        *ret_size = size;
        return n && (n == line.len || line.at[n] == ';' || line.at[n] == ' ');
}

static int take_data(struct request_body *body, struct muster_str *in, struct muster_str *ret_data)
{
        size_t n = in->len < body->left ? in->len : (size_t)body->left;

        if (!n)
                return REQUEST_MORE;
        *ret_data = (struct muster_str){ in->at, n };
        *in = str_after(*in, n);
        body->left -= n;
        if (!body->left)
                body->state = body->is_chunked ? BODY_AT_DATA_END : BODY_IS_OVER;
        return 0;
}

int request_body_next(struct request_body *body, struct muster_str *in, struct muster_str *ret_data)
{
        struct muster_str line;
        int r;

        for (;;) {
                switch (body->state) {
                case BODY_IS_OVER:
                        return REQUEST_MORE;
                case BODY_AT_DATA:
                        return take_data(body, in, ret_data);
                case BODY_AT_SIZE:
                        r = take_line(body, in, &line);
                        if (r != 0)
                                return r;
                        if (!parse_size(line, &body->left))
                                return MUSTER_E_PROTOCOL;
                        body->state = body->left ? BODY_AT_DATA : BODY_AT_TRAILER;
                        continue;
                case BODY_AT_DATA_END:
                        r = take_line(body, in, &line);
                        if (r != 0)
                                return r;
                        if (line.len)
                                return MUSTER_E_PROTOCOL;
                        body->state = BODY_AT_SIZE;
                        continue;
                case BODY_AT_TRAILER:
                        r = take_line(body, in, &line);
                        if (r != 0)
                                return r;
                        if (!line.len)
                                body->state = BODY_IS_OVER;
                        continue;
                }
        }
}
