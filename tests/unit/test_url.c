/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <base/rand.h>
#include <http/url.h>
#include <http/url_encode.h>
#include <stdio.h>

#define BASE "http://user:pw@example.com:8080/a/b/c.html?q=1"

static const struct {
        const char *in, *out; /* out NULL: refused */
} urls[] = {
        { "http://example.com", "http://example.com/" },
        { "http://example.com/", "http://example.com/" },
        { "HTTP://EXAMPLE.com/Path", "http://example.com/Path" },
        { " http://example.com/", NULL },
        { "http://example.com/ ", NULL },
        { "http://example.com/\n", NULL },
        { "http://example.com/\x01", NULL },
        { "ht\ntp://example.com/", NULL },
        { "http://ex\tample.com/", NULL },
        { "http://example.com/a\rb", NULL },
        { "http:example.com/", "http://example.com/" },
        { "http:/example.com/", "http://example.com/" },
        { "http:////example.com/", "http://example.com/" },
        { "http:\\\\example.com\\a\\b", NULL },
        { "http://example.com:80/", "http://example.com/" },
        { "https://example.com:443/", "https://example.com/" },
        { "https://example.com:80/", "https://example.com:80/" },
        { "http://example.com:/", "http://example.com/" },
        { "http://example.com:0080/", "http://example.com/" },
        { "http://example.com:65535/", "http://example.com:65535/" },
        { "http://example.com:0/", "http://example.com:0/" },
        { "http://example.com:65536/", NULL },
        { "http://example.com:8a/", NULL },
        { "http://example.com:-1/", NULL },
        { "http://example.com/#fragment", "http://example.com/" },
        { "http://example.com#a?b", "http://example.com/" },
        { "http://example.com?q", "http://example.com/?q" },
        { "http://example.com/?", "http://example.com/?" },
        { "http://example.com/a b", "http://example.com/a%20b" },
        { "http://example.com/a?b c'd\"", "http://example.com/a?b%20c%27d%22" },
        { "http://example.com/'{}`^<>\"", "http://example.com/'%7B%7D%60%5E%3C%3E%22" },
        { "http://example.com/?{}`^|\\", "http://example.com/?{}`^|\\" },
        { "http://example.com/%7Efoo/%zz%", "http://example.com/%7Efoo/%zz%" },
        { "http://example.com/\xc3\xbc?\xc3\xbc", "http://example.com/%C3%BC?%C3%BC" },
        { "http://example.com/\xff\xfe", "http://example.com/%FF%FE" },
        { "http://example.com/\x7f", NULL },
        { "http://example.com/a/./b/../c", "http://example.com/a/c" },
        { "http://example.com/a/b/..", "http://example.com/a/" },
        { "http://example.com/a/b/.", "http://example.com/a/b/" },
        { "http://example.com/../../a", "http://example.com/a" },
        { "http://example.com/a/%2e%2E/b/%2e/c", "http://example.com/b/c" },
        { "http://example.com/a/.%2e/b", "http://example.com/b" },
        { "http://example.com/...", "http://example.com/..." },
        { "http://example.com/a/..b/.c", "http://example.com/a/..b/.c" },
        { "http://example.com//a//", "http://example.com//a//" },
        { "http://example.com/a\\..\\b", NULL },
        { "http://example.com/a?b\\c", "http://example.com/a?b\\c" },
        { "http://example.com/#a\\b", "http://example.com/" },
        { "http://user@example.com/", "http://user@example.com/" },
        { "http://user:pass@example.com/", "http://user:pass@example.com/" },
        { "http://user:@example.com/", "http://user@example.com/" },
        { "http://:pass@example.com/", "http://:pass@example.com/" },
        { "http://@example.com/", "http://example.com/" },
        { "http://us:er:pa@ss@example.com/", "http://us:er%3Apa%40ss@example.com/" },
        { "http://u/@example.com/", "http://u/@example.com/" },
        { "http://", NULL },
        { "http:///", NULL },
        { "https:///", NULL },
        { "http://:80/", NULL },
        { "http://user@/", NULL },
        { "http://?q", NULL },
        { "", NULL },
        { "   ", NULL },
        { "example.com/a", NULL },
        { "//example.com/a", NULL },
        { "/a", NULL },
        { "localhost:8080/", NULL },
        { "example.com:8080/", NULL },
        { "ftp://example.com/", NULL },
        { "file:///etc/passwd", NULL },
        { "javascript:alert(1)", NULL },
        { "://example.com", NULL },
        /* names */
        { "http://ex_ample.com/", "http://ex_ample.com/" },
        { "http://example.com./", "http://example.com./" },
        { "http://EX%41mple.com/", "http://example.com/" },
        { "http://a..b/", NULL },
        { "http://./", NULL },
        { "http://exa mple.com/", NULL },
        { "http://exa%20mple.com/", NULL },
        { "http://exa<mple.com/", NULL },
        { "http://exa|mple.com/", NULL },
        { "http://exa^mple.com/", NULL },
        { "http://exa%00mple.com/", NULL },
        { "http://exa%23mple.com/", NULL },
        { "http://b\xc3\xbc"
          "cher.example/",
                "http://xn--bcher-kva.example/" },
        { "http://B\xc3\x9c"
          "CHER.example/",
                "http://xn--bcher-kva.example/" },
        { "http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/" },
        { "http://fa\xc3\x9f.example/", "http://xn--fa-hia.example/" },
        { "http://\xe6\x97\xa5\xe6\x9c\xac.jp/", "http://xn--wgv71a.jp/" },
        { "http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/" },
        { "http://\xff.example/", NULL },
        /* IPv4 */
        { "http://127.0.0.1/", "http://127.0.0.1/" },
        { "http://127.1/", "http://127.0.0.1/" },
        { "http://127.0.1/", "http://127.0.0.1/" },
        { "http://0x7f.1/", "http://127.0.0.1/" },
        { "http://0x7F000001/", "http://127.0.0.1/" },
        { "http://017700000001/", "http://127.0.0.1/" },
        { "http://2130706433/", "http://127.0.0.1/" },
        { "http://192.168.0.257/", NULL },
        { "http://256.1/", NULL },
        { "http://4294967296/", NULL },
        { "http://1.2.3.4.5/", NULL },
        { "http://1.2.3.08/", NULL },
        { "http://1.2.3.4./", "http://1.2.3.4/" },
        { "http://foo.0x4/", NULL },
        { "http://foo.09/", NULL },
        { "http://0x.0x/", "http://0.0.0.0/" },
        { "http://1.2.3.4foo/", "http://1.2.3.4foo/" },
        { "http://%31%32%37.0.0.1/", "http://127.0.0.1/" },
        { "http://\xef\xbc\x91.2.3.4/", "http://1.2.3.4/" },
        /* IPv6 */
        { "http://[::1]/", "http://[::1]/" },
        { "http://[::1]:8080/", "http://[::1]:8080/" },
        { "http://[2001:DB8:0:0:0:0:0:1]/", "http://[2001:db8::1]/" },
        { "http://[::ffff:1.2.3.4]/", "http://[::ffff:1.2.3.4]/" },
        { "http://[fe80::1%25eth0]/", NULL },
        { "http://[::1", NULL },
        { "http://[]/", NULL },
        { "http://[::1]x/", NULL },
        { "http://[1.2.3.4]/", NULL },
        { "http://::1/", NULL },
};

