/* SPDX-License-Identifier: MIT */
/*
 * Proxies as text: what -x and the environment may hold, and which hosts NO_PROXY names
 */
#include "unit.h"

#include <http/no_proxy.h>
#include <http/proxy.h>

static const struct {
        const char *text;
        enum proxy_kind kind;
        const char *name, *host;
        const char *user, *password; /* NULL: none */
} good[] = {
        { "p.test", PROXY_HTTP, "http://p.test:1080", "p.test", NULL, NULL },
        { "p.test:3128", PROXY_HTTP, "http://p.test:3128", "p.test", NULL, NULL },
        { "p.test:80", PROXY_HTTP, "http://p.test:80", "p.test", NULL, NULL },
        { "http://p.test", PROXY_HTTP, "http://p.test:1080", "p.test", NULL, NULL },
        { "HTTP://P.Test:80/", PROXY_HTTP, "http://p.test:80", "p.test", NULL, NULL },
        { "https://p.test", PROXY_HTTPS, "https://p.test:443", "p.test", NULL, NULL },
        { "https://p.test:80", PROXY_HTTPS, "https://p.test:80", "p.test", NULL, NULL },
        { "socks://p.test", PROXY_SOCKS4, "socks4://p.test:1080", "p.test", NULL, NULL },
        { "socks4://p.test:1", PROXY_SOCKS4, "socks4://p.test:1", "p.test", NULL, NULL },
        { "socks4a://p.test", PROXY_SOCKS4A, "socks4a://p.test:1080", "p.test", NULL, NULL },
        { "socks5://p.test", PROXY_SOCKS5, "socks5://p.test:1080", "p.test", NULL, NULL },
        { "socks5h://[::1]:9050", PROXY_SOCKS5H, "socks5h://[::1]:9050", "::1", NULL, NULL },
        { "[::1]", PROXY_HTTP, "http://[::1]:1080", "::1", NULL, NULL },
        { "127.1:8080", PROXY_HTTP, "http://127.0.0.1:8080", "127.0.0.1", NULL, NULL },
        { "u:p@p.test", PROXY_HTTP, "http://p.test:1080", "p.test", "u", "p" },
        { "u@p.test", PROXY_HTTP, "http://p.test:1080", "p.test", "u", "" },
        { ":p@p.test", PROXY_HTTP, "http://p.test:1080", "p.test", "", "p" },
        { "u:a:b@p.test", PROXY_HTTP, "http://p.test:1080", "p.test", "u", "a:b" },
        { "u:a@b@p.test:1", PROXY_HTTP, "http://p.test:1", "p.test", "u", "a@b" },
        { "http://u%40x:p%3a%2F@p.test", PROXY_HTTP, "http://p.test:1080", "p.test", "u@x", "p:/" },
        { "socks5://u:p@p.test:1/x?y", PROXY_SOCKS5, "socks5://p.test:1", "p.test", "u", "p" },
};

static void test_good(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(good); i++) {
                struct proxy proxy = { 0 };
                struct muster_error error = { 0 };
                int r = proxy_parse(&proxy, str_of(good[i].text), "-x", &error);

                if (r != 0)
                        fail_msg("%s: %s", good[i].text, error.text);
                assert_int_equal(proxy.kind, good[i].kind);
                assert_string_equal(proxy.name.at, good[i].name);
                assert_string_equal(proxy.host.at, good[i].host);
                assert_int_equal(proxy.has_user, good[i].user != NULL);
                if (good[i].user) {
                        assert_string_equal(proxy.user.at, good[i].user);
                        assert_string_equal(proxy.password.at, good[i].password);
                }
                proxy_deinit(&proxy);
                proxy_deinit(&proxy);
        }
}

static const struct {
        const char *text, *message;
} bad[] = {
        { "", "url: -x: the proxy \"\" has no host" },
        { "http://", "url: -x: the proxy \"http://\" has no host" },
        { "u:p@", "url: -x: the proxy \"\" has no host" },
        { "ftp://p.test",
                "url: -x: the proxy \"ftp://p.test\" has a scheme that is none of http, https, socks4, socks4a, socks5 and socks5h" },
        { "http://u:secret@p.test:99999",
                "url: -x: the proxy \"http://p.test:99999\" has no valid host or port; write [scheme://]host[:port]" },
        { "p test",
                "url: -x: the proxy \"p test\" has no valid host or port; write [scheme://]host[:port]" },
        { "u%3Ax:p@p.test",
                "invalid: the user name or password for the proxy http://p.test:1080 is not valid: RFC 7617 allows no colon in a user name" },
        { "u%00:p@p.test",
                "invalid: the user name or password for the proxy http://p.test:1080 has a NUL byte" },
        { "socks5://:p@p.test",
                "invalid: the user name or password for the proxy socks5://p.test:1080 is not valid: RFC 1929 has 1 to 255 bytes for each" },
};

static void test_bad(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(bad); i++) {
                struct proxy proxy = { 0 };
                struct muster_error error = { 0 };

                assert_true(proxy_parse(&proxy, str_of(bad[i].text), "-x", &error) < 0);
                assert_string_equal(error.text, bad[i].message);
                assert_null(proxy.name.at);
        }
}

