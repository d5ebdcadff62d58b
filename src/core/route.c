/* SPDX-License-Identifier: MIT */
#include "route.h"

#include "attempt_head.h"
#include "connect_to.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <http/auth.h>
#include <http/field.h>
#include <http/no_proxy.h>
#include <stdlib.h>

/* --- proxies --------------------------------------------------------------------------------- */

static int add_proxy(struct routes *routes, const char *text, const char *named, const char *user,
        int *ret_index, struct muster_error *error)
{
        struct proxy *proxy = &routes->proxies[routes->n_proxies];
        int r = proxy_parse(proxy, str_of(text), named, error);

        assert(routes->n_proxies < ROUTE_PROXIES_MAX);
        if (r == 0 && user)
                r = proxy_set_credentials(proxy, str_of(user), error);
        if (r < 0) {
                proxy_deinit(proxy);
                return r;
        }
        *ret_index = (int)routes->n_proxies++;
        return 0;
}

/* A variable of the environment; empty is as good as none, as with curl. */
static const char *variable(const char *name)
{
        const char *value = getenv(name);

        return value && *value ? value : NULL;
}

/*
 * The first of these variables that is there. HTTP_PROXY in upper case is not among them: in a CGI
 * program it is a header field of whoever sent the request.
 */
static int add_from(struct routes *routes, const char *const *names, const char *user,
        int *ret_index, struct muster_error *error)
{
        for (; *names; names++)
                if (variable(*names))
                        return add_proxy(routes, variable(*names), *names, user, ret_index, error);
        return 0;
}

static int read_environment(struct routes *routes, const char *user, struct muster_error *error)
{
        static const char *const http[] = { "http_proxy", NULL };
        static const char *const https[] = { "https_proxy", "HTTPS_PROXY", NULL };
        static const char *const all[] = { "all_proxy", "ALL_PROXY", NULL };
        int for_all = -1;
        int r = add_from(routes, http, user, &routes->for_http, error);

        if (r == 0)
                r = add_from(routes, https, user, &routes->for_https, error);
        if (r == 0 && (routes->for_http < 0 || routes->for_https < 0))
                r = add_from(routes, all, user, &for_all, error);
        if (routes->for_http < 0)
                routes->for_http = for_all;
        if (routes->for_https < 0)
                routes->for_https = for_all;
        return r;
}

static int choose_proxies(struct routes *routes, const struct muster_client_options *options,
        struct muster_error *error)
{
        int r = 0;

        if (options->proxy && *options->proxy) {
                r = add_proxy(routes, options->proxy, "--proxy", options->proxy_user,
                        &routes->for_http, error);
                routes->for_https = routes->for_http;
        } else if (!options->proxy && options->proxy_from_environment) {
                r = read_environment(routes, options->proxy_user, error);
        }
        return r;
}

static int copy_no_proxy(struct routes *routes, const struct muster_client_options *options)
{
        const char *list = options->no_proxy;

        if (!list && options->proxy_from_environment)
                list = variable("no_proxy") ? variable("no_proxy") : variable("NO_PROXY");
        if (!list)
                return 0;
        routes->no_proxy = mem_strdup(list);
        return routes->no_proxy ? 0 : MUSTER_E_RESOURCE;
}

/* --- header fields for proxies --------------------------------------------------------------- */

static int check_field(const char *line, struct muster_error *error)
{
        struct muster_str rest = str_of(line), name;

        str_split(&rest, ':', &name);
        if (!rest.at || !field_is_token(name) || !field_is_value(rest))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: the proxy header \"%.*s\" is not \"Name: value\"",
                        STR_ARGS(str_first(name, 40)));
        if (str_is_nocase(name, "Content-Length") || str_is_nocase(name, "Transfer-Encoding") ||
                str_is_nocase(name, "Connection"))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: muster sets this header field itself, it cannot be given: %.*s",
                        STR_ARGS(name));
        return 0;
}

static int copy_fields(struct routes *routes, const char *const *lines, struct muster_error *error)
{
        size_t n = 0;

        while (lines && lines[n])
                n++;
        if (!n)
                return 0;
        if (n > ATTEMPT_PROXY_FIELDS_MAX)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: more than %d header fields for the proxy",
                        ATTEMPT_PROXY_FIELDS_MAX);
        routes->proxy_fields = mem_array(n + 1, sizeof(*routes->proxy_fields));
        for (size_t i = 0; routes->proxy_fields && i < n; i++) {
                int r = check_field(lines[i], error);

                if (r < 0)
                        return r;
                routes->proxy_fields[i] = mem_strdup(lines[i]);
                if (!routes->proxy_fields[i])
                        return MUSTER_E_RESOURCE;
        }
        return routes->proxy_fields ? 0 : MUSTER_E_RESOURCE;
}

