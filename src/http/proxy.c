/* SPDX-License-Identifier: MIT */
#include "proxy.h"

#include "field.h"
#include "url.h"
#include "url_encode.h"
#include <assert.h>
#include <base/error.h>

#define PROXY_BYTES_MAX      4096 /* of the text; no name and password are that long */
#define SOCKS5_PART_MAX      255  /* RFC 1929: a byte has the length of each */
#define CREDENTIAL_BYTES_MAX 8192 /* as for servers: longer fields are refused */

static const struct {
        const char *scheme;
        enum proxy_kind kind;
        uint16_t port;
} schemes[] = {
        { "http", PROXY_HTTP, 1080 },
        { "https", PROXY_HTTPS, 443 },
        { "socks5h", PROXY_SOCKS5H, 1080 },
        { "socks5", PROXY_SOCKS5, 1080 },
        { "socks4a", PROXY_SOCKS4A, 1080 },
        { "socks4", PROXY_SOCKS4, 1080 },
        { "socks", PROXY_SOCKS4, 1080 },
};
#define N_SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

static const char *scheme_of(enum proxy_kind kind)
{
        size_t i = 0;

        while (schemes[i].kind != kind)
                i++;
        return schemes[i].scheme;
}

void proxy_deinit(struct proxy *proxy)
{
        buf_deinit(&proxy->host);
        buf_deinit(&proxy->user);
        buf_wipe(&proxy->password);
        buf_deinit(&proxy->name);
        *proxy = (struct proxy){ 0 };
}

/* --- the parts of the text ------------------------------------------------------------------- */

/* Places in the text; `at` NULL: not there. */
struct parts {
        struct muster_str scheme, user, password, authority;
};

static struct muster_str from_to(const char *from, const char *to)
{
        return (struct muster_str){ from, (size_t)(to - from) };
}

/* The host may hold neither "/" nor "@"; the password may hold "@", as many forget to encode it. */
static struct parts cut(struct muster_str text)
{
        const char *end = text.at + text.len, *at = text.at;
        struct parts parts = { 0 };
        const char *path, *sign, *colon;

        for (const char *p = at; p + 3 <= end; p++) {
                if (memcmp(p, "://", 3) == 0) {
                        parts.scheme = from_to(at, p);
                        at = p + 3;
                        break;
                }
        }
        path = at < end ? memchr(at, '/', (size_t)(end - at)) : NULL;
        if (path)
                end = path;
        sign = at < end ? memrchr(at, '@', (size_t)(end - at)) : NULL;
        if (sign) {
                colon = sign > at ? memchr(at, ':', (size_t)(sign - at)) : NULL;
                parts.user = from_to(at, colon ? colon : sign);
                if (colon)
                        parts.password = from_to(colon + 1, sign);
                at = sign + 1;
        }
        parts.authority = from_to(at, end);
        return parts;
}

/* Errors show nothing of the text but scheme and host: the rest may be a password. */
static int refuse(const struct parts *parts, const char *named, const char *why,
        struct muster_error *error)
{
        struct muster_str scheme = str_first(parts->scheme, 20);
        struct muster_str authority = str_first(parts->authority, 100);

        return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0,
                "url: %s: the proxy \"%.*s%s%.*s\" %s", named, STR_ARGS(scheme),
                parts->scheme.at ? "://" : "", STR_ARGS(authority), why);
}

static int read_scheme(struct proxy *proxy, const struct parts *parts, const char *named,
        struct muster_error *error)
{
        for (size_t i = 0; i < N_SCHEMES; i++)
                if (!parts->scheme.at || str_is_nocase(parts->scheme, schemes[i].scheme)) {
                        proxy->kind = schemes[i].kind;
                        proxy->port = schemes[i].port;
                        return 0;
                }
        return refuse(parts, named,
                "has a scheme that is none of http, https, socks4, socks4a, socks5 and socks5h",
                error);
}

/* --- the host -------------------------------------------------------------------------------- */

static bool has_port(struct muster_str authority)
{
        const char *bracket = memrchr(authority.at, ']', authority.len);
        const char *from = bracket ? bracket : authority.at;

        return memchr(from, ':', (size_t)(authority.at + authority.len - from));
}

static int add_name(struct proxy *proxy, bool is_ipv6)
{
        struct buf *name = &proxy->name;

        if (buf_add_text(name, scheme_of(proxy->kind)) < 0 || buf_add_text(name, "://") < 0 ||
                (is_ipv6 && buf_add_char(name, '[') < 0) ||
                buf_add_str(name, buf_str(&proxy->host)) < 0 ||
                buf_add_text(name, is_ipv6 ? "]:" : ":") < 0 || buf_add_u64(name, proxy->port) < 0)
                return MUSTER_E_RESOURCE;
        return buf_terminate(name);
}

