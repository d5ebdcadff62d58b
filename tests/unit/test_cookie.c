/* SPDX-License-Identifier: MIT */
/* What servers may set, and what they get back. */
#include "cookie_case.h"

#include <stdio.h>

/* One Set-Cookie from `from`, then a request to `to`. */
struct one {
        const char *from, *field, *to;
        const char *sent;
};

static void check(const struct one *cases, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct cookie_jar jar;

                cookie_jar_init(&jar);
                set(&jar, cases[i].from, cases[i].field);
                expect(&jar, cases[i].to ? cases[i].to : cases[i].from, cases[i].sent);
                cookie_jar_deinit(&jar);
        }
}

#define H "http://h.example/"

/* --- name and value -------------------------------------------------------------------------- */

static const struct one pairs[] = {
        { H, "a=b", NULL, "a=b" },
        { H, "a=b;", NULL, "a=b" },
        { H, " a = b ", NULL, "a=b" },
        { H, "\ta\t=\tb\t", NULL, "a=b" },
        { H, "a=", NULL, "a=" },
        { H, "a", NULL, "a" }, /* a value without a name */
        { H, "=a", NULL, "a" },
        { H, "= a", NULL, "a" },
        { H, "==a", NULL, "=a" },
        { H, "", NULL, "" },
        { H, "=", NULL, "" },
        { H, ";", NULL, "" },
        { H, " ; Secure", NULL, "" },
        { H, "; a=b", NULL, "" },
        { H, "a=b=c", NULL, "a=b=c" },
        { H, "a=\"b c\"", NULL, "a=\"b c\"" },
        { H, "a=\"b;c\"", NULL, "a=\"b" }, /* quotes mean nothing */
        { H, "a b=c d", NULL, "a b=c d" },
        { H, "a=b, c=d", NULL, "a=b, c=d" }, /* one cookie, not two */
        { H, "a=b\tc", NULL, "a=b\tc" },
        { H, "a=\xc3\xa9", NULL, "a=\xc3\xa9" },
        { H, "a=b\x01", NULL, "" },
        { H, "a=b; Path=/\x02", NULL, "" },
        { H, "a\x7f=b", NULL, "" },
        { H, "A=1", NULL, "A=1" },
        { H, "$Version=1", NULL, "$Version=1" },
        { H, "a=b; HttpOnly", NULL, "a=b" },
        { H, "a=b; unknown; other=thing", NULL, "a=b" },
};

static void test_pairs(void **state)
{
        /* [6265bis 5.6 set-cookie] [6265bis 5.6.6 http-only] [6265bis 5.7 control-characters] */
        (void)state;
        check(pairs, LENGTH(pairs));
}

/* --- domains --------------------------------------------------------------------------------- */

#define WWW "http://www.example.com/"