/* --- all of it ------------------------------------------------------------------------------- */

static int copy_unix_path(struct routes *routes, const struct muster_client_options *options,
        struct muster_error *error)
{
        const char *path =
                options->unix_socket ? options->unix_socket : options->abstract_unix_socket;

        if (options->unix_socket && options->abstract_unix_socket)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_TCP, 0,
                        "invalid: unix_socket and abstract_unix_socket exclude each other");
        if (!path)
                return 0;
        if (!*path || strlen(path) >= ROUTE_UNIX_PATH_MAX)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_TCP, 0,
                        "invalid: the path of a socket has 1 to %d bytes: \"%.100s\"",
                        ROUTE_UNIX_PATH_MAX - 1, path);
        routes->unix_path = mem_strdup(path);
        routes->is_abstract = options->abstract_unix_socket != NULL;
        return routes->unix_path ? 0 : MUSTER_E_RESOURCE;
}

static int read_family(struct routes *routes, const struct muster_client_options *options,
        struct muster_error *error)
{
        switch (options->ip_version) {
        case 0:
                return 0;
        case 4:
                routes->family = AF_INET;
                return 0;
        case 6:
                routes->family = AF_INET6;
                return 0;
        }
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_DNS, 0,
                "invalid: ip_version %u is none of 0 (both), 4 and 6", options->ip_version);
}

int routes_init(struct routes *routes, const struct muster_client_options *options,
        struct muster_error *error)
{
        int r;

        *routes = (struct routes){ .for_http = -1,
                .for_https = -1,
                .tunnels_always = options->proxy_tunnel,
                .auth_schemes = options->proxy_auth ? options->proxy_auth : AUTH_BASIC };
        if (routes->auth_schemes & ~(unsigned)(AUTH_BASIC | AUTH_DIGEST))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: proxy_auth %u is no set of Basic and Digest",
                        routes->auth_schemes);
        r = choose_proxies(routes, options, error);
        if (r == 0)
                r = copy_no_proxy(routes, options);
        if (r == 0)
                r = copy_fields(routes, options->proxy_headers, error);
        if (r == 0)
                r = connect_to_parse(options->connect_to, &routes->connect_to, error);
        if (r == 0)
                r = copy_unix_path(routes, options, error);
        if (r == 0)
                r = local_end_parse(&routes->local_end, options->interface, options->local_port,
                        error);
        if (r == 0)
                r = read_family(routes, options, error);
        return r == MUSTER_E_RESOURCE ? error_set_memory(error, MUSTER_PHASE_QUEUE) : r;
}

void routes_deinit(struct routes *routes)
{
        for (unsigned i = 0; i < routes->n_proxies; i++)
                proxy_deinit(&routes->proxies[i]);
        for (size_t i = 0; routes->proxy_fields && routes->proxy_fields[i]; i++)
                mem_free((void *)(uintptr_t)routes->proxy_fields[i]);
        mem_free(routes->proxy_fields);
        mem_free(routes->no_proxy);
        mem_free(routes->unix_path);
        connect_to_free(routes->connect_to);
        *routes = (struct routes){ .for_http = -1, .for_https = -1 };
}

static int choose_proxy(const struct routes *routes, bool is_https, struct muster_str host,
        uint16_t port)
{
        int index = is_https ? routes->for_https : routes->for_http;

        if (index >= (int)routes->n_proxies)
                return -1;
        if (index >= 0 && routes->no_proxy && no_proxy_has(str_of(routes->no_proxy), host, port))
                return -1;
        return index;
}

struct route routes_find(const struct routes *routes, bool is_https, struct muster_str borrow_host,
        uint16_t port)
{
        struct route route = { .host = borrow_host, .port = port };
        bool is_elsewhere;
        int proxy;

        if (!routes)
                return route;
        if (routes->unix_path) {
                route.unix_path = routes->unix_path;
                route.is_abstract = routes->is_abstract;
                return route;
        }
        proxy = choose_proxy(routes, is_https, borrow_host, port);
        is_elsewhere = connect_to_find(routes->connect_to, &route.host, &route.port);
        if (proxy < 0)
                return route;
        route.proxy = &routes->proxies[proxy];
        route.proxy_index = (unsigned)proxy;
        route.is_tunnel = is_https || routes->tunnels_always || is_elsewhere ||
                          !proxy_speaks_http(route.proxy);
        return route;
}
