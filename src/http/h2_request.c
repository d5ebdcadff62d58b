/* SPDX-License-Identifier: MIT */
/*
 * A request's head as nghttp2 wants it: pseudo-fields, then fields in lower case
 *
 * The text moves while it grows, so places in it are noted as offsets first.
 */
#include "h2_internal.h"

#include <assert.h>
#include <base/error.h>

/* The places of the pseudo-fields, which come first (RFC 9113 section 8.3). */
enum { METHOD, SCHEME, AUTHORITY, PATH, N_PSEUDO };

struct writer {
        struct buf *text;
        nghttp2_nv *nva;
        size_t n;
        bool has_authority;
};

/* Fields that are about an HTTP/1 connection (RFC 9113 section 8.2.2). */
static bool is_about_connection(struct muster_str name, struct muster_str value)
{
        static const char *const names[] = { "connection", "keep-alive", "proxy-connection",
                "transfer-encoding", "upgrade", "http2-settings" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (str_is_nocase(name, names[i]))
                        return true;
        return str_is_nocase(name, "te") && !str_is_nocase(value, "trailers");
}

/* Fields that must not enter a table that others could probe (RFC 7541 section 7.1). */
static bool is_secret(struct muster_str name)
{
        return str_is_nocase(name, "authorization") || str_is_nocase(name, "cookie") ||
               str_is_nocase(name, "proxy-authorization");
}

/* Copy a field behind the text; until place() its pointers are offsets there. */
static int put(struct buf *text, nghttp2_nv *nv, struct muster_str name, struct muster_str value)
{
        if (buf_reserve(text, name.len + value.len) < 0)
                return MUSTER_E_RESOURCE;
        nv->name = (uint8_t *)(uintptr_t)text->len;
        nv->namelen = name.len;
        for (size_t i = 0; i < name.len; i++)
                text->at[text->len++] = char_lower(name.at[i]);
        nv->value = (uint8_t *)(uintptr_t)text->len;
        nv->valuelen = value.len;
        nv->flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
        buf_add_str(text, value);
        return 0;
}

static void place(const struct buf *text, nghttp2_nv *nva, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                nva[i].name = (uint8_t *)text->at + (uintptr_t)nva[i].name;
                nva[i].value = (uint8_t *)text->at + (uintptr_t)nva[i].value;
        }
}

static int add_authority(struct writer *writer, struct muster_str value)
{
        writer->has_authority = true;
        return put(writer->text, &writer->nva[AUTHORITY], str_of(":authority"), value);
}

static int add_field(void *to, struct muster_str name, struct muster_str value)
{
        struct writer *writer = to;
        nghttp2_nv *nv = &writer->nva[writer->n];

        value = str_trim(value);
        if (str_is_nocase(name, "host"))
                return add_authority(writer, value);
        if (is_about_connection(name, value))
                return 0;
        if (writer->n == H2_REQUEST_FIELDS_MAX)
                return MUSTER_E_TOO_LARGE;
        if (put(writer->text, nv, name, value) < 0)
                return MUSTER_E_RESOURCE;
        if (is_secret(name))
                nv->flags |= NGHTTP2_NV_FLAG_NO_INDEX;
        writer->n++;
        return 0;
}

static int add_pseudo_fields(struct writer *writer, const struct http_request *request)
{
        const struct url *url = request->url;
        int r = put(writer->text, &writer->nva[METHOD], str_of(":method"), request->method);

        if (r == 0)
                r = put(writer->text, &writer->nva[SCHEME], str_of(":scheme"),
                        str_of(url->scheme == URL_HTTPS ? "https" : "http"));
        if (r == 0)
                r = put(writer->text, &writer->nva[PATH], str_of(":path"),
                        url_part(url, url->target));
        return r;
}

static int add_all(struct writer *writer, const struct http_request *request)
{
        int r = add_pseudo_fields(writer, request);

        if (r == 0)
                r = request_head_fields(request, add_field, writer);
        /* Without Host the caller still asks this server (RFC 9113 section 8.3.1). */
        if (r == 0 && !writer->has_authority)
                r = add_authority(writer, url_part(request->url, request->url->authority));
        return r;
}

int h2_request_fields(const struct http_request *request, struct buf *text,
        nghttp2_nv nva[H2_REQUEST_FIELDS_MAX], size_t *ret_n, struct muster_error *error)
{
        struct writer writer = { .text = text, .nva = nva, .n = N_PSEUDO };
        int r = request_head_check(request, error);

        assert(text->len == 0);
        if (r < 0)
                return r;
        if (str_is(request->method, "CONNECT"))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_SEND, 0,
                        "invalid: CONNECT makes a tunnel, which is not possible in an HTTP/2 request");
        r = add_all(&writer, request);
        if (r == MUSTER_E_TOO_LARGE)
                return error_set(error, r, MUSTER_PHASE_SEND, 0,
                        "too_large: the request has more than %d header fields",
                        H2_REQUEST_FIELDS_MAX - N_PSEUDO);
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_SEND);
        place(text, nva, writer.n);
        *ret_n = writer.n;
        return 0;
}
