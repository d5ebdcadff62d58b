/* SPDX-License-Identifier: MIT */
/*
 * Attempts are counted by origin, the origins with most of them become hosts, and the durations of
 * each host are laid side by side to be sorted.
 */
#include "hosts.h"

#include "life.h"
#include "sort.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>

#define NO_HOST UINT32_MAX

struct hosts {
        size_t n_origins;   /* numbers from 1 to this */
        uint32_t *of;       /* host by origin's number */
        uint64_t *values;   /* durations, those of a host together */
        size_t *begin, *to; /* where its values are, by host */
};

/* Attempts without an origin, or with a number that no row explains, belong to no host. */
static uint32_t origin_of(const struct hosts *hosts, const struct trace_attempt *attempt)
{
        return attempt->origin <= hosts->n_origins ? attempt->origin : 0;
}

/*
 * Chooses the hosts, the one with most attempts first. `key` counts downwards, as sorting is
 * ascending.
 */
static int choose(struct facts *facts, struct hosts *hosts)
{
        const struct record *record = facts->record;
        struct sort_pair *pairs = mem_array(hosts->n_origins + 1, sizeof(*pairs));

        assert(facts->n_hosts == 0);
        if (!pairs)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i <= hosts->n_origins; i++)
                pairs[i] = (struct sort_pair){ UINT64_MAX, i };
        for (size_t i = 0; i < record->n_attempts; i++) {
                uint32_t origin = origin_of(hosts, &record->attempts[i]);

                if (origin && record->attempts[i].stamps.slot_ns)
                        pairs[origin].key--;
        }
        sort_pairs(pairs, hosts->n_origins + 1);
        for (size_t i = 0; i <= hosts->n_origins; i++) {
                size_t origin = pairs[i].value;

                hosts->of[origin] = NO_HOST;
                if (i >= HOST_FACTS_MAX || pairs[i].key == UINT64_MAX)
                        continue;
                hosts->of[origin] = (uint32_t)i;
                facts->n_hosts++;
                facts->hosts[i] = (struct host_facts){
                        .origin = (uint32_t)origin,
                        .name = record->origins[origin - 1].key,
                        .n_attempts = UINT64_MAX - pairs[i].key,
                };
        }
        mem_free(pairs);
        return 0;
}

static uint32_t host_of(const struct hosts *hosts, const struct trace_attempt *attempt)
{
        return attempt->stamps.slot_ns ? hosts->of[origin_of(hosts, attempt)] : NO_HOST;
}

static void lay_out(const struct facts *facts, struct hosts *hosts)
{
        size_t at = 0;

        assert(facts->n_hosts <= HOST_FACTS_MAX);
        for (size_t i = 0; i < facts->n_hosts; i++) {
                hosts->begin[i] = hosts->to[i] = at;
                at += facts->hosts[i].n_attempts;
        }
}

static void measure_service(struct facts *facts, struct hosts *hosts)
{
        const struct record *record = facts->record;

        lay_out(facts, hosts);
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint32_t host = host_of(hosts, attempt);

                if (host == NO_HOST)
                        continue;
                facts->hosts[host].n_failed += attempt->code != 0;
                hosts->values[hosts->to[host]++] = life_end_ns(attempt) - attempt->stamps.slot_ns;
        }
        for (size_t i = 0; i < facts->n_hosts; i++) {
                struct host_facts *host = &facts->hosts[i];

                spread_of(&host->service, hosts->values + hosts->begin[i],
                        hosts->to[i] - hosts->begin[i]);
                host->mean_in_flight = (double)host->service.sum / (double)facts->wall_ns;
        }
}

static void measure_server(struct facts *facts, struct hosts *hosts)
{
        const struct record *record = facts->record;

        lay_out(facts, hosts);
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint32_t host = host_of(hosts, attempt);

                if (host != NO_HOST && trace_is_answered(attempt))
                        hosts->values[hosts->to[host]++] = attempt_server_ns(record, attempt);
        }
        for (size_t i = 0; i < facts->n_hosts; i++)
                spread_of(&facts->hosts[i].server, hosts->values + hosts->begin[i],
                        hosts->to[i] - hosts->begin[i]);
}

int hosts_measure(struct facts *facts)
{
        struct hosts hosts = { .n_origins = facts->record->n_origins };
        size_t n = min_size(hosts.n_origins, HOST_FACTS_MAX) + 1;
        int r = MUSTER_E_RESOURCE;

        assert(!facts->hosts && facts->wall_ns > 0);
        facts->hosts = mem_array(n, sizeof(*facts->hosts));
        hosts.of = mem_array(hosts.n_origins + 1, sizeof(*hosts.of));
        hosts.values = mem_array(facts->record->n_attempts, sizeof(*hosts.values));
        hosts.begin = mem_array(n, sizeof(*hosts.begin));
        hosts.to = mem_array(n, sizeof(*hosts.to));
        if (facts->hosts && hosts.of && hosts.values && hosts.begin && hosts.to)
                r = choose(facts, &hosts);
        if (r == 0) {
                measure_service(facts, &hosts);
                measure_server(facts, &hosts);
        }
        mem_free(hosts.of);
        mem_free(hosts.values);
        mem_free(hosts.begin);
        mem_free(hosts.to);
        return r;
}
