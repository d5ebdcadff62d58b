/* SPDX-License-Identifier: MIT */
/*
 * What a proxy answers when it is asked for a tunnel, and the texts that say which proxy to use
 *
 * The first byte chooses the kind of proxy and whether there are credentials; the second one how the
 * rest is cut. Cut anywhere, an answer means the same.
 */
#include "fuzz.h"

#include <http/no_proxy.h>
#include <http/tunnel.h>

static const char *const proxies[] = { "http://p.test", "http://u:p@p.test", "socks4://1.2.3.4",
        "socks4a://u@p.test", "socks5://p.test", "socks5h://u:p@p.test" };
#define N_PROXIES (sizeof(proxies) / sizeof(proxies[0]))

static struct h1_scratch scratch;

struct outcome {
        int r;
        size_t used;
        char text[sizeof(((struct muster_error *)NULL)->text)];
};

static struct outcome talk(const struct proxy *proxy, unsigned allowed, struct muster_str answer,
        size_t size)
{
        struct proxy_auth auth = { 0 };
        struct tunnel tunnel = { 0 };
        struct muster_error error = { 0 };
        struct outcome outcome = { .r = TUNNEL_MORE };
        bool is_http = proxy_speaks_http(proxy);

        if (is_http)
                proxy_auth_init(&auth, proxy, allowed);
        FUZZ_CHECK(tunnel_begin(&tunnel,
                           &(struct tunnel_plan){ .proxy = proxy,
                                   .host = str_of(proxy_needs_address(proxy) ? "127.0.0.1"
                                                                             : "h.test"),
                                   .port = 443,
                                   .auth = is_http ? &auth : NULL,
                                   .cnonce = str_of("c") },
                           &error) == 0);
        while (outcome.r == TUNNEL_MORE && outcome.used < answer.len) {
                size_t n = answer.len - outcome.used < size ? answer.len - outcome.used : size;
                struct muster_str in = { answer.at + outcome.used, n };

                outcome.r = tunnel_read(&tunnel, &scratch, &in, &error);
                FUZZ_CHECK(in.len <= n && in.at == answer.at + outcome.used + n - in.len);
                FUZZ_CHECK(outcome.r != TUNNEL_MORE || in.len == 0);
                outcome.used += n - in.len;
        }
        if (outcome.r == TUNNEL_MORE)
                outcome.r = tunnel_read_eof(&tunnel, &error);
        FUZZ_CHECK((outcome.r < 0) == (error.code != 0));
        FUZZ_CHECK(outcome.r != 0 || tunnel.state == TUNNEL_IS_OPEN);
        memcpy(outcome.text, error.text, sizeof(outcome.text));
        tunnel_deinit(&tunnel);
        proxy_auth_deinit(&auth);
        return outcome;
}

static void check_answer(uint8_t choice, uint8_t cut, struct muster_str answer)
{
        struct proxy proxy = { 0 };
        unsigned allowed = choice & 0x80 ? AUTH_BASIC | AUTH_DIGEST : AUTH_BASIC;
        struct outcome whole, pieces;

        FUZZ_CHECK(proxy_parse(&proxy, str_of(proxies[choice % N_PROXIES]), "-x", NULL) == 0);
        whole = talk(&proxy, allowed, answer, answer.len + 1);
        pieces = talk(&proxy, allowed, answer, cut % 16 + 1);
        FUZZ_CHECK(whole.r == pieces.r);
        FUZZ_CHECK(whole.r != 0 || whole.used == pieces.used);
        proxy_deinit(&proxy);
}

static void check_texts(struct muster_str text)
{
        struct proxy proxy = { 0 }, again = { 0 };
        struct muster_error error = { 0 };

        if (proxy_parse(&proxy, text, "-x", &error) == 0) {
                FUZZ_CHECK(proxy_parse(&again, buf_str(&proxy.name), "-x", &error) == 0);
                FUZZ_CHECK(str_eq(buf_str(&proxy.name), buf_str(&again.name)));
                FUZZ_CHECK(again.port == proxy.port && again.kind == proxy.kind);
        } else {
                FUZZ_CHECK(error.code && !proxy.name.at);
        }
        proxy_deinit(&proxy);
        proxy_deinit(&again);
        (void)no_proxy_has(text, str_of("www.example.com"), 80);
        (void)no_proxy_has(text, str_of("127.0.0.1"), 80);
        (void)no_proxy_has(text, str_of("2001:db8::1"), 80);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_texts((struct muster_str){ (const char *)data, size });
        if (size > 2)
                check_answer(data[0], data[1],
                        (struct muster_str){ (const char *)data + 2, size - 2 });
        return 0;
}
