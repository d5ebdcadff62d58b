/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a URL, alone and relative to a base: what is taken is clean and stays as it is
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <http/url.h>

/* What an address is, is decided here: nobody who gets the host as text can see another one in it. */
static void check_host(const struct url *url)
{
        struct muster_str host = url_part(url, url->host);
        struct in6_addr address;
        char text[300] = "";

        FUZZ_CHECK(host.len && host.len < sizeof(text));
        memcpy(text, host.at, host.len);
        switch (url->host_kind) {
        case URL_HOST_IPV4:
                FUZZ_CHECK(inet_pton(AF_INET, text, &address) == 1);
                return;
        case URL_HOST_IPV6:
                FUZZ_CHECK(inet_pton(AF_INET6, text, &address) == 1);
                return;
        case URL_HOST_NAME:
                if (text[host.len - 1] == '.')
                        text[host.len - 1] = '\0';
                FUZZ_CHECK(inet_aton(text, (struct in_addr *)(void *)&address) == 0);
                FUZZ_CHECK(inet_pton(AF_INET6, text, &address) != 1);
                return;
        }
}

static void check(struct muster_str text, const struct url *base)
{
        struct muster_error error = { 0 };
        struct url url = { 0 }, again = { 0 };

        if (url_parse(&url, text, base, &error) == 0) {
                for (size_t i = 0; i < url.text.len; i++)
                        FUZZ_CHECK((unsigned char)url.text.at[i] > 0x20 &&
                                   (unsigned char)url.text.at[i] < 0x7f);
                FUZZ_CHECK(url_parse(&again, buf_str(&url.text), NULL, &error) == 0);
                FUZZ_CHECK(str_eq(buf_str(&url.text), buf_str(&again.text)));
                check_host(&url);
        } else {
                FUZZ_CHECK(error.code && url.text.len == 0);
        }
        url_deinit(&url);
        url_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct muster_str text = { (const char *)data, size };
        struct url base = { 0 };

        check(text, NULL);
        FUZZ_CHECK(url_parse(&base, str_of("http://u:p@h.test:81/a/b?c"), NULL, NULL) == 0);
        check(text, &base);
        url_deinit(&base);
        return 0;
}
