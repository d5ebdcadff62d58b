/* SPDX-License-Identifier: MIT */
/* Behaviours that answer what the client sent: echo, uploads, credentials, cookies */
#include "document.h"
#include "listener.h"
#include "route.h"

#include <http/url_encode.h>
#include <openssl/evp.h>
#include <stdio.h>

/* Begin a JSON text; what follows adds to it. */
static struct buf *begin_json(struct call *call)
{
        plan_say(call->plan, 200, "%s", "");
        call->plan->type = "application/json";
        return &call->plan->text;
}

/* --- echo and uploads: the peer adds what the body is (peer.c) ------------------------------- */

static int add_member(struct buf *to, const char *name, struct muster_str value)
{
        int r = document_add_string(to, str_of(name));

        if (r == 0)
                r = buf_add_char(to, ':');
        return r == 0 ? document_add_string(to, value) : r;
}

static void plan_echo(struct call *call)
{
        const struct request *request = call->request;
        struct buf *text = begin_json(call);
        int r = buf_add_char(text, '{');

        if (r == 0)
                r = add_member(text, "method", request->method);
        if (r == 0)
                r = buf_add_char(text, ',');
        if (r == 0)
                r = add_member(text, "target", request->target);
        if (r == 0)
                r = buf_add_text(text, ",\"headers\":[");
        for (size_t i = 0; i < request->fields.n && r == 0; i++) {
                r = buf_add_text(text, i ? ",[" : "[");
                if (r == 0)
                        r = document_add_string(text, field_name(&request->fields, i));
                if (r == 0)
                        r = buf_add_char(text, ',');
                if (r == 0)
                        r = document_add_string(text, field_value(&request->fields, i));
                if (r == 0)
                        r = buf_add_char(text, ']');
        }
        if (r == 0)
                r = buf_add_char(text, ']');
        call->plan->upload = PLAN_ECHOES;
}

static void plan_upload(struct call *call)
{
        (void)buf_add_char(begin_json(call), '{');
        call->plan->upload = PLAN_COUNTS;
}

/* --- credentials ----------------------------------------------------------------------------- */

static void demand(struct call *call, const char *challenge)
{
        plan_say(call->plan, 401, "credentials, please\n");
        plan_add_field(call->plan, "WWW-Authenticate", str_of(challenge));
}

/* The part of Authorization after the scheme; at NULL: another scheme, or no such field. */
static struct muster_str credentials(const struct call *call, const char *scheme)
{
        struct muster_str rest = fields_find(&call->request->fields, "Authorization"), word;

        if (rest.at && str_split(&rest, ' ', &word) && str_is_nocase(word, scheme))
                return str_trim(rest);
        return (struct muster_str){ NULL, 0 };
}

/* Is it base64 of "user:password"? */
static bool is_basic(struct muster_str sent, struct muster_str user, struct muster_str password)
{
        char expected[400], encoded[600];
        int n = snprintf(expected, sizeof(expected), "%.*s:%.*s", STR_ARGS(user),
                STR_ARGS(password));

        if (n >= (int)sizeof(expected))
                return false;
        EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)expected, n);
        return sent.at && str_is(sent, encoded);
}

static void plan_basic(struct call *call)
{
        struct muster_str user, password;
        struct buf decoded_user = { 0 }, decoded_password = { 0 };

        if (!call_take(call, &user))
                user = str_of("user");
        if (!call_take(call, &password))
                password = str_of("password");
        if (url_add_decoded(user, &decoded_user) == 0 &&
                url_add_decoded(password, &decoded_password) == 0 &&
                is_basic(credentials(call, "basic"), buf_str(&decoded_user),
                        buf_str(&decoded_password)))
                plan_say(call->plan, 200, "welcome\n");
        else
                demand(call, "Basic realm=\"lab\"");
        buf_deinit(&decoded_user);
        buf_deinit(&decoded_password);
}

static void plan_bearer(struct call *call)
{
        struct muster_str sent = credentials(call, "bearer"), token;
        bool has_token = call_take(call, &token);

        if (sent.len && (!has_token || str_eq(sent, token)))
                plan_say(call->plan, 200, "welcome\n");
        else
                demand(call, "Bearer realm=\"lab\"");
}

/* --- cookies (RFC 6265) ---------------------------------------------------------------------- */

static void set_cookies(struct call *call)
{
        struct muster_str rest = call->query, pair;

        plan_say(call->plan, 302, "/cookies\n");
        plan_add_field(call->plan, "Location", str_of("/cookies"));
        while (rest.len && str_split(&rest, '&', &pair)) {
                struct buf cookie = { 0 };

                if (pair.len && buf_add_str(&cookie, pair) == 0 &&
                        buf_add_text(&cookie, "; Path=/") == 0)
                        plan_add_field(call->plan, "Set-Cookie", buf_str(&cookie));
                buf_deinit(&cookie);
        }
}

static void plan_cookies(struct call *call)
{
        struct muster_str arg, rest = fields_find(&call->request->fields, "Cookie"), pair;
        struct buf *text;
        bool is_first = true;
        int r;

        if (call_take(call, &arg) && str_is(arg, "set")) {
                set_cookies(call);
                return;
        }
        text = begin_json(call);
        r = buf_add_char(text, '{');
        while (r == 0 && rest.len && str_split(&rest, ';', &pair)) {
                struct muster_str value = str_trim(pair), name;

                if (!str_split(&value, '=', &name))
                        continue;
                r = is_first ? 0 : buf_add_char(text, ',');
                is_first = false;
                if (r == 0)
                        r = document_add_string(text, name);
                if (r == 0)
                        r = buf_add_char(text, ':');
                if (r == 0)
                        r = document_add_string(text, value);
        }
        if (r == 0)
                (void)buf_add_text(text, "}\n");
}

const struct route routes_client[] = {
        { "echo", "", "the request as JSON: method, target, headers, body", plan_echo, NULL },
        { "upload", "", "the size and the CRC-32 of the request's body", plan_upload, NULL },
        { "basic", "USER/PASSWORD", "requires Basic authentication (user/password)", plan_basic,
                NULL },
        { "bearer", "TOKEN", "requires this bearer token, or any", plan_bearer, NULL },
        { "cookies", "", "the received cookies; /cookies/set?name=value sets some", plan_cookies,
                "*" },
        { 0 },
};
