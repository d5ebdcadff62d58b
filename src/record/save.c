/* SPDX-License-Identifier: MIT */
#include "save.h"

#include "store.h"
#include <base/error.h>
#include <base/mem.h>

struct saving {
        struct store *store;
        struct batch *batch;
};

/* A row that fits into no empty batch is left out: no row is that long. */
static int add(struct saving *saving, enum row_kind kind, const void *row)
{
        if (batch_add(saving->batch, kind, row))
                return 0;
        if (store_write(saving->store, saving->batch, 0) < 0)
                return MUSTER_E_RESOURCE;
        batch_reset(saving->batch);
        (void)batch_add(saving->batch, kind, row);
        return 0;
}

static int add_all(struct saving *saving, enum row_kind kind, const void *rows, size_t n)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = add(saving, kind, (const char *)rows + i * row_types[kind]->size);
        return r;
}

static int write_rows(struct saving *saving, const struct record *record)
{
        if (add_all(saving, ROW_ORIGIN, record->origins, record->n_origins) < 0 ||
                add_all(saving, ROW_ATTEMPT, record->attempts, record->n_attempts) < 0 ||
                add_all(saving, ROW_CONN, record->conns, record->n_conns) < 0 ||
                add_all(saving, ROW_TRY, record->tries, record->n_tries) < 0 ||
                add_all(saving, ROW_LOOKUP, record->lookups, record->n_lookups) < 0 ||
                add_all(saving, ROW_TURN, record->turns, record->n_turns) < 0 ||
                add_all(saving, ROW_SAMPLE, record->samples, record->n_samples) < 0)
                return MUSTER_E_RESOURCE;
        return store_write(saving->store, saving->batch, 0);
}

static int write_all(struct saving *saving, const struct record *record,
        const struct counters *after)
{
        if (write_rows(saving, record) < 0 ||
                (record->programs.n_processes &&
                        store_write_programs(saving->store, &record->programs) < 0))
                return MUSTER_E_RESOURCE;
        return store_finish(saving->store, &record->run, after);
}

int record_save(const struct record *record, const struct counters *before,
        const struct counters *after, const char *path, bool overwrite, struct muster_error *error)
{
        struct saving saving = { .batch = mem_alloc(sizeof(*saving.batch)) };
        int r;

        if (!saving.batch)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        batch_reset(saving.batch);
        r = store_create(&saving.store, path, overwrite, &record->run, before, error);
        if (r == 0 && (r = write_all(&saving, record, after)) < 0)
                error_set(error, r, MUSTER_PHASE_QUEUE, store_error(saving.store)->sys, "%s",
                        store_error(saving.store)->text);
        store_close(saving.store);
        mem_free(saving.batch);
        return r;
}