static const struct one domains[] = {
        { WWW, "a=1", WWW, "a=1" },
        { WWW, "a=1", "http://example.com/", "" },
        { WWW, "a=1", "http://sub.www.example.com/", "" },
        { WWW, "a=1", "http://www.example.com:8080/", "a=1" }, /* whatever the port */
        { WWW, "a=1", "https://www.example.com/", "a=1" },
        { WWW, "a=1; domain=www.example.com", WWW, "a=1" },
        { WWW, "a=1; Domain=WWW.Example.COM", WWW, "a=1" },
        { WWW, "a=1; domain=.www.example.com", WWW, "a=1" },
        { WWW, "a=1; domain= .www.example.com ", WWW, "a=1" },
        { WWW, "a=1; domain=..www.example.com", WWW, "" },
        { WWW, "a=1; domain=. www.example.com", WWW, "" },
        { WWW, "a=1; domain=www.example.com", "http://sub.www.example.com/", "a=1" },
        { WWW, "a=1; domain=www.example.com", "http://example.com/", "" },
        { WWW, "a=1; domain=example.com", "http://example.com/", "a=1" },
        { WWW, "a=1; domain=example.com", "http://other.example.com/", "a=1" },
        { WWW, "a=1; domain=example.com", "http://notexample.com/", "" },
        { WWW, "a=1; domain=example.com", "http://a.b.c.d.example.com/", "a=1" },
        { WWW, "a=1; domain=other.example.com", "http://other.example.com/", "" },
        { WWW, "a=1; domain=sub.www.example.com", "http://sub.www.example.com/", "" },
        { WWW, "a=1; domain=ww.example.com", WWW, "" },
        { WWW, "a=1; domain=ample.com", "http://ample.com/", "" },
        { WWW, "a=1; domain=www.example.com.", WWW, "" },
        { WWW, "a=1; domain=\"www.example.com\"", WWW, "" },
        { WWW, "a=1; domain=www.example.com:80", WWW, "" },
        { WWW, "a=1; domain=http://www.example.com", WWW, "" },
        { WWW, "a=1; domain=*.example.com", WWW, "" },
        { WWW, "a=1; domain=\xc3\xa9.example.com", WWW, "" },
        { WWW, "a=1; domain=", WWW, "a=1" },
        { WWW, "a=1; domain", WWW, "a=1" },
        { WWW, "a=1; domain=.", WWW, "a=1" },
        { WWW, "a=1; domain=", "http://sub.www.example.com/", "" },
        /* the last one counts */
        { WWW, "a=1; domain=example.com; domain=www.example.com", "http://example.com/", "" },
        { WWW, "a=1; domain=www.example.com; domain=example.com", "http://example.com/", "a=1" },
        { WWW, "a=1; domain=other.test; domain=example.com", WWW, "a=1" },
        { WWW, "a=1; domain=example.com; domain=other.test", WWW, "" },
        { WWW, "a=1; domain=example.com; domain=", "http://example.com/", "" },
        /* domains that belong to nobody */
        { WWW, "a=1; domain=com", WWW, "" },
        { WWW, "a=1; domain=.com", WWW, "" },
        { WWW, "a=1; domain=com.", WWW, "" },
        { "http://www.example.co.uk/", "a=1; domain=co.uk", NULL, "" },
        { "http://www.example.co.uk/", "a=1; domain=uk", NULL, "" },
        { "http://www.example.co.uk/", "a=1; domain=example.co.uk", "http://example.co.uk/",
                "a=1" },
        { "http://me.github.io/", "a=1; domain=github.io", NULL, "" },
        { "http://me.github.io/", "a=1; domain=me.github.io", "http://x.me.github.io/", "a=1" },
        /* unless the host is that domain: then the cookie is its own */
        { "http://github.io/", "a=1; domain=github.io", NULL, "a=1" },
        { "http://github.io/", "a=1; domain=github.io", "http://me.github.io/", "" },
        { "http://localhost/", "a=1; domain=localhost", NULL, "a=1" },
        { "http://intranet/", "a=1; domain=.intranet", NULL, "a=1" },
        { "http://a.intranet/", "a=1; domain=intranet", NULL, "" },
        /* rules with a wildcard, and their exceptions */
        { "http://a.b.ck/", "a=1; domain=b.ck", NULL, "" },
        { "http://a.www.ck/", "a=1; domain=www.ck", NULL, "a=1" },
        /* a dot at the end makes another host, and no less a public domain */
        { "http://www.example.com./", "a=1; domain=com.", NULL, "" },
        { "http://www.example.com./", "a=1; domain=example.com.", "http://x.example.com./", "a=1" },
        { "http://www.example.com./", "a=1; domain=example.com", NULL, "" },
        /* names beyond ASCII */
        { "http://www.b\xc3\xbc"
          "cher.example/",
                "a=1; domain=xn--bcher-kva.example",
                "http://b\xc3\xbc"
                "cher.example/",
                "a=1" },
        { "http://www.b\xc3\xbc"
          "cher.example/",
                "a=1; domain=b\xc3\xbc"
                "cher.example",
                NULL, "" },
        { "http://x.\xe9\xa3\x9f\xe7\x8b\xae.\xe5\x85\xac\xe5\x8f\xb8.cn/",
                "a=1; domain=xn--55qx5d.cn", NULL, "" },
        { "http://x.\xe9\xa3\x9f\xe7\x8b\xae.\xe5\x85\xac\xe5\x8f\xb8.cn/",
                "a=1; domain=xn--85x722f.xn--55qx5d.cn", "http://xn--85x722f.xn--55qx5d.cn/",
                "a=1" },
        /* addresses */
        { "http://192.0.2.1/", "a=1; domain=192.0.2.1", NULL, "a=1" },
        { "http://192.0.2.1/", "a=1; domain=2.1", NULL, "" },
        { "http://192.0.2.1/", "a=1; domain=.1", NULL, "" },
        { "http://192.0.2.1/", "a=1", "http://192.0.2.2/", "" },
        { "http://0xc0000201/", "a=1", "http://192.0.2.1/", "a=1" },
        { "http://[2001:db8::1]/", "a=1", NULL, "a=1" },
        { "http://[2001:db8::1]/", "a=1; domain=2001:db8::1", NULL, "a=1" },
        { "http://[2001:db8::1]/", "a=1; domain=[2001:db8::1]", NULL, "" },
};

