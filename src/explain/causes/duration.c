/* SPDX-License-Identifier: MIT */
#include "duration.h"

#include <assert.h>
#include <base/clock.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <stdio.h>

uint64_t duration_round_up(uint64_t ns)
{
        uint64_t round = NS_PER_MS;

        for (;;) {
                if (round >= ns || round > UINT64_MAX / 10)
                        return round;
                if (round * 2 >= ns)
                        return round * 2;
                if (round * 5 >= ns)
                        return round * 5;
                round *= 10;
        }
}

/*
 * How long a request took from its first slot to its last byte. 0: it was not answered in full, or
 * one of its attempts took longer than `attempt_ns`.
 */
static uint64_t took_within(const struct facts *facts, size_t from, size_t to, uint64_t attempt_ns)
{
        const struct trace_attempt *attempt = NULL;
        uint64_t slot_ns = 0;

        for (size_t at = from; at < to; at++) {
                attempt = &facts->record->attempts[facts->by_request[at]];
                if (!attempt->stamps.slot_ns)
                        continue;
                if (life_end_ns(attempt) - attempt->stamps.slot_ns > attempt_ns)
                        return 0;
                if (!slot_ns)
                        slot_ns = attempt->stamps.slot_ns;
        }
        return attempt && trace_is_answered(attempt) && !attempt->code && slot_ns
                       ? life_end_ns(attempt) - slot_ns
                       : 0;
}

/* And at least that. */
static uint64_t enough_for(const struct facts *facts, uint64_t attempt_ns, uint64_t least_ns)
{
        uint64_t most_ns = least_ns;

        for (size_t from = 0, to; from < facts->record->n_attempts; from = to) {
                uint64_t ns;

                to = facts_request_end(facts, from);
                ns = took_within(facts, from, to, attempt_ns);
                if ((double)ns * LONGEST_AGAIN > (double)most_ns)
                        most_ns = whole_of((double)ns * LONGEST_AGAIN);
        }
        return duration_round_up(most_ns);
}

uint64_t duration_to_give_up(const struct facts *facts, uint64_t attempt_ns)
{
        return enough_for(facts, attempt_ns, attempt_ns);
}

uint64_t duration_that_loses_none(const struct facts *facts, uint64_t least_ns)
{
        return enough_for(facts, UINT64_MAX, least_ns);
}

size_t duration_n_lost(const struct facts *facts, uint64_t most_ns)
{
        size_t n = 0;

        for (size_t from = 0, to; from < facts->record->n_attempts; from = to) {
                to = facts_request_end(facts, from);
                n += took_within(facts, from, to, UINT64_MAX) > most_ns;
        }
        return n;
}

struct words duration_option(uint64_t ns)
{
        struct words words;

        if (ns % NS_PER_S == 0)
                snprintf(words.text, sizeof(words.text), "%llus",
                        (unsigned long long)(ns / NS_PER_S));
        else
                snprintf(words.text, sizeof(words.text), "%llums",
                        (unsigned long long)(ns / NS_PER_MS));
        return words;
}

void duration_cut_off(struct replay_request *request, uint64_t most_ns)
{
        for (int i = 0; i < PART_N; i++) {
                if (request->slot_ns[i] > most_ns)
                        request->slot_ns[i] = most_ns;
                assert(request->slot_ns[i] <= most_ns);
                most_ns -= request->slot_ns[i];
        }
}
