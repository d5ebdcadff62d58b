/* SPDX-License-Identifier: MIT */
/*
 * The head of an earlier request, for those that are like it
 *
 * Most requests on a connection differ in their paths alone, and to find that out takes an eighth
 * of the work of checking and writing all fields once more. nghttp2 refers to the text until a
 * request's HEADERS are pulled, so a template is only made while it has nothing to send.
 */
#include "h2_internal.h"

#include <assert.h>

#define PARTS_FIXED 9 /* beside the caller's own fields */

/*
 * All that the fields of a request are made from, but its path. 0: no template is made of such a
 * request, which is a rare one.
 */
static size_t list_parts(const struct http_request *request,
        struct muster_str parts[H2_TEMPLATE_PARTS_MAX])
{
        const struct url *url = request->url;
        size_t n = 0;

        if (request->has_body || request->expect.len || request->to_proxy || request->drops_host ||
                request->drops_body_fields ||
                PARTS_FIXED + 2 * request->n_fields > H2_TEMPLATE_PARTS_MAX)
                return 0;
        parts[n++] = request->method;
        parts[n++] = str_of(url->scheme == URL_HTTPS ? "https" : "http");
        parts[n++] = url_part(url, url->authority);
        parts[n++] = request->user_agent;
        parts[n++] = request->accept;
        parts[n++] = request->accept_encoding;
        parts[n++] = request->proxy_authorization;
        parts[n++] = request->authorization;
        parts[n++] = request->cookie;
        assert(n == PARTS_FIXED);
        for (size_t i = 0; i < request->n_fields; i++) {
                if (!request->fields[i].value.at)
                        return 0;
                parts[n++] = request->fields[i].name;
                parts[n++] = request->fields[i].value;
        }
        return n;
}

bool h2_template_fits(const struct h2_template *template, const struct http_request *request)
{
        struct muster_str parts[H2_TEMPLATE_PARTS_MAX];
        size_t n = template->n_fields ? list_parts(request, parts) : 0;

        if (!n || n != template->n_parts)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!str_eq(parts[i], template->parts[i]))
                        return false;
        return true;
}

int h2_template_use(const struct h2_template *template, const struct http_request *request,
        struct buf *text, nghttp2_nv nva[H2_REQUEST_FIELDS_MAX], size_t *ret_n)
{
        struct muster_str path = url_part(request->url, request->url->target);

        assert(template->n_fields && text->len == 0);
        if (buf_add_str(text, path) < 0)
                return MUSTER_E_RESOURCE;
        memcpy(nva, template->fields, template->n_fields * sizeof(*nva));
        nva[H2_PATH].value = (uint8_t *)text->at;
        nva[H2_PATH].valuelen = path.len;
        *ret_n = template->n_fields;
        return 0;
}

/* --- making one ------------------------------------------------------------------------------ */

/* Copy into the space that was reserved. */
static const char *keep(struct buf *text, const void *at, size_t len)
{
        char *to = text->at + text->len;

        assert(text->size - text->len >= len);
        if (len)
                memcpy(to, at, len);
        text->len += len;
        return to;
}

static void keep_part(struct h2_template *template, struct muster_str part)
{
        const char *at = keep(&template->text, part.at, part.len);

        template->parts[template->n_parts++] = (struct muster_str){ at, part.len };
}

static void keep_field(struct h2_template *template, const nghttp2_nv *nv)
{
        nghttp2_nv *to = &template->fields[template->n_fields++];

        *to = *nv;
        to->name = (uint8_t *)(uintptr_t)keep(&template->text, nv->name, nv->namelen);
        to->value = (uint8_t *)(uintptr_t)keep(&template->text, nv->value, nv->valuelen);
}

void h2_template_make(struct h2_template *template, const struct http_request *request,
        const nghttp2_nv *nva, size_t n)
{
        struct muster_str parts[H2_TEMPLATE_PARTS_MAX];
        size_t n_parts = list_parts(request, parts), bytes = 0;

        template->n_parts = template->n_fields = 0;
        if (!n_parts || n > H2_TEMPLATE_FIELDS_MAX)
                return;
        for (size_t i = 0; i < n_parts; i++)
                bytes += parts[i].len;
        for (size_t i = 0; i < n; i++)
                bytes += nva[i].namelen + nva[i].valuelen;
        buf_recycle(&template->text, H2_TEMPLATE_BYTES_MAX);
        if (bytes > H2_TEMPLATE_BYTES_MAX || buf_reserve(&template->text, bytes) < 0)
                return;
        for (size_t i = 0; i < n_parts; i++)
                keep_part(template, parts[i]);
        for (size_t i = 0; i < n; i++)
                keep_field(template, &nva[i]);
}

void h2_template_deinit(struct h2_template *template)
{
        buf_deinit(&template->text);
        template->n_parts = template->n_fields = 0;
}