static void test_domains(void **state)
{
        /*
         * [6265bis 5.1.2 hosts] [6265bis 5.1.3 domain-match] [6265bis 5.6.3 domain]
         * [6265bis 5.7 public-suffix] [6265bis 5.7 foreign-domain]
         */
        (void)state;
        check(domains, LENGTH(domains));
}

/* --- paths ----------------------------------------------------------------------------------- */

static const struct one paths[] = {
        { H "a/b/c", "n=1", H "a/b", "n=1" }, /* the default is /a/b */
        { H "a/b/c", "n=1", H "a/b/", "n=1" },
        { H "a/b/c", "n=1", H "a/b/x?y", "n=1" },
        { H "a/b/c", "n=1", H "a/bc", "" },
        { H "a/b/c", "n=1", H "a", "" },
        { H "a/b/", "n=1", H "a/b", "n=1" },
        { H "a", "n=1", H "x", "n=1" },
        { H, "n=1", H "x/y", "n=1" },
        { H "a?b/c/d", "n=1", H "x", "n=1" }, /* the query is no path */
        { H "a/b/c", "n=1; path=/", H, "n=1" },
        { H "a/b/c", "n=1; path=/x", H "x", "n=1" },
        { H "a/b/c", "n=1; path=/x", H "x/y", "n=1" },
        { H "a/b/c", "n=1; path=/x", H "x?y", "n=1" },
        { H "a/b/c", "n=1; path=/x", H "xy", "" },
        { H "a/b/c", "n=1; path=/x/", H "x/", "n=1" },
        { H "a/b/c", "n=1; path=/x/", H "x", "" },
        { H "a/b/c", "n=1; path=/X", H "x", "" },
        { H "a/b/c", "n=1; path=x", H "a/b/", "n=1" }, /* not a path: as if there were none */
        { H "a/b/c", "n=1; path=", H "a/b/", "n=1" },
        { H "a/b/c", "n=1; path", H "a/b/", "n=1" },
        { H "a/b/c", "n=1; path=\"/\"", H, "" },
        { H "a/b/c", "n=1; path=/; path=/y", H "y", "n=1" },
        { H "a/b/c", "n=1; path=/y; path=x", H "a/b/", "n=1" },
        { H "a/b/c", "n=1; path=/a%2Fb", H "a%2Fb", "n=1" },
        { H "a/b/c", "n=1; path=/a%2Fb", H "a/b", "" },
        { H "a/b/c", "n=1; path=/a b", H "a%20b", "" },
};

static void test_paths(void **state)
{
        /* [6265bis 5.1.4 default-path] [6265bis 5.1.4 path-match] [6265bis 5.6.4 path] */
        (void)state;
        check(paths, LENGTH(paths));
}

/* --- Secure, SameSite, prefixes -------------------------------------------------------------- */

#define S "https://h.example/"

