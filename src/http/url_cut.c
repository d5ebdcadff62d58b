/* SPDX-License-Identifier: MIT */
#include "url_cut.h"

#include "url_hint.h"
#include "url_path.h"

/* The length of "scheme:" at the front; 0 if there is none. */
static size_t scheme_length(struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++) {
                char c = char_lower(text.at[i]);

                if (c == ':')
                        return i ? i + 1 : 0;
                if (!(c >= 'a' && c <= 'z') &&
                        (i == 0 || !(char_is_digit(c) || c == '+' || c == '-' || c == '.')))
                        return 0;
        }
        return 0;
}

static int cut_scheme(struct muster_str *rest, const struct url *base, struct url_pieces *pieces,
        struct muster_error *error)
{
        size_t len = scheme_length(*rest);
        struct muster_str scheme = { rest->at, len ? len - 1 : 0 };
        struct muster_str behind = { rest->at + len, rest->len - len };

        if (!len && base)
                return 0;
        if (!str_is_nocase(scheme, "http") && !str_is_nocase(scheme, "https"))
                return base ? url_hint_unsupported(scheme, error) : url_hint_scheme(*rest, error);
        pieces->scheme = scheme.len == 5 ? URL_HTTPS : URL_HTTP;
        pieces->has_scheme = true;
        *rest = behind;
        return 0;
}

static void cut_authority(struct muster_str *rest)
{
        while (rest->len && url_is_slash(rest->at[0])) {
                rest->at++;
                rest->len--;
        }
}

/* As strchr(), but without a call for each character of each URL. */
static bool is_one_of(char c, const char *characters)
{
        while (*characters && *characters != c)
                characters++;
        return *characters;
}

static struct muster_str take_until(struct muster_str *rest, const char *ends)
{
        struct muster_str part = { rest->at, 0 };

        while (part.len < rest->len && !is_one_of(rest->at[part.len], ends))
                part.len++;
        rest->at += part.len;
        rest->len -= part.len;
        return part;
}

void url_cut_fragment(struct muster_str *text)
{
        const char *hash = text->len ? memchr(text->at, '#', text->len) : NULL;

        if (hash)
                text->len = (size_t)(hash - text->at);
}

void url_cut_target(struct muster_str rest, struct url_pieces *pieces)
{
        const char *mark = rest.len ? memchr(rest.at, '?', rest.len) : NULL;

        pieces->path = rest;
        if (!mark)
                return;
        pieces->path.len = (size_t)(mark - rest.at);
        pieces->query = (struct muster_str){ mark + 1, rest.len - pieces->path.len - 1 };
}

int url_cut(struct muster_str text, const struct url *base, struct url_pieces *pieces,
        struct muster_error *error)
{
        struct muster_str rest = text;
        size_t n_slashes = 0;
        int r;

        url_cut_fragment(&rest);
        r = cut_scheme(&rest, base, pieces, error);
        if (r < 0)
                return r;
        while (n_slashes < rest.len && url_is_slash(rest.at[n_slashes]))
                n_slashes++;
        if (pieces->has_scheme ? !base || base->scheme != pieces->scheme || n_slashes >= 2
                               : n_slashes >= 2) {
                cut_authority(&rest);
                pieces->authority = take_until(&rest, "/\\?");
                if (!pieces->authority.at)
                        pieces->authority = (struct muster_str){ "", 0 };
        }
        url_cut_target(rest, pieces);
        return 0;
}
