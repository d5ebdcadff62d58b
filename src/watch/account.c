/* SPDX-License-Identifier: MIT */
#include "account.h"

#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <record/row.h>

#define ENGINES_MAX UINT8_MAX

/* --- threads ---------------------------------------------------------------------------------- */

/* Those that make requests come first: there may be more threads than numbers. */
static void number_threads(struct account *account)
{
        struct watched *all = account->all;
        unsigned n = 0;

        for (int round = 0; round < 2; round++)
                for (uint32_t i = 1; i <= all->threads.n; i++) {
                        struct thread *thread = watched_thread(all, i);

                        if (thread->engine || (round == 0 ? !thread->has_calls : !thread->n_waits))
                                continue;
                        n += n < ENGINES_MAX;
                        thread->engine = (uint8_t)n;
                        account->engines[n] = thread->process;
                        watched_process(all, thread->process)->row.n_threads++;
                }
}

/* --- the run ---------------------------------------------------------------------------------- */

static void find_span(struct account *account)
{
        const struct watched *all = account->all;

        account->start_ns = UINT64_MAX;
        for (uint32_t i = 1; i <= all->processes.n; i++) {
                const struct process *process = watched_process(all, i);

                account->start_ns = min_u64(account->start_ns, process->row.start_ns);
                account->end_ns = max_u64(account->end_ns, process->row.end_ns);
        }
        for (uint32_t i = 1; i <= all->calls.n; i++) {
                const struct call *call = watched_call(all, i);

                if (call->row.stamps.start_ns)
                        account->start_ns = min_u64(account->start_ns, call->row.stamps.start_ns);
                account->end_ns = max_u64(account->end_ns, call->row.stamps.end_ns);
                account->end_ns = max_u64(account->end_ns, call->row.taken_ns);
        }
        account->start_ns = min_u64(account->start_ns, account->end_ns);
        account->start_ns -= account->start_ns > 0; /* so no moment is 0 */
}

/* A JSON array of words; what is no ASCII is escaped by the reader's rules: it is UTF-8. */
static int add_word(struct buf *to, const char *word, size_t n)
{
        static const char hex[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)word[i];
                const char escape[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
                int r;

                if (c == '"' || c == '\\')
                        r = buf_add(to, (const char[]){ '\\', (char)c }, 2);
                else
                        r = c < 0x20 || c == 0x7f ? buf_add(to, escape, sizeof(escape))
                                                  : buf_add_char(to, (char)c);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int make_command(struct muster_str words, char **ret_command)
{
        struct buf json = { 0 };
        struct muster_str word;
        size_t n = 0;
        int r = buf_add_char(&json, '[');

        while (r == 0 && str_split(&words, ' ', &word)) {
                r = buf_add_text(&json, n++ ? ",\"" : "\"");
                if (r == 0)
                        r = add_word(&json, word.at, word.len);
                if (r == 0)
                        r = buf_add_char(&json, '"');
        }
        if (r == 0)
                r = buf_add_char(&json, ']');
        if (r == 0)
                r = buf_terminate(&json);
        if (r == 0)
                *ret_command = json.at;
        else
                buf_deinit(&json);
        return r;
}

/*
 * Did all end as they should? A child that ends by _exit(), as those of multiprocessing do, leaves
 * no end.
 */
static bool have_ended(const struct watched *all)
{
        for (uint32_t i = 1; i <= all->processes.n; i++)
                if (!watched_process(all, i)->ended && !watched_process(all, i)->is_child)
                        return false;
        return true;
}

static int make_run(struct account *account)
{
        struct record_run *run = &account->record->run;
        const struct process *first = watched_process(account->all, 1);

        run->start_ns = account->start_ns;
        run->end_ns = account->end_ns - account->start_ns;
        run->wall_clock_ns = first->start_wall_ns;
        run->is_complete = have_ended(account->all);
        run->version = mem_strdup(muster_version());
        if (!run->version)
                return MUSTER_E_RESOURCE;
        return first->row.words.len ? make_command(first->row.words, &run->command) : 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int make(struct account *account)
{
        int r;

        number_threads(account);
        find_span(account);
        account->conns = mem_array(account->all->links.n + 1, sizeof(*account->conns));
        account->attempts = mem_array(account->all->calls.n + 1, sizeof(*account->attempts));
        if (!account->conns || !account->attempts)
                return MUSTER_E_RESOURCE;
        r = make_run(account);
        if (r == 0)
                r = account_conns(account);
        if (r == 0)
                r = account_attempts(account);
        if (r == 0)
                r = account_waiting(account);
        if (r == 0)
                r = account_loops(account);
        if (r == 0)
                r = account_programs(account);
        return r;
}

int account_make(struct watched *all, struct record *record)
{
        struct account account = { .all = all, .record = record };
        int r = all->processes.n ? make(&account) : 0;

        mem_free(account.conns);
        mem_free(account.attempts);
        record->text = all->text;
        all->text = NULL;
        record->has_tries = true;
        if (r == 0)
                record_settle(record);
        return r;
}
