/* SPDX-License-Identifier: MIT */
/*
 * libmuster with HTTP/2: as many requests as CONNECTIONS x 100 streams at once
 *
 *      muster_h2 URL CONNECTIONS REQUESTS [CA]
 */
#include <muster/muster.h>
#include <stdio.h>
#include <stdlib.h>

/* The error of the first request that failed. */
static void tell_failure(const struct muster_result *result)
{
        static bool was_told;

        if (!was_told)
                fprintf(stderr, "status %d, HTTP version %d: %s\n", muster_result_status(result),
                        muster_result_http_version(result),
                        muster_result_error(result) ? muster_result_error_text(result) : "not 200");
        was_told = true;
}

static bool is_good(const struct muster_result *result)
{
        return muster_result_status(result) == 200 && muster_result_http_version(result) == 20;
}

int main(int argc, char **argv)
{
        struct muster_client_options options = { .size = sizeof(options),
                .http = MUSTER_HTTP_2_PRIOR_KNOWLEDGE };
        struct muster_client *client;
        struct muster_client_stats stats;
        struct muster_result *result;
        unsigned long n_wanted, n_submitted = 0, n_good = 0;

        if (argc != 4 && argc != 5)
                return 2;
        options.h2_conns = (unsigned)strtoul(argv[2], NULL, 10);
        options.concurrency = 100 * options.h2_conns;
        options.ca_file = argc == 5 ? argv[4] : NULL;
        n_wanted = strtoul(argv[3], NULL, 10);
        if (muster_client_new(&client, &options) < 0)
                return 1;
        do {
                while (n_submitted < n_wanted && muster_get(client, argv[1], NULL) == 0)
                        n_submitted++;
                result = muster_next(client);
                if (result && is_good(result))
                        n_good++;
                else if (result)
                        tell_failure(result);
                muster_result_free(result);
        } while (result);
        muster_client_stats(client, &stats, sizeof(stats));
        muster_client_free(client);
        printf("%lu %llu\n", n_good, (unsigned long long)stats.n_conns_opened);
        return n_good == n_wanted ? 0 : 1;
}
