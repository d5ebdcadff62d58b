/* SPDX-License-Identifier: MIT */
#include "field.h"

#include <base/minmax.h>
#include <time.h>

#define RETRY_AFTER_S_MAX (10 * 365 * 24 * UINT64_C(3600))

/* --- finding --------------------------------------------------------------------------------- */

/* The first field of that name from `i` on; their number if there is none. */
static size_t find_from(const struct fields *fields, size_t i, struct muster_str name)
{
        while (i < fields->n && !str_eq_nocase(field_name(fields, i), name))
                i++;
        return i;
}

struct muster_str fields_find(const struct fields *fields, const char *name)
{
        size_t i = find_from(fields, 0, str_of(name));

        return i < fields->n ? field_value(fields, i) : (struct muster_str){ NULL, 0 };
}

/* The end of the member that begins at `at`: the next comma outside a quoted string. */
static size_t member_end(struct muster_str value, size_t at)
{
        bool is_quoted = false;

        for (; at < value.len; at++) {
                if (is_quoted && value.at[at] == '\\')
                        at++;
                else if (value.at[at] == '"')
                        is_quoted = !is_quoted;
                else if (value.at[at] == ',' && !is_quoted)
                        return at;
        }
        return value.len;
}

bool fields_next_member(const struct fields *fields, const char *name, struct field_members *iter,
        struct muster_str *ret_member)
{
        struct muster_str wanted = str_of(name);

        for (;; iter->field++, iter->at = 0) {
                struct muster_str value;

                iter->field = find_from(fields, iter->field, wanted);
                if (iter->field == fields->n)
                        return false;
                value = field_value(fields, iter->field);
                while (iter->at < value.len) {
                        size_t end = member_end(value, iter->at);
                        struct muster_str member = { value.at + iter->at, end - iter->at };

                        iter->at = end + 1;
                        member = str_trim(member);
                        if (!member.len)
                                continue;
                        *ret_member = member;
                        return true;
                }
        }
}

bool fields_has_token(const struct fields *fields, const char *name, const char *token)
{
        struct field_members iter = { 0 };
        struct muster_str member;

        while (fields_next_member(fields, name, &iter, &member)) {
                const char *semicolon = memchr(member.at, ';', member.len);

                if (semicolon)
                        member.len = (size_t)(semicolon - member.at);
                if (str_is_nocase(str_trim(member), token))
                        return true;
        }
        return false;
}

/* --- checking -------------------------------------------------------------------------------- */

/* tchar (RFC 9110 section 5.6.2) */
__extension__ static const bool is_tchar[256] = { ['!'] = true,
        ['#'] = true,
        ['$'] = true,
        ['%'] = true,
        ['&'] = true,
        ['\''] = true,
        ['*'] = true,
        ['+'] = true,
        ['-'] = true,
        ['.'] = true,
        ['^'] = true,
        ['_'] = true,
        ['`'] = true,
        ['|'] = true,
        ['~'] = true,
        ['0' ... '9'] = true,
        ['A' ... 'Z'] = true,
        ['a' ... 'z'] = true };

size_t field_token_length(struct muster_str text)
{
        size_t n = 0;

        while (n < text.len && is_tchar[(unsigned char)text.at[n]])
                n++;
        return n;
}

bool field_is_token(struct muster_str text)
{
        return text.len > 0 && field_token_length(text) == text.len;
}

bool field_is_value(struct muster_str text)
{
        size_t at = str_find_control(text);

        while (at < text.len && text.at[at] == '\t') {
                text = (struct muster_str){ text.at + at + 1, text.len - at - 1 };
                at = str_find_control(text);
        }
        return at == text.len;
}

/* --- dates and Retry-After -------------------------------------------------------------------- */

bool field_date(struct muster_str value, int64_t *ret_s)
{
        static const char *const formats[] = { "%a, %d %b %Y %H:%M:%S GMT",
                "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y" };
        char text[64];

        value = str_trim(value);
        if (value.len >= sizeof(text))
                return false;
        memcpy(text, value.at, value.len);
        text[value.len] = '\0';
        for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
                struct tm tm = { 0 };
                const char *end = strptime(text, formats[i], &tm);

                if (end && !*end) {
                        *ret_s = (int64_t)timegm(&tm);
                        return true;
                }
        }
        return false;
}

/* Is it a number of seconds, even one too large for 64 bits? */
static bool is_number(struct muster_str value)
{
        for (size_t i = 0; i < value.len; i++)
                if (!char_is_digit(value.at[i]))
                        return false;
        return value.len > 0;
}

bool field_retry_after(struct muster_str value, int64_t now_s, uint64_t *ret_seconds)
{
        uint64_t seconds = UINT64_MAX;
        int64_t date;

        value = str_trim(value);
        if (!is_number(value)) {
                if (!field_date(value, &date))
                        return false;
                seconds = date > now_s ? (uint64_t)(date - now_s) : 0;
        } else if (!str_to_u64(value, &seconds)) {
                seconds = UINT64_MAX;
        }
        *ret_seconds = min_u64(seconds, RETRY_AFTER_S_MAX);
        return true;
}
