/* SPDX-License-Identifier: MIT */
#include "json_scan.h"

#include "json.h"
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- strings --------------------------------------------------------------------------------- */

#define EACH(byte) (0x0101010101010101ull * (byte))

/* Is a byte of eight a quotation mark, a backslash, a control character or not ASCII? */
static bool has_special(uint64_t bytes)
{
        /* A byte behind such a one may seem to be special as well, which costs a closer look. */
        uint64_t quote = bytes ^ EACH('"'), backslash = bytes ^ EACH('\\');

        return ((quote - EACH(1)) | (backslash - EACH(1)) | (bytes - EACH(0x20)) | bytes) &
               EACH(0x80);
}

/* How many bytes the character has (RFC 3629 section 4); 0: it is none. */
static unsigned utf8_len(const unsigned char *at)
{
        unsigned char least = 0x80, most = 0xbf;
        unsigned n = *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf5 ? 4 : 0;

        if (*at == 0xe0)
                least = 0xa0;
        else if (*at == 0xed)
                most = 0x9f;
        else if (*at == 0xf0)
                least = 0x90;
        else if (*at == 0xf4)
                most = 0x8f;
        if (n == 0 || at[1] < least || at[1] > most)
                return 0;
        for (unsigned i = 2; i < n; i++)
                if (at[i] < 0x80 || at[i] > 0xbf)
                        return 0;
        return n;
}

const char *scan_string(const char *at, const char *end)
{
        for (;;) {
                unsigned n = 1;
                uint64_t bytes;

                while (end - at >= 8) {
                        memcpy(&bytes, at, 8);
                        if (has_special(bytes))
                                break;
                        at += 8;
                }
                while ((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
                        *at != '\\')
                        at++;
                while ((unsigned char)*at >= 0x80 && n) {
                        n = utf8_len((const unsigned char *)at);
                        at += n;
                }
                if (n == 0 || (unsigned char)*at < 0x20 || *at == '"' || *at == '\\')
                        return at;
        }
}

bool scan_unit(const char *at, uint32_t *ret_unit)
{
        uint32_t unit = 0;

        if (at[0] != '\\' || at[1] != 'u')
                return false;
        for (unsigned i = 2; i < 6; i++) {
                uint32_t c = (unsigned char)at[i], letter = c | 0x20;

                if (c >= '0' && c <= '9')
                        unit = unit << 4 | (c - '0');
                else if (letter >= 'a' && letter <= 'f')
                        unit = unit << 4 | (letter - 'a' + 10);
                else
                        return false;
        }
        *ret_unit = unit;
        return true;
}

char *scan_put_utf8(char *to, uint32_t character)
{
        unsigned n = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
        static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

        for (unsigned i = n; i-- > 1; character >>= 6)
                to[i] = (char)(0x80 | (character & 0x3f));
        to[0] = (char)(first[n] | character);
        return to + n;
}

/* --- numbers --------------------------------------------------------------------------------- */

static const char *scan_digits(const char *at, struct scan_number *number, bool is_fraction)
{
        for (; scan_is_digit(*at); at++) {
                if (number->n_digits || *at != '0')
                        number->n_digits++;
                if (number->n_digits > 19)
                        continue;
                number->digits = number->digits * 10 + (uint64_t)(*at - '0');
                number->exponent -= is_fraction;
        }
        return at;
}

static const char *scan_exponent(const char *at, struct scan_number *number)
{
        bool is_negative = *at == '-';
        int64_t exponent = 0;

        if (*at == '-' || *at == '+')
                at++;
        number->is_bad = !scan_is_digit(*at);
        for (; scan_is_digit(*at); at++)
                if (exponent < 100000)
                        exponent = exponent * 10 + (*at - '0');
        number->exponent += is_negative ? -exponent : exponent;
        return at;
}

const char *scan_number(const char *at, struct scan_number *ret_number)
{
        struct scan_number number = { .is_whole = true, .is_negative = *at == '-' };

        if (number.is_negative)
                at++;
        number.is_bad = !scan_is_digit(*at);
        if (*at == '0')
                at++; /* no other digit may follow */
        else
                at = scan_digits(at, &number, false);
        if (*at == '.' && !number.is_bad) {
                number.is_whole = false;
                number.is_bad = !scan_is_digit(at[1]);
                at = scan_digits(at + 1, &number, true);
        }
        if ((*at == 'e' || *at == 'E') && !number.is_bad) {
                number.is_whole = false;
                at = scan_exponent(at + 1, &number);
        }
        *ret_number = number;
        return at;
}

static locale_t plain_locale;

static void make_locale(void)
{
        plain_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
}

double scan_real(const char *at, const struct scan_number *number)
{
        /* All that are exact. A product or quotient of two exact doubles is rounded only once. */
        static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
                1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        int64_t exponent = number->exponent;

        if (number->n_digits <= 19 && number->digits <= 1ull << 53 && exponent >= -22 &&
                exponent <= 22) {
                double value = (double)number->digits;

                value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
                return number->is_negative ? -value : value;
        }
        pthread_once(&once, make_locale);
        return plain_locale ? strtod_l(at, NULL, plain_locale) : strtod(at, NULL);
}

/* --- names ----------------------------------------------------------------------------------- */

unsigned scan_slot(const char *at, size_t len)
{
        uint32_t hash = 2166136261u; /* FNV-1a */

        for (size_t i = 0; i < len; i++)
                hash = (hash ^ (unsigned char)at[i]) * 16777619u;
        return (hash ^ hash >> 16) % JSON_SLOTS;
}
