/* SPDX-License-Identifier: MIT */
/*
 * What tests of cookies share: a jar that is asked in the words of a test
 */
#ifndef TESTS_UNIT_COOKIE_CASE_H
#define TESTS_UNIT_COOKIE_CASE_H

#include "unit.h"

#include <http/cookie_jar.h>
#include <http/cookie_send.h>
#include <http/cookie_store.h>

#define NOW_S 1700000000 /* 14 Nov 2023 22:13:20 GMT */

static inline struct url url_of(const char *text)
{
        struct url url = { 0 };

        assert_int_equal(url_parse(&url, str_of(text), NULL, NULL), 0);
        return url;
}

/* A response from `from` has this Set-Cookie. */
static inline int set_at(struct cookie_jar *jar, const char *from, const char *field, int64_t now_s)
{
        struct url url = url_of(from);
        int r = cookie_jar_set(jar, &url, str_of(field), now_s);

        url_deinit(&url);
        return r;
}

static inline int set(struct cookie_jar *jar, const char *from, const char *field)
{
        return set_at(jar, from, field, NOW_S);
}

/* A request to `to` sends exactly this, beside the caller's `own`. */
static inline void expect_own(struct cookie_jar *jar, const char *to, int64_t now_s,
        const char *own, const char *expected)
{
        struct url url = url_of(to);
        struct buf sent = { 0 };

        assert_int_equal(cookie_jar_get(jar, &url, now_s, str_of(own), &sent), 0);
        assert_int_equal(buf_terminate(&sent), 0);
        assert_string_equal(sent.at, expected);
        buf_deinit(&sent);
        url_deinit(&url);
}

static inline void expect_at(struct cookie_jar *jar, const char *to, int64_t now_s,
        const char *expected)
{
        expect_own(jar, to, now_s, "", expected);
}

static inline void expect(struct cookie_jar *jar, const char *to, const char *expected)
{
        expect_at(jar, to, NOW_S, expected);
}

#endif
