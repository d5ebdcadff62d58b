/* SPDX-License-Identifier: MIT */
#include "str.h"

#include "minmax.h"

int char_hex(char c)
{
        if (char_is_digit(c))
                return c - '0';
        c = char_lower(c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_same_letters(const char *a, const char *b, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (a[i] != b[i] && char_lower(a[i]) != char_lower(b[i]))
                        return false;
        return true;
}

bool str_starts(struct muster_str a, const char *prefix)
{
        size_t len = strlen(prefix);

        return a.len >= len && memcmp(a.at, prefix, len) == 0;
}

bool str_has(struct muster_str a, const char *what)
{
        return a.at && memmem(a.at, a.len, what, strlen(what));
}

static size_t find_control(struct muster_str a, size_t from, size_t end)
{
        for (size_t i = from; i < end; i++)
                if ((unsigned char)a.at[i] < 0x20 || a.at[i] == 0x7f)
                        return i;
        return end;
}

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* Is there a control character among these eight? Bytes from 0x80 on may be taken for one. */
static bool may_have_control(const char *at)
{
        uint64_t eight, without_del;

        memcpy(&eight, at, 8);
        without_del = eight ^ EACH_BYTE(0x7f);
        return (((eight - EACH_BYTE(0x20)) | (without_del - EACH_BYTE(0x01))) & EACH_BYTE(0x80)) !=
               0;
}

/* Eight bytes at once; the last ones together with some that were looked at before. */
size_t str_find_control(struct muster_str a)
{
        size_t i = 0;

        for (; a.len - i >= 8; i += 8) {
                size_t at = may_have_control(a.at + i) ? find_control(a, i, i + 8) : i + 8;

                if (at < i + 8)
                        return at;
        }
        if (a.len >= 8 && !may_have_control(a.at + a.len - 8))
                return a.len;
        return find_control(a, i, a.len);
}

bool str_split(struct muster_str *rest, char separator, struct muster_str *ret_part)
{
        const char *end;

        if (!rest->at)
                return false;
        end = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
        if (!end) {
                *ret_part = *rest;
                *rest = (struct muster_str){ NULL, 0 };
                return true;
        }
        *ret_part = (struct muster_str){ rest->at, (size_t)(end - rest->at) };
        rest->len -= ret_part->len + 1;
        rest->at = end + 1;
        return true;
}

bool str_to_u64(struct muster_str a, uint64_t *ret_value)
{
        uint64_t value = 0;

        if (!a.len)
                return false;
        for (size_t i = 0; i < a.len; i++) {
                if (!char_is_digit(a.at[i]) || __builtin_mul_overflow(value, 10u, &value) ||
                        __builtin_add_overflow(value, (uint64_t)(a.at[i] - '0'), &value))
                        return false;
        }
        *ret_value = value;
        return true;
}

#define DISTANT 64 /* texts of this length are not compared */

unsigned str_distance(struct muster_str a, struct muster_str b)
{
        unsigned row[DISTANT], diagonal, above;

        if (a.len >= DISTANT || b.len >= DISTANT)
                return DISTANT;
        for (unsigned j = 0; j <= b.len; j++)
                row[j] = j;
        for (unsigned i = 1; i <= a.len; i++) {
                diagonal = row[0];
                row[0] = i;
                for (unsigned j = 1; j <= b.len; j++) {
                        above = row[j];
                        row[j] = min_unsigned(min_unsigned(above, row[j - 1]) + 1,
                                diagonal + (a.at[i - 1] != b.at[j - 1]));
                        diagonal = above;
                }
        }
        return row[b.len];
}
