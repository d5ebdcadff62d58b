/* SPDX-License-Identifier: MIT */
/*
 * How a proxy is asked for a tunnel: every dialogue with its answers cut anywhere, with bytes behind
 * them, and with memory running out
 */
#include "unit.h"

#include <http/tunnel.h>

#define CLOSES "" /* an answer: the proxy closes the connection */

/* What is sent and what comes, in turn. */
struct dialogue {
        const char *proxy, *host;
        unsigned allowed; /* schemes; 0: Basic */
        struct muster_str sent[4], come[4];
        int r; /* the last answer */
        const char *error;
        bool is_final;
};

#define HEAD "CONNECT h.test:443 HTTP/1.1\r\nHost: h.test:443\r\n"
#define TAIL "User-Agent: x\r\nProxy-Connection: Keep-Alive\r\nX-Own: 1\r\n\r\n"
#define OK   "HTTP/1.1 200 Connection established\r\n\r\n"

static const struct dialogue dialogues[] = {
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) }, { BYTES(OK) }, 0 },
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) },
                { BYTES("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n") },
                0 },
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) }, { BYTES("HTTP/1.1 100 C\r\n\r\n" OK) },
                0 },
        { "https://p.test:1", "::1", 0,
                { BYTES("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n" TAIL) }, { BYTES(OK) },
                0 },
        { "u:p@p.test:1", "h.test", 0, { BYTES(HEAD "Proxy-Authorization: Basic dTpw\r\n" TAIL) },
                { BYTES(OK) }, 0 },
        /* With any scheme the first 407 shows which. */
        { "u:p@p.test:1", "h.test", AUTH_BASIC | AUTH_DIGEST,
                { BYTES(HEAD TAIL), BYTES(HEAD "Proxy-Authorization: Basic dTpw\r\n" TAIL) },
                { BYTES("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"a\"\r\nContent-Length: 3\r\n\r\nabc"),
                        BYTES(OK) },
                0 },
        { "u:p@p.test:1", "h.test", AUTH_BASIC | AUTH_DIGEST, { BYTES(HEAD TAIL) },
                { BYTES("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"a\"\r\nConnection: close\r\n\r\n") },
                TUNNEL_AGAIN },
        { "u:p@p.test:1", "h.test", AUTH_BASIC | AUTH_DIGEST, { BYTES(HEAD TAIL) },
                { BYTES("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"a\"\r\nContent-Length: 3\r\n\r\na"),
                        BYTES(CLOSES) },
                TUNNEL_AGAIN },
        { "u:p@p.test:1", "h.test", AUTH_DIGEST,
                { BYTES(HEAD TAIL),
                        BYTES(HEAD
                                "Proxy-Authorization: Digest username=\"u\", realm=\"a\", nonce=\"n\", uri=\"h.test:443\", response=\"a4dba8df9f5d0d6b7d8c3ef6b1b4b8a0\"\r\n" TAIL) },
                { BYTES("HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"a\", nonce=\"n\"\r\nContent-Length: 0\r\n\r\n"),
                        BYTES(OK) },
                0 },
        /* Refusals. */
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) },
                { BYTES("HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\n") }, MUSTER_E_PROXY,
                "proxy: http://p.test:1 refused the tunnel to h.test:443: 403 Forbidden", true },
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) }, { BYTES("HTTP/1.1 503\r\n\r\n") },
                MUSTER_E_PROXY, "proxy: http://p.test:1 refused the tunnel to h.test:443: 503",
                false },
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) },
                { BYTES("HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n") }, MUSTER_E_PROXY,
                "proxy: http://p.test:1 refused the tunnel to h.test:443: 302 Found", true },
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) },
                { BYTES("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n") },
                MUSTER_E_PROXY,
                "proxy: http://p.test:1 refused the tunnel to h.test:443: 407 No; give user name and password with --proxy-user",
                true },
        { "u:p@p.test:1", "h.test", 0, { BYTES(HEAD "Proxy-Authorization: Basic dTpw\r\n" TAIL) },
                { BYTES("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n") },
                MUSTER_E_PROXY,
                "proxy: http://p.test:1 refused the tunnel to h.test:443: 407 No; it does not accept this user name and password",
                true },
        { "u:p@p.test:1", "h.test", 0, { BYTES(HEAD "Proxy-Authorization: Basic dTpw\r\n" TAIL) },
                { BYTES("HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"a\", nonce=\"n\"\r\n\r\n") },
                MUSTER_E_PROXY,
                "proxy: http://p.test:1 refused the tunnel to h.test:443: 407 No; it asks for Digest; allow that with --proxy-digest or --proxy-anyauth",
                true },
        { "u:p@p.test:1", "h.test", 0, { BYTES(HEAD "Proxy-Authorization: Basic dTpw\r\n" TAIL) },
                { BYTES("HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\n\r\n") },
                MUSTER_E_PROXY,
                "proxy: http://p.test:1 refused the tunnel to h.test:443: 407 No; it asks for a kind of authentication that muster does not have",
                true },
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) }, { BYTES("\x05\xff") }, MUSTER_E_PROXY,
                NULL, false },
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) }, { BYTES(CLOSES) }, MUSTER_E_PROXY,
                "proxy: http://p.test:1 refused the tunnel to h.test:443: it closed the connection without an answer",
                false },
        { "p.test:1", "h.test", 0, { BYTES(HEAD TAIL) }, { BYTES("HTTP/1.1 200 O"), BYTES(CLOSES) },
                MUSTER_E_PROXY,
                "proxy: http://p.test:1 refused the tunnel to h.test:443: it closed the connection in the middle of its answer",
                false },

        /* SOCKS 4: RFC-less; port, address, user name. */
        { "socks4://p.test:1", "127.0.0.9", 0, { BYTES("\4\1\1\xbb\x7f\0\0\x09\0") },
                { BYTES("\0\x5a\0\0\0\0\0\0") }, 0 },
        { "socks4://me@p.test:1", "127.0.0.9", 0, { BYTES("\4\1\1\xbb\x7f\0\0\x09me\0") },
                { BYTES("\0\x5a\0\0\0\0\0\0") }, 0 },
        { "socks4a://p.test:1", "h.test", 0, { BYTES("\4\1\1\xbb\0\0\0\1\0h.test\0") },
                { BYTES("\0\x5a\1\xbb\1\2\3\4") }, 0 },
        { "socks4a://p.test:1", "h.test", 0, { BYTES("\4\1\1\xbb\0\0\0\1\0h.test\0") },
                { BYTES("\0\x5b\0\0\0\0\0\0") }, MUSTER_E_PROXY,
                "proxy: socks4a://p.test:1 refused the tunnel to h.test:443: rejected or failed (91)",
                false },
        { "socks4a://p.test:1", "h.test", 0, { BYTES("\4\1\1\xbb\0\0\0\1\0h.test\0") },
                { BYTES("\0\x5d\0\0\0\0\0\0") }, MUSTER_E_PROXY,
                "proxy: socks4a://p.test:1 refused the tunnel to h.test:443: it does not accept this user name",
                true },
        { "socks4a://p.test:1", "h.test", 0, { BYTES("\4\1\1\xbb\0\0\0\1\0h.test\0") },
                { BYTES("HTTP/1.1") }, MUSTER_E_PROXY,
                "proxy: socks4a://p.test:1: its answer is none of SOCKS 4; is it another kind of proxy?",
                false },
        { "socks4://p.test:1", "::1", 0, { BYTES("") }, { BYTES("") }, MUSTER_E_PROXY,
                "proxy: socks4://p.test:1 refused the tunnel to [::1]:443: SOCKS 4 knows no IPv6 addresses; socks5 does",
                true },

        /* SOCKS 5. */
        { "socks5h://p.test:1", "h.test", 0, { BYTES("\5\1\0"), BYTES("\5\1\0\3\6h.test\1\xbb") },
                { BYTES("\5\0"), BYTES("\5\0\0\1\1\2\3\4\1\2") }, 0 },
        { "socks5h://p.test:1", "h.test", 0, { BYTES("\5\1\0"), BYTES("\5\1\0\3\6h.test\1\xbb") },
                { BYTES("\5\0"), BYTES("\5\0\0\3\4abcd\1\2") }, 0 },
        { "socks5://p.test:1", "127.0.0.9", 0,
                { BYTES("\5\1\0"), BYTES("\5\1\0\1\x7f\0\0\x09\1\xbb") },
                { BYTES("\5\0"), BYTES("\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2") }, 0 },
        { "socks5://u:pw@p.test:1", "::1", 0,
                { BYTES("\5\2\0\2"), BYTES("\1\1u\2pw"),
                        BYTES("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\1\xbb") },
                { BYTES("\5\2"), BYTES("\1\0"), BYTES("\5\0\0\1\0\0\0\0\0\0") }, 0 },
        { "socks5h://u:pw@p.test:1", "h.test", 0,
                { BYTES("\5\2\0\2"), BYTES("\5\1\0\3\6h.test\1\xbb") },
                { BYTES("\5\0"), BYTES("\5\0\0\1\0\0\0\0\0\0") }, 0 },
        { "socks5h://p.test:1", "h.test", 0, { BYTES("\5\1\0") }, { BYTES("\5\xff") },
                MUSTER_E_PROXY,
                "proxy: socks5h://p.test:1 refused the tunnel to h.test:443: it asks for authentication; give user name and password with --proxy-user",
                true },
        { "socks5h://u:pw@p.test:1", "h.test", 0, { BYTES("\5\2\0\2"), BYTES("\1\1u\2pw") },
                { BYTES("\5\2"), BYTES("\1\1") }, MUSTER_E_PROXY,
                "proxy: socks5h://p.test:1 refused the tunnel to h.test:443: it does not accept this user name and password",
                true },
        { "socks5h://p.test:1", "h.test", 0, { BYTES("\5\1\0") }, { BYTES("\5\2") }, MUSTER_E_PROXY,
                "proxy: socks5h://p.test:1: it chose a method that was not offered", false },
        { "socks5h://p.test:1", "h.test", 0, { BYTES("\5\1\0") }, { BYTES("HT") }, MUSTER_E_PROXY,
                "proxy: socks5h://p.test:1: its answer is none of SOCKS 5; is it another kind of proxy?",
                false },
        { "socks5h://p.test:1", "h.test", 0, { BYTES("\5\1\0"), BYTES("\5\1\0\3\6h.test\1\xbb") },
                { BYTES("\5\0"), BYTES("\5\2") }, MUSTER_E_PROXY,
                "proxy: socks5h://p.test:1 refused the tunnel to h.test:443: its rules do not allow it (2)",
                true },
        { "socks5h://p.test:1", "h.test", 0, { BYTES("\5\1\0"), BYTES("\5\1\0\3\6h.test\1\xbb") },
                { BYTES("\5\0"), BYTES("\5\5") }, MUSTER_E_PROXY,
                "proxy: socks5h://p.test:1 refused the tunnel to h.test:443: connection refused (5)",
                false },
        { "socks5h://p.test:1", "h.test", 0, { BYTES("\5\1\0"), BYTES("\5\1\0\3\6h.test\1\xbb") },
                { BYTES("\5\0"), BYTES("\5\xee") }, MUSTER_E_PROXY,
                "proxy: socks5h://p.test:1 refused the tunnel to h.test:443: for a reason of its own (238)",
                false },
        { "socks5h://p.test:1", "h.test", 0, { BYTES("\5\1\0"), BYTES("\5\1\0\3\6h.test\1\xbb") },
                { BYTES("\5\0"), BYTES("\5\0\0"), BYTES(CLOSES) }, MUSTER_E_PROXY,
                "proxy: socks5h://p.test:1 refused the tunnel to h.test:443: it closed the connection in the middle of its answer",
                false },
};

