/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>

#define QUEUED_LEAST_NS NS_PER_MS /* less is the library's own work, and no wait for others */

/* The public bits are the record's. */
_Static_assert((int)MUSTER_UNSEEN_TLS == (int)PROGRAM_UNSEEN_TLS, "see enum program_unseen");
_Static_assert((int)MUSTER_UNSEEN_URING == (int)PROGRAM_UNSEEN_URING, "see enum program_unseen");
_Static_assert((int)MUSTER_UNSEEN_STAMPS == (int)PROGRAM_UNSEEN_STAMPS, "see enum program_unseen");
_Static_assert((int)MUSTER_UNSEEN_ALL == (int)PROGRAM_UNSEEN_SHIM, "see enum program_unseen");
_Static_assert((int)MUSTER_UNSEEN_HOOK == (int)PROGRAM_UNSEEN_HOOK, "see enum program_unseen");
_Static_assert((int)MUSTER_UNSEEN_DROPPED == (int)PROGRAM_UNSEEN_DROPPED,
        "see enum program_unseen");
_Static_assert((int)MUSTER_UNSEEN_REQUESTS == (int)PROGRAM_UNSEEN_REQUESTS,
        "see enum program_unseen");

/* --- processes ------------------------------------------------------------------------------- */

/* All texts are in one piece of memory, reserved before, so that it does not move. */
static const char *keep(struct seen *seen, struct muster_str text)
{
        const char *at = seen->texts.at + seen->texts.len;

        buf_add_str(&seen->texts, text);
        buf_add_char(&seen->texts, '\0');
        return at;
}

static size_t texts_size(const struct program_process *process)
{
        return process->words.len + process->language.len + process->libraries.len +
               process->loop.len + 4;
}

static int copy_processes(struct seen *seen, const struct programs *programs)
{
        size_t size = 0;

        for (size_t i = 0; i < programs->n_processes; i++)
                size += texts_size(&programs->processes[i]);
        seen->processes = mem_zalloc(programs->n_processes * sizeof(*seen->processes));
        if (!seen->processes || buf_reserve(&seen->texts, size) < 0)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < programs->n_processes; i++) {
                const struct program_process *from = &programs->processes[i];

                seen->processes[i] = (struct muster_process){
                        .pid = from->pid,
                        .ppid = from->ppid,
                        .start_ns = from->start_ns,
                        .end_ns = from->end_ns,
                        .cpu_ns = from->cpu_ns,
                        .n_threads = from->n_threads,
                        .unseen = from->unseen,
                        .words = keep(seen, from->words),
                        .language = keep(seen, from->language),
                        .libraries = keep(seen, from->libraries),
                        .loop = keep(seen, from->loop),
                };
        }
        seen->n_processes = programs->n_processes;
        return 0;
}

/* --- sums ------------------------------------------------------------------------------------ */

static void sum_conns(struct muster_watched *sums, const struct record *record)
{
        for (size_t i = 0; i < record->n_conns; i++) {
                sums->n_handshakes += record->conns[i].tls_end_ns != 0;
                sums->n_resumed += record->conns[i].is_resumed;
        }
        sums->n_lookups = record->n_lookups;
        for (size_t i = 0; i < record->n_lookups; i++)
                sums->lookups_ns += record->lookups[i].end_ns - record->lookups[i].start_ns;
        sums->n_hosts = record->n_origins;
}

static void sum_calls(struct seen *seen, const struct programs *programs)
{
        struct muster_watched *sums = &seen->sums;

        for (size_t i = 0; i < programs->n_calls; i++) {
                const struct program_call *call = &programs->calls[i];

                sums->n_queued += call->queued_ns >= QUEUED_LEAST_NS;
                sums->queued_ns += call->queued_ns;
                if (call->process && call->process <= seen->n_processes)
                        seen->processes[call->process - 1].n_requests++;
        }
}

static void sum_holds(struct muster_watched *sums, const struct programs *programs)
{
        sums->n_held = programs->n_holds;
        for (size_t i = 0; i < programs->n_holds; i++) {
                uint64_t held_ns = programs->holds[i].end_ns - programs->holds[i].start_ns;

                sums->held_ns += held_ns;
                sums->held_most_ns = max_u64(sums->held_most_ns, held_ns);
        }
}

static void sum_rest(struct muster_watched *sums, const struct programs *programs)
{
        sums->n_processes = programs->n_processes;
        sums->n_clients = programs->n_clients;
        sums->n_contexts = programs->n_contexts;
        sums->lock_waited_ns = programs->lock_waited_ns;
        sums->n_lost = programs->n_lost;
        for (size_t i = 0; i < programs->n_contexts; i++)
                sums->contexts_ns += programs->contexts[i].took_ns;
        for (size_t i = 0; i < programs->n_processes; i++)
                sums->cpu_ns += programs->processes[i].cpu_ns;
}

/* --- the whole ------------------------------------------------------------------------------- */

int seen_init(struct seen *seen, const struct record *record)
{
        const struct programs *programs = &record->programs;

        *seen = (struct seen){ 0 };
        if (!programs->n_processes)
                return 0;
        if (copy_processes(seen, programs) < 0)
                return MUSTER_E_RESOURCE;
        sum_conns(&seen->sums, record);
        sum_calls(seen, programs);
        sum_holds(&seen->sums, programs);
        sum_rest(&seen->sums, programs);
        return 0;
}

void seen_deinit(struct seen *seen)
{
        mem_free(seen->processes);
        buf_deinit(&seen->texts);
        *seen = (struct seen){ 0 };
}
