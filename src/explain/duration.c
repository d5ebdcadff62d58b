/* SPDX-License-Identifier: MIT */
#include "duration.h"

#include <base/clock.h>
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
                most_ns -= request->slot_ns[i];
        }
}
