/* SPDX-License-Identifier: MIT */
#include "h1_write.h"

#include "field.h"
#include "redirect.h"
#include <assert.h>
#include <base/error.h>

bool h1_method_is_idempotent(struct muster_str method)
{
        static const char *const names[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (str_is(method, names[i]))
                        return true;
        return false;
}

/* --- what may be written --------------------------------------------------------------------- */

static int refuse_text(struct muster_error *error, const char *what, struct muster_str text)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_SEND, 0, "invalid: %s \"%.*s\"",
                what, STR_ARGS(str_first(text, 80)));
}

static int check_request(const struct h1_request *request, struct muster_error *error)
{
        if (!field_is_token(request->method))
                return refuse_text(error, "not a valid method:", request->method);
        for (size_t i = 0; i < request->n_fields; i++) {
                const struct h1_request_field *field = &request->fields[i];

                if (!field_is_token(field->name))
                        return refuse_text(error, "not a valid header field name:", field->name);
                if (field->value.at && !field_is_value(field->value))
                        return refuse_text(error,
                                "a control character in the value of header field", field->name);
        }
        if (!field_is_value(request->user_agent) || !field_is_value(request->accept_encoding) ||
                !field_is_value(request->authorization))
                return refuse_text(error, "a control character in a default field of",
                        request->method);
        return 0;
}

/* --- writing --------------------------------------------------------------------------------- */

static int add_field(struct buf *to, struct muster_str name, struct muster_str value)
{
        int r = buf_reserve(to, name.len + value.len + 4);

        if (r < 0)
                return r;
        buf_add_str(to, name);
        buf_add(to, ": ", 2);
        buf_add_str(to, value);
        return buf_add(to, "\r\n", 2);
}

static bool is_given(const struct h1_request *request, const char *name)
{
        for (size_t i = 0; i < request->n_fields; i++)
                if (str_is_nocase(request->fields[i].name, name))
                        return true;
        return false;
}

/* Add a default field, unless the caller has one of that name or does not want it. */
static int add_default(struct buf *to, const struct h1_request *request, const char *name,
        struct muster_str value)
{
        if (!value.len || (request->n_fields && is_given(request, name)))
                return 0;
        return add_field(to, str_of(name), value);
}

static int add_request_line(struct buf *to, const struct h1_request *request)
{
        struct muster_str target = url_part(request->url, request->url->target);
        int r = buf_reserve(to, request->method.len + target.len + 12);

        if (r < 0)
                return r;
        buf_add_str(to, request->method);
        buf_add_char(to, ' ');
        buf_add_str(to, target);
        return buf_add_text(to, request->http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
}

static bool is_dropped(const struct h1_request *request, struct muster_str name)
{
        return (request->drops_credentials && redirect_is_credential_field(name)) ||
               (request->drops_body_fields && redirect_is_body_field(name)) ||
               (request->drops_credentials && str_is_nocase(name, "Host"));
}

static int add_own_fields(struct buf *to, const struct h1_request *request)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < request->n_fields; i++) {
                const struct h1_request_field *field = &request->fields[i];

                if (field->value.at && !is_dropped(request, field->name))
                        r = add_field(to, field->name, field->value);
        }
        return r;
}

static int add_length(struct buf *to, const struct h1_request *request)
{
        bool expects_body = str_is(request->method, "POST") || str_is(request->method, "PUT") ||
                            str_is(request->method, "PATCH");
        int r;

        if (!request->has_body && !expects_body)
                return 0;
        if (request->has_body && request->is_chunked)
                return buf_add_text(to, "Transfer-Encoding: chunked\r\n");
        r = buf_add_text(to, "Content-Length: ");
        if (r == 0)
                r = buf_add_u64(to, request->has_body ? request->body_bytes : 0);
        return r < 0 ? r : buf_add(to, "\r\n", 2);
}

/* Add Host. The caller's own is only for the origin that it was given for. */
static int add_host(struct buf *to, const struct h1_request *request)
{
        struct muster_str host = url_part(request->url, request->url->authority);

        if (request->drops_credentials)
                return add_field(to, str_of("Host"), host);
        return add_default(to, request, "Host", host);
}

static int write_fields(const struct h1_request *request, struct buf *to)
{
        int r = add_host(to, request);

        if (r == 0)
                r = add_default(to, request, "User-Agent", request->user_agent);
        if (r == 0)
                r = add_default(to, request, "Accept", str_of("*/*"));
        if (r == 0)
                r = add_default(to, request, "Accept-Encoding", request->accept_encoding);
        if (r == 0)
                r = add_default(to, request, "Authorization", request->authorization);
        if (r == 0)
                r = add_own_fields(to, request);
        if (r == 0)
                r = add_length(to, request);
        if (r == 0 && request->closes)
                r = buf_add_text(to, "Connection: close\r\n");
        return r < 0 ? r : buf_add(to, "\r\n", 2);
}

int h1_write_head(const struct h1_request *request, struct buf *to, struct muster_error *error)
{
        size_t before = to->len;
        int r = check_request(request, error);

        assert(request->url && request->url->target.len > 0);
        if (r == 0)
                r = add_request_line(to, request);
        if (r == 0)
                r = write_fields(request, to);
        if (r == MUSTER_E_RESOURCE)
                error_set_memory(error, MUSTER_PHASE_SEND);
        if (r < 0)
                to->len = before;
        return r;
}
