/* SPDX-License-Identifier: MIT */
/*
 * Which look-up gave a connection its address
 *
 * The last one of its name before it that gave none to another. A program may have made one for
 * each of many connections, so they stand in order of process, name and end, and those that are used
 * up are passed over at once.
 */
#include "account.h"
#include "skips.h"
#include <base/clock.h>
#include <base/mem.h>
#include <stdlib.h>

/* Between a look-up in a thread of its own and the connection stands the loop. */
#define LOOKUP_AGE_NS (2 * NS_PER_S)

/* One that worked. */
struct entry {
        uint64_t digest, end_ns;
        size_t number;
};

struct account_lookups {
        struct entry *list;
        size_t n;
        struct skips skips;
};

static struct lookup *lookup_of(const struct account *account, const struct entry *entry)
{
        return rows_at(&account->all->lookups, entry->number);
}

/* FNV-1a of a name, whose case says nothing. Names that share one are told apart where it matters. */
static uint64_t digest_of(uint32_t process, struct muster_str name)
{
        uint64_t digest = UINT64_C(0xcbf29ce484222325) ^ process;

        for (size_t i = 0; i < name.len; i++)
                digest = (digest ^ (unsigned char)char_lower(name.at[i])) * UINT64_C(0x100000001b3);
        return digest;
}

/* Of those that ended at once the first is the last here: it is found first. */
static int compare_entries(const void *a, const void *b)
{
        const struct entry *one = a, *other = b;

        if (one->digest != other->digest)
                return one->digest < other->digest ? -1 : 1;
        if (one->end_ns != other->end_ns)
                return one->end_ns < other->end_ns ? -1 : 1;
        return one->number > other->number ? -1 : one->number < other->number;
}

static void list_lookups(const struct account *account, struct account_lookups *lookups)
{
        for (size_t i = 0; i < account->all->lookups.n; i++) {
                const struct lookup *lookup = rows_at(&account->all->lookups, i);

                if (!lookup->row.code)
                        lookups->list[lookups->n++] =
                                (struct entry){ digest_of(lookup->process, lookup->row.name),
                                        lookup->row.end_ns, i };
        }
        if (lookups->n)
                qsort(lookups->list, lookups->n, sizeof(*lookups->list), compare_entries);
}

struct account_lookups *account_lookups_new(const struct account *account)
{
        struct account_lookups *lookups = mem_zalloc(sizeof(*lookups));

        if (!lookups)
                return NULL;
        lookups->list = mem_array(account->all->lookups.n + 1, sizeof(*lookups->list));
        if (!lookups->list)
                return account_lookups_free(lookups);
        list_lookups(account, lookups);
        return skips_init(&lookups->skips, lookups->n) < 0 ? account_lookups_free(lookups)
                                                           : lookups;
}

struct account_lookups *account_lookups_free(struct account_lookups *lookups)
{
        if (lookups) {
                skips_deinit(&lookups->skips);
                mem_free(lookups->list);
                mem_free(lookups);
        }
        return NULL;
}

/* How many stand before those that ended later, or have another digest behind this one. */
static size_t n_until(const struct account_lookups *lookups, uint64_t digest, uint64_t end_ns)
{
        size_t low = 0, high = lookups->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const struct entry *entry = &lookups->list[middle];

                if (entry->digest < digest || (entry->digest == digest && entry->end_ns <= end_ns))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

const struct trace_lookup *account_lookups_take(const struct account *account,
        struct account_lookups *lookups, const struct link *link, struct muster_str host)
{
        uint64_t digest = digest_of(link->process, host), opened_ns = link->row.opened_ns;
        size_t n = n_until(lookups, digest, opened_ns);

        while (n && (n = skips_down(&lookups->skips, n - 1)) != SKIPS_NONE) {
                const struct entry *entry = &lookups->list[n];
                const struct lookup *lookup = lookup_of(account, entry);

                if (entry->digest != digest || entry->end_ns + LOOKUP_AGE_NS < opened_ns)
                        break;
                if (lookup->process != link->process || !str_eq_nocase(lookup->row.name, host))
                        continue;
                skips_use(&lookups->skips, n);
                return &lookup->row;
        }
        return NULL;
}
