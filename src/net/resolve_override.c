/* SPDX-License-Identifier: MIT */
#include "resolve_override.h"

#include "resolve.h"
#include <base/error.h>
#include <base/mem.h>

struct override {
        struct override *next; /* given before this one */
        char *host;            /* "*": any */
        uint16_t port;
        size_t n;
        struct net_address addresses[RESOLVE_ADDRESSES_MAX];
};

static int refuse_override(const char *text, const char *why, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_DNS, 0,
                "invalid: --resolve \"%.100s\": %s; write HOST:PORT:ADDRESS[,ADDRESS]", text, why);
}

/* Cut off the host, which ends at the first colon. It may be an IPv6 literal in brackets. */
static bool cut_host(struct muster_str *rest, struct muster_str *ret_host)
{
        const char *end;

        if (rest->len && rest->at[0] == '[' && (end = memchr(rest->at, ']', rest->len))) {
                *ret_host = (struct muster_str){ rest->at + 1, (size_t)(end - rest->at) - 1 };
                rest->len -= ret_host->len + 2;
                rest->at = end + 1;
                if (!rest->len || rest->at[0] != ':')
                        return false;
                rest->at++;
                rest->len--;
                return ret_host->len > 0;
        }
        return str_split(rest, ':', ret_host) && ret_host->len > 0 && rest->at;
}

static int parse_addresses(struct override *override, const char *text, struct muster_str rest,
        struct muster_error *error)
{
        struct muster_str one;

        while (str_split(&rest, ',', &one)) {
                if (override->n == RESOLVE_ADDRESSES_MAX)
                        return refuse_override(text, "too many addresses", error);
                if (!address_parse(one, &override->addresses[override->n++]))
                        return refuse_override(text, "not an IPv4 or IPv6 address", error);
        }
        return override->n ? 0 : refuse_override(text, "the address is missing", error);
}

static int parse_override(struct override *override, const char *text, struct muster_error *error)
{
        struct muster_str rest = str_of(text), host, port;
        uint64_t number;

        if (!cut_host(&rest, &host))
                return refuse_override(text, "host and port are missing", error);
        if (!str_split(&rest, ':', &port) || !str_to_u64(port, &number) || number > 65535)
                return refuse_override(text, "the port is not a number from 0 to 65535", error);
        override->host = mem_strndup(host.at, host.len);
        if (!override->host)
                return error_set_memory(error, MUSTER_PHASE_DNS);
        override->port = (uint16_t)number;
        return parse_addresses(override, text, rest, error);
}

int override_parse(const char *const *texts, struct override **ret_overrides,
        struct muster_error *error)
{
        struct override *list = NULL;
        int r = 0;

        for (; r == 0 && texts && *texts; texts++) {
                struct override *override = mem_zalloc(sizeof(*override));

                if (!override) {
                        r = error_set_memory(error, MUSTER_PHASE_DNS);
                        break;
                }
                override->next = list;
                list = override;
                r = parse_override(override, *texts, error);
        }
        if (r < 0) {
                override_free(list);
                return r;
        }
        *ret_overrides = list;
        return 0;
}

void override_free(struct override *overrides)
{
        while (overrides) {
                struct override *next = overrides->next;

                mem_free(overrides->host);
                mem_free(overrides);
                overrides = next;
        }
}

size_t override_find(const struct override *overrides, struct muster_str host, uint16_t port,
        struct net_address *to)
{
        for (; overrides; overrides = overrides->next) {
                if (overrides->port != port || (strcmp(overrides->host, "*") != 0 &&
                                                       !str_is_nocase(host, overrides->host)))
                        continue;
                memcpy(to, overrides->addresses, overrides->n * sizeof(*to));
                return overrides->n;
        }
        return 0;
}