static const struct {
        const char *in, *out;
} references[] = {
        { "", BASE },
        { "d", "http://user:pw@example.com:8080/a/b/d" },
        { "/d", "http://user:pw@example.com:8080/d" },
        { "../d", "http://user:pw@example.com:8080/a/d" },
        { "../../../d", "http://user:pw@example.com:8080/d" },
        { "./", "http://user:pw@example.com:8080/a/b/" },
        { ".", "http://user:pw@example.com:8080/a/b/" },
        { "..", "http://user:pw@example.com:8080/a/" },
        { "?x", "http://user:pw@example.com:8080/a/b/c.html?x" },
        { "?", "http://user:pw@example.com:8080/a/b/c.html?" },
        { "#f", BASE },
        { " ../d\n", "http://user:pw@example.com:8080/a/d" },
        { "/a\r\n\tb", "http://user:pw@example.com:8080/ab" },
        { "htp://x/", NULL },
        { "//other.test", "http://other.test/" },
        { "//other.test:81/x", "http://other.test:81/x" },
        { "\\\\other.test\\x", "http://other.test/x" },
        { "\\d", "http://user:pw@example.com:8080/d" },
        { "https://other.test/", "https://other.test/" },
        { "https:other.test", "https://other.test/" },
        { "http:d", "http://user:pw@example.com:8080/a/b/d" },
        { "http:/d", "http://user:pw@example.com:8080/d" },
        { "http://d", "http://d/" },
        { "d:e", NULL },
        { "ftp://x/", NULL },
        { "./d:e", "http://user:pw@example.com:8080/a/b/d:e" },
        { "d?e/../f", "http://user:pw@example.com:8080/a/b/d?e/../f" },
};

