/* SPDX-License-Identifier: MIT */
/*
 * Dates of cookies (RFC 6265bis section 5.1.1)
 *
 * Servers write dates in dozens of ways. The rule is to look for a time, a day, a month and a year
 * among the words, in any order, and to ignore everything else, time zones included.
 */
#ifndef HTTP_COOKIE_DATE_H
#define HTTP_COOKIE_DATE_H

#include <base/str.h>

/* False if the text is no date, or one that does not exist. *ret_s is Unix time. */
bool cookie_date_parse(struct muster_str text, int64_t *ret_s);

#endif
