/* SPDX-License-Identifier: MIT */
#include "attempt_head.h"

#include "engine.h"
#include "jar.h"
#include <assert.h>
#include <http/decode.h>
#include <http/redirect.h>

static struct http_request_field given_field(const struct muster_request *request, size_t i)
{
        const struct request_field *field =
                &((const struct request_field *)(const void *)request->fields.at)[i];
        const char *text = request->text.at;

        return (struct http_request_field){
                .name = { text + field->name_at, field->name_len },
                .value = { field->is_removed ? NULL : text + field->value_at, field->value_len },
        };
}

/* --- of another origin ----------------------------------------------------------------------- */

/* Has a redirect led to an origin that gets only what nobody gave? */
static bool is_away(const struct muster_request *request)
{
        return request->has_left_origin && !request->engine->settings->credentials_to_any_origin;
}

/* A field that is not to be sent at all is no secret. */
static bool stays_home(const struct muster_request *request, size_t i)
{
        struct http_request_field field = given_field(request, i);

        return is_away(request) && field.value.at &&
               (!redirect_may_leave(field.name) || request_is_secret(request, field.name));
}

static size_t n_given(const struct muster_request *request)
{
        return request->fields.len / sizeof(struct request_field);
}

int attempt_head_add_left_behind(const struct muster_request *request, struct buf *to)
{
        const char *separator = "";
        int r = 0;

        for (size_t i = 0; r == 0 && i < n_given(request); i++) {
                if (!stays_home(request, i))
                        continue;
                r = buf_add_text(to, separator);
                if (r == 0)
                        r = buf_add_str(to, given_field(request, i).name);
                separator = ", ";
        }
        if (r == 0 && is_away(request) && request->auth.kind != CREDENTIALS_NONE) {
                r = buf_add_text(to, separator);
                if (r == 0)
                        r = buf_add_text(to, request->auth.kind == CREDENTIALS_BEARER
                                                     ? "the token"
                                                     : "user name and password");
        }
        return r;
}

/* --- cookies --------------------------------------------------------------------------------- */

/*
 * Take the caller's Cookie fields out of the head and append them to `own` as one. False: the
 * caller wants no cookies to be sent.
 */
static int take_own_cookies(struct attempt_head *head, struct buf *own, bool *ret_is_wanted)
{
        size_t n = 0;
        int r = 0;

        *ret_is_wanted = true;
        for (size_t i = 0; r == 0 && i < head->http.n_fields; i++) {
                struct http_request_field field = head->fields[i];

                if (!str_is_nocase(field.name, "Cookie")) {
                        head->fields[n++] = field;
                        continue;
                }
                *ret_is_wanted &= field.value.at != NULL;
                if (own->len && field.value.len)
                        r = buf_add(own, "; ", 2);
                if (r == 0)
                        r = buf_add_str(own, field.value);
        }
        head->http.n_fields = n;
        return r;
}

/*
 * One Cookie field (RFC 6265bis section 5.8.1) with those of the jar and the caller's own. The
 * latter are for the first origin only, and not among the head's fields elsewhere.
 */
static int choose_cookies(struct attempt_head *head, const struct muster_request *request)
{
        struct muster_jar *jar = request_jar(request);
        struct buf own = { 0 };
        bool is_wanted;
        int r = take_own_cookies(head, &own, &is_wanted);

        assert(!head->cookie.len);
        if (r == 0 && is_wanted)
                r = jar ? jar_get(jar, &request->url, buf_str(&own), &head->cookie)
                        : buf_add_str(&head->cookie, buf_str(&own));
        head->http.cookie = buf_str(&head->cookie);
        buf_deinit(&own);
        return r;
}

/* --- Expect ---------------------------------------------------------------------------------- */

/* The server refused it. */
static void drop_expect(struct attempt_head *head)
{
        for (size_t i = 0; i < head->http.n_fields; i++)
                if (str_is_nocase(head->fields[i].name, "Expect"))
                        head->fields[i].value = (struct muster_str){ NULL, 0 };
}

/* --- for a proxy ----------------------------------------------------------------------------- */

/* "Name: value" as a field; "Name:" keeps one of ours from being sent. */
static struct http_request_field proxy_field(const char *line)
{
        struct muster_str rest = str_of(line);
        struct http_request_field field = { 0 };

        str_split(&rest, ':', &field.name);
        rest = str_trim(rest);
        field.value = rest.len ? rest : (struct muster_str){ 0 };
        return field;
}

/* The request goes to a proxy that speaks HTTP: add what is for that. */
static int add_for_proxy(struct attempt_head *head, const struct muster_request *request)
{
        const struct route *route = &request->origin->route;
        const char **line = request->engine->settings->routes.proxy_fields;
        struct buf target = { 0 };
        int r = url_add_public(&request->url, &target);

        assert(route_asks_proxy(route));
        head->http.to_proxy = true;
        for (; line && *line; line++)
                head->fields[head->http.n_fields++] = proxy_field(*line);
        if (r == 0)
                r = proxy_auth_add(&request->engine->proxies[route->proxy_index].auth,
                        head->http.method, buf_str(&target), &head->proxy_authorization);
        head->http.proxy_authorization = buf_str(&head->proxy_authorization);
        buf_deinit(&target);
        return r;
}

int attempt_head_init(struct attempt_head *head, const struct muster_request *request)
{
        const struct settings *settings = request->engine->settings;
        bool has_upload = request_has_upload(request);
        unsigned n_cookie_fields = 0;
        const struct route *route = &request->origin->route;
        bool is_trace = str_is(request_method(request), "TRACE"); /* it is sent back as it came */
        int r = 0;

        head->cookie = head->proxy_authorization = (struct buf){ 0 };
        head->http = (struct http_request){
                .method = request_method(request),
                .url = &request->url,
                .fields = head->fields,
                .user_agent = str_of(settings->user_agent),
                .accept_encoding = str_of(request->limits.no_decoding ? "" : DECODE_ACCEPT),
                .accept = str_of(request->accept),
                .content_type = str_of(request->body_type),
                .authorization = is_trace ? str_of("") : buf_str(&request->auth.value),
                .body_bytes = has_upload ? request->upload.total_bytes : request->body.len,
                .is_chunked = has_upload && request->upload.total_bytes == MUSTER_SIZE_UNKNOWN,
                .has_body = request_sends_body(request),
                .drops_host = request->has_left_origin,
                .drops_body_fields = request->is_get_now,
                .http_1_0 = request->limits.http_1_0,
                .closes = request->limits.http_1_0 || request->limits.no_reuse,
        };
        assert(n_given(request) <= ATTEMPT_FIELDS_MAX);
        for (size_t i = 0; i < n_given(request); i++) {
                if (stays_home(request, i))
                        continue;
                head->fields[head->http.n_fields] = given_field(request, i);
                n_cookie_fields +=
                        str_is_nocase(head->fields[head->http.n_fields++].name, "Cookie");
        }
        if (expect_drops_field(&request->expect))
                drop_expect(head);
        else if (request->expect.is_sent)
                head->http.expect = str_of("100-continue");
        if ((request_jar(request) && !is_trace) || n_cookie_fields > 1)
                r = choose_cookies(head, request);
        return r == 0 && route_asks_proxy(route) ? add_for_proxy(head, request) : r;
}

void attempt_head_deinit(struct attempt_head *head)
{
        buf_deinit(&head->cookie);
        buf_deinit(&head->proxy_authorization);
}
