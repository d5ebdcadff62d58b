/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <arpa/inet.h>
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <http/url_host.h>
#include <net/address_class.h>
#include <net/network.h>
#include <stdio.h>

struct guard_host {
        struct buf name; /* without a dot at either end; empty: it is a network */
        struct network network;
};

struct guard_ports {
        uint16_t first, last;
};

static const struct guard *guard_of(const struct dial_filter *filter)
{
        _Static_assert(offsetof(struct guard, filter) == 0, "the filter comes first");
        return (const void *)filter;
}

/* --- reading --------------------------------------------------------------------------------- */

static int refuse_host(const char *text, const char *why, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "invalid: --allow-host \"%.80s\": %s; write a name, an address or a network such as 10.0.0.0/8",
                text, why);
}

/*
 * "example.com", ".example.com" and "*.example.com" are the same, as with --noproxy. A host is
 * spelled as URLs have it, so all spellings of an address are that address.
 */
static int read_name(struct guard *guard, struct guard_host *host, const char *text,
        struct muster_error *error)
{
        struct muster_str name = str_of(text);
        struct muster_error why = { 0 };
        enum url_host_kind kind;
        int r;

        if (str_starts(name, "*."))
                name = str_after(name, 2);
        else if (str_starts(name, "."))
                name = str_after(name, 1);
        if (str_has(name, "://"))
                return refuse_host(text, "it is a URL", error);
        if (str_has_char(name, ':') && strchr(text, ':') == strrchr(text, ':'))
                return refuse_host(text, "a port is for --allow-port", error);
        if (!name.len || str_has_char(name, '*'))
                return refuse_host(text, "it is not a host", error);
        r = url_host_parse(name, &host->name, &kind, &why);
        if (r < 0)
                return r == MUSTER_E_RESOURCE ? r : refuse_host(text, "it is not a host", error);
        if (kind != URL_HOST_NAME) {
                guard->has_networks |= network_parse(buf_str(&host->name), &host->network);
                host->name.len = 0;
        } else if (host->name.at[host->name.len - 1] == '.') {
                host->name.len--;
        }
        return 0;
}

static int read_host(struct guard *guard, struct guard_host *host, const char *text,
        struct muster_error *error)
{
        if (network_parse(str_of(text), &host->network)) {
                guard->has_networks = true;
                return 0;
        }
        if (strchr(text, '/') && !strstr(text, "://"))
                return refuse_host(text, "it is not a network, which begins at its first address",
                        error);
        return read_name(guard, host, text, error);
}

static size_t length_of(const char *const *texts)
{
        size_t n = 0;

        while (texts && texts[n])
                n++;
        return n;
}

static int read_hosts(struct guard *guard, const char *const *texts, struct muster_error *error)
{
        size_t n = length_of(texts);
        int r = 0;

        if (!n)
                return 0;
        guard->hosts = mem_array(n, sizeof(*guard->hosts));
        if (!guard->hosts)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < n && r == 0; i++) {
                guard->n_hosts++;
                r = read_host(guard, &guard->hosts[i], texts[i], error);
        }
        return r;
}

static bool read_port(struct muster_str text, uint16_t *ret_port)
{
        uint64_t number;

        if (!str_to_u64(text, &number) || number == 0 || number > 65535)
                return false;
        *ret_port = (uint16_t)number;
        return true;
}

static int read_ports(struct guard *guard, const char *const *texts, struct muster_error *error)
{
        size_t n = length_of(texts);

        if (!n)
                return 0;
        guard->ports = mem_array(n, sizeof(*guard->ports));
        if (!guard->ports)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < n; i++) {
                struct guard_ports *ports = &guard->ports[guard->n_ports++];
                struct muster_str rest = str_of(texts[i]), first;

                str_split(&rest, '-', &first);
                if (!read_port(first, &ports->first) ||
                        !read_port(rest.at ? rest : first, &ports->last) ||
                        ports->last < ports->first)
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "invalid: --allow-port \"%.80s\" is no port from 1 to 65535, nor two with a dash between them",
                                texts[i]);
        }
        return 0;
}

static int check_address(const struct dial_filter *filter, struct muster_str host,
        const struct net_address *address, struct muster_error *error);