static struct h1_scratch scratch;

/* Feed an answer in pieces of `size` bytes, with "+" behind the last one. */
static int feed(struct tunnel *tunnel, struct muster_str answer, size_t size, bool is_last,
        struct muster_error *error)
{
        char copy[600];
        size_t at = 0;
        int r = TUNNEL_MORE;

        assert_true(answer.len + 1 < sizeof(copy));
        memcpy(copy, answer.at, answer.len);
        if (is_last)
                copy[answer.len++] = '+';
        while (r == TUNNEL_MORE && at < answer.len) {
                size_t n = answer.len - at < size ? answer.len - at : size;
                struct muster_str in = { copy + at, n };

                r = tunnel_read(tunnel, &scratch, &in, error);
                at += n - in.len;
        }
        /* Nothing behind the answer is taken. */
        if (r == 0)
                assert_int_equal(at, answer.len - 1);
        return r;
}

static void expect_sent(struct tunnel *tunnel, const struct dialogue *dialogue, size_t i)
{
        struct muster_str sent = dialogue->sent[i];
        const char *response = sent.len ? strstr(sent.at, "response=") : NULL;

        /* The hash is the digest's own matter. */
        if (response)
                sent.len =
                        tunnel->out.len < sent.len ? tunnel->out.len : (size_t)(response - sent.at);
        assert_true(tunnel->out.len >= sent.len);
        assert_memory_equal(tunnel->out.at ? tunnel->out.at : "", sent.at, sent.len);
        assert_true(response || tunnel->out.len == sent.len);
        tunnel->out.len = 0;
}

