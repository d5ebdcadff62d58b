/* SPDX-License-Identifier: MIT */
/*
 * Requests that came to a watched program, which is a server as well
 *
 * What it asks of others it asks because it was asked: then its requests do not wait for each other.
 * What comes while one of its own is under way may be that one, where a program asks a server of its
 * own, as tests do; it does not count.
 */
#include "account.h"
#include <base/mem.h>
#include <base/minmax.h>

struct span {
        uint64_t start_ns, end_ns;
        uint32_t process;
};

static uint64_t span_start_ns(const void *row)
{
        return ((const struct span *)row)->start_ns;
}

static uint64_t asked_at_ns(const void *row)
{
        return ((const struct asked *)row)->at_ns;
}

static int list_spans(const struct watched *all, struct rows *spans)
{
        for (uint32_t i = 1; i <= all->calls.n; i++) {
                const struct call *call = watched_call(all, i);
                struct span *span = rows_add(spans);

                if (!span)
                        return MUSTER_E_RESOURCE;
                *span = (struct span){ call->row.stamps.send_start_ns,
                        max_u64(call->row.stamps.end_ns, call->last_ns), call->process };
        }
        return rows_sort(spans, span_start_ns);
}

/* `busy_until_ns` is by process, and zeroed. */
static void count(struct watched *all, const struct rows *spans, uint64_t *busy_until_ns)
{
        size_t n_begun = 0;

        for (size_t i = 0; i < all->asked.n; i++) {
                const struct asked *asked = rows_at(&all->asked, i);

                for (; n_begun < spans->n; n_begun++) {
                        const struct span *span = rows_at(spans, n_begun);

                        if (span->start_ns > asked->at_ns)
                                break;
                        busy_until_ns[span->process] =
                                max_u64(busy_until_ns[span->process], span->end_ns);
                }
                if (busy_until_ns[asked->process] <= asked->at_ns)
                        watched_process(all, asked->process)->row.n_served++;
        }
}

int account_served(struct account *account)
{
        struct rows spans = { .size = sizeof(struct span) };
        struct watched *all = account->all;
        uint64_t *busy_until_ns;
        int r;

        if (!all->asked.n)
                return 0;
        busy_until_ns = mem_array(all->processes.n + 1, sizeof(*busy_until_ns));
        r = busy_until_ns ? list_spans(all, &spans) : MUSTER_E_RESOURCE;
        if (r == 0)
                r = rows_sort(&all->asked, asked_at_ns);
        if (r == 0)
                count(all, &spans, busy_until_ns);
        rows_deinit(&spans);
        mem_free(busy_until_ns);
        return r;
}
