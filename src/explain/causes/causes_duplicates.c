/* SPDX-License-Identifier: MIT */
/*
 * Duplicates: a list that asks for the same more than once
 *
 * Whoever repeats a single URL, or a few, wants load, and gets it: a list is made of many. A run
 * that was asked for as load says so (-n, --duration).
 */
#include "cause.h"

#include <base/str.h>
#include <explain/judgement.h>
#include <explain/measure/duplicates.h>

#define URL_SHOWN 120

/* A request that is left out takes a slot, for no time: one that never has one waits till it ends. */
static void leave_out(struct replay_request *request, const struct facts *facts, void *argument)
{
        const struct duplicates *duplicates = argument;

        if (!duplicates->is_again[request->last - facts->record->attempts])
                return;
        for (int i = 0; i < PART_N; i++)
                request->slot_ns[i] = 0;
        request->n_attempts = 1;
        request->n_conns = 0;
        request->loop_ns = request->backoff_ns = request->process_ns = 0;
        request->wire_bytes = 0;
}

static void remedy_duplicates(struct finding *finding, const struct facts *facts)
{
        if (facts->program)
                finding_remedy(finding,
                        "Ask once for each, and keep the result for the others (Python: functools.cache).");
        else if (facts->record->run.command)
                finding_remedy(finding,
                        "Ask once for each: sort -u removes the duplicates of a list, one URL a line.");
        else
                finding_remedy(finding,
                        "Ask once for each, and keep the result for the others: muster has no cache of its own.");
}

static void tell_duplicates(struct finding *finding, const struct facts *facts,
        const struct duplicates *duplicates)
{
        const struct record *record = facts->record;
        uint32_t path = duplicates->most->path;

        finding_title(finding, "%s of %s requests asked again for what the list had asked before",
                words_count(duplicates->n).text, words_count(facts->n_requests).text);
        finding_evidence(finding,
                "%s different URLs were asked for, by GET and without header fields",
                words_count(duplicates->n_urls).text);
        if (path && path <= record->n_paths)
                finding_evidence(finding, "the most frequent one %s times: %.*s",
                        words_count(duplicates->n_most).text,
                        (int)(record->paths[path - 1].len < URL_SHOWN ? record->paths[path - 1].len
                                                                      : URL_SHOWN),
                        record->paths[path - 1].at);
        finding_evidence(finding, "each time the response had the same length");
        remedy_duplicates(finding, facts);
}

static bool is_worth_it(const struct duplicates *duplicates, const struct facts *facts)
{
        return duplicates->n_urls >= URLS_OF_A_LIST &&
               (double)duplicates->n >= (double)facts->n_requests * GAIN_NOTICED;
}

static bool predict(struct finding *finding, const struct facts *facts,
        struct duplicates *duplicates)
{
        struct replay replay;
        uint64_t wall_ns;

        replay_init(&replay, facts);
        replay.change = leave_out;
        replay.argument = duplicates;
        wall_ns = replay_wall_ns(&replay, facts);
        if ((double)wall_ns > (double)facts->wall_ns * (1 - GAIN_NOTICED))
                return false;
        finding_predict(finding, wall_ns, wall_ns, wall_ns);
        finding->is_needless = true;
        return true;
}

static bool duplicate_requests(const struct facts *facts, struct finding *finding)
{
        struct duplicates duplicates;
        bool is_found = !facts->is_load && duplicates_find(&duplicates, facts) == 0 &&
                        is_worth_it(&duplicates, facts) && predict(finding, facts, &duplicates);

        if (is_found)
                tell_duplicates(finding, facts, &duplicates);
        if (!facts->is_load)
                duplicates_deinit(&duplicates);
        return is_found;
}

const struct cause causes_duplicates[] = {
        { "duplicate-requests", MUSTER_GRADE_A, duplicate_requests },
        { 0 },
};
