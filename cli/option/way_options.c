/* SPDX-License-Identifier: MIT */
#include "way_options.h"

#include "header_options.h"
#include <base/error.h>
#include <base/mem.h>
#include <base/str.h>
#include <stddef.h>
#include <stdio.h>

static struct request_options *of(void *settings)
{
        return settings;
}

static int refuse_value(struct muster_error *error, const char *what, const char *value)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%s\" %s", value, what);
}

/* --- setters --------------------------------------------------------------------------------- */

static int set_listed(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        return texts_add((struct texts *)(void *)((char *)settings + option->offset), value, error);
}

/* --socks5 HOST is --proxy socks5://HOST; the last of these options counts. */
static int set_socks(void *settings, const char *scheme, const char *value,
        struct muster_error *error)
{
        struct request_options *options = of(settings);
        struct buf text = { 0 };

        if (buf_add_text(&text, scheme) < 0 || buf_add_text(&text, "://") < 0 ||
                buf_add_text(&text, value) < 0 || buf_terminate(&text) < 0) {
                buf_deinit(&text);
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        }
        buf_deinit(&options->socks);
        options->socks = text;
        options->client.proxy = text.at;
        return 0;
}

static int set_socks4(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        return set_socks(settings, "socks4", value, error);
}

static int set_socks4a(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        return set_socks(settings, "socks4a", value, error);
}

static int set_socks5(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        return set_socks(settings, "socks5", value, error);
}

static int set_socks5h(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        return set_socks(settings, "socks5h", value, error);
}

static int set_proxy_user(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        char *copy; /* the argument itself is made unreadable, as others can see it */

        (void)option;
        if (!strchr(value, ':'))
                return refuse_value(error, "has no password; write USER:PASSWORD", value);
        copy = mem_strdup(value);
        if (!copy || request_options_keep(settings, copy) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        of(settings)->client.proxy_user = copy;
        return 0;
}

static int set_basic(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        of(settings)->client.proxy_auth = MUSTER_AUTH_BASIC;
        return 0;
}

static int set_digest(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        of(settings)->client.proxy_auth = MUSTER_AUTH_DIGEST;
        return 0;
}

static int set_any_auth(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        of(settings)->client.proxy_auth = MUSTER_AUTH_ANY;
        return 0;
}

static int set_ipv4(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        of(settings)->client.ip_version = 4;
        return 0;
}

static int set_ipv6(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        of(settings)->client.ip_version = 6;
        return 0;
}

/* The last of --unix-socket and --abstract-unix-socket counts. */
static int set_unix(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        of(settings)->client.unix_socket = of(settings)->client.abstract_unix_socket = NULL;
        return option_set_text(settings, option, value, error);
}

static int add_header(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct texts *headers = &of(settings)->proxy_headers;

        (void)option;
        if (value[0] == '@')
                return header_options_add_lines(of(settings), &of(settings)->proxy_headers,
                        value + 1, error);
        if (!strchr(value, ':'))
                return refuse_value(error, "is not \"Name: value\" or \"Name:\" (not sent)", value);
        return texts_add(headers, value, error);
}

/* --- the table ------------------------------------------------------------------------------- */

#define CLIENT(member) offsetof(struct request_options, client.member)
#define OWN(member)    offsetof(struct request_options, member)

const struct option way_option_table[] = {
        { "Proxies (also from http_proxy, https_proxy, all_proxy and no_proxy, as curl)", 'x',
                "proxy", "[SCHEME://]HOST[:PORT]",
                "http, https, socks4, socks4a, socks5 or socks5h proxy; port 1080; \"\" is none",
                option_set_text, CLIENT(proxy) },
        { NULL, 'U', "proxy-user", "USER:PASSWORD", "for the proxy, and nobody else",
                set_proxy_user, 0 },
        { NULL, 0, "noproxy", "LIST",
                "hosts reached without: domains, addresses, 10.0.0.0/8; \"*\" is all",
                option_set_text, CLIENT(no_proxy) },
        { NULL, 'p', "proxytunnel", NULL, "tunnel through an HTTP proxy for http URLs, too",
                option_set_flag, CLIENT(proxy_tunnel) },
        { NULL, 0, "proxy-header", "LINE", "header field for HTTP proxies only, or @FILE",
                add_header, 0 },
        { NULL, 0, "proxy-basic", NULL, "Basic authentication at the proxy (default)", set_basic,
                0 },
        { NULL, 0, "proxy-digest", NULL, "Digest authentication at the proxy", set_digest, 0 },
        { NULL, 0, "proxy-anyauth", NULL, "whichever of these the proxy asks for", set_any_auth,
                0 },
        { NULL, 0, "socks4", "HOST[:PORT]", "the same as --proxy socks4://HOST", set_socks4, 0 },
        { NULL, 0, "socks4a", "HOST[:PORT]", "the proxy looks up the names", set_socks4a, 0 },
        { NULL, 0, "socks5", "HOST[:PORT]", "the same as --proxy socks5://HOST", set_socks5, 0 },
        { NULL, 0, "socks5-hostname", "HOST[:PORT]", "the proxy looks up the names", set_socks5h,
                0 },
        { NULL, 0, "proxy-cacert", "FILE", "trust these CA certificates (PEM) for an https proxy",
                option_set_text, CLIENT(proxy_ca_file) },
        { NULL, 0, "proxy-cert", "FILE", "client certificate for an https proxy (PEM)",
                option_set_text, CLIENT(proxy_client_cert_file) },
        { NULL, 0, "proxy-key", "FILE", "its key (PEM), if not in the same file", option_set_text,
                CLIENT(proxy_client_key_file) },
        { NULL, 0, "proxy-insecure", NULL, "do not verify the certificate of an https proxy",
                option_set_flag, CLIENT(proxy_insecure_no_verify) },

        { "Other ways", '4', "ipv4", NULL, "use IPv4 addresses only", set_ipv4, 0 },
        { NULL, '6', "ipv6", NULL, "use IPv6 addresses only", set_ipv6, 0 },
        { NULL, 0, "interface", "NAME", "connect from this interface, address or host name",
                option_set_text, CLIENT(interface) },
        { NULL, 0, "local-port", "PORT[-PORT]", "connect from one of these ports", option_set_text,
                CLIENT(local_port) },
        { NULL, 0, "unix-socket", "PATH", "connect to this socket instead of any host", set_unix,
                CLIENT(unix_socket) },
        { NULL, 0, "abstract-unix-socket", "NAME", "the same in the abstract namespace", set_unix,
                CLIENT(abstract_unix_socket) },
        { NULL, 0, "connect-to", "HOST:PORT:HOST:PORT",
                "connect to the second host and port for the first; each may be empty", set_listed,
                OWN(connect_to) },
        { 0 },
};

/* --- settled --------------------------------------------------------------------------------- */

void way_options_finish(struct request_options *options)
{
        options->client.proxy_from_environment = true;
        options->client.proxy_headers = options->proxy_headers.list;
        options->client.connect_to = options->connect_to.list;
}

void way_options_warn(const struct request_options *options)
{
        if (options->client.proxy_insecure_no_verify)
                fprintf(stderr,
                        "muster: WARNING: --proxy-insecure: the proxy's certificate is not verified, anyone on the path can be the proxy\n");
}

void way_options_deinit(struct request_options *options)
{
        mem_free(options->proxy_headers.list);
        mem_free(options->connect_to.list);
        buf_deinit(&options->socks);
}
