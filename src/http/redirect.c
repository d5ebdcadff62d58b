/* SPDX-License-Identifier: MIT */
#include "redirect.h"

#include <assert.h>
#include <base/error.h>
#include <string.h>

static bool is_redirect_status(int status)
{
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool becomes_get(int status, struct muster_str method)
{
        if (status == 303)
                return !str_is(method, "HEAD") && !str_is(method, "GET");
        return (status == 301 || status == 302) && str_is(method, "POST");
}

/*
 * Where the user name and password begin that the text may have, and where the host does. It need
 * be no URL that can be parsed: servers write what they like, and browsers take any slashes.
 */
static struct muster_str find_user(struct muster_str location)
{
        size_t at = 0, end;

        while (at < location.len && !strchr(":/\\?#@", location.at[at]))
                at++;
        if (at == location.len || location.at[at] != ':')
                at = 0; /* there is no scheme */
        else
                at++;
        while (at < location.len && strchr("/\\", location.at[at]))
                at++;
        for (end = at; end < location.len && !strchr("/\\?#", location.at[end]);)
                end++;
        while (end > at && location.at[end - 1] != '@')
                end--;
        return (struct muster_str){ location.at + at, end - at };
}

/* Who reads the message may be anybody: it is in results and logs. */
static int refuse_location(struct muster_error *error, const char *why, struct muster_str location)
{
        struct muster_str user = find_user(location);
        size_t begin = (size_t)(user.at - location.at);

        return error_set(error, MUSTER_E_REDIRECT, MUSTER_PHASE_RECEIVE, 0,
                "redirect: to \"%.*s%.*s\": %s", STR_ARGS(str_first(location, begin)),
                STR_ARGS(str_first(str_after(location, begin + user.len), 100)), why);
}

int redirect_decide(int status, struct muster_str method, const struct url *from,
        struct muster_str location, bool allow_https_to_http, struct url *ret_target,
        struct redirect *ret_redirect, struct muster_error *error)
{
        struct muster_error why = { 0 };
        int r;

        assert(from != ret_target);
        if (!is_redirect_status(status) || !location.at)
                return REDIRECT_NONE;
        r = url_parse(ret_target, location, from, &why);
        if (r == MUSTER_E_RESOURCE)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        if (r < 0)
                return refuse_location(error, why.text + strlen("url: "), location);
        if (from->scheme == URL_HTTPS && ret_target->scheme == URL_HTTP && !allow_https_to_http)
                return refuse_location(error,
                        "leads from https to http, which is not encrypted; allow_https_to_http (--allow-https-to-http) permits it",
                        location);
        *ret_redirect = (struct redirect){ .becomes_get = becomes_get(status, method),
                .drops_credentials = !url_same_origin(from, ret_target) };
        return 0;
}

bool redirect_is_credential_field(struct muster_str name)
{
        static const char *const names[] = { "Authorization", "Proxy-Authorization", "Cookie",
                /* what API keys and tokens are sent in, by the documentation of those who take them */
                "Api-Key", "X-Api-Key", "X-Api-Token", "X-Auth-Key", "X-Auth-Token",
                "X-Access-Token", "X-Subject-Token", "X-Amz-Security-Token", "X-Goog-Api-Key",
                "Ocp-Apim-Subscription-Key", "X-Functions-Key", "Private-Token", "Job-Token",
                "X-Vault-Token", "X-Shopify-Access-Token", "DD-API-KEY", "DD-APPLICATION-KEY" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (str_is_nocase(name, names[i]))
                        return true;
        return false;
}

bool redirect_may_leave(struct muster_str name)
{
        return redirect_is_body_field(name) || str_is_nocase(name, "Range") ||
               str_is_nocase(name, "Expect");
}

bool redirect_is_body_field(struct muster_str name)
{
        static const char *const names[] = { "Content-Type", "Content-Encoding", "Content-Language",
                "Content-Location", "Content-Range", "Digest", "Content-Digest", "Last-Modified",
                "Trailer" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (str_is_nocase(name, names[i]))
                        return true;
        return false;
}