static void check(const char *in, const struct url *base, const char *out)
{
        struct muster_error error = { 0 };
        struct url url = { 0 }, again = { 0 };
        int r = url_parse(&url, str_of(in), base, &error);

        if (!out) {
                if (r == 0)
                        fail_msg("\"%s\" was taken as \"%.*s\"", in, STR_ARGS(buf_str(&url.text)));
                assert_int_equal(r, MUSTER_E_URL);
                assert_int_equal(error.code, MUSTER_E_URL);
                assert_int_equal(strncmp(error.text, "url: ", 5), 0);
                assert_int_equal(url.text.len, 0);
        } else {
                if (r < 0)
                        fail_msg("\"%s\": %s", in, error.text);
                if (!str_is(buf_str(&url.text), out))
                        fail_msg("\"%s\" became \"%.*s\", not \"%s\"", in,
                                STR_ARGS(buf_str(&url.text)), out);
                /* What is normal stays as it is. */
                assert_int_equal(url_parse(&again, buf_str(&url.text), NULL, &error), 0);
                assert_true(str_eq(buf_str(&url.text), buf_str(&again.text)));
        }
        url_deinit(&again);
        url_deinit(&url);
}

static void test_absolute(void **state)
{
        /*
         * [9110 4.2.1 empty-host] [9110 4.2.2 empty-host] [9112 3.2.1 origin-form]
         * [3986 2.4 decoded-once] [3986 3.1 scheme] [3986 3.2.2 ip-literal] [3986 3.2.3 port]
         * [3986 3.5 fragment] [3986 5.2.4 dot-segments] [3986 6.2.2 normalization]
         */
        (void)state;
        for (size_t i = 0; i < LENGTH(urls); i++)
                check(urls[i].in, NULL, urls[i].out);
}

static void test_relative(void **state)
{
        /* [3986 5.1 base] [3986 5.2.2 resolution] */
        struct url base = { 0 };

        (void)state;
        assert_int_equal(url_parse(&base, str_of(BASE), NULL, NULL), 0);
        for (size_t i = 0; i < LENGTH(references); i++)
                check(references[i].in, &base, references[i].out);
        url_deinit(&base);
}

static void expect_same(const struct url *a, const struct url *b)
{
        const struct url_span spans[][2] = { { a->user, b->user }, { a->password, b->password },
                { a->host, b->host }, { a->authority, b->authority }, { a->target, b->target } };

        assert_true(str_eq(buf_str(&a->text), buf_str(&b->text)));
        for (size_t i = 0; a->text.len && i < LENGTH(spans); i++)
                assert_true(str_eq(url_part(a, spans[i][0]), url_part(b, spans[i][1])));
        assert_int_equal(a->scheme, b->scheme);
        assert_int_equal(a->host_kind, b->host_kind);
        assert_int_equal(a->port, b->port);
}

/* Parsed beside another URL, a text gives what it gives alone. */
static void check_near(const char *in, const struct url *near)
{
        struct muster_error error = { 0 }, error_near = { 0 };
        struct url url = { 0 }, beside = { 0 };
        int r = url_parse(&url, str_of(in), NULL, &error);

        assert_int_equal(url_parse_near(&beside, str_of(in), near, &error_near), r);
        assert_string_equal(error.text, error_near.text);
        expect_same(&url, &beside);
        url_deinit(&beside);
        url_deinit(&url);
}

