/* SPDX-License-Identifier: MIT */
#include "hook.h"

#include "hook_log.h"
#include "hook_packed.h"
#include "hook_row.h"
#include <base/buf.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <string.h>

struct hook {
        struct watched *all;
        uint32_t process;
        struct keys sites, clients; /* numbers by the hook's own */
        struct buf names;           /* "aiohttp 3.9.1, uvloop 0.19.0" */
        size_t first_hold;          /* of its own, in all of them */
        uint32_t interpreter;       /* its row, from 1; 0: none yet */
        uint64_t most_waited_ns;
        struct rows words;      /* muster_str: what packed requests have by number, from 1 */
        struct muster_str rest; /* of the log, behind the row that is read */
};

/* --- fields ----------------------------------------------------------------------------------- */

/* Only these are escaped, so that a URL's own escapes stay: "%25" stands for "%". */
static int keep_text(struct hook *hook, const struct hook_row *row, size_t i,
        struct muster_str *ret)
{
        struct buf plain = { 0 };
        int r = hook_row_unescape(hook_row_text(row, i), &plain);

        if (r == 0)
                r = watched_keep(hook->all, buf_str(&plain), ret);
        buf_deinit(&plain);
        return r;
}

static int keep_url(struct hook *hook, const struct hook_row *row, size_t i,
        struct muster_str *ret_url, struct muster_str *ret_origin)
{
        struct buf plain = { 0 };
        int r = hook_row_unescape(hook_row_text(row, i), &plain);

        if (r == 0)
                r = watched_keep_url(hook->all, buf_str(&plain), ret_url, ret_origin);
        buf_deinit(&plain);
        return r;
}

static uint32_t site_at(struct hook *hook, struct hook_row *row, size_t i)
{
        return keys_get(&hook->sites, hook_row_number(row, i, UINT64_MAX));
}

static uint32_t client_at(struct hook *hook, struct hook_row *row, size_t i)
{
        return keys_get(&hook->clients, hook_row_number(row, i, UINT64_MAX));
}

/* --- rows ------------------------------------------------------------------------------------- */

/* What comes with the language has no version of its own. */
static int read_library(struct hook *hook, struct hook_row *row)
{
        struct muster_str version = hook_row_text(row, 2);

        if ((hook->names.len && buf_add_text(&hook->names, ", ") < 0) ||
                buf_add_str(&hook->names, hook_row_text(row, 1)) < 0 ||
                (version.len && buf_add_char(&hook->names, ' ') < 0) ||
                buf_add_str(&hook->names, version) < 0)
                return MUSTER_E_RESOURCE;
        return 0;
}

static int read_loop(struct hook *hook, struct hook_row *row)
{
        return keep_text(hook, row, 1, &watched_process(hook->all, hook->process)->row.loop);
}

static int read_site(struct hook *hook, struct hook_row *row)
{
        uint64_t id = hook_row_number(row, 1, UINT64_MAX);
        struct program_site site = { .line = hook_row_count(row, 3) };
        uint32_t number;

        if (!row->is_good || !id || keys_get(&hook->sites, id))
                return 0;
        if (keep_text(hook, row, 2, &site.file) < 0 || keep_text(hook, row, 4, &site.function) < 0)
                return MUSTER_E_RESOURCE;
        number = watched_site(hook->all, &site);
        return number ? keys_set(&hook->sites, id, number) : MUSTER_E_RESOURCE;
}

static int read_client(struct hook *hook, struct hook_row *row)
{
        uint64_t id = hook_row_number(row, 2, UINT64_MAX);
        struct program_client client = { .process = hook->process,
                .made_ns = hook_row_ns(row, 1),
                .site = site_at(hook, row, 4),
                .limit = hook_row_count(row, 5),
                .per_host = hook_row_count(row, 6),
                .kept = hook_row_count(row, 7) };
        struct program_client *place;

        if (!row->is_good || !id)
                return 0;
        if (keep_text(hook, row, 3, &client.library) < 0)
                return MUSTER_E_RESOURCE;
        place = rows_add(&hook->all->clients);
        if (!place)
                return MUSTER_E_RESOURCE;
        *place = client;
        return keys_set(&hook->clients, id, (uint32_t)hook->all->clients.n);
}

