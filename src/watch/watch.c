/* SPDX-License-Identifier: MIT */
/*
 * The public functions: from a folder of logs to a record's file
 */
#include <muster/watch.h>

#include "read.h"
#include <base/error.h>
#include <base/mem.h>
#include <record/save.h>
#include <stddef.h>

/* The size that counts if a caller leaves `size` at 0: up to the last member of version 0.1. */
#define OPTIONS_BYTES_0_1 (offsetof(struct muster_watch_options, overwrite) + sizeof(bool))

struct muster_watch {
        struct counters before;
};

/* Counters of the process that reads, and not of those that were watched. */
static void forget_own(struct counters *counters)
{
        static const enum counter own[] = { COUNTER_USER, COUNTER_SYSTEM, COUNTER_SWITCHES_WANTED,
                COUNTER_SWITCHES_FORCED, COUNTER_PEAK_MEMORY, COUNTER_OPEN_FILES,
                COUNTER_OUTPUT_STALLED, COUNTER_STOPS };

        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
                counters->values[own[i]] = -1;
}

static int refuse(struct muster_error *error, const char *why)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "invalid: %s", why);
}

int muster_watch_new(struct muster_watch **ret_watch, struct muster_error *error)
{
        struct muster_watch *watch;

        if (error)
                error_clear(error);
        if (!ret_watch)
                return refuse(error, "an argument is missing");
        watch = mem_zalloc(sizeof(*watch));
        if (!watch)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        counters_read(&watch->before);
        forget_own(&watch->before);
        *ret_watch = watch;
        return 0;
}

static int save(const struct muster_watch *watch, const struct record *record, const char *folder,
        const struct muster_watch_options *options, struct muster_error *error)
{
        struct counters after;

        if (!record->programs.n_processes)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: no program has written a log to %s: was it started with the preloaded library?",
                        folder);
        counters_read(&after);
        forget_own(&after);
        return record_save(record, &watch->before, &after, options->file, options->overwrite,
                error);
}

int muster_watch_read(struct muster_watch *watch, const char *folder,
        const struct muster_watch_options *options, struct muster_error *error)
{
        struct muster_watch_options known = { 0 };
        struct record record;
        int r;

        if (error)
                error_clear(error);
        if (options)
                mem_copy_known(&known, sizeof(known), options,
                        options->size ? options->size : OPTIONS_BYTES_0_1);
        if (!watch || !folder || !known.file || !*known.file)
                return refuse(error, "the watch, the folder or the record's file is missing");
        r = watch_read_folder(&record, folder, error);
        if (r < 0)
                return r;
        if (known.has_ended)
                record.run.is_complete = true;
        r = save(watch, &record, folder, &known, error);
        record_deinit(&record);
        return r;
}

struct muster_watch *muster_watch_free(struct muster_watch *watch)
{
        return mem_free(watch);
}