static void test_near(void **state)
{
        static const char *const behind[] = { "", "/", "/a b?c d#e", "/a/./../b", "?q/r", "#/f",
                "x/", ".test/", ":81/", ":/", "@other.test/", "/@other.test/", "\\@other.test/",
                "/a\\b", "/ ", "/\x01" };
        struct url near = { 0 };
        struct buf text = { 0 };

        (void)state;
        check_near("http://example.com/", &near);
        for (size_t i = 0; i < LENGTH(urls); i++) {
                if (url_parse(&near, str_of(urls[i].in), NULL, NULL) < 0)
                        continue;
                for (size_t j = 0; j < LENGTH(urls); j++)
                        check_near(urls[j].in, &near);
                for (size_t j = 0; j < LENGTH(behind); j++) {
                        text.len = 0;
                        assert_int_equal(buf_add(&text, near.text.at,
                                                 near.authority.at + near.authority.len),
                                0);
                        assert_int_equal(buf_add_text(&text, behind[j]), 0);
                        assert_int_equal(buf_terminate(&text), 0);
                        check_near(text.at, &near);
                }
        }
        buf_deinit(&text);
        url_deinit(&near);
}

static void expect_part(const struct url *url, struct url_span span, const char *expected)
{
        assert_true(str_is(url_part(url, span), expected));
}

static void test_parts(void **state)
{
        struct url url = { 0 }, copy = { 0 };
        struct buf text = { 0 };

        (void)state;
        assert_int_equal(url_parse(&url, str_of("https://u%41:p@[2001:db8::1]:8443/a?b#c"), NULL,
                                 NULL),
                0);
        assert_int_equal(url_copy(&copy, &url), 0);
        url_deinit(&url);
        expect_part(&copy, copy.user, "u%41");
        expect_part(&copy, copy.password, "p");
        expect_part(&copy, copy.host, "2001:db8::1");
        expect_part(&copy, copy.authority, "[2001:db8::1]:8443");
        expect_part(&copy, copy.target, "/a?b");
        assert_int_equal(copy.port, 8443);
        assert_int_equal(copy.scheme, URL_HTTPS);
        assert_int_equal(copy.host_kind, URL_HOST_IPV6);
        assert_int_equal(url_add_public(&copy, &text), 0);
        assert_true(str_is(buf_str(&text), "https://[2001:db8::1]:8443/a?b"));
        text.len = 0;
        assert_int_equal(url_add_decoded(url_part(&copy, copy.user), &text), 0);
        assert_true(str_is(buf_str(&text), "uA"));
        url_deinit(&copy);
        buf_deinit(&text);
}

static void test_origin_always_has_a_port(void **state)
{
        static const char *const same[] = { "http://h/", "http://h:80/x", "http://u@H?y" };
        static const char *const other[] = { "https://h/", "http://h:81/", "http://h./",
                "http://hh/" };
        struct url a = { 0 }, b = { 0 };
        struct buf key = { 0 };

        (void)state;
        url_parse(&a, str_of(same[0]), NULL, NULL);
        for (size_t i = 0; i < LENGTH(same); i++) {
                url_parse(&b, str_of(same[i]), NULL, NULL);
                assert_true(url_same_origin(&a, &b));
                key.len = 0;
                url_add_origin(&b, &key);
                assert_true(str_is(buf_str(&key), "http://h:80"));
        }
        for (size_t i = 0; i < LENGTH(other); i++) {
                url_parse(&b, str_of(other[i]), NULL, NULL);
                assert_false(url_same_origin(&a, &b));
        }
        url_deinit(&a);
        url_deinit(&b);
        buf_deinit(&key);
}

static void expect_error(const char *in, const char *text)
{
        struct muster_error error = { 0 };
        struct url url = { 0 };

        assert_int_equal(url_parse(&url, str_of(in), NULL, &error), MUSTER_E_URL);
        assert_string_equal(error.text, text);
        url_deinit(&url);
}

