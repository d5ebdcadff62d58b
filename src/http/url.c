/* SPDX-License-Identifier: MIT */
/*
 * How it works: a server's URL is cleaned if it needs to be; a person's URL is refused if cleaning
 * would change it. The input is cut in place into scheme, authority, path and query. Each part is
 * written into `text`, percent-encoded by its own set. Parts missing at the front are taken from
 * the base.
 */
#include "url.h"

#include "url_cut.h"
#include "url_encode.h"
#include "url_hint.h"
#include "url_host.h"
#include "url_path.h"
#include <assert.h>
#include <base/error.h>
#include <stdio.h>

#define SHOWN_PORT_MAX 80 /* characters of the input that a message quotes */

/* --- cleaning -------------------------------------------------------------------------------- */

static bool is_dropped(char c)
{
        return c == '\t' || c == '\n' || c == '\r';
}

static struct muster_str strip(struct muster_str text)
{
        while (text.len && (unsigned char)text.at[0] <= 0x20) {
                text.at++;
                text.len--;
        }
        while (text.len && (unsigned char)text.at[text.len - 1] <= 0x20)
                text.len--;
        return text;
}

/*
 * Strip a server's URL, and drop tabs and line ends anywhere in it, as browsers do. Only a URL that
 * has some needs a copy.
 */
static int clean(struct muster_str *text, struct buf *copy)
{
        bool is_clean = true;
        int r;

        *text = strip(*text);
        for (size_t i = 0; i < text->len; i++)
                is_clean &= !is_dropped(text->at[i]);
        if (is_clean)
                return 0;
        r = buf_reserve(copy, text->len);
        if (r < 0)
                return r;
        for (size_t i = 0; i < text->len; i++)
                if (!is_dropped(text->at[i]))
                        copy->at[copy->len++] = text->at[i];
        *text = buf_str(copy);
        return 0;
}

/* --- authority ------------------------------------------------------------------------------- */

static int parse_port(struct muster_str text, enum url_scheme scheme, uint16_t *ret_port,
        struct muster_error *error)
{
        uint64_t port;

        *ret_port = scheme == URL_HTTPS ? 443 : 80;
        if (!text.len)
                return 0;
        while (text.len > 1 && text.at[0] == '0') {
                text.at++;
                text.len--;
        }
        if (!str_to_u64(text, &port) || port > 65535)
                return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0,
                        "url: port \"%.*s\" is not a number from 0 to 65535",
                        STR_ARGS(str_first(text, SHOWN_PORT_MAX)));
        *ret_port = (uint16_t)port;
        return 0;
}

static struct url_span span_from(const struct url *url, size_t at)
{
        assert(at <= url->text.len);
        return (struct url_span){ (uint32_t)at, (uint32_t)(url->text.len - at) };
}

static int add_userinfo(struct url *url, struct muster_str userinfo)
{
        const char *colon = userinfo.len ? memchr(userinfo.at, ':', userinfo.len) : NULL;
        struct muster_str user = userinfo;
        size_t at = url->text.len;
        int r;

        if (colon)
                user.len = (size_t)(colon - userinfo.at);
        r = url_add_encoded(user, ENCODE_USERINFO, &url->text);
        url->user = span_from(url, at);
        if (r == 0 && colon && user.len + 1 < userinfo.len) {
                struct muster_str password = { colon + 1, userinfo.len - user.len - 1 };

                r = buf_add_char(&url->text, ':');
                at = url->text.len;
                if (r == 0)
                        r = url_add_encoded(password, ENCODE_USERINFO, &url->text);
                url->password = span_from(url, at);
        }
        if (r == 0 && (url->user.len || url->password.len))
                r = buf_add_char(&url->text, '@');
        return r;
}

/* The colon before the port, not one in brackets. */
static const char *find_port(struct muster_str host)
{
        for (size_t i = host.len; i; i--) {
                if (host.at[i - 1] == ']')
                        return NULL;
                if (host.at[i - 1] == ':')
                        return host.at + i - 1;
        }
        return NULL;
}