static const struct one flags[] = {
        { S, "a=1; Secure", S, "a=1" },
        { S, "a=1; Secure", H, "" },
        { S, "a=1; secure=false", H, "" },
        { H, "a=1; Secure", S, "" },
        { S, "a=1", H, "a=1" },
        /* a server on this machine counts as secure */
        { "http://localhost/", "a=1; Secure", NULL, "a=1" },
        { "http://127.0.0.1/", "a=1; Secure", NULL, "a=1" },
        { "http://127.1.2.3:80/", "a=1; Secure", NULL, "a=1" },
        { "http://[::1]/", "a=1; Secure", NULL, "a=1" },
        { "http://localhost.example.com/", "a=1; Secure", NULL, "" },
        { "http://127.example.com/", "a=1; Secure", NULL, "" },
        { "http://128.0.0.1/", "a=1; Secure", NULL, "" },

        { H, "a=1; SameSite=Strict", NULL, "a=1" },
        { H, "a=1; SameSite=lax", NULL, "a=1" },
        { H, "a=1; SameSite=nonsense", NULL, "a=1" },
        { H, "a=1; SameSite", NULL, "a=1" },
        { H, "a=1; SameSite=None", NULL, "" },
        { S, "a=1; SameSite=None", NULL, "" },
        { S, "a=1; SameSite=None; Secure", NULL, "a=1" },

        { S, "__Secure-a=1", NULL, "" },
        { S, "__Secure-a=1; Secure", NULL, "__Secure-a=1" },
        { S, "__secure-a=1", NULL, "" },
        { S, "__SECURE-a=1; Secure", NULL, "__SECURE-a=1" },
        { H, "__Secure-a=1; Secure", NULL, "" },
        { S, "__Securea=1", NULL, "__Securea=1" },
        { S, "__Host-a=1; Secure; Path=/", NULL, "__Host-a=1" },
        { S, "__Host-a=1; Secure", NULL, "" },
        { S "x/y", "__Host-a=1; Secure; Path=/x", S "x", "" },
        { S, "__Host-a=1; Path=/", NULL, "" },
        { S, "__Host-a=1; Secure; Path=/; Domain=h.example", NULL, "" },
        { S, "__hOsT-a=1; Secure; Path=/; Domain=", NULL, "__hOsT-a=1" },
        { S, "__Host-a=1; Secure; Path=x", NULL, "__Host-a=1" }, /* Path is there, and is / */
        { S "x/y", "__Host-a=1; Secure; Path=x", S "x/", "" },
        /* without a name, a value must not look like such a name */
        { S, "=__Secure-a=1; Secure", NULL, "" },
        { S, "__Host-a", NULL, "" },
        { S, "=__host-a; Secure; Path=/", NULL, "" },
};

static void test_flags(void **state)
{
        /*
         * [6265bis 5.4 prefixes] [6265bis 5.6.5 secure] [6265bis 5.6.7 same-site]
         * [6265bis 5.7 secure-only-from-secure] [6265bis 5.8.3 matches]
         */
        (void)state;
        check(flags, LENGTH(flags));
}

/* --- Secure is left alone -------------------------------------------------------------------- */

/* What a plain connection may set while a Secure cookie `a` of path /p is there. */
static const struct {
        const char *secure_from, *secure;
        const char *plain_from, *plain;
        int r;
} overlays[] = {
        { S, "a=s; Secure; path=/p", H, "a=p; path=/p", COOKIE_IGNORED },
        { S, "a=s; Secure; path=/p", H, "a=p; path=/p/q", COOKIE_IGNORED },
        { S, "a=s; Secure; path=/p", H, "a=p; path=/", 0 },
        { S, "a=s; Secure; path=/p", H, "b=p; path=/p", 0 },
        { S, "a=s; path=/p", H, "a=p; path=/p", 0 },
        { S, "a=s; Secure; path=/p", S, "a=p; path=/p", 0 }, /* over https it may */
        { S, "a=s; Secure; path=/p", "http://other.test/", "a=p; path=/p", 0 },
        /* from below and from above */
        { S, "a=s; Secure; path=/; domain=h.example", "http://x.h.example/", "a=p",
                COOKIE_IGNORED },
        { S, "a=s; Secure; path=/; domain=h.example", "http://x.y.h.example/", "a=p",
                COOKIE_IGNORED },
        { "https://x.y.h.example/", "a=s; Secure; path=/", "http://z.h.example/",
                "a=p; domain=h.example", COOKIE_IGNORED },
        { "https://x.y.h.example/", "a=s; Secure; path=/", "http://z.h.example/", "a=p", 0 },
        { "https://x.y.h.example/", "a=s; Secure; path=/", "http://z.h.example/",
                "b=p; domain=h.example", 0 },
        { "https://xh.example/", "a=s; Secure; path=/", H, "a=p", 0 },
};

