/* SPDX-License-Identifier: MIT */
/*
 * The guesses are ordered from the most telling to the least; the first one that fits is given. A
 * guess that says what to write tries that first.
 */
#include "url_hint.h"

#include "url.h"
#include <base/error.h>
#include <stdio.h>

#define SHOWN_MAX 70 /* characters of the input in a message, which may quote it twice */

/* "url: "TEXT" what". */
static int say_url(struct muster_error *error, struct muster_str text, const char *what)
{
        return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0, "url: \"%.*s\" %s",
                STR_ARGS(str_first(text, SHOWN_MAX)), what);
}

static struct muster_str from(struct muster_str text, size_t at)
{
        return str_after(text, at);
}

int url_hint_unsupported(struct muster_str scheme, struct muster_error *error)
{
        return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0,
                "url: scheme \"%.*s\" is not supported; http and https are",
                STR_ARGS(str_first(scheme, SHOWN_MAX)));
}

/* --- characters that nobody meant ------------------------------------------------------------ */

/* The column as an editor shows it: in characters, not bytes. */
static size_t column_of(struct muster_str text, size_t at)
{
        size_t n = 1;

        for (size_t i = 0; i < at; i++)
                n += ((unsigned char)text.at[i] & 0xc0) != 0x80;
        return n;
}

static int stray(struct muster_error *error, const char *what, size_t at, const char *advice)
{
        return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0, "url: %s at column %zu; %s",
                what, at, advice);
}

static int control_character(struct muster_str text, size_t at, struct muster_error *error)
{
        unsigned char c = (unsigned char)text.at[at];
        bool is_last = true;
        char name[48], advice[48];

        for (size_t i = at; i < text.len; i++)
                is_last &= (unsigned char)text.at[i] <= 0x20;
        snprintf(name, sizeof(name),
                c == '\t'   ? "a tab"
                : c == '\n' ? "a line feed"
                : c == '\r' ? "a carriage return"
                            : "the control character 0x%02x",
                c);
        snprintf(advice, sizeof(advice),
                is_last || !at ? "leave it out" : "leave it out, or write %%%02X", c);
        return stray(error, name, column_of(text, at), advice);
}

/* Refuse a backslash. After other schemes it is not the mistake. */
static int backslash(struct muster_str text, struct muster_error *error)
{
        struct muster_str begin = str_first(text, 5);

        if (!str_is_nocase(begin, "http:") && !str_is_nocase(begin, "https"))
                return 0;
        for (size_t i = 0; i < text.len && text.at[i] != '?' && text.at[i] != '#'; i++)
                if (text.at[i] == '\\')
                        return stray(error, "a backslash", column_of(text, i),
                                "write a slash, or %5C for a backslash");
        return 0;
}

int url_hint_strays(struct muster_str text, struct muster_error *error)
{
        size_t at = str_find_control(text);

        if (!text.len)
                return 0;
        if (at < text.len)
                return control_character(text, at, error);
        if (text.at[0] == ' ')
                return stray(error, "a blank", 1, "leave it out");
        if (text.at[text.len - 1] == ' ')
                return stray(error, "a blank", column_of(text, text.len - 1), "leave it out");
        return str_has_char(text, '\\') ? backslash(text, error) : 0;
}

/* --- what works ------------------------------------------------------------------------------ */

/* Do the scheme and the text make a URL whose host may exist? */
static bool works(const char *scheme, struct muster_str text)
{
        char whole[SHOWN_MAX + 16];
        struct url url = { 0 };
        int len = snprintf(whole, sizeof(whole), "%s%.*s", scheme, STR_ARGS(text));
        bool is_good = text.len < SHOWN_MAX && !strpbrk(whole, " \"<>{}|`") &&
                       url_parse(&url, (struct muster_str){ whole, (size_t)len }, NULL, NULL) == 0;

        url_deinit(&url);
        return is_good;
}

static int write_this(struct muster_error *error, struct muster_str text, const char *why,
        const char *scheme, struct muster_str rest)
{
        return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0,
                "url: %s \"%.*s\"; write %s%.*s", why, STR_ARGS(str_first(text, SHOWN_MAX)), scheme,
                STR_ARGS(rest));
}

/* --- what it looks like ---------------------------------------------------------------------- */

static bool is_letter(char c)
{
        return char_lower(c) >= 'a' && char_lower(c) <= 'z';
}

static size_t n_letters(struct muster_str text)
{
        size_t n = 0;

        while (n < text.len && is_letter(text.at[n]))
                n++;
        return n;
}

/* A text that begins with something that people put around or before URLs. */
static const char *wrapped(struct muster_str text)
{
        static const struct {
                const char *begin, *what;
        } marks[] = {
                { "\"", "begins with a quote; remove the quotes" },
                { "'", "begins with a quote; remove the quotes" },
                { "`", "begins with a quote; remove the quotes" },
                { "\xe2\x80\x9c", "begins with a quote; remove the quotes" }, /* “ */
                { "\xe2\x80\x98", "begins with a quote; remove the quotes" }, /* ‘ */
                { "<", "begins with an angle bracket; remove the angle brackets" },
                { "{", "is not a URL; is it JSON?" },
                { "curl ", "is a command; give only the URL" },
                { "wget ", "is a command; give only the URL" },
                { "\\\\", "is a Windows path, not a URL" },
                { "?", "has no host; a URL begins with http:// or https:// and a host" },
                { "#", "has no host; a URL begins with http:// or https:// and a host" },
                { "./", "is a relative path; a URL begins with http:// or https:// and a host" },
                { "../", "is a relative path; a URL begins with http:// or https:// and a host" },
        };

        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
                if (str_starts(text, marks[i].begin))
                        return marks[i].what;
        if (text.at[0] == '[')
                return str_has(text, "](")
                               ? "is a Markdown link; give the URL between the parentheses"
                               : "is not a URL; is it JSON?";
        if (n_letters(text) == 1 && text.len > 2 && text.at[1] == ':' &&
                (text.at[2] == '/' || text.at[2] == '\\'))
                return "is a Windows path, not a URL";
        return NULL;
}

