/* SPDX-License-Identifier: MIT */
#include "read.h"

#include "account.h"
#include "exchange.h"
#include "hook.h"
#include "match.h"
#include "sight.h"
#include <base/error.h>
#include <base/file.h>
#include <base/mem.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#define HOOK_BYTES_MAX (512 * 1024 * 1024) /* a row has some 200: of millions of requests */
#define LOGS_MAX       65536

/* A file of the folder, or a text in memory. */
struct source_log {
        char *path; /* NULL: `text` */
        struct muster_str text;
        bool is_hook;
        uint64_t start_ns;
};

struct reading {
        struct watched all;
        struct rows logs;  /* struct source_log */
        struct rows heirs; /* struct inheritance */
};

/* --- which logs ------------------------------------------------------------------------------- */

/* "shim.PID.START", "outside.PID.START" or "hook.PID.START". */
static bool read_name(struct muster_str name, struct source_log *log)
{
        struct muster_str rest = name, part;
        uint64_t pid;

        if (!str_split(&rest, '.', &part) ||
                (!str_is(part, "shim") && !str_is(part, "outside") && !str_is(part, "hook")))
                return false;
        log->is_hook = str_is(part, "hook");
        return str_split(&rest, '.', &part) && str_to_u64(part, &pid) &&
               str_to_u64(rest, &log->start_ns);
}

static int add_file(struct reading *reading, const char *folder, const char *name)
{
        struct source_log log = { 0 }, *place;
        size_t bytes = strlen(folder) + strlen(name) + 2;

        if (!read_name(str_of(name), &log) || reading->logs.n == LOGS_MAX)
                return 0;
        log.path = mem_alloc(bytes);
        place = log.path ? rows_add(&reading->logs) : NULL;
        if (!place) {
                mem_free(log.path);
                return MUSTER_E_RESOURCE;
        }
        snprintf(log.path, bytes, "%s/%s", folder, name);
        *place = log;
        return 0;
}

static int list_folder(struct reading *reading, const char *folder, struct muster_error *error)
{
        DIR *dir = opendir(folder);
        const struct dirent *entry;
        int r = 0;

        if (!dir)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, errno,
                        "input: the folder %s of logs cannot be read: %s", folder,
                        error_sys_text(errno));
        while (r == 0 && (entry = readdir(dir)))
                r = add_file(reading, folder, entry->d_name);
        closedir(dir);
        return r < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE) : 0;
}

/* Shims' logs come first: a hook's belong to the processes that they tell of. */
static uint64_t order_of(const void *row)
{
        const struct source_log *log = row;

        return log->start_ns / 2 + (log->is_hook ? UINT64_C(1) << 63 : 0);
}

/* --- one log ---------------------------------------------------------------------------------- */

static int read_shim(struct reading *reading, const struct source_log *source)
{
        struct log log;
        int r = source->path ? log_open(&log, source->path) : log_open_bytes(&log, source->text);

        if (r != 0) /* it is none, or it went away: what is there counts */
                return r == -ENOMEM ? MUSTER_E_RESOURCE : 0;
        r = sight_read(&reading->all, &log, &reading->heirs);
        log_close(&log);
        return r;
}

static int read_hook(struct reading *reading, const struct source_log *source)
{
        struct buf text = { 0 };
        struct muster_error error;
        int r = 0;

        if (source->path)
                r = file_load(source->path, HOOK_BYTES_MAX, &text, &error);
        if (r == 0)
                r = hook_read(&reading->all, source->path ? buf_str(&text) : source->text,
                        source->start_ns);
        buf_deinit(&text);
        return r == MUSTER_E_RESOURCE ? r : 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

static int begin(struct reading *reading)
{
        *reading = (struct reading){
                .logs.size = sizeof(struct source_log),
                .heirs.size = sizeof(struct inheritance),
        };
        return watched_init(&reading->all);
}

static void end(struct reading *reading)
{
        for (size_t i = 0; i < reading->logs.n; i++)
                mem_free(((struct source_log *)rows_at(&reading->logs, i))->path);
        for (size_t i = 0; i < reading->heirs.n; i++)
                sockets_deinit(&((struct inheritance *)rows_at(&reading->heirs, i))->sockets);
        rows_deinit(&reading->logs);
        rows_deinit(&reading->heirs);
        watched_deinit(&reading->all);
}

static int read_all(struct reading *reading, struct record *record)
{
        int r = rows_sort(&reading->logs, order_of);

        for (size_t i = 0; r == 0 && i < reading->logs.n; i++) {
                const struct source_log *log = rows_at(&reading->logs, i);

                r = log->is_hook ? read_hook(reading, log) : read_shim(reading, log);
        }
        if (r == 0)
                r = match_requests(&reading->all);
        if (r == 0)
                r = exchange_make(&reading->all);
        return r < 0 ? r : account_make(&reading->all, record);
}

int watch_read_folder(struct record *record, const char *folder, struct muster_error *error)
{
        struct reading reading;
        int r = begin(&reading);

        *record = (struct record){ 0 };
        if (r < 0)
                error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (r == 0)
                r = list_folder(&reading, folder, error);
        if (r == 0 && (r = read_all(&reading, record)) < 0)
                error_set_memory(error, MUSTER_PHASE_QUEUE);
        end(&reading);
        if (r < 0)
                record_deinit(record);
        return r;
}

int watch_read_texts(struct record *record, const struct watch_text *texts, size_t n)
{
        struct reading reading;
        int r = begin(&reading);

        *record = (struct record){ 0 };
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct source_log *log = rows_add(&reading.logs);

                if (log)
                        *log = (struct source_log){ .text = texts[i].bytes,
                                .is_hook = texts[i].is_hook,
                                .start_ns = texts[i].start_ns };
                else
                        r = MUSTER_E_RESOURCE;
        }
        if (r == 0)
                r = read_all(&reading, record);
        end(&reading);
        if (r < 0)
                record_deinit(record);
        return r;
}
