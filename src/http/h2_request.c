/* SPDX-License-Identifier: MIT */
/*
 * A request's head as nghttp2 wants it: pseudo-fields, then fields in lower case
 *
 * The text moves while it grows, so places in it are noted as offsets first.
 */
#include "h2_internal.h"

#include <assert.h>
#include <base/error.h>

struct writer {
        struct buf *text;
        nghttp2_nv *nva;
        size_t n;
        bool has_authority;
};

/* What is done with a field. */
enum field_kind {
        FIELD_PLAIN,
        FIELD_HOST,       /* becomes :authority */
        FIELD_CONNECTION, /* left out: about an HTTP/1 connection (RFC 9113 section 8.2.2) */
        FIELD_TE,         /* left out, unless it is "trailers" */
        FIELD_SECRET,     /* in no table that others could probe (RFC 7541 section 7.1) */
};

#define NAME(literal)                                                                              \
        {                                                                                          \
                literal, sizeof(literal) - 1                                                       \
        }

static const struct {
        struct muster_str name;
        enum field_kind kind;
} special_fields[] = {
        { NAME("host"), FIELD_HOST },
        { NAME("cookie"), FIELD_SECRET },
        { NAME("authorization"), FIELD_SECRET },
        { NAME("proxy-authorization"), FIELD_SECRET },
        { NAME("connection"), FIELD_CONNECTION },
        { NAME("keep-alive"), FIELD_CONNECTION },
        { NAME("proxy-connection"), FIELD_CONNECTION },
        { NAME("transfer-encoding"), FIELD_CONNECTION },
        { NAME("upgrade"), FIELD_CONNECTION },
        { NAME("http2-settings"), FIELD_CONNECTION },
        { NAME("te"), FIELD_TE },
};

/* Most fields are none of these by the length of their names alone. */
#define BIT(length) (UINT32_C(1) << (length))
#define SPECIAL_LENGTHS                                                                            \
        (BIT(2) | BIT(4) | BIT(6) | BIT(7) | BIT(10) | BIT(13) | BIT(14) | BIT(16) | BIT(17) |     \
                BIT(19))

static enum field_kind kind_of(struct muster_str name)
{
        if (name.len >= 32 || !(SPECIAL_LENGTHS >> name.len & 1))
                return FIELD_PLAIN;
        for (size_t i = 0; i < sizeof(special_fields) / sizeof(special_fields[0]); i++)
                if (name.len == special_fields[i].name.len &&
                        str_eq_nocase(name, special_fields[i].name))
                        return special_fields[i].kind;
        return FIELD_PLAIN;
}

/* Copy a field behind the text; until place() its pointers are offsets there. */
static int put(struct buf *text, nghttp2_nv *nv, struct muster_str name, struct muster_str value)
{
        char *to;

        if (buf_reserve(text, name.len + value.len) < 0)
                return MUSTER_E_RESOURCE;
        to = text->at + text->len;
        *nv = (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)text->len,
                .namelen = name.len,
                .value = (uint8_t *)(uintptr_t)(text->len + name.len),
                .valuelen = value.len,
                .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE };
        for (size_t i = 0; i < name.len; i++)
                to[i] = char_lower(name.at[i]);
        if (value.len)
                memcpy(to + name.len, value.at, value.len);
        text->len += name.len + value.len;
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
        return put(writer->text, &writer->nva[H2_AUTHORITY], str_of(":authority"), value);
}

static int add_field(void *to, struct muster_str name, struct muster_str value)
{
        struct writer *writer = to;
        nghttp2_nv *nv = &writer->nva[writer->n];
        enum field_kind kind = kind_of(name);

        value = str_trim(value);
        if (kind == FIELD_HOST)
                return add_authority(writer, value);
        if (kind == FIELD_CONNECTION || (kind == FIELD_TE && !str_is_nocase(value, "trailers")))
                return 0;
        if (writer->n == H2_REQUEST_FIELDS_MAX)
                return MUSTER_E_TOO_LARGE;
        if (put(writer->text, nv, name, value) < 0)
                return MUSTER_E_RESOURCE;
        if (kind == FIELD_SECRET)
                nv->flags |= NGHTTP2_NV_FLAG_NO_INDEX;
        writer->n++;
        return 0;
}

static int add_pseudo_fields(struct writer *writer, const struct http_request *request)
{
        const struct url *url = request->url;
        int r = put(writer->text, &writer->nva[H2_METHOD], str_of(":method"), request->method);

        if (r == 0)
                r = put(writer->text, &writer->nva[H2_SCHEME], str_of(":scheme"),
                        str_of(url->scheme == URL_HTTPS ? "https" : "http"));
        if (r == 0)
                r = put(writer->text, &writer->nva[H2_PATH], str_of(":path"),
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
        struct writer writer = { .text = text, .nva = nva, .n = H2_N_PSEUDO };
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
                        H2_REQUEST_FIELDS_MAX - H2_N_PSEUDO);
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_SEND);
        place(text, nva, writer.n);
        *ret_n = writer.n;
        return 0;
}