static int read_client_end(struct hook *hook, struct hook_row *row)
{
        uint64_t at_ns = hook_row_ns(row, 1);
        uint32_t number = client_at(hook, row, 2);

        if (row->is_good && number) {
                struct program_client *client = rows_at(&hook->all->clients, number - 1);

                client->closed_ns = max_u64(at_ns, client->made_ns);
        }
        return 0;
}

static int add_request(struct hook *hook, struct hook_request *request)
{
        struct hook_request *place;

        request->process = hook->process;
        request->end_ns = max_u64(request->end_ns, request->start_ns);
        request->queued_ns = min_u64(request->queued_ns, request->end_ns - request->start_ns);
        request->connecting_ns = min_u64(request->connecting_ns,
                request->end_ns - request->start_ns - request->queued_ns);
        place = rows_add(&hook->all->requests);
        if (!place)
                return MUSTER_E_RESOURCE;
        *place = *request;
        return 0;
}

static int read_request(struct hook *hook, struct hook_row *row)
{
        struct hook_request request = { .start_ns = hook_row_ns(row, 1),
                .end_ns = hook_row_ns(row, 2),
                .queued_ns = hook_row_ns(row, 3),
                .connecting_ns = hook_row_ns(row, 4),
                .status = (int16_t)hook_row_number(row, 5, 999),
                .flags = (uint8_t)hook_row_number(row, 6, UINT8_MAX),
                .client = client_at(hook, row, 7),
                .site = site_at(hook, row, 8),
                .tid = (int32_t)hook_row_number(row, 9, INT32_MAX),
                .caller = row->n > 13 ? site_at(hook, row, 13) : 0 };

        if (!row->is_good || row->n < 12)
                return 0;
        if (keep_text(hook, row, 10, &request.method) < 0 ||
                keep_url(hook, row, 11, &request.url, &request.origin) < 0 ||
                keep_text(hook, row, 12, &request.error) < 0)
                return MUSTER_E_RESOURCE;
        return add_request(hook, &request);
}

/* They are numbered as they come. */
static int read_word(struct hook *hook, struct hook_row *row)
{
        struct muster_str *word;

        if (hook_row_number(row, 1, UINT32_MAX) != hook->words.n + 1 || !row->is_good)
                return 0;
        word = rows_add(&hook->words);
        return word ? keep_text(hook, row, 2, word) : MUSTER_E_RESOURCE;
}

static struct muster_str word_at(const struct hook *hook, uint64_t number)
{
        if (!number || number > hook->words.n)
                return (struct muster_str){ "", 0 };
        return *(const struct muster_str *)rows_at(&hook->words, (size_t)number - 1);
}

static int add_packed(struct hook *hook, const struct hook_packed *packed, struct buf *url)
{
        struct hook_request request = { .start_ns = packed->start_ns,
                .end_ns = packed->end_ns,
                .queued_ns = packed->queued_ns,
                .connecting_ns = packed->connecting_ns,
                .status = (int16_t)packed->status,
                .flags = (uint8_t)packed->flags,
                .client = keys_get(&hook->clients, packed->client),
                .site = keys_get(&hook->sites, packed->site),
                .tid = (int32_t)packed->tid,
                .method = word_at(hook, packed->method),
                .error = word_at(hook, packed->error) };

        url->len = 0;
        if (buf_add_str(url, word_at(hook, packed->origin)) < 0 ||
                buf_add_str(url, packed->path) < 0 ||
                watched_keep_url(hook->all, buf_str(url), &request.url, &request.origin) < 0)
                return MUSTER_E_RESOURCE;
        return add_request(hook, &request);
}

static int read_requests(struct hook *hook, struct hook_row *row)
{
        uint64_t size = hook_row_number(row, 1, UINT32_MAX);
        struct muster_str block = { hook->rest.at, min_size((size_t)size, hook->rest.len) };
        struct hook_packed packed;
        struct buf url = { 0 };
        int r = 0;

        hook->rest = str_after(hook->rest, block.len);
        while (r == 0 && hook_packed_next(&block, &packed))
                r = add_packed(hook, &packed, &url);
        buf_deinit(&url);
        return r;
}

static uint8_t kind_of_hold(uint64_t took_ns, int64_t cpu_ns)
{
        if (cpu_ns < 0)
                return PROGRAM_HOLD_UNKNOWN;
        return (uint64_t)cpu_ns >= took_ns / 2 ? PROGRAM_HOLD_COMPUTES : PROGRAM_HOLD_BLOCKED;
}

