/* SPDX-License-Identifier: MIT */
#include "match.h"

#include "dated.h"
#include "hook_log.h"
#include "talk.h"
#include <base/clock.h>
#include <base/minmax.h>
#include <record/names.h>

#define LOOK_AHEAD_MAX 4096 /* so many requests that are alike are tried for a call */
#define SLACK_NS       NS_PER_MS

/* --- what has to be the same ------------------------------------------------------------------ */

enum pass { PASS_URL, PASS_ORIGIN, N_PASSES };

static uint64_t digest_of(enum pass pass, uint32_t process, struct muster_str method,
        struct muster_str url, struct muster_str origin)
{
        uint64_t digest = names_digest_of(pass == PASS_URL ? url : origin);

        digest = digest * 31 + names_digest_of(method);
        return digest * 31 + process;
}

static uint64_t ready_ns(const struct hook_request *request)
{
        return request->start_ns + request->queued_ns + request->connecting_ns;
}

static void list_calls(const struct watched *all, enum pass pass, struct dated_list *calls)
{
        for (uint32_t i = 1; i <= all->calls.n; i++) {
                const struct call *call = watched_call(all, i);

                if (!call->hook && !call->is_tunnel)
                        dated_add(calls,
                                digest_of(pass, call->process, call->method, call->row.url,
                                        call->origin),
                                call->row.stamps.send_start_ns, i);
        }
        dated_sort(calls);
}

static void list_requests(const struct watched *all, enum pass pass, struct dated_list *requests)
{
        for (uint32_t i = 1; i <= all->requests.n; i++) {
                const struct hook_request *request = watched_request(all, i);

                if (!request->call)
                        dated_add(requests,
                                digest_of(pass, request->process, request->method, request->url,
                                        request->origin),
                                ready_ns(request), i);
        }
        dated_sort(requests);
}

/* --- pairs ------------------------------------------------------------------------------------ */

static bool is_over_before(const struct hook_request *request, const struct call *call)
{
        return request->end_ns + SLACK_NS < call->row.stamps.send_start_ns;
}

static bool fits(const struct watched *all, const struct hook_request *request,
        const struct call *call)
{
        const struct attempt *stamps = &call->row.stamps;

        if (request->tid && call->thread && watched_thread(all, call->thread)->tid != request->tid)
                return false;
        if (request->start_ns > stamps->send_start_ns + SLACK_NS || is_over_before(request, call))
                return false;
        /* A library that follows redirects has the status of the last. */
        if (request->status && call->row.status && request->status != call->row.status &&
                !(call->location.len && call->row.status / 100 == 3))
                return false;
        return !stamps->first_byte_read_ns || !request->status ||
               stamps->first_byte_read_ns <= request->end_ns + SLACK_NS;
}

/* The first request from `from` on, all of them alike, that this call may be; SIZE_MAX: none. */
static size_t find(const struct watched *all, const struct dated_list *requests, size_t from,
        const struct dated *call)
{
        for (size_t i = from; i < requests->n && i - from < LOOK_AHEAD_MAX; i++) {
                const struct hook_request *request;

                if (requests->list[i].key != call->key)
                        break;
                request = watched_request(all, requests->list[i].number);
                if (!request->call && fits(all, request, watched_call(all, call->number)))
                        return i;
        }
        return SIZE_MAX;
}

static void pair(const struct watched *all, const struct dated_list *calls,
        const struct dated_list *requests)
{
        size_t first = 0;

        for (size_t i = 0; i < calls->n; i++) {
                const struct dated *call = &calls->list[i];
                size_t found;

                while (first < requests->n &&
                        (requests->list[first].key < call->key ||
                                (requests->list[first].key == call->key &&
                                        (watched_request(all, requests->list[first].number)->call ||
                                                is_over_before(watched_request(all,
                                                                       requests->list[first]
                                                                               .number),
                                                        watched_call(all, call->number))))))
                        first++;
                found = find(all, requests, first, call);
                if (found == SIZE_MAX)
                        continue;
                watched_call(all, call->number)->hook = requests->list[found].number;
                watched_request(all, requests->list[found].number)->call = call->number;
        }
}

static int pair_all(const struct watched *all, enum pass pass)
{
        struct dated_list calls, requests = { 0 };
        int r = dated_init(&calls, all->calls.n);

        if (r == 0)
                r = dated_init(&requests, all->requests.n);
        if (r == 0) {
                list_calls(all, pass, &calls);
                list_requests(all, pass, &requests);
                pair(all, &calls, &requests);
        }
        dated_deinit(&calls);
        dated_deinit(&requests);
        return r;
}