int guard_init(struct guard *guard, const struct muster_client_options *options,
        struct muster_error *error)
{
        int r;

        *guard = (struct guard){ .filter.check = check_address,
                .denies_private = options->deny_private };
        r = read_hosts(guard, options->allow_hosts, error);
        if (r == 0)
                r = read_ports(guard, options->allow_ports, error);
        return r == MUSTER_E_RESOURCE ? error_set_memory(error, MUSTER_PHASE_QUEUE) : r;
}

void guard_deinit(struct guard *guard)
{
        for (size_t i = 0; i < guard->n_hosts; i++)
                buf_deinit(&guard->hosts[i].name);
        mem_free(guard->hosts);
        mem_free(guard->ports);
        *guard = (struct guard){ 0 };
}

/* --- host and port --------------------------------------------------------------------------- */

static bool allows_port(const struct guard *guard, uint16_t port)
{
        for (size_t i = 0; i < guard->n_ports; i++)
                if (port >= guard->ports[i].first && port <= guard->ports[i].last)
                        return true;
        return guard->n_ports == 0;
}

static bool is_within(struct muster_str host, struct muster_str domain)
{
        struct muster_str tail;

        if (host.len && host.at[host.len - 1] == '.')
                host.len--;
        if (!domain.len || domain.len > host.len)
                return false;
        tail = (struct muster_str){ host.at + host.len - domain.len, domain.len };
        return str_eq_nocase(tail, domain) &&
               (domain.len == host.len || host.at[host.len - domain.len - 1] == '.');
}

static bool allows_name(const struct guard *guard, struct muster_str host)
{
        for (size_t i = 0; i < guard->n_hosts; i++)
                if (is_within(host, buf_str(&guard->hosts[i].name)))
                        return true;
        return false;
}

int guard_check_host(const struct guard *guard, struct muster_str host, uint16_t port,
        struct muster_error *error)
{
        if (!allows_port(guard, port))
                return error_set(error, MUSTER_E_DENIED, MUSTER_PHASE_DNS, 0,
                        "denied: port %u of %.*s is not among the allowed ones; to allow it use allow_ports (--allow-port %u)",
                        port, STR_ARGS(str_first(host, 100)), port);
        if ((!guard->denies_private && !guard->n_hosts) || allows_name(guard, host))
                return 0;
        if (guard->denies_private || guard->has_networks)
                return GUARD_BY_ADDRESS;
        return error_set(error, MUSTER_E_DENIED, MUSTER_PHASE_DNS, 0,
                "denied: %.*s is not among the allowed hosts; to allow it use allow_hosts (--allow-host)",
                STR_ARGS(str_first(host, 140)));
}

/* --- addresses ------------------------------------------------------------------------------- */

static bool allows_address(const struct guard *guard, const struct net_address *address)
{
        for (size_t i = 0; i < guard->n_hosts; i++)
                if (!guard->hosts[i].name.len && network_has(&guard->hosts[i].network, address))
                        return true;
        return false;
}

static int say_denied(const struct guard *guard, struct muster_str host,
        const struct net_address *address, struct muster_error *error)
{
        char text[INET6_ADDRSTRLEN] = "", why[120] = "is not among the allowed hosts";
        struct muster_str name;

        inet_ntop(address->family, &address->u, text, sizeof(text));
        name = str_first(host, str_is(host, text) ? 0 : 80);
        if (guard->denies_private)
                snprintf(why, sizeof(why), "is %s, which deny_private (--deny-private) forbids",
                        address_class(address)->name);
        return error_set(error, MUSTER_E_DENIED, MUSTER_PHASE_DNS, 0,
                "denied: %.*s%s%s %s; to allow it use allow_hosts (--allow-host %s)",
                STR_ARGS(name), name.len ? ": " : "", text, why, text);
}

static int check_address(const struct dial_filter *filter, struct muster_str host,
        const struct net_address *address, struct muster_error *error)
{
        const struct guard *guard = guard_of(filter);

        assert(guard->denies_private || guard->has_networks);
        if (allows_address(guard, address) || (guard->denies_private && !address_class(address)))
                return 0;
        return say_denied(guard, host, address, error);
}
