/* SPDX-License-Identifier: MIT */
#include "connect_to.h"

#include <base/error.h>
#include <base/mem.h>
#include <base/str.h>

struct connect_to {
        struct connect_to *next;
        char *text;                      /* the parts are places in it */
        struct muster_str host, to_host; /* without brackets; empty: any, the same */
        uint16_t port, to_port;          /* 0: any, the same */
};

static int refuse(const char *text, const char *why, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_TCP, 0,
                "invalid: --connect-to \"%.100s\": %s; write HOST1:PORT1:HOST2:PORT2", text, why);
}

/* Cut off a host, which may be an IPv6 address in brackets, and its colon. */
static bool cut_host(struct muster_str *rest, struct muster_str *ret_host)
{
        const char *end;

        if (!rest->at || !rest->len || rest->at[0] != '[')
                return str_split(rest, ':', ret_host) && rest->at;
        end = memchr(rest->at, ']', rest->len);
        if (!end || end + 1 == rest->at + rest->len || end[1] != ':')
                return false;
        *ret_host = (struct muster_str){ rest->at + 1, (size_t)(end - rest->at) - 1 };
        rest->len -= ret_host->len + 3;
        rest->at = end + 2;
        return true;
}

static bool read_port(struct muster_str text, uint16_t *ret_port)
{
        uint64_t number = 0;

        if (text.len && (!str_to_u64(text, &number) || number == 0 || number > 65535))
                return false;
        *ret_port = (uint16_t)number;
        return true;
}

static int parse(struct connect_to *one, struct muster_error *error)
{
        struct muster_str rest = str_of(one->text), port = { "", 0 };

        if (!cut_host(&rest, &one->host) || !str_split(&rest, ':', &port) || !rest.at ||
                !cut_host(&rest, &one->to_host) || !rest.at)
                return refuse(one->text, "it does not have four parts", error);
        if (!read_port(port, &one->port) || !read_port(rest, &one->to_port))
                return refuse(one->text, "a port is not a number from 1 to 65535", error);
        return 0;
}

int connect_to_parse(const char *const *texts, struct connect_to **ret_list,
        struct muster_error *error)
{
        struct connect_to *list = NULL, **end = &list;
        int r = 0;

        for (; r == 0 && texts && *texts; texts++) {
                *end = mem_zalloc(sizeof(**end));
                if (*end)
                        (*end)->text = mem_strdup(*texts);
                if (!*end || !(*end)->text) {
                        r = error_set_memory(error, MUSTER_PHASE_TCP);
                        break;
                }
                r = parse(*end, error);
                end = &(*end)->next;
        }
        if (r < 0)
                connect_to_free(list);
        else
                *ret_list = list;
        return r;
}

void connect_to_free(struct connect_to *list)
{
        while (list) {
                struct connect_to *next = list->next;

                mem_free(list->text);
                mem_free(list);
                list = next;
        }
}

bool connect_to_find(const struct connect_to *list, struct muster_str *host, uint16_t *port)
{
        for (; list; list = list->next) {
                if ((list->host.len && !str_eq_nocase(list->host, *host)) ||
                        (list->port && list->port != *port))
                        continue;
                if (list->to_host.len)
                        *host = list->to_host;
                if (list->to_port)
                        *port = list->to_port;
                return true;
        }
        return false;
}