static void test_errors_say_what_to_do(void **state)
{
        (void)state;
        expect_error("http://a/\tb", "url: a tab at column 10; leave it out, or write %09");
        expect_error("http://a/\xc3\xbc\rb",
                "url: a carriage return at column 11; leave it out, or write %0D");
        expect_error("http://a/\x01", "url: the control character 0x01 at column 10; leave it out");
        expect_error("http://a/b\n", "url: a line feed at column 11; leave it out");
        expect_error("\thttp://a/b", "url: a tab at column 1; leave it out");
        expect_error(" http://a/b", "url: a blank at column 1; leave it out");
        expect_error("http://a/b ", "url: a blank at column 11; leave it out");
        expect_error("http://a\\b",
                "url: a backslash at column 9; write a slash, or %5C for a backslash");
        expect_error("http://a b/",
                "url: host \"a b\" has a space, which is not allowed in a host name");
        expect_error("http://\"http://a/\"",
                "url: host \"\"http\" has \", which is not allowed in a host name");
        expect_error("http://h.test,1/",
                "url: host \"h.test,1\" has ,, which is not allowed in a host name");
        expect_error("example.com/a",
                "url: no scheme in \"example.com/a\"; write http://example.com/a");
        expect_error("localhost:80/a",
                "url: no scheme in \"localhost:80/a\"; write http://localhost:80/a");
        expect_error("two words",
                "url: \"two words\" is not a URL; a URL begins with http:// or https:// and a host");
        expect_error("ftp://h/", "url: scheme \"ftp\" is not supported; http and https are");
        expect_error("", "url: the URL is empty");
        expect_error("http:///", "url: the host is missing");
        expect_error("http://h:99999/", "url: port \"99999\" is not a number from 0 to 65535");
        expect_error("http://1.2.3.400/",
                "url: host \"1.2.3.400\" is an IPv4 address with a part that is too large");
        expect_error("http://[::g]/", "url: host \"::g\" is not an IPv6 address");
}

/* What is told to be written works, and nothing else is told. */
static void test_hints(void **state)
{
#define ELSE "is not a URL; a URL begins with http:// or https:// and a host"
#define HOST "; a URL begins with http:// or https:// and a host"
        static const char *const cases[][2] = {
                { "\"http://h/\"", "\"\"http://h/\"\" begins with a quote; remove the quotes" },
                { "'http://h/'", "\"'http://h/'\" begins with a quote; remove the quotes" },
                { "\xe2\x80\x9chttp://h/\xe2\x80\x9d",
                        "\"\xe2\x80\x9chttp://h/\xe2\x80\x9d\" begins with a quote; remove the quotes" },
                { "<http://h/>",
                        "\"<http://h/>\" begins with an angle bracket; remove the angle brackets" },
                { "[text](http://h/)",
                        "\"[text](http://h/)\" is a Markdown link; give the URL between the parentheses" },
                { "{\"url\":1}", "\"{\"url\":1}\" is not a URL; is it JSON?" },
                { "[\"http://h/\"]", "\"[\"http://h/\"]\" is not a URL; is it JSON?" },
                { "curl -s http://h/", "\"curl -s http://h/\" is a command; give only the URL" },
                { "GET http://h/", "\"GET http://h/\" has text before the URL; remove it" },
                { "1,http://h/", "\"1,http://h/\" has text before the URL; remove it" },
                { "//h/x", "no scheme in \"//h/x\"; write http://h/x" },
                { "://h/x", "no scheme in \"://h/x\"; write http://h/x" },
                { "/x", "\"/x\" is a path without a host" HOST },
                { "./x", "\"./x\" is a relative path" HOST },
                { "?x", "\"?x\" has no host" HOST },
                { "C:\\x", "\"C:\\x\" is a Windows path, not a URL" },
                { "c:/x", "\"c:/x\" is a Windows path, not a URL" },
                { "\\\\h\\x", "\"\\\\h\\x\" is a Windows path, not a URL" },
                { "me@h.test", "\"me@h.test\" is a mail address, not a URL" },
                { "mailto:me@h.test", "scheme \"mailto\" is not supported; http and https are" },
                { "file:///etc/passwd", "scheme \"file\" is not supported; http and https are" },
                { "sftp://h/", "scheme \"sftp\" is not supported; http and https are" },
                { "htp://h/x", "misspelt scheme in \"htp://h/x\"; write http://h/x" },
                { "htps://h/x", "misspelt scheme in \"htps://h/x\"; write https://h/x" },
                { "http//h/x", "misspelt scheme in \"http//h/x\"; write http://h/x" },
                { "https;//h/x", "misspelt scheme in \"https;//h/x\"; write https://h/x" },
                { "hxxp://h/x", "misspelt scheme in \"hxxp://h/x\"; write http://h/x" },
                { "localhost/a", "no scheme in \"localhost/a\"; write http://localhost/a" },
                { "db:8080/a", "no scheme in \"db:8080/a\"; write http://db:8080/a" },
                { "me:pw@h/a", "no scheme in \"me:pw@h/a\"; write http://me:pw@h/a" },
                { "127.0.0.1:80", "no scheme in \"127.0.0.1:80\"; write http://127.0.0.1:80" },
                { "[::1]:80/", "\"[::1]:80/\" is not a URL; is it JSON?" },
                { "h.test,1", "\"h.test,1\" " ELSE },
                { "h.test;\"x\"", "\"h.test;\"x\"\" " ELSE },
                { "https", "\"https\" " ELSE },
                { "-i", "\"-i\" " ELSE },
                { "name", "\"name\" " ELSE },
                { "localhost", "no scheme in \"localhost\"; write http://localhost" },
                { "1.2.3.400/", "\"1.2.3.400/\" " ELSE },
                { "h:99999/", "\"h:99999/\" " ELSE },
                { "git@h.test:a/b", "\"git@h.test:a/b\" " ELSE },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char expected[300];

                snprintf(expected, sizeof(expected), "url: %s", cases[i][1]);
                expect_error(cases[i][0], expected);
        }
#undef ELSE
#undef HOST
}

