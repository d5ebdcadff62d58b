/* SPDX-License-Identifier: MIT */
#include "heads.h"

#include "attempt_head.h"
#include "conn.h"
#include "engine.h"
#include "request.h"
#include <assert.h>
#include <http/redirect.h>
#include <stdio.h>
#include <string.h>

static bool are_kept(const struct muster_request *request)
{
        return request->engine->settings->keep_heads && request->result.heads.len < HEADS_BYTES_MAX;
}

/* Keep what was added if all of it was, always terminated. */
static void settle(struct buf *heads, size_t before, int r)
{
        if (r < 0)
                heads->len = before;
        (void)buf_terminate(heads);
}

/* The text up to a character and with it; nothing if it has none. */
static struct muster_str up_to(struct muster_str text, char c)
{
        const char *at = text.len ? memchr(text.at, c, text.len) : NULL;

        return str_first(text, at ? (size_t)(at - text.at) + 1 : 0);
}

/* What is shown of a secret is its kind, "Basic" or "Bearer"; of a cookie that is set its name. */
static struct muster_str without_secret(const struct muster_request *request,
        struct muster_str name, struct muster_str value)
{
        if (str_is_nocase(name, "Set-Cookie"))
                return up_to(value, '=');
        if (str_is_nocase(name, "Cookie"))
                return str_first(value, 0);
        if (request_is_secret(request, name))
                return str_first(value, 0);
        return redirect_is_credential_field(name) ? up_to(value, ' ') : value;
}

static int add_field(struct muster_request *request, const char *mark, struct muster_str name,
        struct muster_str value)
{
        struct muster_str shown = without_secret(request, name, value);
        struct buf *to = &request->result.heads;
        int r = buf_add_text(to, mark);

        if (r == 0)
                r = buf_add_str(to, name);
        if (r == 0)
                r = buf_add_text(to, ": ");
        if (r == 0)
                r = buf_add_str(to, shown);
        if (r == 0 && shown.len != value.len)
                r = buf_add_text(to, "[not shown]");
        return r < 0 ? r : buf_add_char(to, '\n');
}

static int add_sent_field(void *request, struct muster_str name, struct muster_str value)
{
        return add_field(request, "> ", name, value);
}

static const char *version_name(int version)
{
        return version == 20 ? "HTTP/2" : version == 10 ? "HTTP/1.0" : "HTTP/1.1";
}

static int add_attempt_line(struct buf *to, const struct muster_request *request)
{
        const struct conn *conn = request->exchange.conn;
        char line[400];

        snprintf(line, sizeof(line), "* attempt %u on %s connection %llu to %s%s%s%s%s%s\n",
                request->result.n_attempts + 1, request->exchange.reuse_count ? "reused" : "new",
                (unsigned long long)conn->info.id, conn->info.remote,
                conn->info.proxy[0] ? ", proxy " : "", conn->info.proxy,
                conn->info.tls_version[0] ? ", " : "", conn->info.tls_version,
                conn->info.tls_resumed ? " (resumed)" : "");
        return buf_add_text(to, line);
}

static int add_request_line(struct buf *to, const struct http_request *head,
        const struct muster_request *request)
{
        int version = conn_is_h2(request->exchange.conn) ? 20 : request->limits.http_1_0 ? 10 : 11;
        int r = buf_add_text(to, "> ");

        if (r == 0)
                r = buf_add_str(to, head->method);
        if (r == 0)
                r = buf_add_char(to, ' ');
        if (r == 0)
                r = head->to_proxy ? url_add_public(head->url, to)
                                   : buf_add_str(to, url_part(head->url, head->url->target));
        if (r == 0)
                r = buf_add_char(to, ' ');
        if (r == 0)
                r = buf_add_text(to, version_name(version));
        return r < 0 ? r : buf_add_char(to, '\n');
}

void heads_note_sent(struct muster_request *request)
{
        struct buf *heads = &request->result.heads;
        struct attempt_head head;
        size_t before = heads->len;
        int r;

        assert(request->exchange.conn);
        if (!are_kept(request))
                return;
        r = attempt_head_init(&head, request);
        if (r == 0)
                r = add_attempt_line(heads, request);
        if (r == 0)
                r = add_request_line(heads, &head.http, request);
        if (r == 0)
                r = request_head_fields(&head.http, add_sent_field, request);
        settle(heads, before, r);
        attempt_head_deinit(&head);
}

void heads_note_received(struct muster_request *request, const struct http_head *head)
{
        struct buf *heads = &request->result.heads;
        size_t before = heads->len;
        char line[40];
        int r;

        if (!are_kept(request))
                return;
        snprintf(line, sizeof(line), "< %s %d ", version_name(head->version), head->status);
        r = buf_add_text(heads, line);
        if (r == 0)
                r = buf_add_str(heads, head->reason);
        if (r == 0)
                r = buf_add_char(heads, '\n');
        for (size_t i = 0; r == 0 && i < head->fields.n; i++)
                r = add_field(request, "< ", field_name(&head->fields, i),
                        field_value(&head->fields, i));
        settle(heads, before, r);
}
