/* SPDX-License-Identifier: MIT */
#include "duplicates.h"

#include <assert.h>
#include <base/mem.h>
#include <explain/facts/sort.h>

/* --- which ones ------------------------------------------------------------------------------ */

static bool is_comparable(const struct trace_attempt *first, const struct trace_attempt *last)
{
        return first->n == 1 && first->url_digest && first->is_plain && !first->has_fields &&
               last->is_last && last->code == MUSTER_OK && last->status >= 200 &&
               last->status < 300;
}

/* By URL, and then in the order of asking; value: where the request begins in by_request. */
static size_t list_requests(const struct facts *facts, struct sort_pair *pairs)
{
        const struct trace_attempt *attempts = facts->record->attempts;
        size_t n_attempts = facts->record->n_attempts, n = 0;

        for (size_t from = 0, to; from < n_attempts; from = to) {
                const struct trace_attempt *first = &attempts[facts->by_request[from]];

                to = facts_request_end(facts, from);
                if (is_comparable(first, &attempts[facts->by_request[to - 1]]))
                        pairs[n++] = (struct sort_pair){ first->url_digest, from };
        }
        sort_pairs(pairs, n);
        return n;
}

static const struct trace_attempt *last_of(const struct facts *facts, size_t from)
{
        size_t to = facts_request_end(facts, from);

        return &facts->record->attempts[facts->by_request[to - 1]];
}

/* --- one URL --------------------------------------------------------------------------------- */

static bool are_alike(const struct facts *facts, const struct sort_pair *pairs, size_t n)
{
        const struct trace_attempt *one = last_of(facts, pairs[0].value);

        for (size_t i = 1; i < n; i++)
                if (last_of(facts, pairs[i].value)->body_bytes != one->body_bytes)
                        return false;
        return true;
}

static void add_url(struct duplicates *duplicates, const struct facts *facts,
        const struct sort_pair *pairs, size_t n)
{
        assert(n > 0);
        duplicates->n_urls++;
        if (n == 1 || !are_alike(facts, pairs, n))
                return;
        for (size_t i = 1; i < n; i++)
                duplicates->is_again[last_of(facts, pairs[i].value) - facts->record->attempts] =
                        true;
        duplicates->n += n - 1;
        if (n > duplicates->n_most) {
                duplicates->n_most = n;
                duplicates->most = &facts->record->attempts[facts->by_request[pairs[0].value]];
        }
}

int duplicates_find(struct duplicates *duplicates, const struct facts *facts)
{
        size_t n_attempts = facts->record->n_attempts, n;
        struct sort_pair *pairs = mem_array(n_attempts, sizeof(*pairs));

        *duplicates = (struct duplicates){ .is_again = mem_array(n_attempts, sizeof(bool)) };
        if (!pairs || !duplicates->is_again) {
                mem_free(pairs);
                return MUSTER_E_RESOURCE;
        }
        for (size_t i = 0; i < n_attempts; i++)
                duplicates->is_again[i] = false;
        n = list_requests(facts, pairs);
        for (size_t from = 0, to; from < n; from = to) {
                for (to = from + 1; to < n && pairs[to].key == pairs[from].key;)
                        to++;
                add_url(duplicates, facts, &pairs[from], to - from);
        }
        mem_free(pairs);
        return 0;
}

void duplicates_deinit(struct duplicates *duplicates)
{
        duplicates->is_again = mem_free(duplicates->is_again);
}
