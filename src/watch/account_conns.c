/* SPDX-License-Identifier: MIT */
/*
 * Which connections are of HTTP, when they had their address, and their rows
 */
#include "account.h"
#include <base/mem.h>
#include <base/minmax.h>
#include <record/names.h>
#include <record/row.h>

#define PORTS 65536

/* --- which ------------------------------------------------------------------------------------ */

/* The ports that libraries asked for. */
static void list_ports(const struct watched *all, bool ports[PORTS])
{
        for (uint32_t i = 1; i <= all->requests.n; i++)
                ports[origin_port(watched_request(all, i)->origin)] = true;
        ports[0] = false;
        ports[80] = ports[443] = true;
}

/*
 * Other protocols are none of our business. Under TLS that cannot be seen, and where nobody
 * answered, the port decides.
 */
static bool is_of_http(const struct link *link, const bool ports[PORTS])
{
        if (link->is_server)
                return false;
        if (link->speech == LINK_H1 || link->speech == LINK_H2 || link->n_calls)
                return true;
        if (!link->is_inet)
                return false;
        if (link->is_tls && link->speech == LINK_SILENT)
                return true;
        return ports[link->port];
}

/* --- names ------------------------------------------------------------------------------------ */

static struct muster_str host_of(struct muster_str origin)
{
        size_t skip = str_starts(origin, "https://") ? 8 : str_starts(origin, "http://") ? 7 : 0;
        struct muster_str host = str_after(origin, skip);

        while (host.len && host.at[host.len - 1] != ':')
                host.len--;
        host.len -= host.len > 0;
        return host;
}

/* A connection begins with the look-up that gave it its address. */
static void find_lookup(struct account *account, struct account_lookups *lookups, struct link *link)
{
        struct muster_str host = { "", 0 };
        const struct trace_lookup *lookup;

        if (link->first_call)
                host = host_of(watched_call(account->all, link->first_call)->origin);
        if (!host.len || !link->was_seen_to_begin || link->proxy_origin.len)
                return;
        lookup = account_lookups_take(account, lookups, link, host);
        if (!lookup)
                return;
        link->row.opened_ns = lookup->start_ns;
        link->row.dns_end_ns = lookup->end_ns;
}

/* --- rows ------------------------------------------------------------------------------------- */

static uint64_t opened_ns(const void *row)
{
        return ((const struct trace_conn *)row)->opened_ns;
}

/* What a program closes when it has made its last request, it closes as it ends. */
static void judge_closer(const struct account *account, struct link *link)
{
        if (link->row.closer == TRACE_CLOSED_BY_CLIENT && link->is_idle_at_end &&
                link->row.closed_ns >= watched_process(account->all, link->process)->last_call_ns)
                link->row.closer = TRACE_CLOSED_BY_END;
}

static int add_conn(struct account *account, uint32_t number, struct account_lookups *lookups,
        struct rows *conns)
{
        struct link *link = watched_link(account->all, number);
        struct trace_conn *conn = rows_add(conns);

        if (!conn)
                return MUSTER_E_RESOURCE;
        find_lookup(account, lookups, link);
        judge_closer(account, link);
        link->row.n_attempts = link->n_calls;
        link->row.engine = link->thread ? watched_thread(account->all, link->thread)->engine : 0;
        if (!link->row.engine)
                link->row.engine = 1;
        *conn = link->row;
        conn->id = number; /* until they are in order */
        return 0;
}

static void note_last_calls(const struct watched *all)
{
        for (uint32_t i = 1; i <= all->calls.n; i++) {
                const struct call *call = watched_call(all, i);
                struct process *process = watched_process(all, call->process);

                process->last_call_ns =
                        max_u64(process->last_call_ns, call->row.stamps.send_start_ns);
        }
}

static int list_conns(struct account *account, struct rows *conns)
{
        const struct watched *all = account->all;
        bool *ports = mem_array(PORTS, sizeof(*ports));
        struct account_lookups *lookups = account_lookups_new(account);
        int r = ports && lookups ? 0 : MUSTER_E_RESOURCE;

        if (ports)
                list_ports(all, ports);
        note_last_calls(all);
        for (uint32_t i = 1; r == 0 && i <= all->links.n; i++)
                if (is_of_http(watched_link(all, i), ports))
                        r = add_conn(account, i, lookups, conns);
        account_lookups_free(lookups);
        mem_free(ports);
        return r < 0 ? r : rows_sort(conns, opened_ns);
}

static int make_lookups(struct account *account)
{
        struct record *record = account->record;
        size_t n = account->all->lookups.n;

        if (!n)
                return 0;
        record->lookups = mem_array(n, sizeof(*record->lookups));
        if (!record->lookups)
                return MUSTER_E_RESOURCE;
        record->n_lookups = n;
        for (size_t i = 0; i < n; i++) {
                record->lookups[i] =
                        ((const struct lookup *)rows_at(&account->all->lookups, i))->row;
                row_rebase(ROW_LOOKUP, &record->lookups[i], account->start_ns);
        }
        return 0;
}

int account_conns(struct account *account)
{
        struct record *record = account->record;
        struct rows conns = { .size = sizeof(struct trace_conn) };
        int r = list_conns(account, &conns);

        record->conns = rows_give(&conns, &record->n_conns);
        for (size_t i = 0; r == 0 && i < record->n_conns; i++) {
                account->conns[record->conns[i].id] = (uint32_t)i + 1;
                record->conns[i].id = i + 1;
                row_rebase(ROW_CONN, &record->conns[i], account->start_ns);
        }
        return r < 0 ? r : make_lookups(account);
}
