/* SPDX-License-Identifier: MIT */
#include "cookie_match.h"

#include <base/mem.h>
#include <libpsl.h>
#include <pthread.h>

/* --- hosts ----------------------------------------------------------------------------------- */

/* A name whose last label is a number is an IPv4 address, and would be refused otherwise. */
bool cookie_host_is_address(struct muster_str host)
{
        size_t n = host.len;

        if (str_has_char(host, ':'))
                return true;
        while (n && char_is_digit(host.at[n - 1]))
                n--;
        return n < host.len && (n == 0 || host.at[n - 1] == '.');
}

bool cookie_domain_matches(struct muster_str host, struct muster_str domain)
{
        size_t n = host.len - domain.len;

        if (host.len <= domain.len)
                return str_eq(host, domain);
        return domain.len && host.at[n - 1] == '.' &&
               memcmp(host.at + n, domain.at, domain.len) == 0 && !cookie_host_is_address(host);
}

bool cookie_url_is_secure(const struct url *url)
{
        struct muster_str host = url_part(url, url->host);

        if (url->scheme == URL_HTTPS)
                return true;
        switch (url->host_kind) {
        case URL_HOST_NAME:
                return str_is(host, "localhost");
        case URL_HOST_IPV4:
                return str_starts(host, "127.");
        case URL_HOST_IPV6:
                return str_is(host, "::1");
        }
        return false;
}

/* --- the public suffix list ------------------------------------------------------------------ */

/* One for the whole process, never freed: loading it reads a file of some 50 KB. */
static const psl_ctx_t *suffixes;
static pthread_once_t suffixes_once = PTHREAD_ONCE_INIT;

/* The newer of the distribution's file and what libpsl was built with. */
static void load_suffixes(void)
{
        suffixes = psl_latest(NULL);
        if (!suffixes)
                suffixes = psl_builtin();
}

/* A dot at the end changes nothing about who owns a domain. */
static struct muster_str without_last_dot(struct muster_str domain)
{
        if (domain.len && domain.at[domain.len - 1] == '.')
                domain.len--;
        return domain;
}

bool cookie_domain_is_public(struct muster_str domain)
{
        struct muster_str bare = without_last_dot(domain);
        bool is_public;
        char *text;

        if (cookie_host_is_address(bare))
                return false;
        if (!str_has_char(bare, '.'))
                return true;
        pthread_once(&suffixes_once, load_suffixes);
        text = mem_strndup(bare.at, bare.len);
        /* Without memory or a list the cookie is for its host alone, or refused. */
        is_public = !text || !suffixes || psl_is_public_suffix(suffixes, text);
        mem_free(text);
        return is_public;
}

/* --- paths ----------------------------------------------------------------------------------- */

struct muster_str cookie_path_of(const struct url *url)
{
        struct muster_str rest = url_part(url, url->target), path;

        str_split(&rest, '?', &path);
        return path;
}

bool cookie_path_matches(struct muster_str request_path, struct muster_str path)
{
        if (request_path.len < path.len || !path.len ||
                memcmp(request_path.at, path.at, path.len) != 0)
                return false;
        return request_path.len == path.len || path.at[path.len - 1] == '/' ||
               request_path.at[path.len] == '/';
}

struct muster_str cookie_path_default(struct muster_str request_path)
{
        size_t n = request_path.len;

        while (n && request_path.at[n - 1] != '/')
                n--;
        return n <= 1 ? str_of("/") : (struct muster_str){ request_path.at, n - 1 };
}
