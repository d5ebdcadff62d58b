/* SPDX-License-Identifier: MIT */
#include "request_head.h"

#include "field.h"
#include "redirect.h"
#include <assert.h>
#include <base/error.h>
#include <stdio.h>

bool request_method_is_idempotent(struct muster_str method)
{
        static const char *const names[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (str_is(method, names[i]))
                        return true;
        return false;
}

/* --- what may be sent ------------------------------------------------------------------------ */

static int refuse_text(struct muster_error *error, const char *what, struct muster_str text)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_SEND, 0, "invalid: %s \"%.*s\"",
                what, STR_ARGS(str_first(text, 80)));
}

static bool are_own_values(const struct http_request *request)
{
        return field_is_value(request->user_agent) && field_is_value(request->accept_encoding) &&
               field_is_value(request->proxy_authorization) &&
               field_is_value(request->authorization) && field_is_value(request->cookie) &&
               field_is_value(request->accept) && field_is_value(request->content_type) &&
               field_is_value(request->expect);
}

int request_head_check(const struct http_request *request, struct muster_error *error)
{
        if (!field_is_token(request->method))
                return refuse_text(error, "not a valid method:", request->method);
        for (size_t i = 0; i < request->n_fields; i++) {
                const struct http_request_field *field = &request->fields[i];

                if (!field_is_token(field->name))
                        return refuse_text(error, "not a valid header field name:", field->name);
                if (field->value.at && !field_is_value(field->value))
                        return refuse_text(error,
                                "a control character in the value of header field", field->name);
        }
        if (!are_own_values(request))
                return refuse_text(error, "a control character in a default field of",
                        request->method);
        return 0;
}

/* --- the fields ------------------------------------------------------------------------------ */

static bool is_given(const struct http_request *request, const char *name)
{
        for (size_t i = 0; i < request->n_fields; i++)
                if (str_is_nocase(request->fields[i].name, name))
                        return true;
        return false;
}

/* A walk over the fields that stops at the first failure. */
struct walk {
        const struct http_request *request;
        http_request_field_fn add;
        void *to;
        int r;
};

static void visit(struct walk *walk, struct muster_str name, struct muster_str value)
{
        if (walk->r == 0)
                walk->r = walk->add(walk->to, name, value);
}

/* A field that the client adds, unless the caller has one of that name or does not want it. */
static void visit_default(struct walk *walk, const char *name, struct muster_str value)
{
        if (value.len && !(walk->request->n_fields && is_given(walk->request, name)))
                visit(walk, str_of(name), value);
}

/* The caller's own Host is only for the origin that it was given for. */
static void visit_host(struct walk *walk)
{
        const struct http_request *request = walk->request;
        struct muster_str host = url_part(request->url, request->url->authority);

        if (request->drops_host)
                visit(walk, str_of("Host"), host);
        else
                visit_default(walk, "Host", host);
}

static bool is_for_proxy(struct muster_str name)
{
        return str_is_nocase(name, "Proxy-Authorization") ||
               str_is_nocase(name, "Proxy-Connection");
}

/* A part of a compressed body cannot be decoded: a range is asked for as it is. */
static void visit_accept_encoding(struct walk *walk)
{
        if (!walk->request->n_fields || !is_given(walk->request, "Range"))
                visit_default(walk, "Accept-Encoding", walk->request->accept_encoding);
}

static bool is_dropped(const struct http_request *request, const struct http_request_field *field)
{
        return (!request->to_proxy && is_for_proxy(field->name)) ||
               (request->drops_body_fields && redirect_is_body_field(field->name)) ||
               (request->drops_host && str_is_nocase(field->name, "Host"));
}

static void visit_given(struct walk *walk)
{
        const struct http_request *request = walk->request;

        for (size_t i = 0; i < request->n_fields; i++) {
                const struct http_request_field *field = &request->fields[i];

                if (field->value.at && !is_dropped(request, field))
                        visit(walk, field->name, field->value);
        }
}

static bool method_expects_body(struct muster_str method)
{
        return str_is(method, "POST") || str_is(method, "PUT") || str_is(method, "PATCH");
}

static void visit_length(struct walk *walk)
{
        const struct http_request *request = walk->request;
        char digits[24];
        int len;

        if (request->has_body ? request->is_chunked : !method_expects_body(request->method))
                return;
        len = snprintf(digits, sizeof(digits), "%llu",
                (unsigned long long)(request->has_body ? request->body_bytes : 0));
        assert(len > 0);
        visit(walk, str_of("Content-Length"), (struct muster_str){ digits, (size_t)len });
}

int request_head_fields(const struct http_request *request, http_request_field_fn add, void *to)
{
        struct walk walk = { .request = request, .add = add, .to = to };

        assert(request->url && request->method.len);
        visit_host(&walk);
        visit_default(&walk, "User-Agent", request->user_agent);
        visit_default(&walk, "Accept", request->accept.len ? request->accept : str_of("*/*"));
        visit_accept_encoding(&walk);
        if (request->to_proxy && !request->closes)
                visit_default(&walk, "Proxy-Connection", str_of("Keep-Alive"));
        visit_default(&walk, "Proxy-Authorization", request->proxy_authorization);
        visit_default(&walk, "Authorization", request->authorization);
        visit_default(&walk, "Cookie", request->cookie);
        visit_given(&walk);
        if (request->has_body)
                visit_default(&walk, "Content-Type", request->content_type);
        visit_default(&walk, "Expect", request->expect);
        visit_length(&walk);
        return walk.r;
}
