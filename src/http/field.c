/* SPDX-License-Identifier: MIT */
#include "field.h"

#include <base/minmax.h>
#include <time.h>

#define RETRY_AFTER_S_MAX (10 * 365 * 24 * UINT64_C(3600))

/* --- finding --------------------------------------------------------------------------------- */

struct muster_str fields_find(const struct fields *fields, const char *name)
{
        struct muster_str wanted = str_of(name);

        for (size_t i = 0; i < fields->n; i++)
                if (str_eq_nocase(field_name(fields, i), wanted))
                        return field_value(fields, i);
        return (struct muster_str){ NULL, 0 };
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

        for (; iter->field < fields->n; iter->field++, iter->at = 0) {
                struct muster_str value = field_value(fields, iter->field);

                if (!str_eq_nocase(field_name(fields, iter->field), wanted))
                        continue;
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
        return false;
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

/* tchar (RFC 9110 section 5.6.2), a bit for each of the first 128 characters. */
static const uint64_t tchars[2] = {
        0x03ff6cfa00000000u, /* !#$%&'*+-. and digits */
        0x57ffffffc7fffffeu, /* letters, ^_`|~ */
};

static bool is_tchar(unsigned char c)
{
        return c < 128 && (tchars[c >> 6] >> (c & 63) & 1);
}

bool field_is_token(struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++)
                if (!is_tchar((unsigned char)text.at[i]))
                        return false;
        return text.len > 0;
}

static bool is_value(const char *at, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)at[i];

                if ((c < 0x20 && c != '\t') || c == 0x7f)
                        return false;
        }
        return true;
}

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* Is there a byte below 0x20, or 0x7f, among these eight? Bytes from 0x80 on may be taken for one. */
static bool may_have_control(uint64_t eight)
{
        uint64_t without_del = eight ^ EACH_BYTE(0x7f);

        return (((eight - EACH_BYTE(0x20)) | (without_del - EACH_BYTE(0x01))) & EACH_BYTE(0x80)) !=
               0;
}

bool field_is_value(struct muster_str text)
{
        size_t i = 0;

        for (; text.len - i >= 8; i += 8) {
                uint64_t eight;

                memcpy(&eight, text.at + i, 8);
                if (may_have_control(eight) && !is_value(text.at + i, 8))
                        return false;
        }
        return i == text.len || is_value(text.at + i, text.len - i);
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
