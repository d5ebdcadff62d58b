/* SPDX-License-Identifier: MIT */
/*
 * Calls as attempts: their stamps, their numbers, and the origins and paths that they go to
 */
#include "account.h"
#include <base/mem.h>
#include <base/minmax.h>
#include <record/names.h>
#include <record/row.h>

#define ORIGINS_MAX 65536

/* --- stamps ----------------------------------------------------------------------------------- */

/*
 * The first request on a connection made it, if it was under way then. Nobody has said when it
 * began: then it was with the connection.
 */
static void stamp_connection(const struct account *account, struct call *call)
{
        const struct link *link = call->link ? watched_link(account->all, call->link) : NULL;
        struct attempt *stamps = &call->row.stamps;

        if (!link || call->row.is_reused || !link->was_seen_to_begin)
                return;
        if (!stamps->start_ns) {
                stamps->start_ns = stamps->slot_ns =
                        min_u64(link->row.opened_ns, stamps->send_start_ns);
        } else if (link->row.opened_ns < stamps->slot_ns && !call->queued_ns)
                stamps->slot_ns = max_u64(stamps->start_ns, link->row.opened_ns);
        stamps->dns_end_ns = link->row.dns_end_ns > stamps->slot_ns ? link->row.dns_end_ns : 0;
        stamps->tcp_end_ns = link->row.tcp_end_ns > stamps->slot_ns ? link->row.tcp_end_ns : 0;
        stamps->tunnel_end_ns =
                link->row.tunnel_end_ns > stamps->slot_ns ? link->row.tunnel_end_ns : 0;
        stamps->tls_end_ns = link->row.tls_end_ns > stamps->slot_ns ? link->row.tls_end_ns : 0;
}

/*
 * A connection of HTTP/1 has one request at a time: until the one before was over, the next waited,
 * whatever its library noted of that. `over_ns` is when each connection had its last response.
 */
static void wait_for_turn(struct call *call, uint64_t *over_ns)
{
        struct attempt *stamps = &call->row.stamps;
        uint64_t free_ns;

        if (!call->link || call->row.stream || call->row.http_version >= 20)
                return;
        free_ns = min_u64(over_ns[call->link], stamps->send_start_ns);
        if (call->hook && call->row.is_reused && free_ns > stamps->slot_ns) {
                stamps->slot_ns = free_ns;
                call->queued_ns = free_ns - stamps->start_ns;
        }
        over_ns[call->link] = max_u64(over_ns[call->link], stamps->end_ns);
}

static void complete(const struct account *account, struct call *call)
{
        struct trace_attempt *row = &call->row;
        struct attempt *stamps = &row->stamps;

        stamp_connection(account, call);
        if (!stamps->start_ns)
                stamps->start_ns = stamps->slot_ns = stamps->send_start_ns;
        stamps->end_ns = max_u64(stamps->end_ns, stamps->start_ns);
        stamps->stage = row->stage;
        row->submitted_ns = stamps->start_ns;
        row->taken_ns = max_u64(row->taken_ns, stamps->end_ns);
        row->finished_ns = stamps->end_ns;
        row->conn = call->link ? account->conns[call->link] : 0;
        row->engine = call->thread ? watched_thread(account->all, call->thread)->engine : 0;
        if (!row->engine)
                row->engine = 1;
        row->host_in_flight = row->in_flight = 0;
}

static uint64_t start_ns(const void *row)
{
        return ((const struct trace_attempt *)row)->stamps.start_ns;
}

static int list_attempts(struct account *account, struct rows *attempts)
{
        const struct watched *all = account->all;
        uint64_t *over_ns = mem_array(all->links.n + 1, sizeof(*over_ns));
        int r = over_ns ? 0 : MUSTER_E_RESOURCE;

        for (uint32_t i = 1; r == 0 && i <= all->calls.n; i++) {
                struct call *call = watched_call(all, i);
                struct trace_attempt *row;

                if (call->is_tunnel || call->state != CALL_DONE)
                        continue;
                row = rows_add(attempts);
                if (!row) {
                        r = MUSTER_E_RESOURCE;
                        break;
                }
                complete(account, call);
                wait_for_turn(call, over_ns);
                *row = call->row;
                row->number = i; /* until they are in order */
        }
        mem_free(over_ns);
        return r < 0 ? r : rows_sort(attempts, start_ns);
}