static void test_too_long(void **state)
{
        struct muster_error error = { 0 };
        struct url url = { 0 };
        char *text = mem_alloc(URL_BYTES_MAX + 10);

        (void)state;
        memset(text, 'a', URL_BYTES_MAX + 10);
        memcpy(text, "http://h/", 9);
        assert_int_equal(url_parse(&url, (struct muster_str){ text, URL_BYTES_MAX }, NULL, &error),
                0);
        assert_int_equal(url_parse(&url, (struct muster_str){ text, URL_BYTES_MAX + 1 }, NULL,
                                 &error),
                MUSTER_E_URL);
        memset(text + 7, 'a', 300);
        assert_int_equal(url_parse(&url, (struct muster_str){ text, 300 }, NULL, &error),
                MUSTER_E_URL);
        mem_free(text);
        url_deinit(&url);
}

/*
 * Whatever goes in: nothing in the normal form can break out of a request line, and it is stable.
 */
static void test_random_bytes(void **state)
{
        static const char alphabet[] = "http://:@[]%2eE.\\?#a1x \t\n\r\xc3\xbc\x7f";
        struct url url = { 0 }, again = { 0 };
        struct rand rand;

        (void)state;
        rand_init(&rand, 11);
        for (int i = 0; i < 50000; i++) {
                char text[48] = "http://";
                size_t len = 7 + rand_up_to(&rand, sizeof(text) - 8);

                for (size_t j = rand_up_to(&rand, 1) ? 7 : 0; j < len; j++)
                        text[j] = alphabet[rand_up_to(&rand, sizeof(alphabet) - 1)];
                if (url_parse(&url, (struct muster_str){ text, len }, NULL, NULL) < 0)
                        continue;
                for (size_t j = 0; j < url.text.len; j++)
                        assert_true((unsigned char)url.text.at[j] > 0x20 &&
                                    (unsigned char)url.text.at[j] < 0x7f);
                assert_int_equal(url_parse(&again, buf_str(&url.text), NULL, NULL), 0);
                assert_true(str_eq(buf_str(&url.text), buf_str(&again.text)));
        }
        url_deinit(&url);
        url_deinit(&again);
}

static void parse_with_little_memory(void)
{
        static const char *const texts[] = { "http://user:pw@xn--tda/\xc3\xbc a b?c",
                "http://\xc3\xbc.test/", "http://127.1/%2e", "http://h/a/../b" };
        struct url url = { 0 };

        for (size_t i = 0; i < LENGTH(texts); i++) {
                struct muster_error error = { 0 };
                int r = url_parse(&url, str_of(texts[i]), NULL, &error);

                assert_true(r == 0 || r == MUSTER_E_RESOURCE);
                if (r < 0)
                        assert_int_equal(error.code, MUSTER_E_RESOURCE);
                url_deinit(&url);
        }
}

static void parse_near_with_little_memory(void)
{
        struct url url = { 0 }, near = { 0 };

        if (url_parse(&near, str_of("http://h.test/"), NULL, NULL) == 0 &&
                url_parse_near(&url, str_of("http://h.test/%?a b"), &near, NULL) < 0)
                assert_int_equal(url.text.len, 0);
        url_deinit(&url);
        url_deinit(&near);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(parse_with_little_memory);
        for_each_failing_allocation(parse_near_with_little_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_absolute),
                cmocka_unit_test(test_relative),
                cmocka_unit_test(test_near),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_origin_always_has_a_port),
                cmocka_unit_test(test_errors_say_what_to_do),
                cmocka_unit_test(test_hints),
                cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_random_bytes),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
