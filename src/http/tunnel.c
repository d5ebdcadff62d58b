/* SPDX-License-Identifier: MIT */
#include "tunnel_internal.h"

#include <assert.h>
#include <base/error.h>

static const char *name_of(const struct tunnel *tunnel)
{
        return tunnel->plan.proxy->name.at;
}

int tunnel_refused(struct tunnel *tunnel, bool is_final, const char *why,
        struct muster_error *error)
{
        struct muster_str target = str_first(buf_str(&tunnel->target), 100);

        assert(tunnel->state != TUNNEL_IS_OPEN);
        tunnel->state = TUNNEL_IS_REFUSED;
        tunnel->is_final = is_final;
        return error_set(error, MUSTER_E_PROXY, MUSTER_PHASE_TUNNEL, 0,
                "proxy: %.100s refused the tunnel to %.*s: %s", name_of(tunnel), STR_ARGS(target),
                why);
}

int tunnel_broken(struct tunnel *tunnel, const char *why, struct muster_error *error)
{
        assert(tunnel->state != TUNNEL_IS_OPEN);
        tunnel->state = TUNNEL_IS_REFUSED;
        return error_set(error, MUSTER_E_PROXY, MUSTER_PHASE_TUNNEL, 0, "proxy: %.100s: %s",
                name_of(tunnel), why);
}

static int add_target(struct tunnel *tunnel)
{
        const struct tunnel_plan *plan = &tunnel->plan;
        bool is_ipv6 = str_has_char(plan->host, ':');
        struct buf *to = &tunnel->target;

        if ((is_ipv6 && buf_add_char(to, '[') < 0) || buf_add_str(to, plan->host) < 0 ||
                buf_add_text(to, is_ipv6 ? "]:" : ":") < 0 || buf_add_u64(to, plan->port) < 0)
                return MUSTER_E_RESOURCE;
        return buf_terminate(to);
}

int tunnel_begin(struct tunnel *tunnel, const struct tunnel_plan *borrow_plan,
        struct muster_error *error)
{
        int r;

        assert(borrow_plan->proxy && borrow_plan->host.len);
        *tunnel = (struct tunnel){ .plan = *borrow_plan };
        r = add_target(tunnel);
        if (r == 0)
                r = proxy_speaks_http(tunnel->plan.proxy) ? tunnel_connect_begin(tunnel, error)
                                                          : tunnel_socks_begin(tunnel, error);
        return r == MUSTER_E_RESOURCE ? error_set_memory(error, MUSTER_PHASE_TUNNEL) : r;
}

void tunnel_deinit(struct tunnel *tunnel)
{
        struct buf *bufs[] = { &tunnel->out, &tunnel->target, &tunnel->kept };

        /* The password was in there. */
        if (tunnel->out.at)
                memset(tunnel->out.at, 0, tunnel->out.size);
        for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
                buf_deinit(bufs[i]);
        h1_read_deinit(&tunnel->reader);
        *tunnel = (struct tunnel){ 0 };
}

int tunnel_read(struct tunnel *tunnel, struct h1_scratch *scratch, struct muster_str *in,
        struct muster_error *error)
{
        int r = 0;

        switch (tunnel->state) {
        case TUNNEL_AT_HEAD:
        case TUNNEL_AT_BODY:
                r = tunnel_connect_read(tunnel, scratch, in, error);
                break;
        case TUNNEL_AT_METHOD:
        case TUNNEL_AT_LOGIN:
        case TUNNEL_AT_REPLY_5:
        case TUNNEL_AT_REPLY_4:
                r = tunnel_socks_read(tunnel, in, error);
                break;
        case TUNNEL_IS_OPEN:
                return 0;
        case TUNNEL_IS_REFUSED:
                return tunnel_broken(tunnel, "it sent more after it had refused", error);
        }
        assert(r != TUNNEL_MORE || in->len == 0);
        return r == MUSTER_E_RESOURCE ? error_set_memory(error, MUSTER_PHASE_TUNNEL) : r;
}

int tunnel_read_eof(struct tunnel *tunnel, struct muster_error *error)
{
        if (tunnel->state == TUNNEL_AT_BODY)
                return TUNNEL_AGAIN;
        return tunnel_refused(tunnel, false,
                tunnel->kept.len || h1_read_has_begun(&tunnel->reader)
                        ? "it closed the connection in the middle of its answer"
                        : "it closed the connection without an answer",
                error);
}
