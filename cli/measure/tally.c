/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <stdio.h>
#include <string.h>

void tally_init(struct tally *tally)
{
        memset(tally, 0, sizeof(*tally));
        hist_init(&tally->latency);
}

bool tally_counts(enum muster_phase phase)
{
        return phase != MUSTER_PHASE_QUEUE && phase != MUSTER_PHASE_BACKOFF &&
               phase != MUSTER_PHASE_PROCESS && phase != MUSTER_PHASE_DELIVER;
}

bool tally_is_turned_down(const struct muster_result *result)
{
        int status = muster_result_status(result);

        return status == 429 || status >= 500;
}

static void keep_example(struct tally *tally, const struct muster_result *result)
{
        if (!tally->example[0])
                snprintf(tally->example, sizeof(tally->example), "%.80s: %s",
                        muster_result_url(result), muster_result_error_text(result));
}

static void add_refusal(struct tally *tally, const struct muster_result *result)
{
        int status = muster_result_status(result);

        if (status < 400)
                return;
        tally->n_4xx += status < 500;
        tally->n_5xx += status >= 500;
        if (!tally->refusal[0])
                snprintf(tally->refusal, sizeof(tally->refusal), "%d from %.200s", status,
                        muster_result_url(result));
}

void tally_add(struct tally *tally, const struct muster_result *result)
{
        uint64_t latency_ns = 0;

        for (int i = 0; i < MUSTER_N_PHASES; i++) {
                uint64_t ns = muster_result_phase_ns(result, (enum muster_phase)i);

                tally->phase_ns[i] += ns;
                if (tally_counts((enum muster_phase)i))
                        latency_ns += ns;
        }
        tally->n++;
        tally->in_flight_ns += latency_ns;
        hist_add(&tally->latency, latency_ns);
        tally->body_bytes += muster_result_body_bytes(result);
        tally->wire_bytes += muster_result_wire_bytes(result);
        if (!muster_result_error(result)) {
                tally->n_turned_down += tally_is_turned_down(result);
                add_refusal(tally, result);
                return;
        }
        tally->n_failed++;
        keep_example(tally, result);
}

void tally_merge(struct tally *tally, const struct tally *other)
{
        tally->n += other->n;
        tally->n_failed += other->n_failed;
        tally->n_turned_down += other->n_turned_down;
        tally->n_4xx += other->n_4xx;
        tally->n_5xx += other->n_5xx;
        tally->in_flight_ns += other->in_flight_ns;
        hist_merge(&tally->latency, &other->latency);
        for (int i = 0; i < MUSTER_N_PHASES; i++)
                tally->phase_ns[i] += other->phase_ns[i];
        tally->body_bytes += other->body_bytes;
        tally->wire_bytes += other->wire_bytes;
        if (!tally->example[0])
                memcpy(tally->example, other->example, sizeof(tally->example));
        if (!tally->refusal[0])
                memcpy(tally->refusal, other->refusal, sizeof(tally->refusal));
}

double tally_phase_mean(const struct tally *tally, enum muster_phase phase)
{
        return tally->n ? (double)tally->phase_ns[phase] / (double)tally->n : 0;
}

double tally_latency_mean(const struct tally *tally)
{
        return tally->n ? (double)tally->in_flight_ns / (double)tally->n : 0;
}

double tally_connect_mean(const struct tally *tally)
{
        return tally_phase_mean(tally, MUSTER_PHASE_DNS) +
               tally_phase_mean(tally, MUSTER_PHASE_TCP) +
               tally_phase_mean(tally, MUSTER_PHASE_TUNNEL) +
               tally_phase_mean(tally, MUSTER_PHASE_TLS);
}
