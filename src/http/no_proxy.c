/* SPDX-License-Identifier: MIT */
#include "no_proxy.h"

#include <arpa/inet.h>

/* --- addresses ------------------------------------------------------------------------------- */

#define ADDRESS_BYTES_MAX 16

struct address {
        size_t len; /* in bytes; 0: it is none */
        unsigned char bytes[ADDRESS_BYTES_MAX];
};

static struct address address_of(struct muster_str text)
{
        struct address address = { 0 };
        char copy[INET6_ADDRSTRLEN];

        if (text.len > 2 && text.at[0] == '[' && text.at[text.len - 1] == ']')
                text = (struct muster_str){ text.at + 1, text.len - 2 };
        if (text.len == 0 || text.len >= sizeof(copy) || str_has_char(text, '\0'))
                return address;
        memcpy(copy, text.at, text.len);
        copy[text.len] = '\0';
        if (inet_pton(AF_INET, copy, address.bytes) == 1)
                address.len = 4;
        else if (inet_pton(AF_INET6, copy, address.bytes) == 1)
                address.len = 16;
        return address;
}

static bool begin_alike(const struct address *a, const struct address *b, size_t n_bits)
{
        size_t n = n_bits / 8, rest = n_bits % 8;

        if (a->len != b->len || n_bits > a->len * 8)
                return false;
        return memcmp(a->bytes, b->bytes, n) == 0 &&
               (!rest || (a->bytes[n] ^ b->bytes[n]) >> (8 - rest) == 0);
}

/* "192.0.2.0/24", or an address alone. */
static bool holds_address(struct muster_str entry, const struct address *host)
{
        struct muster_str rest = entry, base = entry;
        struct address address;
        uint64_t n_bits;

        str_split(&rest, '/', &base);
        address = address_of(base);
        if (!rest.at || base.len == entry.len)
                return address.len && begin_alike(&address, host, address.len * 8);
        return address.len && str_to_u64(rest, &n_bits) && n_bits <= ADDRESS_BYTES_MAX * 8 &&
               begin_alike(&address, host, n_bits);
}

/* --- names ----------------------------------------------------------------------------------- */

static struct muster_str without_last_dot(struct muster_str name)
{
        if (name.len && name.at[name.len - 1] == '.')
                name.len--;
        return name;
}

static bool holds_name(struct muster_str entry, struct muster_str host)
{
        struct muster_str tail;

        entry = without_last_dot(entry);
        if (entry.len && entry.at[0] == '.')
                entry = str_after(entry, 1);
        if (!entry.len || entry.len > host.len)
                return false;
        tail = (struct muster_str){ host.at + host.len - entry.len, entry.len };
        return str_eq_nocase(entry, tail) &&
               (entry.len == host.len || host.at[host.len - entry.len - 1] == '.');
}

/* --- the list -------------------------------------------------------------------------------- */

/*
 * Cut off ":8080". An IPv6 address has more than one colon, and its port is behind a bracket. False:
 * there is one, and it is another one.
 */
static bool cut_port(struct muster_str *entry, uint16_t port)
{
        const char *colon = memrchr(entry->at, ':', entry->len);
        struct muster_str digits;
        uint64_t number;

        if (!colon || colon == entry->at)
                return true;
        if (colon[-1] != ']' && memchr(entry->at, ':', entry->len) != colon)
                return true;
        digits = (struct muster_str){ colon + 1, (size_t)(entry->at + entry->len - colon) - 1 };
        if (!str_to_u64(digits, &number))
                return true;
        entry->len = (size_t)(colon - entry->at);
        return number == port;
}

static bool is_separator(char c)
{
        return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool next_entry(struct muster_str *rest, struct muster_str *ret_entry)
{
        size_t n = 0;

        while (rest->len && is_separator(rest->at[0]))
                *rest = str_after(*rest, 1);
        while (n < rest->len && !is_separator(rest->at[n]))
                n++;
        *ret_entry = (struct muster_str){ rest->at, n };
        *rest = str_after(*rest, n);
        return n > 0;
}

bool no_proxy_has(struct muster_str list, struct muster_str host, uint16_t port)
{
        const struct address address = address_of(host);
        struct muster_str entry;

        if (str_is(str_trim(list), "*"))
                return true;
        host = without_last_dot(host);
        while (list.len && next_entry(&list, &entry)) {
                if (!cut_port(&entry, port))
                        continue;
                if (address.len ? holds_address(entry, &address) : holds_name(entry, host))
                        return true;
        }
        return false;
}