/* "//host/x", "/x", "://host/x". */
static int slashes(struct muster_str text, struct muster_error *error)
{
        if (str_starts(text, "://") && works("http", text))
                return write_this(error, text, "no scheme in", "http", text);
        if (str_starts(text, "//") && works("http:", text))
                return write_this(error, text, "no scheme in", "http:", text);
        return str_starts(text, "/") && !str_starts(text, "//")
                       ? say_url(error, text,
                                 "is a path without a host; a URL begins with http:// or https:// and a host")
                       : 0;
}

/* Is it a scheme in its own right, though it looks a bit like http? */
static bool is_other_scheme(struct muster_str scheme)
{
        static const char *const others[] = { "ftp", "ftps", "sftp", "tftp", "ssh", "rtsp", "sip",
                "sips", "mailto" };

        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                if (str_is_nocase(scheme, others[i]))
                        return true;
        return false;
}

/* "htp://x", "http//x", "http;//x", "hxxps://x". */
static int misspelt(struct muster_str text, struct muster_error *error)
{
        size_t len = n_letters(text), at = len;
        struct muster_str scheme = { text.at, len };
        unsigned plain = str_distance(scheme, str_of("http"));
        unsigned safe = str_distance(scheme, str_of("https"));
        const char *meant = safe < plain ? "https://" : "http://";

        while (at < text.len && memchr(":;.,/", text.at[at], 5))
                at++;
        if (len < 2 || at < len + 2 || text.at[at - 1] != '/' || is_other_scheme(scheme) ||
                (plain > 2 && safe > 2) || !works(meant, from(text, at)))
                return 0;
        return write_this(error, text, "misspelt scheme in", meant, from(text, at));
}

/* "me@example.com" is a mail address, not a host with a user name. */
static bool is_mail_address(struct muster_str text)
{
        return str_has_char(text, '@') && !str_has_char(text, '/') && !str_has_char(text, ':') &&
               !str_has_char(text, ' ');
}

/* "1,http://x", "- http://x", "GET http://x", "url: http://x". */
static bool has_url_inside(struct muster_str text)
{
        return str_has(text, "http://") || str_has(text, "https://");
}

/*
 * "example.com:8080/", "user:password@host/": the part before the colon only looks like a scheme.
 */
static bool has_no_scheme(struct muster_str text)
{
        const char *colon = memchr(text.at, ':', text.len);
        struct muster_str behind;
        size_t n = 0;

        if (!colon)
                return true;
        behind = (struct muster_str){ colon + 1, (size_t)(text.at + text.len - colon) - 1 };
        if (is_other_scheme((struct muster_str){ text.at, (size_t)(colon - text.at) }))
                return false;
        while (n < behind.len && behind.at[n] != '/' && behind.at[n] != '@')
                n++;
        return (behind.len && char_is_digit(behind.at[0])) ||
               (n && n < behind.len && behind.at[n] == '@');
}

/* Does it look like a host, not just any word, such as the header of a table? */
static bool is_like_host(struct muster_str text)
{
        return str_has_char(text, '.') || str_has_char(text, ':') || str_has_char(text, '/') ||
               str_is_nocase(text, "localhost");
}

/* The scheme at the front, if a colon ends it and it is not a host. */
static struct muster_str scheme_of(struct muster_str text)
{
        size_t n = 0;

        while (n < text.len && (is_letter(text.at[n]) || (n && (char_is_digit(text.at[n]) ||
                                                                       strchr("+-.", text.at[n])))))
                n++;
        return (struct muster_str){ text.at, n && n < text.len && text.at[n] == ':' ? n : 0 };
}

static int by_scheme(struct muster_str text, struct muster_error *error)
{
        struct muster_str scheme = scheme_of(text);

        if (has_no_scheme(text))
                return is_like_host(text) && works("http://", text)
                               ? write_this(error, text, "no scheme in", "http://", text)
                               : 0;
        if (!scheme.len)
                return 0;
        return url_hint_unsupported(scheme, error);
}

int url_hint_scheme(struct muster_str text, struct muster_error *error)
{
        const char *what;
        int r;

        if (!text.len)
                return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0,
                        "url: the URL is empty");
        what = wrapped(text);
        if (what)
                return say_url(error, text, what);
        r = slashes(text, error);
        if (r == 0)
                r = misspelt(text, error);
        if (r < 0)
                return r;
        if (has_url_inside(text) && !scheme_of(text).len)
                return say_url(error, text, "has text before the URL; remove it");
        if (is_mail_address(text))
                return say_url(error, text, "is a mail address, not a URL");
        r = by_scheme(text, error);
        return r < 0 ? r
                     : say_url(error, text,
                               "is not a URL; a URL begins with http:// or https:// and a host");
}
