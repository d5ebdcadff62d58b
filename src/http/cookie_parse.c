/* SPDX-License-Identifier: MIT */
#include "cookie_parse.h"

#include "cookie_date.h"
#include "field.h"
#include <base/minmax.h>

/* Long ago, but not COOKIE_SESSION: the cookie is removed at once. */
#define LONG_EXPIRED_S 1

/* The moments of both attributes; Max-Age comes before Expires, whichever is written first. */
struct lifetimes {
        bool has_max_age, has_expires;
        int64_t max_age_until_s, expires_s;
};

static int64_t bounded(int64_t expires_s, int64_t now_s)
{
        if (expires_s < LONG_EXPIRED_S)
                return LONG_EXPIRED_S;
        return expires_s > now_s + COOKIE_AGE_MAX_S ? now_s + COOKIE_AGE_MAX_S : expires_s;
}

/* --- attributes ------------------------------------------------------------------------------ */

/* Digits with or without a minus sign (section 5.6.2). */
static void take_max_age(struct muster_str value, int64_t now_s, struct lifetimes *lifetimes)
{
        bool is_negative = value.len && value.at[0] == '-';
        struct muster_str digits = str_after(value, is_negative);
        uint64_t seconds = COOKIE_AGE_MAX_S; /* also for a number that is too large to be read */

        for (size_t i = 0; i < digits.len; i++)
                if (!char_is_digit(digits.at[i]))
                        return;
        if (!digits.len)
                return;
        (void)str_to_u64(digits, &seconds);
        lifetimes->has_max_age = true;
        if (is_negative || seconds == 0)
                lifetimes->max_age_until_s = LONG_EXPIRED_S;
        else
                lifetimes->max_age_until_s =
                        now_s + (int64_t)min_u64(seconds, (uint64_t)COOKIE_AGE_MAX_S);
}

static void take_expires(struct muster_str value, int64_t now_s, struct lifetimes *lifetimes)
{
        int64_t expires_s;

        if (!cookie_date_parse(value, &expires_s))
                return;
        lifetimes->has_expires = true;
        lifetimes->expires_s = bounded(expires_s, now_s);
}

static struct muster_str without_dot(struct muster_str domain)
{
        if (domain.len && domain.at[0] == '.')
                return str_after(domain, 1);
        return domain;
}

static enum muster_same_site same_site_of(struct muster_str value)
{
        return str_is_nocase(value, "Strict") ? MUSTER_SAME_SITE_STRICT
               : str_is_nocase(value, "Lax")  ? MUSTER_SAME_SITE_LAX
               : str_is_nocase(value, "None") ? MUSTER_SAME_SITE_NONE
                                              : MUSTER_SAME_SITE_UNSET;
}

/* The last attribute of a name counts. One that is not known is ignored. */
static void take_attribute(struct muster_str name, struct muster_str value, int64_t now_s,
        struct set_cookie *cookie, struct lifetimes *lifetimes)
{
        if (str_is_nocase(name, "Expires")) {
                take_expires(value, now_s, lifetimes);
        } else if (str_is_nocase(name, "Max-Age")) {
                take_max_age(value, now_s, lifetimes);
        } else if (str_is_nocase(name, "Domain")) {
                cookie->domain = without_dot(value);
        } else if (str_is_nocase(name, "Path")) {
                cookie->has_path = true;
                cookie->path = value.len && value.at[0] == '/' ? value : (struct muster_str){ 0 };
        } else if (str_is_nocase(name, "Secure")) {
                cookie->is_secure = true;
        } else if (str_is_nocase(name, "HttpOnly")) {
                cookie->is_http_only = true;
        } else if (str_is_nocase(name, "SameSite")) {
                cookie->same_site = same_site_of(value);
        }
}

static void take_attributes(struct muster_str rest, int64_t now_s, struct set_cookie *cookie)
{
        struct lifetimes lifetimes = { 0 };
        struct muster_str value, name;

        while (str_split(&rest, ';', &value)) {
                if (!str_split(&value, '=', &name))
                        continue;
                value = str_trim(value);
                if (value.len <= COOKIE_ATTRIBUTE_BYTES_MAX)
                        take_attribute(str_trim(name), value, now_s, cookie, &lifetimes);
        }
        cookie->expires_s = lifetimes.has_max_age   ? lifetimes.max_age_until_s
                            : lifetimes.has_expires ? lifetimes.expires_s
                                                    : COOKIE_SESSION;
}

/* --- name and value -------------------------------------------------------------------------- */

bool cookie_pair_is_valid(struct muster_str name, struct muster_str value)
{
        return name.len + value.len > 0 && name.len + value.len <= COOKIE_PAIR_BYTES_MAX &&
               field_is_value(name) && field_is_value(value);
}

bool set_cookie_parse(struct muster_str text, int64_t now_s, struct set_cookie *ret_cookie)
{
        struct set_cookie cookie = { 0 };
        struct muster_str rest = text, pair;

        if (!field_is_value(text) || !str_split(&rest, ';', &pair))
                return false;
        if (str_has_char(pair, '='))
                str_split(&pair, '=', &cookie.name);
        cookie.name = str_trim(cookie.name);
        cookie.value = str_trim(pair);
        if (!cookie_pair_is_valid(cookie.name, cookie.value))
                return false;
        take_attributes(rest, now_s, &cookie);
        *ret_cookie = cookie;
        return true;
}
