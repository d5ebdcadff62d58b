/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as Set-Cookie fields, one a line, as a cookie file and as a date: what is sent is a
 * field's value and only for its hosts, limits hold, and what is written is read again as it was
 */
#include "fuzz.h"

#include <http/cookie_date.h>
#include <http/cookie_file.h>
#include <http/cookie_send.h>
#include <http/cookie_store.h>
#include <http/field.h>

#define NOW_S 1700000000

static void check_sent(struct cookie_jar *jar, const char *to, bool has_some)
{
        struct buf sent = { 0 };
        struct url url = { 0 };

        FUZZ_CHECK(url_parse(&url, str_of(to), NULL, NULL) == 0);
        FUZZ_CHECK(cookie_jar_get(jar, &url, NOW_S, str_of(""), &sent) == 0);
        FUZZ_CHECK(sent.len <= COOKIES_SENT_BYTES_MAX && field_is_value(buf_str(&sent)));
        FUZZ_CHECK(has_some || !sent.len);
        buf_deinit(&sent);
        url_deinit(&url);
}

static void check_fields(struct muster_str text)
{
        static const char *const from[] = { "https://a.b.h.example/x/y", "http://h.example/",
                "http://127.0.0.1/z" };
        struct muster_str line;
        struct cookie_jar jar;
        struct url urls[3] = { 0 };

        cookie_jar_init(&jar);
        for (size_t i = 0; i < 3; i++)
                FUZZ_CHECK(url_parse(&urls[i], str_of(from[i]), NULL, NULL) == 0);
        for (size_t i = 0; str_split(&text, '\n', &line); i++)
                FUZZ_CHECK(cookie_jar_set(&jar, &urls[i % 3], line, NOW_S + (int64_t)i) >= 0);
        FUZZ_CHECK(jar.n <= COOKIES_MAX);
        for (size_t i = 0; i < 3; i++) {
                check_sent(&jar, from[i], true);
                url_deinit(&urls[i]);
        }
        check_sent(&jar, "https://b.example/", false);
        check_sent(&jar, "https://example/", false);
        check_sent(&jar, "https://127.0.0.2/", false);
        cookie_jar_clear_session(&jar);
        cookie_jar_deinit(&jar);
        FUZZ_CHECK(jar.n == 0);
}

static void check_file(struct muster_str text)
{
        struct buf first = { 0 }, second = { 0 };
        struct cookie_jar jar, again;
        size_t n_skipped = 0;

        cookie_jar_init(&jar);
        cookie_jar_init(&again);
        FUZZ_CHECK(cookie_file_read(&jar, text, NOW_S, &n_skipped) == 0);
        FUZZ_CHECK(cookie_file_write(&jar, NOW_S, &first) == 0);
        FUZZ_CHECK(cookie_file_read(&again, buf_str(&first), NOW_S, &n_skipped) == 0);
        FUZZ_CHECK(n_skipped == 0);
        FUZZ_CHECK(cookie_file_write(&again, NOW_S, &second) == 0);
        FUZZ_CHECK(str_eq(buf_str(&first), buf_str(&second)));
        check_sent(&jar, "https://a.b.h.example/x/y", true);
        buf_deinit(&first);
        buf_deinit(&second);
        cookie_jar_deinit(&jar);
        cookie_jar_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct muster_str text = { (const char *)data, size };
        int64_t seconds;

        check_fields(text);
        check_file(text);
        if (cookie_date_parse(text, &seconds)) /* the year 9999 is the last, 1601 the first */
                FUZZ_CHECK(seconds >= -11644473600 && seconds <= 253402300799);
        return 0;
}