/* --- what a hook adds ------------------------------------------------------------------------- */

static const struct {
        const char *word;
        int code;
} words[] = {
        { "Timeout", MUSTER_E_TIMEOUT },
        { "TIMEOUT", MUSTER_E_TIMEOUT },
        { "timed out", MUSTER_E_TIMEOUT },
        { "Cancel", MUSTER_E_CANCELLED },
        { "Abort", MUSTER_E_CANCELLED },
        { "Cert", MUSTER_E_TLS_VERIFY },
        { "SSL", MUSTER_E_TLS },
        { "Proxy", MUSTER_E_PROXY },
        { "DNS", MUSTER_E_RESOLVE },
        { "gaierror", MUSTER_E_RESOLVE },
        { "NameResolution", MUSTER_E_RESOLVE },
        { "ENOTFOUND", MUSTER_E_RESOLVE },
        { "EAI_AGAIN", MUSTER_E_RESOLVE },
        { "ConnectorError", MUSTER_E_CONNECT },
        { "ConnectError", MUSTER_E_CONNECT },
        { "NewConnection", MUSTER_E_CONNECT },
        { "Refused", MUSTER_E_CONNECT },
        { "REFUSED", MUSTER_E_CONNECT },
        { "Redirect", MUSTER_E_REDIRECT },
        { "Decod", MUSTER_E_DECODE },
        { "Payload", MUSTER_E_CLOSED },
        { "Disconnected", MUSTER_E_CLOSED },
        { "Incomplete", MUSTER_E_CLOSED },
        { "Reset", MUSTER_E_CLOSED },
        { "ECONNRESET", MUSTER_E_CLOSED },
        { "socket", MUSTER_E_CLOSED },
        { "SOCKET", MUSTER_E_CLOSED },
        { "InvalidURL", MUSTER_E_URL },
        { "InvalidUrl", MUSTER_E_URL },
        { "Protocol", MUSTER_E_PROTOCOL },
};

int match_code_of(struct muster_str error)
{
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (str_has(error, words[i].word))
                        return words[i].code;
        return MUSTER_E_CLOSED;
}

/*
 * The program had the head of the response and gave up the rest: aiohttp says that it closed the
 * connection, and Node that somebody aborted it. That is no failure.
 */
static bool is_given_up(const struct call *call, struct muster_str error)
{
        return call->row.status && call->is_unread && call->row.code == 0 &&
               (str_is(error, "ClientConnectionError") ||
                       match_code_of(error) == MUSTER_E_CANCELLED);
}

static void note_error(struct call *call, const struct hook_request *request)
{
        call->error = request->error;
        if (is_given_up(call, request->error))
                return;
        if (!request->error.len || (call->row.status && call->row.code == 0 && !call->is_unread))
                return;
        call->row.code = (int8_t)match_code_of(request->error);
        call->row.outcome = TRACE_FAILED;
        call->is_timeout = call->row.code == MUSTER_E_TIMEOUT;
}

static void adopt_request(struct call *call, const struct hook_request *request)
{
        struct attempt *stamps = &call->row.stamps;

        stamps->start_ns = min_u64(request->start_ns, stamps->send_start_ns);
        stamps->slot_ns = clamp_u64(request->start_ns + request->queued_ns, stamps->start_ns,
                stamps->send_start_ns);
        call->queued_ns = request->queued_ns;
        /* The program was done with it then; closing its connection takes as long as it takes. */
        if (request->flags & WATCH_HOOK_UNREAD) {
                call->is_unread = true;
                stamps->end_ns = min_u64(stamps->end_ns,
                        max_u64(request->end_ns, stamps->last_byte_read_ns));
        }
        if (!(request->flags & WATCH_HOOK_HEAD_ONLY))
                call->row.taken_ns = max_u64(request->end_ns, stamps->end_ns);
        note_error(call, request);
}

/* --- what only a hook saw --------------------------------------------------------------------- */

static void fill_from_request(struct call *call, const struct hook_request *request)
{
        struct attempt *stamps = &call->row.stamps;

        stamps->start_ns = request->start_ns;
        stamps->slot_ns = request->start_ns + request->queued_ns;
        stamps->tcp_end_ns = request->connecting_ns ? ready_ns(request) : 0;
        stamps->send_start_ns = stamps->send_end_ns = ready_ns(request);
        stamps->end_ns = request->end_ns;
        if (request->status) {
                stamps->first_byte_kernel_ns = stamps->first_byte_read_ns = request->end_ns;
                stamps->last_byte_kernel_ns = stamps->last_byte_read_ns = request->end_ns;
        }
        call->row.stage = request->status ? MUSTER_PHASE_RECEIVE : MUSTER_PHASE_WAIT;
        call->row.taken_ns = request->end_ns;
        call->row.is_reused = request->flags & WATCH_HOOK_REUSED;
}

