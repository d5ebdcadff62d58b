/* SPDX-License-Identifier: MIT */
/*
 * A client's TLS sessions, from a file and into one
 */
#include "client.h"

#include <base/error.h>
#include <base/file.h>

/* 60,000 tickets as nginx issues them; more is another file */
#define FILE_BYTES_MAX (64u * 1024 * 1024)

static int refuse(struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "invalid: no client, or no file for its TLS sessions");
}

/* The context for https proxies; NULL: none may be asked. */
/* Of servers, and of proxies: NULL where none is spoken to by TLS. */
static int get_contexts(struct muster_client *client, struct tls_context **ret_context,
        struct tls_context **ret_of_proxies, struct muster_error *error)
{
        int r = tls_source_get(&client->tls_source, ret_context, error);

        *ret_of_proxies = NULL;
        if (r == 0 && routes_have_https_proxy(&client->settings.routes))
                r = tls_source_get(&client->proxy_tls_source, ret_of_proxies, error);
        return r;
}

int muster_client_load_tls_sessions(struct muster_client *client, const char *path,
        struct muster_error *error)
{
        struct tls_context *context, *of_proxies;
        struct buf text = { 0 };
        int r;

        if (error)
                error_clear(error);
        if (!client || !path)
                return refuse(error);
        r = file_load(path, FILE_BYTES_MAX, &text, error);
        if (r == 0)
                r = get_contexts(client, &context, &of_proxies, error);
        if (r == 0)
                r = tls_context_load_sessions(context, buf_str(&text), path, error);
        if (r == 0 && of_proxies)
                r = tls_context_load_sessions(of_proxies, buf_str(&text), path, error);
        buf_deinit(&text);
        return r == FILE_NONE ? 0 : r;
}

int muster_client_save_tls_sessions(struct muster_client *client, const char *path,
        struct muster_error *error)
{
        struct tls_context *context, *of_proxies;
        struct buf text = { 0 };
        int r;

        if (error)
                error_clear(error);
        if (!client || !path)
                return refuse(error);
        r = get_contexts(client, &context, &of_proxies, error);
        if (r == 0 && tls_context_save_sessions(context, of_proxies, &text) < 0)
                r = error_set_memory(error, MUSTER_PHASE_TLS);
        if (r == 0)
                r = file_replace(path, buf_str(&text), 0600, error);
        buf_deinit(&text);
        return r;
}
