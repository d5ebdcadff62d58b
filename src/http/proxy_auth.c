/* SPDX-License-Identifier: MIT */
#include "proxy_auth.h"

#include <assert.h>

void proxy_auth_init(struct proxy_auth *auth, const struct proxy *borrow_proxy, unsigned allowed)
{
        assert(proxy_speaks_http(borrow_proxy) && allowed);
        *auth = (struct proxy_auth){ .proxy = borrow_proxy,
                .allowed = allowed,
                .scheme = allowed == AUTH_BASIC ? AUTH_BASIC : AUTH_NONE };
}

void proxy_auth_deinit(struct proxy_auth *auth)
{
        digest_deinit(&auth->digest);
        *auth = (struct proxy_auth){ 0 };
}

int proxy_auth_add(struct proxy_auth *auth, struct muster_str method, struct muster_str target,
        struct buf *to)
{
        const struct proxy *proxy = auth->proxy;
        int r;

        if (!proxy || !proxy->has_user || auth->scheme == AUTH_NONE)
                return 0;
        if (auth->scheme == AUTH_BASIC)
                return auth_add_basic(buf_str(&proxy->user), buf_str(&proxy->password), to);
        r = digest_add(&auth->digest, method, target, to);
        if (r != DIGEST_USED_UP)
                return r;
        auth->scheme = AUTH_NONE; /* the next 407 brings a new nonce */
        return 0;
}

static int begin_digest(struct proxy_auth *auth, const struct digest_challenge *challenge,
        bool had_credentials, struct muster_str cnonce, const char **ret_why)
{
        const struct proxy *proxy = auth->proxy;
        int r;

        if (had_credentials && auth->scheme == AUTH_DIGEST && !challenge->is_stale &&
                digest_is_for_realm(&auth->digest, challenge)) {
                *ret_why = "it does not accept this user name and password";
                return PROXY_AUTH_REFUSED;
        }
        r = digest_begin(&auth->digest, challenge, buf_str(&proxy->user), buf_str(&proxy->password),
                cnonce);
        if (r == 0)
                auth->scheme = AUTH_DIGEST;
        return r;
}

/* What a person can do, where there are no credentials or none that it takes. */
static const char *advice(const struct auth_choice *choice, bool has_user)
{
        if (!choice->offered)
                return choice->why
                               ? choice->why
                               : "it asks for a kind of authentication that muster does not have";
        if (!has_user)
                return "give user name and password with --proxy-user";
        return choice->offered & AUTH_DIGEST
                       ? "it asks for Digest; allow that with --proxy-digest or --proxy-anyauth"
                       : "it asks for Basic; allow that with --proxy-basic or --proxy-anyauth";
}

int proxy_auth_challenged(struct proxy_auth *auth, const struct fields *fields,
        bool had_credentials, struct muster_str cnonce, const char **ret_why)
{
        const struct proxy *proxy = auth->proxy;
        bool has_user = proxy && proxy->has_user;
        struct auth_choice choice =
                auth_choose(fields, auth_fields_of_proxy.challenge, auth->allowed);

        if (!has_user || choice.scheme == AUTH_NONE) {
                *ret_why = advice(&choice, has_user);
                return PROXY_AUTH_REFUSED;
        }
        if (choice.scheme == AUTH_DIGEST)
                return begin_digest(auth, &choice.digest, had_credentials, cnonce, ret_why);
        if (had_credentials && auth->scheme == AUTH_BASIC) {
                *ret_why = "it does not accept this user name and password";
                return PROXY_AUTH_REFUSED;
        }
        auth->scheme = AUTH_BASIC;
        return 0;
}
