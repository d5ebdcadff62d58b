/* SPDX-License-Identifier: MIT */
#include "watched.h"

#include "h2_talk.h"
#include <base/mem.h>

int watched_init(struct watched *all)
{
        *all = (struct watched){
                .text = arena_new(),
                .processes.size = sizeof(struct process),
                .threads.size = sizeof(struct thread),
                .links.size = sizeof(struct link),
                .calls.size = sizeof(struct call),
                .lookups.size = sizeof(struct lookup),
                .aways.size = sizeof(struct away),
                .waits.size = sizeof(struct wait),
                .blocks.size = sizeof(struct block),
                .bursts.size = sizeof(struct burst),
                .asked.size = sizeof(struct asked),
                .requests.size = sizeof(struct hook_request),
                .timeouts.size = sizeof(struct hook_timeout),
                .sites.size = sizeof(struct program_site),
                .clients.size = sizeof(struct program_client),
                .holds.size = sizeof(struct program_hold),
                .bounds.size = sizeof(struct program_bound),
                .contexts.size = sizeof(struct program_chore),
                .shim_contexts.size = sizeof(struct program_chore),
                .interpreters.size = sizeof(struct program_interpreter),
        };
        return all->text ? 0 : MUSTER_E_RESOURCE;
}

void watched_deinit(struct watched *all)
{
        struct rows *rows[] = { &all->processes, &all->threads, &all->links, &all->calls,
                &all->lookups, &all->aways, &all->waits, &all->blocks, &all->bursts, &all->requests,
                &all->timeouts, &all->sites, &all->clients, &all->holds, &all->bounds,
                &all->contexts, &all->shim_contexts, &all->interpreters, &all->asked };

        for (uint32_t i = 1; i <= all->links.n; i++)
                h2_talk_free(watched_link(all, i)->h2);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                rows_deinit(rows[i]);
        url_deinit(&all->url);
        url_deinit(&all->near);
        buf_deinit(&all->scratch);
        all->text = arena_free(all->text);
}

/* --- texts ----------------------------------------------------------------------------------- */

/* The length of the character at the front, in UTF-8; 0: it is none that is shown. */
static size_t char_bytes(struct muster_str text)
{
        const unsigned char *at = (const unsigned char *)text.at;
        size_t n = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;

        if (at[0] < 0x20 || at[0] == 0x7f || (at[0] >= 0x80 && at[0] < 0xc2) || at[0] > 0xf4 ||
                n > text.len)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
        if ((at[0] == 0xc2 && at[1] < 0xa0) || (at[0] == 0xe0 && at[1] < 0xa0) ||
                (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
                (at[0] == 0xf4 && at[1] > 0x8f))
                return 0;
        return n;
}

static bool same_site(const struct program_site *a, const struct program_site *b)
{
        return a->line == b->line && str_eq(a->file, b->file) && str_eq(a->function, b->function);
}

uint32_t watched_site(struct watched *all, const struct program_site *site)
{
        struct program_site *row;

        for (uint32_t i = 0; i < all->sites.n; i++)
                if (same_site(rows_at(&all->sites, i), site))
                        return i + 1;
        row = rows_add(&all->sites);
        if (!row)
                return 0;
        *row = *site;
        return (uint32_t)all->sites.n;
}

int watched_keep(struct watched *all, struct muster_str text, struct muster_str *ret_copy)
{
        struct buf *scratch = &all->scratch;

        scratch->len = 0;
        while (text.len) {
                size_t n = char_bytes(text);

                if ((n ? buf_add(scratch, text.at, n) : buf_add_char(scratch, '?')) < 0)
                        return MUSTER_E_RESOURCE;
                text = str_after(text, n ? n : 1);
        }
        return arena_add(all->text, buf_str(scratch), ret_copy);
}

int watched_keep_url(struct watched *all, struct muster_str text, struct muster_str *ret_url,
        struct muster_str *ret_origin)
{
        struct buf *scratch = &all->scratch;
        struct url near = all->near;
        struct muster_error error;
        int r;

        *ret_url = *ret_origin = (struct muster_str){ "", 0 };
        if (!text.len)
                return 0;
        all->near = all->url; /* the one before is often of the same origin */
        all->url = near;
        r = url_parse_near(&all->url, text, &all->near, &error);
        if (r < 0)
                return r == MUSTER_E_RESOURCE ? r : 0;
        scratch->len = 0;
        if (url_add_public(&all->url, scratch) < 0 ||
                arena_add(all->text, buf_str(scratch), ret_url) < 0)
                return MUSTER_E_RESOURCE;
        scratch->len = 0;
        if (url_add_origin(&all->url, scratch) < 0)
                return MUSTER_E_RESOURCE;
        return arena_add(all->text, buf_str(scratch), ret_origin);
}

int watched_keep_location(struct watched *all, struct muster_str from, struct muster_str location,
        struct muster_str *ret_url)
{
        struct buf *scratch = &all->scratch;
        struct muster_error error;
        int r;

        *ret_url = (struct muster_str){ "", 0 };
        r = url_parse(&all->near, from, NULL, &error);
        if (r == 0)
                r = url_parse(&all->url, location, &all->near, &error);
        if (r < 0)
                return r == MUSTER_E_RESOURCE ? r : 0;
        scratch->len = 0;
        if (url_add_public(&all->url, scratch) < 0 ||
                arena_add(all->text, buf_str(scratch), ret_url) < 0)
                return MUSTER_E_RESOURCE;
        return 0;
}

uint16_t origin_port(struct muster_str origin)
{
        uint64_t port = 0;
        size_t n = origin.len;

        while (n && origin.at[n - 1] != ':')
                n--;
        return str_to_u64(str_after(origin, n), &port) ? (uint16_t)port : 0;
}
