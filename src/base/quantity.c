/* SPDX-License-Identifier: MIT */
#include "quantity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Cut a text into a number, perhaps with a fraction, and the text behind it. */
static bool cut_number(struct muster_str text, double *ret_number, struct muster_str *ret_unit)
{
        char copy[64], *end;

        if (!text.len || text.len >= sizeof(copy) ||
                !(char_is_digit(text.at[0]) || text.at[0] == '.'))
                return false;
        memcpy(copy, text.at, text.len);
        copy[text.len] = '\0';
        /* strtod() would take "0x1p4", too. */
        if (copy[0] == '0' && char_lower(copy[1]) == 'x')
                return false;
        errno = 0;
        *ret_number = strtod(copy, &end);
        if (errno || end == copy || !isfinite(*ret_number))
                return false;
        *ret_unit = (struct muster_str){ text.at + (end - copy), text.len - (size_t)(end - copy) };
        return true;
}

bool quantity_parse(struct muster_str text, const struct quantity_unit *units, double *ret_value)
{
        struct muster_str unit;
        double number;

        if (!cut_number(text, &number, &unit))
                return false;
        for (; units->name; units++) {
                if (!str_is_nocase(unit, units->name))
                        continue;
                *ret_value = number * units->factor;
                return true;
        }
        return false;
}