static int add_host(struct url *url, struct muster_str host, struct muster_error *error)
{
        bool is_bracketed = host.len && host.at[0] == '[';
        size_t at;
        int r = 0;

        if (is_bracketed)
                r = buf_add_char(&url->text, '[');
        at = url->text.len;
        if (r == 0)
                r = url_host_parse(host, &url->text, &url->host_kind, error);
        url->host = span_from(url, at);
        if (r == 0 && is_bracketed)
                r = buf_add_char(&url->text, ']');
        return r;
}

static int add_port(struct url *url)
{
        int r;

        if (url->port == (url->scheme == URL_HTTPS ? 443 : 80))
                return 0;
        r = buf_add_char(&url->text, ':');
        return r < 0 ? r : buf_add_u64(&url->text, url->port);
}

static int add_authority(struct url *url, struct muster_str authority, struct muster_error *error)
{
        struct muster_str host = authority;
        struct muster_str port = { NULL, 0 };
        const char *colon;
        size_t at;
        int r = 0;

        /* The last @ ends the user name and password; earlier ones belong to them. */
        for (size_t i = authority.len; i; i--) {
                if (authority.at[i - 1] != '@')
                        continue;
                r = add_userinfo(url, (struct muster_str){ authority.at, i - 1 });
                host = (struct muster_str){ authority.at + i, authority.len - i };
                break;
        }
        if (r < 0)
                return r;
        colon = find_port(host);
        if (colon) {
                port = (struct muster_str){ colon + 1, (size_t)(host.at + host.len - colon) - 1 };
                host.len = (size_t)(colon - host.at);
        }
        at = url->text.len;
        r = parse_port(port, url->scheme, &url->port, error);
        if (r == 0)
                r = add_host(url, host, error);
        if (r == 0)
                r = add_port(url);
        url->authority = span_from(url, at);
        return r;
}

/* --- target ---------------------------------------------------------------------------------- */

/*
 * Add the path of a reference without authority: absolute, relative to the base's last slash, or
 * the base's own.
 */
static int add_relative_path(struct url *url, size_t path_at, const struct url *base,
        struct url_pieces *pieces)
{
        struct url_pieces own = { 0 };
        int r;

        url_cut_target(url_part(base, base->target), &own);
        if (!pieces->path.len) {
                if (!pieces->query.at)
                        pieces->query = own.query;
                return buf_add_str(&url->text, own.path);
        }
        if (url_is_slash(pieces->path.at[0]))
                return url_path_add(&url->text, path_at, pieces->path);
        r = buf_add_str(&url->text, own.path);
        if (r < 0)
                return r;
        url_path_shorten(&url->text, path_at);
        return url_path_add(&url->text, path_at, pieces->path);
}

static int add_target(struct url *url, const struct url *base, struct url_pieces *pieces)
{
        size_t at = url->text.len;
        int r;

        if (url_path_is_plain(pieces->path))
                r = buf_add_str(&url->text, pieces->path);
        else if (pieces->authority.at)
                r = url_path_add(&url->text, at, pieces->path);
        else
                r = add_relative_path(url, at, base, pieces);
        if (r == 0 && pieces->query.at) {
                r = buf_add_char(&url->text, '?');
                if (r == 0)
                        r = url_add_encoded(pieces->query, ENCODE_QUERY, &url->text);
        }
        url->target = span_from(url, at);
        return r;
}

/* --- all of it ------------------------------------------------------------------------------- */

static const char *scheme_text(const struct url *url)
{
        return url->scheme == URL_HTTPS ? "https://" : "http://";
}

static int add_base_authority(struct url *url, const struct url *base)
{
        size_t at = base->user.len || base->password.len ? base->user.at : base->authority.at;
        size_t end = base->authority.at + base->authority.len;
        uint32_t shift = (uint32_t)(url->text.len - at);
        int r = buf_add(&url->text, base->text.at + at, end - at);

        assert(url != base && url->text.len > 0);
        url->user = (struct url_span){ base->user.at + shift, base->user.len };
        url->password = (struct url_span){ base->password.at + shift, base->password.len };
        url->host = (struct url_span){ base->host.at + shift, base->host.len };
        url->authority = (struct url_span){ base->authority.at + shift, base->authority.len };
        url->host_kind = base->host_kind;
        url->port = base->port;
        return r;
}

static int build(struct url *url, struct muster_str text, const struct url *base,
        struct muster_error *error)
{
        struct url_pieces pieces = { 0 };
        int r = url_cut(text, base, &pieces, error);