static void test_overlays(void **state)
{
        /* [6265bis 5.7 secure-only-from-secure] */
        (void)state;
        for (size_t i = 0; i < LENGTH(overlays); i++) {
                struct cookie_jar jar;

                cookie_jar_init(&jar);
                assert_int_equal(set(&jar, overlays[i].secure_from, overlays[i].secure), 0);
                assert_int_equal(set(&jar, overlays[i].plain_from, overlays[i].plain),
                        overlays[i].r);
                cookie_jar_deinit(&jar);
        }
}

/* Several children on each level, all of which must be looked at. */
static void test_overlays_of_many(void **state)
{
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        for (int i = 0; i < 9; i++) {
                char from[64], field[32];

                snprintf(from, sizeof(from), "https://x%d.y%d.h.example/", i, i % 3);
                snprintf(field, sizeof(field), "a%d=s; Secure; path=/", i);
                assert_int_equal(set(&jar, from, field), 0);
        }
        for (int i = 0; i < 10; i++) {
                char field[48];

                snprintf(field, sizeof(field), "a%d=p; domain=h.example", i);
                assert_int_equal(set(&jar, H, field), i < 9 ? COOKIE_IGNORED : 0);
        }
        cookie_jar_deinit(&jar);
}

/* --- how long they live ---------------------------------------------------------------------- */

#define DAY (24 * 3600)