static int read_held(struct hook *hook, struct hook_row *row)
{
        struct program_hold hold = { .process = hook->process,
                .start_ns = hook_row_ns(row, 1),
                .end_ns = hook_row_ns(row, 2),
                .site = site_at(hook, row, 4) };
        int64_t cpu_ns = hook_row_known(row, 3);
        struct program_hold *place;

        if (!row->is_good)
                return 0;
        hold.end_ns = max_u64(hold.end_ns, hold.start_ns);
        hold.kind = kind_of_hold(hold.end_ns - hold.start_ns, cpu_ns);
        hold.cpu_ns = cpu_ns < 0 ? 0 : min_u64((uint64_t)cpu_ns, hold.end_ns - hold.start_ns);
        if (keep_text(hook, row, 6, &hold.name) < 0)
                return MUSTER_E_RESOURCE;
        place = rows_add(&hook->all->holds);
        if (!place)
                return MUSTER_E_RESOURCE;
        *place = hold;
        return 0;
}

/* A place that was found out later. */
static int read_held_at(struct hook *hook, struct hook_row *row)
{
        uint64_t start_ns = hook_row_ns(row, 1);
        uint32_t site = site_at(hook, row, 2);

        for (size_t i = hook->all->holds.n; row->is_good && i-- > hook->first_hold;) {
                struct program_hold *hold = rows_at(&hook->all->holds, i);

                if (hold->start_ns != start_ns)
                        continue;
                hold->site = site;
                return keep_text(hook, row, 4, &hold->name);
        }
        return 0;
}

static int add_bound(struct hook *hook, const struct hook_row *row,
        const struct program_bound *bound)
{
        struct program_bound *place;

        if (!row->is_good)
                return 0;
        place = rows_add(&hook->all->bounds);
        if (!place)
                return MUSTER_E_RESOURCE;
        *place = *bound;
        place->end_ns = max_u64(place->end_ns, place->start_ns);
        return 0;
}

static int read_semaphore(struct hook *hook, struct hook_row *row)
{
        struct program_bound bound = { .process = hook->process,
                .kind = PROGRAM_SEMAPHORE,
                .start_ns = hook_row_ns(row, 1),
                .end_ns = hook_row_ns(row, 2),
                .value = hook_row_ns(row, 3),
                .n = hook_row_ns(row, 4),
                .n_waited = hook_row_ns(row, 5),
                .waited_ns = hook_row_ns(row, 6),
                .most_waiting = hook_row_ns(row, 7),
                .site = site_at(hook, row, 8) };

        return add_bound(hook, row, &bound);
}

static int read_gather(struct hook *hook, struct hook_row *row)
{
        struct program_bound bound = { .process = hook->process,
                .kind = PROGRAM_GATHER,
                .start_ns = hook_row_ns(row, 1),
                .end_ns = hook_row_ns(row, 2),
                .value = hook_row_ns(row, 3),
                .n = hook_row_ns(row, 3),
                .site = site_at(hook, row, 4) };

        return add_bound(hook, row, &bound);
}

static int read_executor(struct hook *hook, struct hook_row *row)
{
        struct program_bound bound = { .process = hook->process,
                .kind = str_is(hook_row_text(row, 7), "getaddrinfo") ? PROGRAM_NAMES
                                                                     : PROGRAM_EXECUTOR,
                .start_ns = hook_row_ns(row, 1),
                .end_ns = hook_row_ns(row, 2),
                .value = hook_row_ns(row, 3),
                .n = hook_row_ns(row, 4),
                .waited_ns = hook_row_ns(row, 5),
                .most_waiting = hook_row_ns(row, 6),
                .site = row->n > 8 ? site_at(hook, row, 8) : 0 };

        return add_bound(hook, row, &bound);
}

static int read_pause(struct hook *hook, struct hook_row *row)
{
        struct program_bound bound = { .process = hook->process,
                .kind = PROGRAM_PAUSE,
                .start_ns = hook_row_ns(row, 1),
                .end_ns = hook_row_ns(row, 2),
                .n = hook_row_ns(row, 3),
                .waited_ns = hook_row_ns(row, 4),
                .site = site_at(hook, row, 5) };

        return add_bound(hook, row, &bound);
}