/* As the host of a URL: names in lower case and ASCII, addresses in their usual form. */
static int read_host(struct proxy *proxy, const struct parts *parts, const char *named,
        struct muster_error *error)
{
        struct muster_error why = { 0 };
        struct buf text = { 0 };
        struct url url = { 0 };
        int r = parts->authority.len ? 0 : refuse(parts, named, "has no host", error);

        if (r == 0 &&
                (buf_add_text(&text, "http://") < 0 || buf_add_str(&text, parts->authority) < 0))
                r = MUSTER_E_RESOURCE;
        if (r == 0)
                r = url_parse(&url, buf_str(&text), NULL, &why);
        if (r == MUSTER_E_URL)
                refuse(parts, named, "has no valid host or port; write [scheme://]host[:port]",
                        error);
        if (r == 0 && has_port(parts->authority))
                proxy->port = url.port;
        if (r == 0 && (buf_add_str(&proxy->host, url_part(&url, url.host)) < 0 ||
                              buf_terminate(&proxy->host) < 0 ||
                              add_name(proxy, url.host_kind == URL_HOST_IPV6) < 0))
                r = MUSTER_E_RESOURCE;
        url_deinit(&url);
        buf_deinit(&text);
        return r;
}

/* --- credentials ----------------------------------------------------------------------------- */

static int refuse_credentials(const struct proxy *proxy, const char *why,
        struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "invalid: the user name or password for the proxy %s %s", proxy->name.at, why);
}

static int check_credentials(const struct proxy *proxy, struct muster_error *error)
{
        struct muster_str user = buf_str(&proxy->user), password = buf_str(&proxy->password);

        if (str_has_char(user, '\0') || str_has_char(password, '\0'))
                return refuse_credentials(proxy, "has a NUL byte", error);
        if (user.len + password.len > CREDENTIAL_BYTES_MAX)
                return refuse_credentials(proxy, "has more than 8 KiB", error);
        if (proxy_speaks_http(proxy) && str_has_char(user, ':'))
                return refuse_credentials(proxy,
                        "is not valid: RFC 7617 allows no colon in a user name", error);
        if ((proxy->kind == PROXY_SOCKS5 || proxy->kind == PROXY_SOCKS5H) &&
                (user.len > SOCKS5_PART_MAX || password.len > SOCKS5_PART_MAX || !user.len))
                return refuse_credentials(proxy,
                        "is not valid: RFC 1929 has 1 to 255 bytes for each", error);
        return 0;
}

static int end_credentials(struct proxy *proxy, struct muster_error *error)
{
        if (buf_terminate(&proxy->user) < 0 || buf_terminate(&proxy->password) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        proxy->has_user = true;
        return check_credentials(proxy, error);
}

int proxy_set_credentials(struct proxy *proxy, struct muster_str text, struct muster_error *error)
{
        struct muster_str user = { "", 0 };

        assert(proxy->name.len);
        if (proxy->has_user)
                return 0;
        str_split(&text, ':', &user);
        if (buf_add_str(&proxy->user, user) < 0 || buf_add_str(&proxy->password, text) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return end_credentials(proxy, error);
}

static int read_credentials(struct proxy *proxy, const struct parts *parts,
        struct muster_error *error)
{
        if (!parts->user.at)
                return 0;
        if (url_add_decoded(parts->user, &proxy->user) < 0 ||
                url_add_decoded(parts->password, &proxy->password) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return end_credentials(proxy, error);
}

/* --- all of it ------------------------------------------------------------------------------- */

int proxy_parse(struct proxy *proxy, struct muster_str text, const char *named,
        struct muster_error *error)
{
        struct parts parts;
        int r = 0;

        assert(!proxy->name.at && text.at);
        parts = cut(text);
        if (text.len > PROXY_BYTES_MAX)
                r = refuse(&parts, named, "is longer than 4 KiB", error);
        if (r == 0)
                r = read_scheme(proxy, &parts, named, error);
        if (r == 0)
                r = read_host(proxy, &parts, named, error);
        if (r == 0)
                r = read_credentials(proxy, &parts, error);
        if (r == MUSTER_E_RESOURCE)
                error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (r < 0)
                proxy_deinit(proxy);
        return r;
}

void proxy_name_in_error(const struct proxy *proxy, struct muster_error *error)
{
        struct muster_error named = { 0 };
        const char *colon = strchr(error->text, ':');

        if (error->code == MUSTER_E_PROXY || !colon)
                return;
        error_set(&named, error->code, error->stage, error->sys, "%.*s: proxy %.100s%s",
                (int)(colon - error->text), error->text, proxy->name.at, colon);
        *error = named;
}