/* --- origins and paths ------------------------------------------------------------------------ */

static int put_origins(struct account *account, struct names *origins)
{
        struct record *record = account->record;

        if (!origins->n)
                return 0;
        record->origins = mem_array(origins->n, sizeof(*record->origins));
        if (!record->origins)
                return MUSTER_E_RESOURCE;
        for (; record->n_origins < origins->n; record->n_origins++)
                record->origins[record->n_origins] = (struct trace_origin){
                        .number = (uint32_t)record->n_origins + 1,
                        .key = names_text(origins, (uint32_t)record->n_origins + 1),
                };
        return 0;
}

static int put_paths(struct account *account, struct names *paths)
{
        struct record *record = account->record;

        if (!paths->n)
                return 0;
        record->paths = mem_array(paths->n, sizeof(*record->paths));
        if (!record->paths)
                return MUSTER_E_RESOURCE;
        for (; record->n_paths < paths->n; record->n_paths++)
                record->paths[record->n_paths] = names_text(paths, (uint32_t)record->n_paths + 1);
        return 0;
}

static void name_attempts(struct account *account, struct names *origins, struct names *paths)
{
        struct record *record = account->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *row = &record->attempts[i];
                const struct call *call = watched_call(account->all, (uint32_t)row->number);

                row->origin = call->origin.len ? names_number(origins, call->origin) : 0;
                row->path = names_number(paths, names_path_of(row->url));
                row->url_digest = names_digest_of(row->url);
        }
}

/* A connection leads to where its requests went. */
static void name_conns(struct account *account, struct names *origins)
{
        const struct watched *all = account->all;

        for (uint32_t i = 1; i <= all->links.n; i++) {
                const struct link *link = watched_link(all, i);
                struct trace_conn *conn =
                        account->conns[i] ? &account->record->conns[account->conns[i] - 1] : NULL;

                if (!conn)
                        continue;
                if (link->first_call && watched_call(all, link->first_call)->origin.len)
                        conn->origin =
                                names_number(origins, watched_call(all, link->first_call)->origin);
                if (link->proxy_origin.len)
                        conn->proxy = names_number(origins, link->proxy_origin);
        }
}

static int name_all(struct account *account)
{
        struct names origins = { 0 }, paths = { 0 };
        int r = names_init(&origins, account->all->text, ORIGINS_MAX);

        if (r == 0)
                r = names_init(&paths, account->all->text, RECORD_PATHS_MAX);
        if (r == 0) {
                name_attempts(account, &origins, &paths);
                name_conns(account, &origins);
                r = put_origins(account, &origins);
        }
        if (r == 0)
                r = put_paths(account, &paths);
        names_deinit(&origins);
        names_deinit(&paths);
        return r;
}

/* --- all of it -------------------------------------------------------------------------------- */

int account_attempts(struct account *account)
{
        struct record *record = account->record;
        struct rows attempts = { .size = sizeof(struct trace_attempt) };
        int r = list_attempts(account, &attempts);
        uint32_t *before;

        record->attempts = rows_give(&attempts, &record->n_attempts);
        before = mem_array(record->n_attempts + 1, sizeof(*before));
        if (!before)
                return MUSTER_E_RESOURCE;
        if (r == 0)
                r = name_all(account);
        if (r == 0)
                r = account_redirects(account, before);
        if (r == 0)
                account_retries(account, before);
        for (size_t i = 0; r == 0 && i < record->n_attempts; i++) {
                struct trace_attempt *row = &record->attempts[i];

                account->attempts[row->number] = (uint32_t)i + 1;
                row->number = i + 1;
                row->request = before[i] ? record->attempts[before[i] - 1].request : i + 1;
                row_rebase(ROW_ATTEMPT, row, account->start_ns);
        }
        mem_free(before);
        return r;
}
