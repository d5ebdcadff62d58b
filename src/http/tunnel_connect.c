/* SPDX-License-Identifier: MIT */
/*
 * Tunnels by HTTP's CONNECT
 */
#include "tunnel_internal.h"

#include <assert.h>
#include <stdio.h>

#define ASKED_MAX     3           /* without credentials, with them, and with a fresh nonce */
#define BODY_DROP_MAX (64 * 1024) /* of a 407: dialling anew is cheaper than to read more */

/* --- asking ---------------------------------------------------------------------------------- */

static struct muster_str name_in(const char *line)
{
        return (struct muster_str){ line, strcspn(line, ":") };
}

static bool is_given(const struct tunnel_plan *plan, const char *name)
{
        for (const char *const *line = plan->fields; line && *line; line++)
                if (str_is_nocase(name_in(*line), name))
                        return true;
        return false;
}

/* A field of ours, unless the caller has one of that name. */
static int add_default(struct tunnel *tunnel, const char *name, struct muster_str value)
{
        struct buf *to = &tunnel->out;

        if (!value.len || is_given(&tunnel->plan, name))
                return 0;
        if (buf_add_text(to, name) < 0 || buf_add_text(to, ": ") < 0 || buf_add_str(to, value) < 0)
                return MUSTER_E_RESOURCE;
        return buf_add_text(to, "\r\n");
}

/* "Name:" without a value only keeps ours from being sent. */
static int add_given(struct tunnel *tunnel)
{
        int r = 0;

        for (const char *const *line = tunnel->plan.fields; r == 0 && line && *line; line++) {
                const char *value = *line + strcspn(*line, ":");

                if (!str_trim(str_of(*value ? value + 1 : value)).len)
                        continue;
                r = buf_add_text(&tunnel->out, *line);
                if (r == 0)
                        r = buf_add_text(&tunnel->out, "\r\n");
        }
        return r;
}

static int add_credentials(struct tunnel *tunnel)
{
        struct buf value = { 0 };
        int r = 0;

        if (tunnel->plan.auth)
                r = proxy_auth_add(tunnel->plan.auth, str_of("CONNECT"), buf_str(&tunnel->target),
                        &value);
        tunnel->had_credentials = value.len > 0;
        if (r == 0)
                r = add_default(tunnel, "Proxy-Authorization", buf_str(&value));
        if (value.at)
                memset(value.at, 0, value.size);
        buf_deinit(&value);
        return r;
}

static int ask(struct tunnel *tunnel)
{
        struct muster_str target = buf_str(&tunnel->target);
        struct buf *to = &tunnel->out;

        assert(tunnel->n_asked < ASKED_MAX);
        tunnel->state = TUNNEL_AT_HEAD;
        tunnel->n_asked++;
        tunnel->dropped_bytes = 0;
        h1_read_begin(&tunnel->reader, false, 0);
        tunnel->reader.is_connect = true;
        if (buf_add_text(to, "CONNECT ") < 0 || buf_add_str(to, target) < 0 ||
                buf_add_text(to, " HTTP/1.1\r\n") < 0 || add_default(tunnel, "Host", target) < 0 ||
                add_credentials(tunnel) < 0 ||
                add_default(tunnel, "User-Agent", tunnel->plan.user_agent) < 0 ||
                add_default(tunnel, "Proxy-Connection", str_of("Keep-Alive")) < 0 ||
                add_given(tunnel) < 0)
                return MUSTER_E_RESOURCE;
        return buf_add_text(to, "\r\n");
}

int tunnel_connect_begin(struct tunnel *tunnel, struct muster_error *error)
{
        (void)error;
        return ask(tunnel);
}

/* --- the answer ------------------------------------------------------------------------------ */

/*
 * Does the status say something about the proxy's own rules? Others tell of trouble on the way to
 * the host, which may pass.
 */
static bool is_final(int status)
{
        return status < 500 && status != 408 && status != 425 && status != 429;
}

static int refuse(struct tunnel *tunnel, const struct http_head *head, const char *advice,
        struct muster_error *error)
{
        struct muster_str reason = str_first(str_trim(head->reason), 60);
        char why[240];

        snprintf(why, sizeof(why), "%d%s%.*s%s%s", head->status, reason.len ? " " : "",
                STR_ARGS(reason), advice ? "; " : "", advice ? advice : "");
        return tunnel_refused(tunnel, is_final(head->status), why, error);
}

static int read_challenge(struct tunnel *tunnel, const struct http_head *head,
        struct muster_error *error)
{
        const char *why = "give user name and password with --proxy-user";
        int r = PROXY_AUTH_REFUSED;

        if (tunnel->plan.auth)
                r = proxy_auth_challenged(tunnel->plan.auth, &head->fields, tunnel->had_credentials,
                        tunnel->plan.cnonce, &why);
        if (r < 0)
                return r;
        if (r == PROXY_AUTH_REFUSED || tunnel->n_asked == ASKED_MAX)
                return refuse(tunnel, head, why, error);
        if (!head->keeps_alive)
                return TUNNEL_AGAIN;
        tunnel->state = TUNNEL_AT_BODY;
        return 0;
}

static int read_head(struct tunnel *tunnel, const struct http_head *head,
        struct muster_error *error)
{
        assert(tunnel->state == TUNNEL_AT_HEAD);
        if (head->status == 407)
                return read_challenge(tunnel, head, error);
        if (head->status >= 300)
                return refuse(tunnel, head, NULL, error);
        /* Whatever the fields say, a 2xx has no body (RFC 9110 section 9.3.6). */
        tunnel->state = TUNNEL_IS_OPEN;
        return 0;
}

/* The answer is no HTTP: say so, with what the reader says behind its code. */
static int no_http(struct tunnel *tunnel, const struct muster_error *why,
        struct muster_error *error)
{
        const char *colon = strchr(why->text, ':');
        char text[200];

        snprintf(text, sizeof(text), "not a valid answer to CONNECT:%.150s",
                colon ? colon + 1 : " it cannot be read");
        return tunnel_broken(tunnel, text, error);
}

static int read_event(struct tunnel *tunnel, const struct http_event *event,
        struct muster_error *error)
{
        switch (event->kind) {
        case HTTP_INTERIM:
                return 0;
        case HTTP_HEAD:
                return read_head(tunnel, &event->head, error);
        case HTTP_BODY:
                tunnel->dropped_bytes += event->body.len;
                return tunnel->dropped_bytes > BODY_DROP_MAX ? TUNNEL_AGAIN : 0;
        case HTTP_DONE:
                return ask(tunnel);
        }
        return MUSTER_E_INTERNAL;
}

int tunnel_connect_read(struct tunnel *tunnel, struct h1_scratch *scratch, struct muster_str *in,
        struct muster_error *error)
{
        struct muster_error why = { 0 };
        struct http_event event;
        int r;

        do {
                r = h1_read_next(&tunnel->reader, scratch, in, &event, &why);
                if (r == H1_MORE)
                        return TUNNEL_MORE;
                if (r == MUSTER_E_RESOURCE)
                        return r;
                r = r < 0 ? no_http(tunnel, &why, error) : read_event(tunnel, &event, error);
        } while (r == 0 && tunnel->state != TUNNEL_IS_OPEN);
        return r;
}