static void talk(const struct dialogue *dialogue, size_t size)
{
        static const char *const fields[] = { "X-Own: 1", "X-None:", NULL };
        struct proxy proxy = { 0 };
        struct proxy_auth auth = { 0 };
        struct tunnel tunnel = { 0 };
        struct muster_error error = { 0 };
        int r;

        assert_int_equal(proxy_parse(&proxy, str_of(dialogue->proxy), "-x", NULL), 0);
        if (proxy_speaks_http(&proxy))
                proxy_auth_init(&auth, &proxy, dialogue->allowed ? dialogue->allowed : AUTH_BASIC);
        r = tunnel_begin(&tunnel,
                &(struct tunnel_plan){ .proxy = &proxy,
                        .host = str_of(dialogue->host),
                        .port = 443,
                        .auth = proxy_speaks_http(&proxy) ? &auth : NULL,
                        .cnonce = str_of("c"),
                        .user_agent = str_of("x"),
                        .fields = fields },
                &error);
        if (r == 0)
                r = TUNNEL_MORE;
        for (size_t i = 0; r == TUNNEL_MORE; i++) {
                struct muster_str answer = dialogue->come[i];
                bool is_last = i == 3 || !dialogue->come[i + 1].at;

                if (dialogue->sent[i].at)
                        expect_sent(&tunnel, dialogue, i);
                r = answer.len ? feed(&tunnel, answer, size, is_last && dialogue->r == 0, &error)
                               : tunnel_read_eof(&tunnel, &error);
                assert_true(r != TUNNEL_MORE || !is_last);
        }
        assert_int_equal(r, dialogue->r);
        if (dialogue->error)
                assert_string_equal(error.text, dialogue->error);
        assert_int_equal(error.code, r < 0 ? r : 0);
        assert_int_equal(tunnel.is_final, dialogue->is_final);
        tunnel_deinit(&tunnel);
        tunnel_deinit(&tunnel);
        proxy_auth_deinit(&auth);
        proxy_deinit(&proxy);
}

