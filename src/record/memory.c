/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <assert.h>
#include <base/mem.h>

/* There are rarely more than a few hundred of each. */
#define TEXTS_MAX   65536
#define ORIGINS_MAX 65536
#define TURNS_MAX   32768

int memory_init(struct memory *memory, uint64_t keep)
{
        const uint64_t max_rows[ROW_N_KINDS] = {
                [ROW_ORIGIN] = ORIGINS_MAX,
                [ROW_ATTEMPT] = keep ? keep : MEMORY_ATTEMPTS,
                [ROW_CONN] = keep ? keep : MEMORY_ATTEMPTS,
                [ROW_TRY] = keep ? keep : MEMORY_ATTEMPTS,
                [ROW_LOOKUP] = keep ? keep : MEMORY_ATTEMPTS, /* an attempt has at most one */
                [ROW_TURN] = TURNS_MAX,
                [ROW_SAMPLE] = MEMORY_SAMPLES,
        };
        int r = 0;

        *memory = (struct memory){ .arena = arena_new(), .sample_every = 1 };
        for (int kind = 0; r == 0 && kind < ROW_N_KINDS; kind++)
                r = ring_init(&memory->rings[kind], row_types[kind]->size, max_rows[kind]);
        if (r == 0)
                r = names_init(&memory->texts, memory->arena, TEXTS_MAX);
        if (r == 0)
                r = names_init(&memory->paths, memory->arena, RECORD_PATHS_MAX);
        if (r == 0 && memory->arena)
                return 0;
        memory_deinit(memory);
        return MUSTER_E_RESOURCE;
}

void memory_deinit(struct memory *memory)
{
        for (int kind = 0; kind < ROW_N_KINDS; kind++)
                ring_deinit(&memory->rings[kind]);
        names_deinit(&memory->texts);
        names_deinit(&memory->paths);
        arena_free(memory->arena);
        *memory = (struct memory){ 0 };
}

/* --- rows in --------------------------------------------------------------------------------- */

static void keep_text(struct memory *memory, enum row_kind kind, void *row)
{
        struct muster_str *text = row_text(kind, row);
        struct trace_attempt *attempt = row;

        if (!text)
                return;
        if (kind != ROW_ATTEMPT) {
                *text = names_keep(&memory->texts, *text);
                return;
        }
        attempt->path = names_number(&memory->paths, names_path_of(*text));
        attempt->url_digest = names_digest_of(*text);
        *text = (struct muster_str){ "", 0 };
}

static bool is_sample_to_keep(struct memory *memory, const struct trace_sample *sample)
{
        struct ring *ring = &memory->rings[ROW_SAMPLE];

        assert(memory->sample_every > 0);
        memory->last_sample = *sample;
        if (memory->n_samples++ % memory->sample_every)
                return false;
        if (ring->n_added == ring->max_rows) {
                ring_thin(ring);
                memory->sample_every *= 2;
        }
        return true;
}

/*
 * Is there room for another row? The first origins are kept, as later ones are useless without
 * them.
 */
static bool has_room(const struct memory *memory, enum row_kind kind)
{
        const struct ring *ring = &memory->rings[kind];

        return kind != ROW_ORIGIN || ring->n_added < ring->max_rows;
}

void memory_add(struct memory *memory, enum row_kind kind, const void *row)
{
        assert(kind < ROW_N_KINDS);
        void *place;

        if (kind == ROW_ATTEMPT)
                totals_add(&memory->totals, row);
        if (!has_room(memory, kind) || (kind == ROW_SAMPLE && !is_sample_to_keep(memory, row)))
                return;
        place = ring_add(&memory->rings[kind]);
        if (!place) {
                memory->n_dropped += kind == ROW_ATTEMPT;
                return;
        }
        memcpy(place, row, row_types[kind]->size);
        keep_text(memory, kind, place);
}

uint64_t memory_n_dropped(const struct memory *memory)
{
        const struct ring *ring = &memory->rings[ROW_ATTEMPT];

        return memory->n_dropped + ring->n_added - ring_n(ring);
}

/* --- rows out -------------------------------------------------------------------------------- */

/* Copy all rows of a ring to an array with room for `n_more`. */
static int copy_rows(const struct ring *ring, size_t n_more, void *ret_rows, size_t *ret_n)
{
        uint64_t n = ring_n(ring);
        char *rows = n + n_more ? mem_array((size_t)n + n_more, ring->row_size) : NULL;

        if (n + n_more && !rows)
                return MUSTER_E_RESOURCE;
        for (uint64_t i = 0; i < n; i++)
                memcpy(rows + i * ring->row_size, ring_at(ring, i), ring->row_size);
        memcpy(ret_rows, &rows, sizeof(rows));
        *ret_n = (size_t)n;
        return 0;
}

/* Copy the texts of `n` rows to the record's arena. */
static int copy_texts(struct record *record, enum row_kind kind, void *rows, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct muster_str *text = row_text(kind, (char *)rows + i * row_types[kind]->size);

                if (arena_add(record->text, *text, text) < 0)
                        return MUSTER_E_RESOURCE;
        }
        return 0;
}

static int copy_paths(const struct memory *memory, struct record *record)
{
        if (memory->paths.n == 0)
                return 0;
        record->paths = mem_array(memory->paths.n, sizeof(*record->paths));
        if (!record->paths)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < memory->paths.n; i++) {
                struct muster_str text = names_text(&memory->paths, (uint32_t)i + 1);

                if (arena_add(record->text, text, &record->paths[i]) < 0)
                        return MUSTER_E_RESOURCE;
                record->n_paths++;
        }
        return 0;
}

static void add_last_sample(const struct memory *memory, struct record *record)
{
        size_t n = record->n_samples;

        if (memory->last_sample.at_ns &&
                (!n || record->samples[n - 1].at_ns < memory->last_sample.at_ns))
                record->samples[record->n_samples++] = memory->last_sample;
}

int memory_copy(const struct memory *memory, struct record *record)
{
        const struct ring *rings = memory->rings;

        if (!(record->text = arena_new()) ||
                copy_rows(&rings[ROW_ORIGIN], 0, &record->origins, &record->n_origins) < 0 ||
                copy_rows(&rings[ROW_ATTEMPT], 0, &record->attempts, &record->n_attempts) < 0 ||
                copy_rows(&rings[ROW_CONN], 0, &record->conns, &record->n_conns) < 0 ||
                copy_rows(&rings[ROW_TRY], 0, &record->tries, &record->n_tries) < 0 ||
                copy_rows(&rings[ROW_LOOKUP], 0, &record->lookups, &record->n_lookups) < 0 ||
                copy_rows(&rings[ROW_TURN], 0, &record->turns, &record->n_turns) < 0 ||
                copy_rows(&rings[ROW_SAMPLE], 1, &record->samples, &record->n_samples) < 0 ||
                copy_texts(record, ROW_ORIGIN, record->origins, record->n_origins) < 0 ||
                copy_texts(record, ROW_CONN, record->conns, record->n_conns) < 0 ||
                copy_texts(record, ROW_TRY, record->tries, record->n_tries) < 0 ||
                copy_texts(record, ROW_LOOKUP, record->lookups, record->n_lookups) < 0 ||
                copy_paths(memory, record) < 0)
                return MUSTER_E_RESOURCE;
        add_last_sample(memory, record);
        if (memory_n_dropped(memory))
                record->totals = memory->totals;
        record->has_tries = true;
        record_settle(record);
        return 0;
}