static int read_context(struct hook *hook, struct hook_row *row)
{
        struct program_chore chore = { .process = hook->process,
                .start_ns = hook_row_ns(row, 1),
                .took_ns = hook_row_ns(row, 2),
                .site = site_at(hook, row, 3) };
        struct program_chore *place;

        if (!row->is_good)
                return 0;
        place = rows_add(&hook->all->contexts);
        if (!place)
                return MUSTER_E_RESOURCE;
        *place = chore;
        return 0;
}

static int read_timeout(struct hook *hook, struct hook_row *row)
{
        struct hook_timeout timeout = { .process = hook->process,
                .at_ns = hook_row_ns(row, 1),
                .client = client_at(hook, row, 2),
                .site = site_at(hook, row, 3),
                .held_ns = hook_row_ns(row, 4) };
        struct hook_timeout *place;

        if (!row->is_good)
                return 0;
        place = rows_add(&hook->all->timeouts);
        if (!place)
                return MUSTER_E_RESOURCE;
        *place = timeout;
        return 0;
}

static int read_runtime(struct hook *hook, struct hook_row *row)
{
        struct program_interpreter of_it = { .process = hook->process,
                .has_lock = hook_row_number(row, 2, 1),
                .switch_ns = hook_row_ns(row, 3) };
        struct program_interpreter *place;

        if (!row->is_good || hook->interpreter)
                return 0;
        if (keep_text(hook, row, 1, &of_it.name) < 0)
                return MUSTER_E_RESOURCE;
        place = rows_add(&hook->all->interpreters);
        if (!place)
                return MUSTER_E_RESOURCE;
        *place = of_it;
        hook->interpreter = (uint32_t)hook->all->interpreters.n;
        return 0;
}

/* Of several, the place of the one in which there was most waiting. */
static int read_interpreter(struct hook *hook, struct hook_row *row)
{
        uint64_t start_ns = hook_row_ns(row, 1), end_ns = hook_row_ns(row, 2),
                 waited_ns = hook_row_ns(row, 3);
        uint64_t n_asked = row->n > 4 ? hook_row_count(row, 4) : 0;
        uint64_t n_taken = row->n > 5 ? hook_row_count(row, 5) : 0;
        struct program_interpreter *of_it;

        if (!row->is_good)
                return 0;
        hook->all->lock_waited_ns = min_u64(hook->all->lock_waited_ns + waited_ns, HOOK_ROW_NS_MAX);
        if (!hook->interpreter || !n_asked)
                return 0;
        of_it = rows_at(&hook->all->interpreters, hook->interpreter - 1);
        of_it->start_ns = of_it->n_asked ? of_it->start_ns : start_ns;
        of_it->end_ns = max_u64(of_it->end_ns, end_ns);
        of_it->n_asked += n_asked;
        of_it->n_taken += n_taken;
        of_it->waited_ns = min_u64(of_it->waited_ns + waited_ns, HOOK_ROW_NS_MAX);
        if (waited_ns <= hook->most_waited_ns || row->n < 9)
                return 0;
        hook->most_waited_ns = waited_ns;
        of_it->site = site_at(hook, row, 6);
        of_it->share = (uint32_t)hook_row_number(row, 7, 100);
        return keep_text(hook, row, 8, &of_it->call_name);
}

static int read_lost(struct hook *hook, struct hook_row *row)
{
        uint64_t n = hook_row_number(row, 1, UINT32_MAX);

        if (row->is_good)
                hook->all->n_lost += n;
        return 0;
}

static const struct {
        const char *kind;
        int (*read)(struct hook *hook, struct hook_row *row);
} kinds[] = {
        { "library", read_library },
        { "loop", read_loop },
        { "site", read_site },
        { "client", read_client },
        { "client-end", read_client_end },
        { "request", read_request },
        { "word", read_word },
        { "requests", read_requests },
        { "held", read_held },
        { "held-at", read_held_at },
        { "semaphore", read_semaphore },
        { "gather", read_gather },
        { "executor", read_executor },
        { "pause", read_pause },
        { "context", read_context },
        { "timeout", read_timeout },
        { "runtime", read_runtime },
        { "interpreter", read_interpreter },
        { "lost", read_lost },
};

/* --- lines ------------------------------------------------------------------------------------ */