/* It failed before it was sent: in what it waited for then. */
static void find_stage(struct call *call, const struct hook_request *request)
{
        struct attempt *stamps = &call->row.stamps;

        if (request->status || request->flags & WATCH_HOOK_REUSED)
                return;
        if (!request->connecting_ns && request->queued_ns) {
                call->row.stage = MUSTER_PHASE_QUEUE;
                stamps->slot_ns = 0;
        } else if (match_code_of(request->error) == MUSTER_E_RESOLVE)
                call->row.stage = MUSTER_PHASE_DNS;
        else if (match_code_of(request->error) == MUSTER_E_CONNECT)
                call->row.stage = MUSTER_PHASE_TCP;
        else
                return;
        stamps->tcp_end_ns = stamps->send_start_ns = stamps->send_end_ns = 0;
}

static int add_call(struct watched *all, uint32_t number)
{
        struct call *call = rows_add(&all->calls);
        struct hook_request *request = watched_request(all, number);

        if (!call)
                return MUSTER_E_RESOURCE;
        request->call = (uint32_t)all->calls.n;
        call->hook = number;
        call->process = request->process;
        call->method = request->method;
        call->origin = request->origin;
        call->row.url = request->url;
        call->state = CALL_DONE;
        call->row.n = 1;
        call->row.is_last = true;
        call->row.method = str_is(request->method, "GET")       ? TRACE_METHOD_GET
                           : str_is(request->method, "HEAD")    ? TRACE_METHOD_HEAD
                           : str_is(request->method, "OPTIONS") ? TRACE_METHOD_OPTIONS
                                                                : TRACE_METHOD_OTHER;
        call->row.is_safe = call->row.method != TRACE_METHOD_OTHER;
        call->row.is_plain = call->row.method == TRACE_METHOD_GET;
        call->row.status = request->status;
        call->row.http_version = request->status ? 11 : 0;
        call->queued_ns = request->queued_ns;
        call->is_unread = request->flags & WATCH_HOOK_UNREAD;
        fill_from_request(call, request);
        note_error(call, request);
        if (call->row.outcome == TRACE_FAILED)
                find_stage(call, request);
        return 0;
}

static uint64_t thread_key(uint32_t process, int32_t tid)
{
        return (uint64_t)process << 32 | (uint32_t)tid;
}

/* Threads by how hooks name them; of those with the same number, the first. */
static int list_threads(const struct watched *all, struct keys *threads)
{
        for (uint32_t i = 1; i <= all->threads.n; i++) {
                const struct thread *thread = watched_thread(all, i);
                uint64_t key = thread_key(thread->process, thread->tid);

                if (!keys_get(threads, key) && keys_set(threads, key, i) < 0)
                        return MUSTER_E_RESOURCE;
        }
        return 0;
}

static int add_all_unseen(struct watched *all, const struct keys *threads)
{
        for (uint32_t i = 1; i <= all->requests.n; i++) {
                const struct hook_request *request = watched_request(all, i);
                struct call *call;

                if (request->call)
                        continue;
                if (add_call(all, i) < 0)
                        return MUSTER_E_RESOURCE;
                call = watched_call(all, request->call);
                call->thread = keys_get(threads, thread_key(request->process, request->tid));
                if (call->thread)
                        watched_thread(all, call->thread)->has_calls = true;
        }
        return 0;
}

static int add_unseen(struct watched *all)
{
        struct keys threads;
        int r;

        keys_init(&threads);
        r = list_threads(all, &threads);
        if (r == 0)
                r = add_all_unseen(all, &threads);
        keys_deinit(&threads);
        return r;
}

/* --- all of it -------------------------------------------------------------------------------- */

int match_requests(struct watched *all)
{
        for (int pass = 0; all->requests.n && pass < N_PASSES; pass++)
                if (pair_all(all, (enum pass)pass) < 0)
                        return MUSTER_E_RESOURCE;
        for (uint32_t i = 1; i <= all->calls.n; i++) {
                struct call *call = watched_call(all, i);

                if (call->hook)
                        adopt_request(call, watched_request(all, call->hook));
        }
        if (add_unseen(all) < 0 || match_timeouts(all) < 0)
                return MUSTER_E_RESOURCE;
        return match_links(all);
}
