/* SPDX-License-Identifier: MIT */
#include "h1_write.h"

#include <assert.h>
#include <base/error.h>

static int add_request_line(struct buf *to, const struct http_request *request)
{
        struct muster_str target = url_part(request->url, request->url->target);
        int r = buf_reserve(to, request->method.len + target.len + 12);

        if (r < 0)
                return r;
        buf_add_str(to, request->method);
        buf_add_char(to, ' ');
        r = request->to_proxy ? url_add_public(request->url, to) : buf_add_str(to, target);
        if (r < 0)
                return r;
        return buf_add_text(to, request->http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
}

static int add_field(void *out, struct muster_str name, struct muster_str value)
{
        struct buf *to = out;
        int r = buf_reserve(to, name.len + value.len + 4);

        if (r < 0)
                return r;
        buf_add_str(to, name);
        buf_add(to, ": ", 2);
        buf_add_str(to, value);
        return buf_add(to, "\r\n", 2);
}

/* The fields that frame the message and say what becomes of the connection. */
static int add_own_fields(struct buf *to, const struct http_request *request)
{
        int r = 0;

        if (request->has_body && request->is_chunked)
                r = buf_add_text(to, "Transfer-Encoding: chunked\r\n");
        if (r == 0 && request->closes)
                r = buf_add_text(to, "Connection: close\r\n");
        return r;
}

int h1_write_head(const struct http_request *request, struct buf *to, struct muster_error *error)
{
        size_t before = to->len;
        int r = request_head_check(request, error);

        assert(request->url && request->url->target.len > 0);
        if (r == 0)
                r = add_request_line(to, request);
        if (r == 0)
                r = request_head_fields(request, add_field, to);
        if (r == 0)
                r = add_own_fields(to, request);
        if (r == 0)
                r = buf_add(to, "\r\n", 2);
        if (r == MUSTER_E_RESOURCE)
                error_set_memory(error, MUSTER_PHASE_SEND);
        if (r < 0)
                to->len = before;
        return r;
}
