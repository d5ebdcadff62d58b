/* SPDX-License-Identifier: MIT */
/*
 * Tries that a library made again by itself
 *
 * The program made one request, and waits for the last of its tries. A library's hook says of a try
 * that it follows another one (urllib3's Retry). Or it knows of one request alone, and on the wire
 * there are two: the first was asked on a connection that had been used before, and the server
 * closed that without an answer (aiohttp).
 */
#include "account.h"
#include <base/minmax.h>
#include <watch/hook_log.h>

#define LOOK_BACK_MAX 4096 /* so many requests are tried for an earlier try */

static struct call *call_of(const struct account *account, size_t i)
{
        return watched_call(account->all, (uint32_t)account->record->attempts[i].number);
}

static const struct hook_request *hook_of(const struct account *account, const struct call *call)
{
        return call->hook ? watched_request(account->all, call->hook) : NULL;
}

static bool is_alike(const struct call *one, const struct call *other)
{
        return one->process == other->process && one->row.method == other->row.method &&
               str_eq(one->row.url, other->row.url);
}

static bool is_again(const struct account *account, const struct call *call)
{
        const struct hook_request *request = hook_of(account, call);

        return request && request->flags & WATCH_HOOK_AGAIN;
}

/* Its library says so: the one before in the same thread. */
static bool precedes(const struct account *account, const struct call *first,
        const struct call *second)
{
        const struct hook_request *one = hook_of(account, first), *two = hook_of(account, second);

        return one && two && one->tid == two->tid && one->end_ns <= two->start_ns;
}

/* Of the two the library knows one request, which was made before the first was sent. */
static bool are_within_one(const struct account *account, const struct call *first,
        const struct call *second)
{
        const struct hook_request *request = hook_of(account, first->hook ? first : second);

        return request && !(first->hook && second->hook) && first->thread &&
               first->thread == second->thread &&
               request->start_ns <= first->row.stamps.send_start_ns &&
               request->end_ns >= second->row.stamps.send_start_ns;
}

static bool was_left_without_answer(const struct call *call)
{
        return call->link && call->row.is_reused && !call->row.status;
}

/* The try before this one, and how it went on; SIZE_MAX: there is none. */
static size_t find(const struct account *account, size_t i, enum trace_outcome *ret_outcome)
{
        const struct call *call = call_of(account, i);
        bool says_so = is_again(account, call);

        for (size_t k = i; k-- > 0 && i - k < LOOK_BACK_MAX;) {
                const struct call *first = call_of(account, k);

                if (!account->record->attempts[k].is_last || !is_alike(first, call))
                        continue;
                if (says_so && precedes(account, first, call)) {
                        *ret_outcome = TRACE_RETRIED;
                        return k;
                }
                if (!says_so && was_left_without_answer(first) &&
                        are_within_one(account, first, call)) {
                        *ret_outcome = TRACE_REPEATED;
                        return k;
                }
        }
        return SIZE_MAX;
}

static void join(const struct account *account, size_t from, size_t to, enum trace_outcome outcome)
{
        struct trace_attempt *first = &account->record->attempts[from];
        struct trace_attempt *second = &account->record->attempts[to];
        struct call *call = call_of(account, to);

        first->is_last = false;
        first->outcome = outcome;
        first->taken_ns = first->stamps.end_ns;
        second->n = (uint16_t)(first->n + 1);
        second->submitted_ns = first->submitted_ns;
        if (!call->hook)
                call->hook = call_of(account, from)->hook;
}

void account_retries(const struct account *account, uint32_t *before)
{
        for (size_t i = 1; i < account->record->n_attempts; i++) {
                enum trace_outcome outcome;
                size_t first = before[i] ? SIZE_MAX : find(account, i, &outcome);

                if (first == SIZE_MAX)
                        continue;
                before[i] = (uint32_t)first + 1;
                join(account, first, i, outcome);
        }
}
