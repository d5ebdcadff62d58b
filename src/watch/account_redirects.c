/* SPDX-License-Identifier: MIT */
/*
 * Redirects that a library followed
 *
 * On the wire a redirect and where it leads are two requests. To the program they are one: it made
 * it once, and waits for both. They are known by what the first said in Location, and by a request
 * to that place which comes next from the same process, in the same thread.
 */
#include "account.h"
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>

#define FOLLOWS_NS     NS_PER_S /* what comes later, somebody has thought about */
#define SLACK_NS       NS_PER_MS
#define LOOK_AHEAD_MAX 4096 /* so many requests are tried for a redirect */

static struct call *call_of(const struct account *account, size_t i)
{
        return watched_call(account->all, (uint32_t)account->record->attempts[i].number);
}

static bool is_redirect(const struct call *call)
{
        return call->location.len && call->row.status / 100 == 3;
}

static bool follows(const struct call *redirect, struct muster_str url, const struct call *call)
{
        uint64_t from_ns = redirect->row.stamps.first_byte_read_ns;
        uint64_t at_ns = call->row.stamps.send_start_ns;

        return call->process == redirect->process && call->thread == redirect->thread &&
               at_ns + SLACK_NS >= from_ns && at_ns <= from_ns + FOLLOWS_NS &&
               str_eq(call->row.url, url);
}

/* The first that goes where the redirect leads, and is none's yet; SIZE_MAX: nobody followed. */
static size_t find(const struct account *account, size_t i, struct muster_str url,
        const uint32_t *before)
{
        const struct record *record = account->record;
        const struct call *redirect = call_of(account, i);

        for (size_t k = i + 1; k < record->n_attempts && k - i < LOOK_AHEAD_MAX; k++) {
                if (record->attempts[k].stamps.start_ns >
                        redirect->row.stamps.first_byte_read_ns + FOLLOWS_NS)
                        break;
                if (!before[k] && follows(redirect, url, call_of(account, k)))
                        return k;
        }
        return SIZE_MAX;
}

/* Its library noted it with the one before, which had the steps of its connection for itself. */
static void begin_at(struct attempt *stamps, uint64_t at_ns)
{
        stamps->start_ns = at_ns;
        stamps->slot_ns = max_u64(stamps->slot_ns, at_ns);
        if (stamps->dns_end_ns < at_ns)
                stamps->dns_end_ns = 0;
        if (stamps->tcp_end_ns < at_ns)
                stamps->tcp_end_ns = 0;
        if (stamps->tunnel_end_ns < at_ns)
                stamps->tunnel_end_ns = 0;
        if (stamps->tls_end_ns < at_ns)
                stamps->tls_end_ns = 0;
}

/*
 * The second goes on where the first ended: what its library noted of both is with the first. The
 * program has the last one's response.
 */
static void join(const struct account *account, size_t from, size_t to)
{
        struct trace_attempt *first = &account->record->attempts[from];
        struct trace_attempt *second = &account->record->attempts[to];
        struct call *call = call_of(account, to);
        uint64_t begin_ns = min_u64(first->stamps.first_byte_read_ns, second->stamps.send_start_ns);

        first->is_last = false;
        first->outcome = TRACE_REDIRECTED;
        second->n = (uint16_t)(first->n + 1);
        second->submitted_ns = first->submitted_ns;
        if (second->stamps.start_ns < begin_ns)
                begin_at(&second->stamps, begin_ns);
        second->taken_ns = max_u64(second->taken_ns, first->taken_ns);
        first->taken_ns = first->stamps.end_ns;
        if (!call->hook)
                call->hook = call_of(account, from)->hook;
}

int account_redirects(const struct account *account, uint32_t *ret_before)
{
        for (size_t i = 0; i < account->record->n_attempts; i++) {
                const struct call *call = call_of(account, i);
                struct muster_str url;
                size_t next;

                if (!is_redirect(call))
                        continue;
                if (watched_keep_location(account->all, call->row.url, call->location, &url) < 0)
                        return MUSTER_E_RESOURCE;
                next = url.len ? find(account, i, url, ret_before) : SIZE_MAX;
                if (next == SIZE_MAX)
                        continue;
                ret_before[next] = (uint32_t)i + 1;
                join(account, i, next);
        }
        return 0;
}
