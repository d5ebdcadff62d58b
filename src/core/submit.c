/* SPDX-License-Identifier: MIT */
#include "submit.h"

#include "hsts_list.h"
#include <base/error.h>
#include <http/request_head.h>

static uint64_t timeout_of(uint64_t own_ms, uint64_t client_ns)
{
        return settings_timeout_ns(own_ms, client_ns);
}

void submit_set_limits(struct muster_request *request, const struct settings *settings)
{
        const struct muster_request_options *own = &request->options;

        request->limits = (struct request_limits){
                .queue_timeout_ns = timeout_of(own->queue_timeout_ms, settings->queue_timeout_ns),
                .connect_timeout_ns =
                        timeout_of(own->connect_timeout_ms, settings->connect_timeout_ns),
                .read_timeout_ns = timeout_of(own->read_timeout_ms, settings->read_timeout_ns),
                .total_timeout_ns = timeout_of(own->total_timeout_ms, settings->total_timeout_ns),
                .deadline_ns = timeout_of(own->deadline_ms, settings->deadline_ns),
                .max_body_bytes =
                        own->max_body_bytes ? own->max_body_bytes : settings->max_body_bytes,
                .max_retries = own->max_retries ? own->max_retries : settings->max_retries,
                .retry_unsafe = own->retry_unsafe || settings->retry_unsafe,
                .no_redirects = own->no_redirects || settings->no_redirects,
                .no_decoding = own->no_decoding || settings->no_decoding,
                .discard_body = own->discard_body || settings->discard_body,
                .fail_on_status = own->fail_on_status || settings->fail_on_status,
                .fail_with_body = own->fail_with_body || settings->fail_with_body,
                .http_1_0 = own->http_1_0 || settings->http_1_0,
                .no_reuse = settings->no_reuse,
                .http = own->http ? own->http : settings->http,
        };
        if (own->no_retries)
                request->limits.max_retries = 0;
        if (request->limits.http == MUSTER_HTTP_1_0)
                request->limits.http_1_0 = true;
}

/* Remember a URL for its origin, unless it has a password: that is not kept. */
static void note_recent_url(struct engine *engine, const struct url *url)
{
        struct url *recent = &engine->recent_url;

        if (url->user.len || url->password.len ||
                (recent->text.len && url_same_origin(url, recent)))
                return;
        (void)url_copy(recent, url); /* without memory it is empty: no loss */
}

/* The URL that was asked for; or the same of https, where the host wants that. */
static int set_url(struct muster_request *request, struct muster_error *error)
{
        struct engine *engine = request->engine;
        struct muster_hsts *hsts = engine->settings->hsts;
        int r = url_parse_near(&request->url, buf_str(&request->asked_url), &engine->recent_url,
                error);

        if (r == 0)
                note_recent_url(engine, &request->url);
        if (r == 0 && hsts && hsts_list_upgrade(hsts, &request->url) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return r;
}

int submit_check(struct muster_request *request, struct muster_error *error)
{
        struct muster_str method = request_asked_method(request);

        if (!field_is_token(method))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: \"%.*s\" is not a valid method", STR_ARGS(method));
        if (str_is(method, "CONNECT"))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: CONNECT opens a tunnel, which muster does not support");
        if (str_is(method, "TRACE") && request_sends_body(request))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: TRACE has no body (RFC 9110 section 9.3.8)");
        if (!settings_is_http(request->options.http))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: http %u is none of enum muster_http", request->options.http);
        if (request->options.stream) {
                if (request->process || request->sink.kind != SINK_MEMORY)
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "invalid: a request with stream cannot have a process function or a sink");
                request->sink.kind = SINK_STREAM;
        }
        return set_url(request, error);
}
