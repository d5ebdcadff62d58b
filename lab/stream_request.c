/* SPDX-License-Identifier: MIT */
#include "stream_request.h"

#include <base/error.h>
#include <http/h1_head.h>

#define FIELD_BYTES 32 /* what each field counts beside its text */

void stream_request_deinit(struct stream_request *request)
{
        buf_deinit(&request->method);
        buf_deinit(&request->path);
        buf_deinit(&request->authority);
        buf_deinit(&request->lines);
        buf_deinit(&request->cookie);
}

static int add_line(struct buf *lines, struct muster_str name, struct muster_str value)
{
        int r = buf_add_str(lines, name);

        if (r == 0)
                r = buf_add_text(lines, ": ");
        if (r == 0)
                r = buf_add_str(lines, value);
        return r == 0 ? buf_add_text(lines, "\r\n") : r;
}

int stream_request_add(struct stream_request *request, struct muster_str name,
        struct muster_str value)
{
        int r = 0;

        request->n_bytes += name.len + value.len + FIELD_BYTES;
        if (request->n_bytes > request->n_bytes_max)
                return 0;
        if (str_is(name, ":method"))
                return buf_add_str(&request->method, value);
        if (str_is(name, ":path"))
                return buf_add_str(&request->path, value);
        if (str_is(name, ":authority"))
                return buf_add_str(&request->authority, value);
        if (name.len && name.at[0] == ':')
                return 0;
        if (!str_is(name, "cookie"))
                return add_line(&request->lines, name, value);
        if (request->cookie.len)
                r = buf_add_text(&request->cookie, "; ");
        return r == 0 ? buf_add_str(&request->cookie, value) : r;
}

/* What HTTP/1 would have had among the fields (sections 8.3.1, 8.2.3), and the end of them. */
static int complete_lines(struct stream_request *from)
{
        int r = 0;

        if (from->authority.len)
                r = add_line(&from->lines, str_of("host"), buf_str(&from->authority));
        if (r == 0 && from->cookie.len)
                r = add_line(&from->lines, str_of("cookie"), buf_str(&from->cookie));
        return r == 0 ? buf_add_text(&from->lines, "\r\n") : r;
}

int stream_request_parse(struct stream_request *from, struct h1_scratch *scratch,
        struct request *ret_request, struct muster_error *error)
{
        struct request *request = ret_request;
        int r;

        *request = (struct request){ .version = 20, .keeps_alive = true };
        if (from->n_bytes > from->n_bytes_max)
                return error_set(error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_RECEIVE, 0,
                        "the head is larger than %llu bytes",
                        (unsigned long long)from->n_bytes_max);
        if (complete_lines(from) < 0)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        r = h1_fields_parse(buf_str(&from->lines), from->lines.at, scratch, &request->fields,
                error);
        if (r < 0)
                return r;
        request->method = buf_str(&from->method);
        request->target = buf_str(from->path.len ? &from->path : &from->authority);
        request->is_head = str_is(request->method, "HEAD");
        request->expects_continue = fields_has_token(&request->fields, "Expect", "100-continue");
        request_cut_target(request, request->target);
        return 0;
}
