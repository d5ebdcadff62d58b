/* SPDX-License-Identifier: MIT */
#include "lab.h"

#include "peer.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#define FILLING_BYTES (15652 * LAB_FILLING_PERIOD) /* 1 MiB from any byte of the first line on */

/* --- for its parts --------------------------------------------------------------------------- */

static const char filling_line[] =
        "The quick brown fox jumps over the lazy dog, and again it does so.\n";

static int make_filling(struct lab *lab)
{
        size_t n = LAB_FILLING_PERIOD;

        static_assert(sizeof(filling_line) - 1 == LAB_FILLING_PERIOD, "it has this length");
        lab->filling = mem_alloc(FILLING_BYTES);
        for (size_t i = 0; lab->filling && i < FILLING_BYTES; i++)
                lab->filling[i] = filling_line[i % n];
        return lab->filling ? 0 : MUSTER_E_RESOURCE;
}

struct muster_str lab_filling(const struct lab *lab, uint64_t at)
{
        size_t skip = (size_t)(at % LAB_FILLING_PERIOD);

        return (struct muster_str){ lab->filling + skip, FILLING_BYTES - skip };
}

struct muster_str lab_date(struct lab *lab)
{
        uint64_t now_s = clock_ns_of(CLOCK_REALTIME_COARSE) / NS_PER_S;

        if (now_s != lab->date_s) {
                time_t seconds = (time_t)now_s;
                struct tm tm;

                gmtime_r(&seconds, &tm);
                /* The lab never sets a locale: these are the English names that HTTP wants. */
                strftime(lab->date, sizeof(lab->date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
                lab->date_s = now_s;
        }
        return str_of(lab->date);
}

bool lab_chance(struct lab *lab, double share)
{
        return (double)(rand_next(&lab->rand) >> 11) * 0x1p-53 < share;
}

/* --- starting and stopping ------------------------------------------------------------------- */

/*
 * Raise the limit of open files as far as allowed: the lab holds ten thousand connections at once.
 */
static void raise_files_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool wants_tls(const struct lab_config *config)
{
        for (unsigned i = 0; i < config->n_listeners; i++)
                if (config->listeners[i].has_tls)
                        return true;
        return false;
}

static int start_listeners(struct lab *lab, struct muster_error *error)
{
        int r = 0;

        lab->listeners = mem_array(lab->config->n_listeners, sizeof(*lab->listeners));
        if (!lab->listeners)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        for (unsigned i = 0; i < lab->config->n_listeners && r == 0; i++) {
                lab->n_listeners++;
                r = listener_start(&lab->listeners[i], lab, &lab->config->listeners[i], error);
        }
        return r;
}

static int start_names(struct lab *lab, struct muster_error *error)
{
        struct lab_config *config = lab->config;
        struct sockaddr_storage address;
        socklen_t len = address_to_sockaddr(&config->dns_address, config->dns_port, &address);

        return dns_server_start(&lab->dns, lab->loop, &config->zone, &lab->rand,
                (struct sockaddr *)&address, len, error);
}

int lab_start(struct lab *lab, struct loop *loop, struct lab_config *config,
        struct muster_error *error)
{
        int r;

        *lab = (struct lab){ .loop = loop, .config = config };
        list_init(&lab->dead);
        blobs_init(&lab->blobs);
        tallies_init(&lab->tallies);
        rand_init(&lab->rand, config->seed);
        lab->start_ns = clock_now(loop->clock);
        raise_files_limit();
        r = make_filling(lab);
        if (r < 0)
                error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (r == 0 && wants_tls(config))
                r = authority_new(&lab->authority, error);
        if (r == 0)
                r = start_listeners(lab, error);
        if (r == 0 && config->has_names)
                r = start_names(lab, error);
        if (r < 0)
                lab_stop(lab);
        return r;
}

void lab_reap(struct lab *lab)
{
        struct list *link;

        while ((link = list_pop(&lab->dead)))
                peer_free(peer_of_link(link));
}

void lab_stop(struct lab *lab)
{
        if (!lab->loop)
                return;
        for (unsigned i = 0; i < lab->n_listeners; i++)
                listener_stop(&lab->listeners[i]);
        lab_reap(lab);
        dns_server_stop(&lab->dns);
        lab->authority = authority_free(lab->authority);
        blobs_deinit(&lab->blobs);
        tallies_deinit(&lab->tallies);
        mem_free(lab->filling);
        mem_free(lab->listeners);
        *lab = (struct lab){ 0 };
}