static void test_dialogues(void **state)
{
        /* [9110 9.3.6 port] [9110 9.3.6 no-body] [9112 3.2.3 authority-form] */
        (void)state;
        for (size_t i = 0; i < LENGTH(dialogues); i++)
                for (size_t size = 1; size < 200; size++)
                        talk(&dialogues[i], size);
}

/* Without the credentials that it knows, the proxy says what it wants; with them, only once. */
static void test_a_nonce_serves_the_next_tunnel(void **state)
{
        static const char again[] =
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"a\", nonce=\"n\", stale=true\r\nContent-Length: 0\r\n\r\n";
        struct proxy proxy = { 0 };
        struct proxy_auth auth = { 0 };
        struct muster_error error = { 0 };
        struct tunnel tunnel = { 0 };
        struct tunnel_plan plan = { .proxy = &proxy,
                .host = str_of("h.test"),
                .port = 443,
                .auth = &auth,
                .cnonce = str_of("c") };
        struct muster_str in;

        (void)state;
        assert_int_equal(proxy_parse(&proxy, str_of("u:p@p.test"), "-x", NULL), 0);
        proxy_auth_init(&auth, &proxy, AUTH_DIGEST);
        assert_int_equal(tunnel_begin(&tunnel, &plan, &error), 0);
        assert_false(str_has(buf_str(&tunnel.out), "Digest"));
        tunnel.out.len = 0;
        in = str_of(again);
        assert_int_equal(tunnel_read(&tunnel, &scratch, &in, &error), TUNNEL_MORE);
        assert_true(str_has(buf_str(&tunnel.out), "Digest username="));
        tunnel_deinit(&tunnel);

        assert_int_equal(tunnel_begin(&tunnel, &plan, &error), 0);
        assert_true(str_has(buf_str(&tunnel.out), "Digest username="));
        /* However often it calls the nonce stale, there is an end to it. */
        for (int i = 0; i < 2; i++) {
                tunnel.out.len = 0;
                in = str_of(again);
                assert_int_equal(tunnel_read(&tunnel, &scratch, &in, &error), TUNNEL_MORE);
        }
        in = str_of(again);
        assert_int_equal(tunnel_read(&tunnel, &scratch, &in, &error), MUSTER_E_PROXY);
        tunnel_deinit(&tunnel);
        proxy_auth_deinit(&auth);
        proxy_deinit(&proxy);
}