/* A last line without its end was torn. */
static bool take_line(struct muster_str *rest, struct muster_str *ret_line)
{
        const char *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;

        if (!end)
                return false;
        *ret_line = (struct muster_str){ rest->at, (size_t)(end - rest->at) };
        *rest = str_after(*rest, ret_line->len + 1);
        return true;
}

static int read_row(struct hook *hook, struct muster_str line)
{
        struct hook_row row;

        hook_row_cut(&row, line);
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (str_is(row.fields[0], kinds[i].kind))
                        return kinds[i].read(hook, &row);
        return 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* The process that wrote it: of that pid, the last that had begun. */
static uint32_t find_process(const struct watched *all, int32_t pid, uint64_t start_ns)
{
        uint32_t found = 0;

        for (uint32_t i = 1; i <= all->processes.n; i++) {
                const struct process *process = watched_process(all, i);

                if (process->row.pid == pid && !process->has_hook &&
                        (!found || process->row.start_ns <= start_ns))
                        found = i;
        }
        return found;
}

static int add_process(struct watched *all, int32_t pid, uint64_t start_ns, uint32_t *ret_process)
{
        struct process *process = rows_add(&all->processes);

        if (!process)
                return MUSTER_E_RESOURCE;
        process->row.pid = pid;
        process->row.start_ns = process->row.end_ns = start_ns;
        process->row.unseen = PROGRAM_UNSEEN_SHIM;
        process->ended = true;
        *ret_process = (uint32_t)all->processes.n;
        return 0;
}

static int put_language(struct hook *hook, const struct hook_row *row)
{
        struct muster_str name = hook_row_text(row, 2);
        struct buf text = { 0 };
        int r = 0;

        if (str_is(name, "python"))
                name = str_of("Python");
        else if (str_is(name, "node"))
                name = str_of("Node");
        if (buf_add_str(&text, name) < 0 || buf_add_char(&text, ' ') < 0 ||
                buf_add_str(&text, hook_row_text(row, 3)) < 0)
                r = MUSTER_E_RESOURCE;
        if (r == 0)
                r = watched_keep(hook->all, buf_str(&text),
                        &watched_process(hook->all, hook->process)->row.language);
        buf_deinit(&text);
        return r;
}

static int begin(struct hook *hook, struct muster_str line, uint64_t start_ns)
{
        struct hook_row row;
        int32_t pid;
        int r = 0;

        hook_row_cut(&row, line);
        if (!str_is(row.fields[0], "muster-hook") ||
                hook_row_number(&row, 1, UINT32_MAX) != WATCH_HOOK_VERSION)
                return HOOK_OTHER;
        pid = (int32_t)hook_row_number(&row, 4, INT32_MAX);
        if (!row.is_good)
                return HOOK_OTHER;
        hook->process = find_process(hook->all, pid, start_ns);
        if (!hook->process)
                r = add_process(hook->all, pid, start_ns, &hook->process);
        if (r < 0)
                return r;
        watched_process(hook->all, hook->process)->has_hook = true;
        return put_language(hook, &row);
}

/* A process that the shim did not see lived as long as its requests at least. */
static void stretch(struct hook *hook)
{
        struct process *process = watched_process(hook->all, hook->process);

        if (process->has_shim)
                return;
        for (size_t i = 0; i < hook->all->requests.n; i++) {
                const struct hook_request *request = rows_at(&hook->all->requests, i);

                if (request->process == hook->process)
                        process->row.end_ns = max_u64(process->row.end_ns, request->end_ns);
        }
}

int hook_read(struct watched *all, struct muster_str text, uint64_t start_ns)
{
        struct hook hook = {
                .all = all, .first_hold = all->holds.n, .words.size = sizeof(struct muster_str)
        };
        struct muster_str line;
        int r;

        if (!take_line(&text, &line))
                return HOOK_OTHER;
        r = begin(&hook, line, start_ns);
        if (r != 0)
                return r;
        keys_init(&hook.sites);
        keys_init(&hook.clients);
        hook.rest = text;
        while (r == 0 && take_line(&hook.rest, &line))
                r = read_row(&hook, line);
        if (r == 0)
                r = watched_keep(all, buf_str(&hook.names),
                        &watched_process(all, hook.process)->row.libraries);
        if (r == 0)
                stretch(&hook);
        keys_deinit(&hook.sites);
        keys_deinit(&hook.clients);
        rows_deinit(&hook.words);
        buf_deinit(&hook.names);
        return r;
}