/* A cookie set at NOW_S is there until then; 0: never, -1: for good. */
static const struct {
        const char *field;
        int64_t seconds;
} lives[] = {
        { "a=1", -1 },
        { "a=1; Max-Age=10", 10 },
        { "a=1; max-age= 10 ", 10 },
        { "a=1; Max-Age=0", 0 },
        { "a=1; Max-Age=-1", 0 },
        { "a=1; Max-Age=-0", 0 },
        { "a=1; Max-Age=-99999999999999999999999", 0 },
        { "a=1; Max-Age=", -1 },
        { "a=1; Max-Age", -1 },
        { "a=1; Max-Age=-", -1 },
        { "a=1; Max-Age=+10", -1 },
        { "a=1; Max-Age=10.5", -1 },
        { "a=1; Max-Age=\"10\"", -1 },
        { "a=1; Max-Age=1h", -1 },
        { "a=1; Max-Age=10; Max-Age=20", 20 },
        { "a=1; Max-Age=10; Max-Age=x", 10 },
        { "a=1; Max-Age=99999999", 400 * DAY },
        { "a=1; Max-Age=99999999999999999999999", 400 * DAY },
        { "a=1; Expires=Tue, 14 Nov 2023 22:14:20 GMT", 60 },
        { "a=1; Expires=Tue, 14 Nov 2023 22:13:20 GMT", 0 },
        { "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "a=1; Expires=Mon, 01 Jan 1601 00:00:00 GMT", 0 },
        { "a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", 400 * DAY },
        { "a=1; Expires=0", -1 },
        { "a=1; Expires=-1", -1 },
        { "a=1; Expires=", -1 },
        { "a=1; Expires=garbage", -1 },
        /* Max-Age comes first, wherever it stands */
        { "a=1; Max-Age=10; Expires=Tue, 14 Nov 2023 22:14:20 GMT", 10 },
        { "a=1; Expires=Tue, 14 Nov 2023 22:14:20 GMT; Max-Age=10", 10 },
        { "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=10", 10 },
        { "a=1; Max-Age=x; Expires=Tue, 14 Nov 2023 22:14:20 GMT", 60 },
        { "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=Tue, 14 Nov 2023 22:14:20 GMT", 60 },
};

static void test_lives(void **state)
{
        /* [6265bis 5.5 lifetime] [6265bis 5.6.1 expires] [6265bis 5.6.2 max-age] */
        (void)state;
        for (size_t i = 0; i < LENGTH(lives); i++) {
                int64_t seconds = lives[i].seconds;
                struct cookie_jar jar;

                cookie_jar_init(&jar);
                assert_int_equal(set(&jar, H, lives[i].field), 0);
                expect(&jar, H, seconds ? "a=1" : "");
                if (seconds > 0) {
                        expect_at(&jar, H, NOW_S + seconds - 1, "a=1");
                        expect_at(&jar, H, NOW_S + seconds, "");
                        assert_int_equal(jar.n, 0); /* it is gone, and so is its domain */
                        assert_int_equal(jar.domains.n, 0);
                } else if (seconds < 0) {
                        expect_at(&jar, H, NOW_S * INT64_C(100), "a=1");
                }
                cookie_jar_deinit(&jar);
        }
}

/* A server takes a cookie back by setting one that is out of date. */
static void test_taken_back(void **state)
{
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        set(&jar, H, "a=1");
        set(&jar, H, "b=2");
        set(&jar, H, "a=; Max-Age=0; path=/other");
        set(&jar, H, "a=; Max-Age=0; domain=h.example");
        expect(&jar, H, "a=1; b=2"); /* these were other cookies */
        set(&jar, H, "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        expect(&jar, H, "b=2");
        cookie_jar_deinit(&jar);
}

/* --- order, and the same cookie again -------------------------------------------------------- */

static void test_order(void **state)
{
        /* [6265bis 5.8.3 order] */
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        set(&jar, H, "a=1; path=/");
        set(&jar, H, "b=2; path=/x/y");
        set(&jar, H, "c=3; path=/x");
        set(&jar, H, "d=4; path=/x/y");
        set(&jar, "http://sub.h.example/", "e=5; path=/x/y; domain=h.example");
        expect(&jar, H "x/y", "b=2; d=4; e=5; c=3; a=1");
        set(&jar, H, "b=new; path=/x/y"); /* keeps its place */
        expect(&jar, H "x/y", "b=new; d=4; e=5; c=3; a=1");
        set(&jar, H, "B=other; path=/x/y");
        expect(&jar, H "x/y", "b=new; d=4; e=5; B=other; c=3; a=1");
        cookie_jar_deinit(&jar);
}

/* Name, domain, host-only flag and path make a cookie the same one. */
static void test_identity(void **state)
{
        /* [6265bis 5.7 identity] */
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        set(&jar, H, "a=1");
        set(&jar, H, "a=2; domain=h.example");
        set(&jar, H, "a=3; path=/x");
        set(&jar, H, "a=4; Secure=no");
        expect(&jar, H "x", "a=3; a=1; a=2");
        set(&jar, H, "a=5; HttpOnly");
        set(&jar, H, "a=6; domain=.H.EXAMPLE");
        expect(&jar, H "x", "a=3; a=5; a=6");
        assert_int_equal(jar.n, 3);
        set(&jar, H, "one");
        set(&jar, H, "two"); /* both have the empty name */
        expect(&jar, H, "a=5; a=6; two");
        cookie_jar_deinit(&jar);
}

/* The caller's own come last, and in place of those in the jar. */
static void test_own(void **state)
{
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        expect_own(&jar, H, NOW_S, "x=9", "x=9");
        set(&jar, H, "a=1");
        set(&jar, H, "b=2");
        expect_own(&jar, H, NOW_S, "x=9", "a=1; b=2; x=9");
        expect_own(&jar, H, NOW_S, "x=9;b=own", "a=1; x=9;b=own");
        expect_own(&jar, H, NOW_S, " a = own; b=", " a = own; b=");
        expect_own(&jar, H, NOW_S, "a", "a=1; b=2; a"); /* no name, so not that one */
        cookie_jar_deinit(&jar);
}

/* --- limits of what is sent and taken -------------------------------------------------------- */

static void test_sizes(void **state)
{
        /* [6265bis 5.6 sizes] */
        static char text[COOKIE_PAIR_BYTES_MAX + 64];
        struct cookie_jar jar;

        (void)state;
        cookie_jar_init(&jar);
        memset(text, 'v', sizeof(text));
        memcpy(text, "n=", 2);
        text[COOKIE_PAIR_BYTES_MAX + 1] = '\0';
        assert_int_equal(set(&jar, H, text), 0);
        text[COOKIE_PAIR_BYTES_MAX + 1] = 'v';
        text[COOKIE_PAIR_BYTES_MAX + 2] = '\0';
        assert_int_equal(set(&jar, H, text), COOKIE_IGNORED);
        cookie_jar_clear(&jar);

        /* a path of 1,024 bytes is one, a longer one is ignored */
        memset(text, 'p', sizeof(text));
        memcpy(text, "n=1; path=/", 11);
        text[10 + COOKIE_ATTRIBUTE_BYTES_MAX] = '\0';
        assert_int_equal(set(&jar, H, text), 0);
        expect(&jar, H, "");
        text[10 + COOKIE_ATTRIBUTE_BYTES_MAX] = 'p';
        text[11 + COOKIE_ATTRIBUTE_BYTES_MAX] = '\0';
        assert_int_equal(set(&jar, H, text), 0);
        expect(&jar, H, "n=1");
        cookie_jar_deinit(&jar);
}

static size_t sent_bytes(struct cookie_jar *jar)
{
        struct url url = url_of(H);
        struct buf sent = { 0 };
        size_t n;

        assert_int_equal(cookie_jar_get(jar, &url, NOW_S, str_of(""), &sent), 0);
        n = sent.len;
        buf_deinit(&sent);
        url_deinit(&url);
        return n;
}

static void test_sent_limits(void **state)
{
        struct cookie_jar jar;
        char field[1100];

        (void)state;
        cookie_jar_init(&jar);
        for (int i = 0; i < COOKIES_OF_DOMAIN_MAX; i++) {
                snprintf(field, sizeof(field), "a%03d=1", i);
                assert_int_equal(set(&jar, H, field), 0);
        }
        assert_int_equal(sent_bytes(&jar),
                COOKIES_SENT_MAX * sizeof("a000=1; ") - 2 - COOKIES_SENT_MAX);
        cookie_jar_clear(&jar);
        for (int i = 0; i < 20; i++) {
                snprintf(field, sizeof(field), "a%02d=%01000d", i, 0);
                assert_int_equal(set(&jar, H, field), 0);
        }
        assert_int_equal(sent_bytes(&jar), 8 * (1004 + 2) - 2);
        cookie_jar_deinit(&jar);
}

/* --- memory ---------------------------------------------------------------------------------- */

static void use_jar(void)
{
        struct url url = { 0 };
        struct cookie_jar jar, copy;
        struct buf sent = { 0 };

        cookie_jar_init(&jar);
        cookie_jar_init(&copy);
        if (url_parse(&url, str_of("https://a.b.h.example/x/y"), NULL, NULL) == 0) {
                (void)cookie_jar_set(&jar, &url, str_of("a=1; domain=h.example"), NOW_S);
                (void)cookie_jar_set(&jar, &url, str_of("b=2"), NOW_S);
                (void)cookie_jar_set(&jar, &url, str_of("a=3; domain=h.example"), NOW_S);
                (void)cookie_jar_get(&jar, &url, NOW_S, str_of("c=4"), &sent);
                (void)cookie_jar_add_all(&copy, &jar, NOW_S);
                cookie_jar_clear_session(&jar);
        }
        cookie_jar_deinit(&jar);
        cookie_jar_deinit(&copy);
        buf_deinit(&sent);
        url_deinit(&url);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(use_jar);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_pairs),
                cmocka_unit_test(test_domains), cmocka_unit_test(test_paths),
                cmocka_unit_test(test_flags), cmocka_unit_test(test_overlays),
                cmocka_unit_test(test_overlays_of_many), cmocka_unit_test(test_lives),
                cmocka_unit_test(test_taken_back), cmocka_unit_test(test_order),
                cmocka_unit_test(test_identity), cmocka_unit_test(test_own),
                cmocka_unit_test(test_sizes), cmocka_unit_test(test_sent_limits),
                cmocka_unit_test(test_memory) };

        return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}