static struct proxy memory_proxy;
static struct muster_str memory_come[3];

static void talk_without_memory(void)
{
        struct proxy_auth auth = { 0 };
        struct tunnel tunnel = { 0 };
        struct muster_error error = { 0 };
        struct tunnel_plan plan = {
                .proxy = &memory_proxy, .host = str_of("h.test"), .port = 443, .cnonce = str_of("c")
        };
        int r;

        if (proxy_speaks_http(&memory_proxy)) {
                proxy_auth_init(&auth, &memory_proxy, AUTH_DIGEST | AUTH_BASIC);
                plan.auth = &auth;
        }
        r = tunnel_begin(&tunnel, &plan, &error);
        for (size_t i = 0; r >= 0 && i < LENGTH(memory_come) && memory_come[i].at; i++) {
                struct muster_str one = { memory_come[i].at, 1 };

                tunnel.out.len = 0;
                for (size_t at = 0; r >= 0 && at < memory_come[i].len; at++) {
                        one = (struct muster_str){ memory_come[i].at + at, 1 };
                        r = tunnel_read(&tunnel, &scratch, &one, &error);
                }
        }
        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        assert_int_equal(error.code, r);
        tunnel_deinit(&tunnel);
        proxy_auth_deinit(&auth);
}

static void test_out_of_memory(void **state)
{
        static const struct {
                const char *proxy;
                struct muster_str come[3];
        } cases[] = {
                { "u:p@p.test",
                        { BYTES("HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"a\", nonce=\"n\"\r\nContent-Length: 2\r\n\r\nab"),
                                BYTES(OK) } },
                { "socks4a://u@p.test", { BYTES("\0\x5a\0\0\0\0\0\0") } },
                { "socks5h://u:p@p.test",
                        { BYTES("\5\2"), BYTES("\1\0"), BYTES("\5\0\0\1\0\0\0\0\0\0") } },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                assert_int_equal(proxy_parse(&memory_proxy, str_of(cases[i].proxy), "-x", NULL), 0);
                memcpy(memory_come, cases[i].come, sizeof(memory_come));
                for_each_failing_allocation(talk_without_memory);
                proxy_deinit(&memory_proxy);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_dialogues),
                cmocka_unit_test(test_a_nonce_serves_the_next_tunnel),
                cmocka_unit_test(test_out_of_memory) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