        if (r < 0)
                return r;
        url->scheme = pieces.has_scheme ? pieces.scheme : base->scheme;
        r = buf_add_text(&url->text, scheme_text(url));
        if (r == 0 && pieces.authority.at)
                r = add_authority(url, pieces.authority, error);
        else if (r == 0)
                r = add_base_authority(url, base);
        return r < 0 ? r : add_target(url, base, &pieces);
}

/* Does the text begin with the origin of `near`, spelled in the same way? */
static bool begins_with_origin(struct muster_str text, const struct url *near)
{
        size_t len = near->authority.at + near->authority.len;

        return near->text.len && !near->user.len && !near->password.len && text.len > len &&
               text.at[len] == '/' && memcmp(text.at, near->text.at, len) == 0;
}

/* Build a URL that begins with the origin of `near`, which was checked with that. */
static int build_near(struct url *url, struct muster_str text, const struct url *near)
{
        size_t len = near->authority.at + near->authority.len;
        struct muster_str rest = { text.at + len, text.len - len };
        struct url_pieces pieces = { .authority = { "", 0 } };
        int r;

        url_cut_fragment(&rest);
        url_cut_target(rest, &pieces);
        url->scheme = near->scheme;
        r = buf_reserve(&url->text, text.len);
        if (r == 0)
                r = buf_add_text(&url->text, scheme_text(near));
        if (r == 0)
                r = add_base_authority(url, near);
        return r < 0 ? r : add_target(url, NULL, &pieces);
}

static void empty(struct url *url)
{
        struct buf text = url->text;

        text.len = 0;
        *url = (struct url){ .text = text };
}

static int parse(struct url *url, struct muster_str text, const struct url *base,
        const struct url *near, struct muster_error *error)
{
        struct buf copy = { 0 };
        int r;

        assert(url != base && url != near && !(base && near));
        empty(url);
        if (text.len > URL_BYTES_MAX)
                return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0,
                        "url: the URL has %zu bytes, more than the allowed %d: \"%.40s...\"",
                        text.len, URL_BYTES_MAX, text.at);
        r = base ? clean(&text, &copy) : url_hint_strays(text, error);
        if (r == 0)
                r = near && begins_with_origin(text, near) ? build_near(url, text, near)
                                                           : build(url, text, base, error);
        if (r == MUSTER_E_RESOURCE)
                error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (r < 0)
                empty(url);
        buf_deinit(&copy);
        return r;
}

int url_parse(struct url *url, struct muster_str text, const struct url *base,
        struct muster_error *error)
{
        return parse(url, text, base, NULL, error);
}

int url_parse_near(struct url *url, struct muster_str text, const struct url *near,
        struct muster_error *error)
{
        return parse(url, text, NULL, near, error);
}

void url_deinit(struct url *url)
{
        buf_deinit(&url->text);
        *url = (struct url){ 0 };
}

int url_copy(struct url *to, const struct url *from)
{
        struct buf text;
        int r;

        assert(to != from);
        empty(to);
        r = buf_add_str(&to->text, buf_str(&from->text));
        if (r < 0)
                return r;
        text = to->text;
        *to = *from;
        to->text = text;
        return 0;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
        return a->scheme == b->scheme && a->port == b->port &&
               str_eq(url_part(a, a->host), url_part(b, b->host));
}

int url_add_public(const struct url *url, struct buf *to)
{
        size_t before = to->len;

        if (buf_add_text(to, scheme_text(url)) < 0 ||
                buf_add_str(to, url_part(url, url->authority)) < 0 ||
                buf_add_str(to, url_part(url, url->target)) < 0) {
                to->len = before;
                return MUSTER_E_RESOURCE;
        }
        return 0;
}

int url_add_origin(const struct url *url, struct buf *to)
{
        size_t before = to->len;

        if (buf_add_text(to, scheme_text(url)) < 0 ||
                buf_add_str(to, url_part(url, url->authority)) < 0 ||
                (url->port == (url->scheme == URL_HTTPS ? 443 : 80) &&
                        (buf_add_char(to, ':') < 0 || buf_add_u64(to, url->port) < 0))) {
                to->len = before;
                return MUSTER_E_RESOURCE;
        }
        return 0;
}
