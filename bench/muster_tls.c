/* SPDX-License-Identifier: MIT */
/*
 * libmuster doing the same as floor_tls: a new connection for each request
 *
 *      muster_tls URL CONCURRENCY REQUESTS CA_FILE [THREADS]
 */
#include <muster/muster.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
        struct muster_client_options options = { .size = sizeof(options), .no_reuse = true };
        struct muster_client_stats stats;
        struct muster_client *client;
        struct muster_result *result;
        struct muster_error error = { 0 };
        unsigned long n_wanted, n_submitted = 0, n_good = 0;

        if (argc != 5 && argc != 6)
                return 2;
        n_wanted = strtoul(argv[3], NULL, 10);
        options.concurrency = (unsigned)strtoul(argv[2], NULL, 10);
        options.ca_file = argv[4];
        options.threads = argc == 6 ? (unsigned)strtoul(argv[5], NULL, 10) : 0;
        options.error = &error;
        if (muster_client_new(&client, &options) < 0) {
                fprintf(stderr, "%s\n", error.text);
                return 1;
        }
        do {
                while (n_submitted < n_wanted && muster_get(client, argv[1], NULL) == 0)
                        n_submitted++;
                result = muster_next(client);
                if (result && muster_result_status(result) == 200)
                        n_good++;
                else if (result && n_submitted - n_good < 2)
                        fprintf(stderr, "%s\n", muster_result_error_text(result));
                muster_result_free(result);
        } while (result);
        muster_client_stats(client, &stats, sizeof(stats));
        muster_client_free(client);
        printf("%lu %llu\n", n_good, (unsigned long long)stats.n_tls_resumed);
        return n_good == n_wanted ? 0 : 1;
}