static void test_credentials_apart(void **state)
{
        struct proxy proxy = { 0 };

        (void)state;
        assert_int_equal(proxy_parse(&proxy, str_of("p.test"), "-x", NULL), 0);
        assert_int_equal(proxy_set_credentials(&proxy, str_of("u%40:a:b"), NULL), 0);
        assert_string_equal(proxy.user.at, "u%40");
        assert_string_equal(proxy.password.at, "a:b");
        /* Those of the URL come first. */
        assert_int_equal(proxy_set_credentials(&proxy, str_of("other:c"), NULL), 0);
        assert_string_equal(proxy.user.at, "u%40");
        proxy_deinit(&proxy);
}

static void test_out_of_memory(void **state)
{
        int r = MUSTER_E_RESOURCE;

        (void)state;
        for (long n = 0; r == MUSTER_E_RESOURCE; n++) {
                struct proxy proxy = { 0 };
                struct muster_error error = { 0 };

                assert_true(n < 100);
                mem_fail_after(n);
                r = proxy_parse(&proxy, str_of("socks5://u:p@[::1]:1"), "-x", &error);
                mem_fail_after(-1);
                assert_true(r == 0 || (error.code == MUSTER_E_RESOURCE && !proxy.name.at));
                proxy_deinit(&proxy);
        }
        assert_int_equal(r, 0);
}

/* --- NO_PROXY -------------------------------------------------------------------------------- */

static const struct {
        const char *list, *host;
        bool is_listed;
} listed[] = {
        /* What curl's manual says of --noproxy. */
        { "local.com", "local.com", true },
        { "local.com", "www.local.com", true },
        { "local.com", "www.notlocal.com", false },
        { "192.168.0.0/16", "192.168.7.9", true },
        { "192.168.0.0/16", "192.169.0.1", false },
        { "*", "example.com", true },
        { "*", "::1", true },
        { " * ", "example.com", true },
        { "", "example.com", false },
        /* Only alone is "*" a wildcard. */
        { "*,x", "example.com", false },
        { "*.example.com", "www.example.com", false },
        /* Domains. */
        { "example.com", "EXAMPLE.com", true },
        { "EXAMPLE.COM", "example.com", true },
        { ".example.com", "example.com", true },
        { ".example.com", "www.example.com", true },
        { "example.com.", "www.example.com", true },
        { "example.com", "www.example.com.", true },
        { "..example.com", "www.example.com", false },
        { ".", "example.com", false },
        { "com", "example.com", true },
        { "example.co", "example.com", false },
        { "www.example.com", "example.com", false },
        { "nonexample.com", "example.com", false },
        { "example.com", "nonexample.com", false },
        { "localhost", "localhost", true },
        /* Lists. */
        { "a.test,b.test", "b.test", true },
        { "a.test b.test", "b.test", true },
        { "a.test, b.test", "b.test", true },
        { "  a.test ,,\tb.test  ", "b.test", true },
        { ",,,", "b.test", false },
        { "a.test,b.test", "c.test", false },
        /* Addresses. */
        { "127.0.0.1", "127.0.0.1", true },
        { "127.0.0.1", "127.0.0.2", false },
        { "127.0.0.1", "1.127.0.0.1.test", false },
        { "0.0.1", "127.0.0.1", false },
        { "127.0.0.0/8", "127.200.3.4", true },
        { "127.0.0.0/8", "128.0.0.1", false },
        { "10.0.0.0/9", "10.127.255.255", true },
        { "10.0.0.0/9", "10.128.0.0", false },
        { "10.1.2.3/32", "10.1.2.3", true },
        { "10.1.2.3/32", "10.1.2.4", false },
        { "10.1.2.3/33", "10.1.2.3", false },
        { "10.1.2.3/x", "10.1.2.3", false },
        { "10.1.2.3/", "10.1.2.3", false },
        { "10.1.2.3/-1", "10.1.2.3", false },
        { "0.0.0.0/0", "10.1.2.3", true },
        { "0.0.0.0/0", "::1", false },
        { "::1", "::1", true },
        { "[::1]", "::1", true },
        { "::1", "::2", false },
        { "0:0:0:0:0:0:0:1", "::1", true },
        { "2001:db8::/32", "2001:db8:9::7", true },
        { "2001:db8::/32", "2001:db9::7", false },
        { "2001:db8::/128", "2001:db8::", true },
        { "2001:db8::/129", "2001:db8::", false },
        { "::/0", "2001:db8::", true },
        { "fe80::/10", "febf::1", true },
        { "fe80::/10", "fec0::1", false },
        { "::ffff:127.0.0.1", "127.0.0.1", false },
        /* A name that looks like none, and the other way round. */
        { "127.0.0.1", "localhost", false },
        { "10.0.0.0/8", "example.com", false },
        /* With a port, as in Go. */
        { "example.com:8080", "example.com", true },
        { "example.com:8081", "example.com", false },
        { ".example.com:8080", "www.example.com", true },
        { "127.0.0.1:8080", "127.0.0.1", true },
        { "[::1]:8080", "::1", true },
        { "[::1]:80", "::1", false },
        { "example.com:", "example.com", false },
};

static void test_no_proxy(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(listed); i++)
                if (no_proxy_has(str_of(listed[i].list), str_of(listed[i].host), 8080) !=
                        listed[i].is_listed)
                        fail_msg("\"%s\" and %s", listed[i].list, listed[i].host);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                cmocka_unit_test(test_credentials_apart), cmocka_unit_test(test_out_of_memory),
                cmocka_unit_test(test_no_proxy) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
