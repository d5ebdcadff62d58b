/* SPDX-License-Identifier: MIT */
#include "cookie_date.h"

#include <time.h>

#define YEAR_MIN 1601 /* what the RFC takes: the first year of a Gregorian cycle */

/* What was found so far. Each part counts only the first time. */
struct found {
        bool has_time, has_day, has_month, has_year;
        int hour, minute, second, day, month, year;
};

static bool is_delimiter(char c)
{
        unsigned char u = (unsigned char)c;

        return u == '\t' || (u >= 0x20 && u <= 0x2f) || (u >= 0x3b && u <= 0x40) ||
               (u >= 0x5b && u <= 0x60) || (u >= 0x7b && u <= 0x7e);
}

/* Cut off the next word. False at the end. */
static bool next_word(struct muster_str *rest, struct muster_str *ret_word)
{
        size_t begin = 0, end;

        *ret_word = *rest;
        if (!rest->len)
                return false;
        while (begin < rest->len && is_delimiter(rest->at[begin]))
                begin++;
        end = begin;
        while (end < rest->len && !is_delimiter(rest->at[end]))
                end++;
        *ret_word = (struct muster_str){ rest->at + begin, end - begin };
        *rest = str_after(*rest, end);
        return ret_word->len > 0;
}

/* Take `least` to `most` digits, which no other digit may follow. */
static bool take_digits(struct muster_str *word, size_t least, size_t most, int *ret_value)
{
        size_t n = 0;
        int value = 0;

        while (n < word->len && n <= most && char_is_digit(word->at[n]))
                value = value * 10 + (word->at[n++] - '0');
        if (n < least || n > most)
                return false;
        *word = str_after(*word, n);
        *ret_value = value;
        return true;
}

static bool take_colon(struct muster_str *word)
{
        if (!word->len || word->at[0] != ':')
                return false;
        word->at++;
        word->len--;
        return true;
}

static bool find_time(struct muster_str word, struct found *found)
{
        int hour, minute, second;

        if (!take_digits(&word, 1, 2, &hour) || !take_colon(&word) ||
                !take_digits(&word, 1, 2, &minute) || !take_colon(&word) ||
                !take_digits(&word, 1, 2, &second))
                return false;
        found->hour = hour;
        found->minute = minute;
        found->second = second;
        return true;
}

static bool find_month(struct muster_str word, struct found *found)
{
        static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

        if (word.len < 3)
                return false;
        for (int i = 0; i < 12; i++)
                if (str_eq_nocase((struct muster_str){ word.at, 3 },
                            (struct muster_str){ names + (size_t)i * 3, 3 })) {
                        found->month = i;
                        return true;
                }
        return false;
}

/* A word is the first of these that was not found yet. */
static void take_word(struct muster_str word, struct found *found)
{
        if (!found->has_time && find_time(word, found))
                found->has_time = true;
        else if (!found->has_day && take_digits(&word, 1, 2, &found->day))
                found->has_day = true;
        else if (!found->has_month && find_month(word, found))
                found->has_month = true;
        else if (!found->has_year && take_digits(&word, 2, 4, &found->year))
                found->has_year = true;
}

static int full_year(int year)
{
        return year < 70 ? year + 2000 : year < 100 ? year + 1900 : year;
}

/* timegm() takes 31 April for 1 May; such a date is none. */
static bool to_unix_time(const struct found *found, int64_t *ret_s)
{
        struct tm tm = { .tm_year = found->year - 1900,
                .tm_mon = found->month,
                .tm_mday = found->day,
                .tm_hour = found->hour,
                .tm_min = found->minute,
                .tm_sec = found->second };
        time_t time = timegm(&tm);

        if (tm.tm_mon != found->month || tm.tm_mday != found->day)
                return false;
        *ret_s = (int64_t)time;
        return true;
}

bool cookie_date_parse(struct muster_str text, int64_t *ret_s)
{
        struct found found = { 0 };
        struct muster_str word;

        while (next_word(&text, &word))
                take_word(word, &found);
        if (!found.has_time || !found.has_day || !found.has_month || !found.has_year)
                return false;
        found.year = full_year(found.year);
        if (found.year < YEAR_MIN || found.hour > 23 || found.minute > 59 || found.second > 59)
                return false;
        return to_unix_time(&found, ret_s);
}
