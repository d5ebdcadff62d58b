/* SPDX-License-Identifier: MIT */
/*
 * What a record has of the programs themselves: processes, sites, clients, calls, holds, ...
 */
#include "account.h"
#include <base/mem.h>
#include <base/minmax.h>

/* --- moments ---------------------------------------------------------------------------------- */

uint64_t account_since(const struct account *account, uint64_t moment_ns)
{
        if (!moment_ns)
                return 0;
        return moment_ns > account->start_ns ? moment_ns - account->start_ns : 1;
}

void account_rebase(const struct account *account, uint64_t *from_ns, uint64_t *to_ns)
{
        *from_ns = account_since(account, *from_ns);
        *to_ns = max_u64(account_since(account, *to_ns), *from_ns);
}

/* --- processes -------------------------------------------------------------------------------- */

/* Does the last part of a path begin so? "python3.11" begins with "python". */
static bool is_program(struct muster_str exe, const char *name)
{
        size_t at = exe.len;

        while (at && exe.at[at - 1] != '/')
                at--;
        return str_starts(str_after(exe, at), name);
}

static int put_processes(struct account *account)
{
        const struct watched *all = account->all;
        struct programs *programs = &account->record->programs;

        programs->processes = mem_array(all->processes.n, sizeof(*programs->processes));
        if (!programs->processes)
                return MUSTER_E_RESOURCE;
        programs->n_processes = all->processes.n;
        for (uint32_t i = 1; i <= all->processes.n; i++) {
                const struct process *process = watched_process(all, i);
                struct program_process *row = &programs->processes[i - 1];

                *row = process->row;
                account_rebase(account, &row->start_ns, &row->end_ns);
                if (!process->has_hook &&
                        (is_program(row->exe, "python") || is_program(row->exe, "node")))
                        row->unseen |= PROGRAM_UNSEEN_HOOK;
        }
        return 0;
}

/* --- calls ------------------------------------------------------------------------------------ */

static void put_call(const struct account *account, const struct account_holds *holds,
        uint32_t number, struct program_call *row)
{
        const struct watched *all = account->all;
        const struct call *call = watched_call(all, number);
        const struct hook_request *request = call->hook ? watched_request(all, call->hook) : NULL;
        const struct link *link = call->link ? watched_link(all, call->link) : NULL;
        const struct attempt *stamps;

        *row = (struct program_call){
                .attempt = account->attempts[number],
                .process = call->process,
                .client = request ? request->client : 0,
                .site = request ? request->site : 0,
                .caller = request ? request->caller : 0,
                .queued_ns = call->queued_ns,
                .is_unread = call->is_unread,
                .left_bytes = call->is_unread && call->knows_end ? call->body_left : 0,
                .is_timeout = call->is_timeout,
                .asks_close = call->asks_close,
                .is_split = call->n_small_sends > 1 && link && !link->has_nodelay,
                .error = call->error,
        };
        stamps = &account->record->attempts[row->attempt - 1].stamps;
        row->held_ns = account_held_ns(holds, row->process, stamps->start_ns, stamps->end_ns);
        if (row->client)
                account->record->programs.clients[row->client - 1].n_requests++;
}

static uint64_t attempt_of(const void *row)
{
        return ((const struct program_call *)row)->attempt;
}

static int put_calls(struct account *account)
{
        struct programs *programs = &account->record->programs;
        struct rows calls = { .size = sizeof(struct program_call) };
        struct account_holds *holds = account_holds_new(account);
        int r = holds ? 0 : MUSTER_E_RESOURCE;

        for (uint32_t i = 1; r == 0 && i <= account->all->calls.n; i++) {
                struct program_call *row = account->attempts[i] ? rows_add(&calls) : NULL;

                if (row)
                        put_call(account, holds, i, row);
                else if (account->attempts[i])
                        r = MUSTER_E_RESOURCE;
        }
        account_holds_free(holds);
        if (r == 0)
                r = rows_sort(&calls, attempt_of);
        programs->calls = rows_give(&calls, &programs->n_calls);
        return r;
}

/* --- the rest --------------------------------------------------------------------------------- */

static uint64_t bound_start_ns(const void *row)
{
        return ((const struct program_bound *)row)->start_ns;
}

static uint64_t chore_start_ns(const void *row)
{
        return ((const struct program_chore *)row)->start_ns;
}

static int put_bounds(struct account *account)
{
        struct programs *programs = &account->record->programs;

        if (rows_sort(&account->all->bounds, bound_start_ns) < 0)
                return MUSTER_E_RESOURCE;
        programs->bounds = rows_give(&account->all->bounds, &programs->n_bounds);
        for (size_t i = 0; i < programs->n_bounds; i++)
                account_rebase(account, &programs->bounds[i].start_ns, &programs->bounds[i].end_ns);
        return 0;
}

/* Where the hook saw them it knows the line; elsewhere the shim's count. */
static int add_contexts(struct watched *all)
{
        bool *has_hooks = mem_array(all->processes.n + 1, sizeof(*has_hooks));
        int r = has_hooks ? 0 : MUSTER_E_RESOURCE;

        for (size_t i = 0; r == 0 && i < all->contexts.n; i++)
                has_hooks[((const struct program_chore *)rows_at(&all->contexts, i))->process] =
                        true;
        for (size_t i = 0; r == 0 && i < all->shim_contexts.n; i++) {
                const struct program_chore *seen = rows_at(&all->shim_contexts, i);
                struct program_chore *row =
                        has_hooks[seen->process] ? NULL : rows_add(&all->contexts);

                if (row)
                        *row = *seen;
                else if (!has_hooks[seen->process])
                        r = MUSTER_E_RESOURCE;
        }
        mem_free(has_hooks);
        return r;
}

static int put_contexts(struct account *account)
{
        struct programs *programs = &account->record->programs;

        if (add_contexts(account->all) < 0 ||
                rows_sort(&account->all->contexts, chore_start_ns) < 0)
                return MUSTER_E_RESOURCE;
        programs->contexts = rows_give(&account->all->contexts, &programs->n_contexts);
        for (size_t i = 0; i < programs->n_contexts; i++)
                programs->contexts[i].start_ns =
                        account_since(account, programs->contexts[i].start_ns);
        return 0;
}

static void put_interpreters(struct account *account)
{
        struct programs *programs = &account->record->programs;

        programs->interpreters = rows_give(&account->all->interpreters, &programs->n_interpreters);
        for (size_t i = 0; i < programs->n_interpreters; i++)
                account_rebase(account, &programs->interpreters[i].start_ns,
                        &programs->interpreters[i].end_ns);
}

static void put_clients(struct account *account)
{
        struct programs *programs = &account->record->programs;

        programs->sites = rows_give(&account->all->sites, &programs->n_sites);
        programs->clients = rows_give(&account->all->clients, &programs->n_clients);
        for (size_t i = 0; i < programs->n_clients; i++) {
                struct program_client *client = &programs->clients[i];

                client->made_ns = account_since(account, client->made_ns);
                client->closed_ns = account_since(account, client->closed_ns);
        }
}

int account_programs(struct account *account)
{
        struct programs *programs = &account->record->programs;
        int r = account_served(account);

        if (r == 0)
                r = put_processes(account);

        put_clients(account);
        put_interpreters(account);
        programs->lock_waited_ns = account->all->lock_waited_ns;
        programs->n_lost = account->all->n_lost;
        if (r == 0)
                r = account_put_holds(account);
        if (r == 0)
                r = put_calls(account);
        if (r == 0)
                r = put_bounds(account);
        return r < 0 ? r : put_contexts(account);
}
