/* SPDX-License-Identifier: MIT */
#include "proxy_login.h"

#include "engine.h"
#include <assert.h>
#include <base/rand.h>
#include <stdio.h>

#define LOGINS_MAX   4 /* of a request: with credentials, and a few nonces that are too old */
#define CNONCE_BYTES 16

static void warn(struct muster_request *request, const struct proxy *proxy, const char *why)
{
        char text[400];

        snprintf(text, sizeof(text), "the proxy %.100s answered 407: %.200s", proxy->name.at, why);
        result_add_warning(&request->result, str_of(text));
}

static int hear_challenge(struct muster_request *request, const struct route *route,
        const struct http_head *head)
{
        struct proxy_auth *auth = &request->engine->proxies[route->proxy_index].auth;
        const char *why = "it does not accept this user name and password";
        unsigned char bytes[CNONCE_BYTES];
        char cnonce[2 * CNONCE_BYTES + 1];
        int r;

        rand_seed_bytes(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i++)
                snprintf(cnonce + 2 * i, 3, "%02x", bytes[i]);
        r = proxy_auth_challenged(auth, &head->fields, request->had_proxy_login, str_of(cnonce),
                &why);
        if (r == 0 && request->n_proxy_logins < LOGINS_MAX && request_can_repeat(request)) {
                request->n_proxy_logins++;
                return PROXY_LOGIN_AGAIN;
        }
        if (r >= 0)
                warn(request, route->proxy, why);
        return r < 0 ? r : 0;
}

/* Without memory for it, the next 407 brings a nonce. */
static void hear_next_nonce(struct muster_request *request, const struct route *route,
        const struct http_head *head)
{
        struct proxy_auth *auth = &request->engine->proxies[route->proxy_index].auth;
        struct muster_str info;

        if (auth->scheme != AUTH_DIGEST)
                return;
        info = fields_find(&head->fields, auth_fields_of_proxy.info);
        if (info.at)
                (void)digest_renew(&auth->digest, info);
}

int proxy_login_heard(struct muster_request *request, const struct http_head *head)
{
        const struct route *route = &request->origin->route;

        assert(request->origin);
        if (!route_asks_proxy(route))
                return 0;
        if (head->status == 407)
                return hear_challenge(request, route, head);
        hear_next_nonce(request, route, head);
        return 0;
}
